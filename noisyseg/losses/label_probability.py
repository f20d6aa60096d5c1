"""What the losses have in common that look at a prediction only through the probability of the given label."""

from __future__ import annotations

import math
from abc import abstractmethod

import torch
import torch.nn.functional as F
from torch import Tensor

from noisyseg.losses.cross_entropy import cross_entropy
from noisyseg.losses.elementwise import ElementwiseLoss
from noisyseg.losses.forms import Elements

__all__ = ["LabelProbabilityLoss", "check_factor"]


class LabelProbabilityLoss(ElementwiseLoss):
    """A loss that is a function of p_y alone, written as one of the cross entropy ``nll = -log p_y``.

    Two things follow. It is one value an element where the logits are K, so it costs what cross entropy costs. And its
    gradient is that of cross entropy, ``p - e_y``, times the slope of the function: such a loss weighs elements by how
    well they fit, and can't move a prediction in another direction than cross entropy does.

    Working on ``nll`` and not on p_y is what keeps it finite: at logits of ±100 p_y is 0 in single precision, and
    ``nll`` is 200.

    Args:
        **settings: The arguments of `ElementwiseLoss`.
    """

    @abstractmethod
    def of_nll(self, nll: Tensor) -> Tensor:
        """Returns the loss from the cross entropy of each element.

        Args:
            nll: ``-log p_y`` >= 0, float32 or float64, of any shape.

        Returns:
            The same shape; finite, with a finite gradient.
        """

    def elementwise(self, logits: Tensor, target: Tensor) -> Tensor:
        """Returns `of_nll` of the elements' cross entropy."""
        return self.of_nll(cross_entropy(logits, target))

    def values_and_weights(self, elements: Elements, image_weight: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Returns the losses of the elements, and all their weights multiplied.

        In the sigmoid form the cross entropy has a closed form, so that no second class has to be made up.
        """
        if not elements.binary:
            return super().values_and_weights(elements, image_weight)
        weights = elements.weights(self._class_weight, image_weight)
        logits, target = elements.logits, elements.target
        if target.dtype == torch.bool:
            nll = F.binary_cross_entropy_with_logits(logits, target.to(logits), reduction="none")
            return self.of_nll(nll), weights
        # From the threshold on softplus(x) is x: by default from 20 on, which double precision would notice.
        positive, negative = (self.of_nll(F.softplus(x, threshold=60)) for x in (-logits, logits))
        return target * positive + (1 - target) * negative, weights


def check_factor(name: str, factor: float) -> None:
    """Raises ``ValueError`` unless a factor of a part of a loss is finite and >= 0."""
    if not 0 <= factor < math.inf:
        raise ValueError(f"{name}: expected a finite number >= 0, not {factor!r}")
