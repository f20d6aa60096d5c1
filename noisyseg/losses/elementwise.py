"""What every loss has that is a sum over pixels, boxes or points: the contract with the heads of mmseg and mmdet."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import torch
from torch import Tensor

from noisyseg.losses.base import HeadLoss
from noisyseg.losses.forms import Elements
from noisyseg.losses.reduction import Reduction

__all__ = ["ElementwiseLoss"]


class ElementwiseLoss(HeadLoss):
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
    - SOLO and Mask2Former-style mask terms, in the sigmoid form: logits and targets in [0, 1] of one shape. SOLO,
      CondInst and RTMDet-Ins, and Mask2Former for its ``loss_dice``, want one value for each instance: `per_instance`.

    Volumes (N, K, D, H, W) work like maps. The computation is in float32 (float64 stays), also under autocast.

    Args:
        per_instance: Takes a mean over the elements of each instance, or image, and reduces these means instead of
            the elements; a mean counts as much as its elements weigh on average.
        **settings: The arguments of `HeadLoss`.
    """

    def __init__(self, *, per_instance: bool = False, **settings: Any) -> None:  # noqa: ANN401 - passed on
        super().__init__(**settings)
        self.per_instance = per_instance

    @abstractmethod
    def elementwise(self, logits: Tensor, target: Tensor) -> Tensor:
        """Returns the loss of each element.

        Args:
            logits: (N, K, ...) float32 or float64.
            target: (N, ...) int64 in 0..K-1; elements that are ignored hold 0.

        Returns:
            (N, ...), finite for finite logits.
        """

    def values_and_weights(self, elements: Elements, image_weight: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Returns the losses of the elements, and all their weights multiplied."""
        weights = elements.weights(self._class_weight, image_weight)
        return elements.values(self.elementwise), weights

    def select(self, values: Tensor, weights: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Returns values and weights after a choice that needs the whole batch; most losses choose nothing."""
        return values, weights

    def reduce(
        self, values: Tensor, weights: Tensor | None, reduction: Reduction, avg_factor: float | Tensor | None
    ) -> Tensor:
        """Returns the reduction of what `select` leaves."""
        values, weights = self.select(values, weights)
        if self.per_instance:
            values, weights = _means(values, weights)
        return super().reduce(values, weights, reduction, avg_factor)


def _means(values: Tensor, weights: Tensor | None) -> tuple[Tensor, Tensor]:
    """Returns the weighted means (N,) of (N, ...) values, and the means of their weights where these are above 0."""
    values = values.reshape(values.shape[0], values[:1].numel())
    weights = torch.ones_like(values) if weights is None else weights.reshape(values.shape)
    total = weights.sum(1)
    means = (values * weights).sum(1) / total.clamp(min=torch.finfo(total.dtype).tiny)
    return means, total / (weights > 0).sum(1).clamp(min=1)
