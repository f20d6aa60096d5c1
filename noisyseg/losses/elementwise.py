"""What every loss has that is a sum over pixels, boxes or points: the contract with the heads of mmseg and mmdet."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from noisyseg.losses.checks import require
from noisyseg.losses.forms import Elements, binary_elements, label_elements, mask_of_class
from noisyseg.losses.reduction import Reduction, check_reduction, check_weight, reduce_values

__all__ = ["ElementwiseLoss"]

Form = Literal["softmax", "sigmoid"]


class ElementwiseLoss(nn.Module, ABC):
    """A loss that has one value for each element (pixel, box, point), reduced in one place.

    A subclass gives `elementwise`, on float logits of K classes and legal labels. From it come the **softmax** form
    and the **sigmoid** form: a channel with logit z is a softmax over two classes with logits (0, z), and a soft
    target t in [0, 1] has the expected loss, ``t * loss(1) + (1 - t) * loss(0)``. A loss whose maths has no sigmoid
    form leaves it out of `forms` and raises when it is built.

    Call it as the hosts do:

    - mmseg decode heads: ``loss(logits (N, K, H, W), labels (N, H, W), weight=pixel weights, ignore_index=255)``
    - mmdet box heads: ``loss(logits (N, K), labels (N,), weight (N,), avg_factor=…, reduction_override=…)``; in the
      sigmoid form the label K (and any larger) means background
    - mmdet mask heads, with ``use_mask=True``: ``loss(logits (R, K, H, W), masks (R, H, W), classes (R,))``
    - SOLO and Mask2Former-style mask terms, in the sigmoid form: logits and targets in [0, 1] of one shape

    Volumes (N, K, D, H, W) work like maps. The computation is in float32 (float64 stays), also under autocast.

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
    """

    forms: ClassVar[tuple[Form, ...]] = ("softmax", "sigmoid")
    why_not: ClassVar[str] = ""
    """Why a form is missing; ends the message of the error."""

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
    ) -> None:
        super().__init__()
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
        self.use_sigmoid = use_sigmoid
        self.use_mask = use_mask
        self.ignore_index = ignore_index
        self.class_weight = None if class_weight is None else list(class_weight)  # mmdet's heads read it
        self.reduction = reduction
        self.loss_weight = loss_weight
        self.loss_name = loss_name
        weights = None if class_weight is None else torch.tensor(class_weight, dtype=torch.float32)
        if weights is not None:
            check_weight(weights, "class_weight")
        self.register_buffer("_class_weight", weights, persistent=False)

    @abstractmethod
    def elementwise(self, logits: Tensor, target: Tensor) -> Tensor:
        """Returns the loss of each element.

        Args:
            logits: (N, K, ...) float32 or float64.
            target: (N, ...) int64 in 0..K-1; elements that are ignored hold 0.

        Returns:
            (N, ...), finite for finite logits.
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
            image_weight: (N,) weights >= 0 of the images, or instances, multiplied into ``weight``.

        Raises:
            ValueError: A label outside 0..K-1 that is not ignored, logits that give a NaN or infinite loss, negative or
                non-finite weights (on CUDA these three are device-side assertions), wrong shapes.
        """
        if ignore_index is None:
            ignore_index = self.ignore_index
        with torch.autocast(pred.device.type, enabled=False):
            logits = pred if pred.dtype == torch.float64 else pred.float()
            elements = self._elements(logits, target, weight, ignore_index)
            total = elements.weights(self._class_weight, image_weight)
            values = elements.values(self.elementwise)
            require(
                torch.isfinite(values).all(),
                lambda: (
                    f"{type(self).__name__}: the loss of {int((~torch.isfinite(values)).sum())} of {values.numel()} "
                    f"elements is NaN or infinite, and so are {int((~torch.isfinite(logits)).sum())} logits"
                ),
            )
            values, total = self.select(values, total)
            return self.loss_weight * reduce_values(
                values, total, reduction=reduction_override or self.reduction, avg_factor=avg_factor
            )

    def select(self, values: Tensor, weights: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Returns values and weights after a choice that needs the whole batch; most losses choose nothing."""
        return values, weights

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
