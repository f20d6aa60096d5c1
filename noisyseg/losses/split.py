"""Split loss: which foreground class is in doubt, foreground or background is not."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from noisyseg.losses.cross_entropy import cross_entropy
from noisyseg.losses.elementwise import ElementwiseLoss
from noisyseg.losses.forms import Elements
from noisyseg.losses.inner import function_of_nll, inner_loss
from noisyseg.registry import MODELS

__all__ = ["SplitLoss", "touches_background"]


def touches_background(logits: Tensor, target: Tensor, background: int) -> Tensor:
    """Returns whether the label of an element is the background, or its prediction is.

    Args:
        logits: (N, K, ...) float.
        target: (N, ...) int64 in 0..K-1.
        background: Class in 0..K-1. Where another class has the same largest logit, it counts as predicted.

    Returns:
        (N, ...) bool.
    """
    predicted = logits.select(1, background) >= logits.amax(1)
    return predicted | (target == background)


@MODELS.register_module()
class SplitLoss(ElementwiseLoss):
    """A robust loss between foreground classes, and cross entropy where the background has a part.

    Annotators confuse classes of objects, and seldom an object with the background. So where label or prediction is
    background, the label may teach with full force; elsewhere it is one foreground class against another, and a robust
    loss takes over.

    Yang et al., "Learning with Noisy Class Labels for Instance Segmentation", ECCV 2020, with reverse cross entropy
    and both weights 1. Theirs is a second stage after plain cross entropy. The released loss averages over all RoIs,
    with another background class for labels than for predictions; here weights and ``avg_factor`` of the head count.

    Args:
        foreground: Config of the loss between foreground classes.
        background: Config of the loss elsewhere; None stands for cross entropy.
        background_index: The class background; None stands for the last channel, as in mmdet's softmax heads.
        **settings: The arguments of `ElementwiseLoss`.

    Raises:
        ValueError: When built: the sigmoid form, a negative index, or an inner loss that does not fit (see
            `inner_loss`). When called: fewer classes than the index needs.
    """

    forms = ("softmax",)
    why_not = "in sigmoid heads the background is the absence of all classes, and no prediction has it as its class"

    def __init__(
        self,
        foreground: dict[str, Any] | None = None,
        background: dict[str, Any] | None = None,
        background_index: int | None = None,
        **settings: Any,  # noqa: ANN401 - passed on
    ) -> None:
        super().__init__(**settings)
        if foreground is None:
            foreground = dict(type="noisyseg.ReverseCrossEntropy")
        if background is None:
            background = dict(type="noisyseg.CrossEntropy")
        if background_index is not None and background_index < 0:
            raise ValueError(f"background_index: expected a class >= 0, or None for the last, not {background_index!r}")
        self.foreground = inner_loss("foreground", foreground, sigmoid=False)
        self.background = inner_loss("background", background, sigmoid=False)
        self.background_index = background_index

    def elementwise(self, logits: Tensor, target: Tensor) -> Tensor:
        """Returns the split loss of elements that all count."""
        return self._values(Elements(logits, target, None, binary=False), None)

    def values_and_weights(self, elements: Elements, image_weight: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Returns the losses of the elements, and all their weights multiplied."""
        return self._values(elements, image_weight), elements.weights(self._class_weight, image_weight)

    def _values(self, elements: Elements, image_weight: Tensor | None) -> Tensor:
        logits, target = elements.logits, elements.target
        classes = logits.shape[1]
        index = classes - 1 if self.background_index is None else self.background_index
        if index >= classes:
            raise ValueError(f"background_index: expected a class in 0..{classes - 1} of these logits, not {index}")
        inner = (self.background, self.foreground)
        nll = cross_entropy(logits, target) if any(function_of_nll(loss) for loss in inner) else None
        plain, robust = (_inner_values(loss, elements, image_weight, nll) for loss in inner)
        with torch.no_grad():
            plainly = touches_background(logits, target, index)
        return torch.where(plainly, plain, robust)

    def extra_repr(self) -> str:
        """Returns the settings; the inner losses print themselves."""
        return f"background_index={self.background_index}, {super().extra_repr()}"


def _inner_values(loss: ElementwiseLoss, elements: Elements, image_weight: Tensor | None, nll: Tensor | None) -> Tensor:
    """Returns the values of an inner loss; those that are functions of the cross entropy share one."""
    of_nll = function_of_nll(loss)
    if of_nll is not None and nll is not None:
        values = of_nll(nll)
    else:
        values, _ = loss.values_and_weights(elements, image_weight)
    return loss.loss_weight * values
