"""What every loss has: the settings, and the contract with the heads of mmseg and mmdet."""

from __future__ import annotations

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from noisyseg.losses.forms import Elements, binary_elements, label_elements, mask_of_class
from noisyseg.losses.reduction import Reduction, check_reduction, check_weight, reduce_values
from noisyseg.ops.checks import require

__all__ = ["HeadLoss"]

Form = Literal["softmax", "sigmoid"]


class HeadLoss(nn.Module, ABC):
    """A loss that a head calls: it turns logits, labels and weights into values, which are reduced in one place.

    A subclass gives `values_and_weights`: `ElementwiseLoss` one value a pixel, box or point, the Dice losses one an
    image or instance. Those two say which calls they take. The computation is in float32 (float64 stays), also under
    autocast.

    Args:
        use_sigmoid: The sigmoid form instead of the softmax form.
        use_mask: Sigmoid form on the channel of each instance's class, as in mmdet's mask heads.
        ignore_index: Label of elements that count nothing; None stands for 255 in maps and volumes and for "no such
            label" in (N, K) logits, where 255 may be a class. An ``ignore_index`` in the call wins.
        class_weight: (K,) weights >= 0 of the classes (softmax: of the labels; sigmoid: of the channels).
        reduction: ``mean``, ``sum`` or ``none``; see `reduce_values` for what a mean divides by.
        loss_weight: Factor on the result.
        loss_name: Key in the head's dictionary of losses; mmengine adds up the entries with ``loss`` in their name.
            None stands for ``loss_`` and the name of the class.

    Raises:
        ValueError: When built: unknown reduction, negative class weight, a form that the loss does not have.
            When called (see `forward`).
        TypeError: A setting that the loss does not have, which often is one of the loss in a base config.
    """

    forms: ClassVar[tuple[Form, ...]] = ("softmax", "sigmoid")
    why_not: ClassVar[str] = ""
    """Why a form is missing; ends the message of the error."""
    maps_only: ClassVar[bool] = False
    """Whether calls with (N, K) logits of boxes raise."""

    def __init__(
        self,
        *,
        use_sigmoid: bool = False,
        use_mask: bool = False,
        ignore_index: int | None = None,
        class_weight: Sequence[float] | None = None,
        reduction: Reduction = "mean",
        loss_weight: float = 1.0,
        loss_name: str | None = None,
        **unknown: object,
    ) -> None:
        super().__init__()
        if unknown:
            raise TypeError(
                f"{type(self).__name__} has no setting {', '.join(unknown)}; a config that changes the loss of its "
                "base inherits that loss's settings unless it says dict(_delete_=True, type=...)"
            )
        form: Form = "sigmoid" if use_sigmoid or use_mask else "softmax"
        if form not in self.forms:
            raise ValueError(f"{type(self).__name__} has no {form} form: {self.why_not}")
        if loss_name is None:
            loss_name = "loss_" + re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(self).__name__).lower()
        if "loss" not in loss_name:
            raise ValueError(f"loss_name: expected 'loss' in it, or mmengine will not add it up, not {loss_name!r}")
        if use_mask and class_weight is not None:
            raise ValueError("class_weight has no meaning with use_mask: each instance has one channel")
        check_reduction(reduction)
        if not 0 <= loss_weight < math.inf:
            raise ValueError(f"loss_weight: expected a finite number >= 0, not {loss_weight!r}")
        self.use_sigmoid = use_sigmoid
        self.use_mask = use_mask
        self.ignore_index = ignore_index
        self.class_weight = None if class_weight is None else list(class_weight)  # mmdet's heads read it
        self.reduction = reduction
        self.loss_weight = loss_weight
        self.loss_name = loss_name
        weights = None if class_weight is None else torch.tensor(class_weight, dtype=torch.float32)
        if weights is not None:
            if weights.dim() != 1 or not len(weights):
                raise ValueError(f"class_weight: expected one number a class, not {class_weight!r}")
            check_weight(weights, "class_weight")
        self.register_buffer("_class_weight", weights, persistent=False)

    @abstractmethod
    def values_and_weights(self, elements: Elements, image_weight: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Returns the values that are to be reduced, and their weights >= 0 of the same shape; None means 1.

        Args:
            elements: Logits, targets and weights as `forward` got them, checked.
            image_weight: The argument of `forward`, not yet checked.

        A loss with a ``context`` takes what it returns as further named arguments.
        """

    def forward(
        self,
        pred: Tensor,
        target: Tensor,
        weight: Tensor | None = None,
        avg_factor: float | Tensor | None = None,
        reduction_override: Reduction | None = None,
        *,
        ignore_index: int | None = None,
        image_weight: Tensor | None = None,
        **context: Tensor,
    ) -> Tensor:
        """Returns the reduced loss, times ``loss_weight``.

        Args:
            pred: Logits; see the class for the shapes.
            target: Labels, int; or targets in [0, 1] of the shape of ``pred`` (sigmoid form).
            weight: Weights >= 0 of the shape of ``target`` (or of ``pred``, in the sigmoid form). With ``use_mask``
                this place holds the instances' classes (R,), as in mmdet.
            avg_factor: What a mean divides by, instead of the sum of the weights.
            reduction_override: Reduction of this call.
            ignore_index: Ignored label of this call.
            image_weight: (N,) weights >= 0 of the images, or instances.
            **context: What the loss's method ``context`` made of the samples of the batch, if it has one.

        Raises:
            ValueError: A label outside 0..K-1 that is not ignored, logits that give a NaN or infinite loss, negative or
                non-finite weights (on CUDA these three are device-side assertions), wrong shapes.
            TypeError: Not a tensor, or logits that are no real floating-point numbers.
        """
        _check_tensors(pred, target, weight, image_weight)
        if ignore_index is None:
            ignore_index = self.ignore_index
        with torch.autocast(pred.device.type, enabled=False):
            logits = pred if pred.dtype == torch.float64 else pred.float()
            elements = self._elements(logits, target, weight, ignore_index)
            values, weights = self.values_and_weights(elements, image_weight, **context)
            require(
                torch.isfinite(values).all(),
                lambda: (
                    f"{type(self).__name__}: the loss of {int((~torch.isfinite(values)).sum())} of {values.numel()} "
                    f"elements is NaN or infinite, and so are {int((~torch.isfinite(logits)).sum())} logits"
                ),
            )
            return self.loss_weight * self.reduce(values, weights, reduction_override or self.reduction, avg_factor)

    def reduce(
        self, values: Tensor, weights: Tensor | None, reduction: Reduction, avg_factor: float | Tensor | None
    ) -> Tensor:
        """Returns `reduce_values` of the values; a loss may choose among them before."""
        return reduce_values(values, weights, reduction=reduction, avg_factor=avg_factor)

    def _elements(self, logits: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int | None) -> Elements:
        if self.use_mask:
            if weight is None:
                raise ValueError(f"{type(self).__name__} with use_mask: expected the classes (R,) as third argument")
            return binary_elements(mask_of_class(logits, weight), target, None)
        if self.use_sigmoid and logits.shape == target.shape:
            return binary_elements(logits, target, weight)
        return label_elements(logits, target, weight, ignore_index, one_hot=self.use_sigmoid)

    def extra_repr(self) -> str:
        """Returns the settings that every loss has."""
        return f"use_sigmoid={self.use_sigmoid}, reduction={self.reduction!r}, loss_weight={self.loss_weight}"


def _check_tensors(pred: object, target: object, weight: object, image_weight: object) -> None:
    """Raises ``TypeError`` for what is no tensor, which would only fail further on, and for logits of another kind."""
    names = {"pred": pred, "target": target, "weight": weight, "image_weight": image_weight}
    for name, value in names.items():
        if not isinstance(value, Tensor) and (value is not None or name in ("pred", "target")):
            raise TypeError(f"{name}: expected a tensor, not {type(value).__name__}")
    if not pred.is_floating_point():
        raise TypeError(f"pred: expected floating-point logits, not {pred.dtype}")
    if not pred.dim():
        raise ValueError("pred: expected logits with at least one dimension, not a single number")
