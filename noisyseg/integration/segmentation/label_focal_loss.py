"""mmseg's focal loss for class numbers on any device."""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from mmseg.models.losses import FocalLoss
from torch import Tensor

from noisyseg.registry import MODELS

__all__ = ["LabelFocalLoss"]


@MODELS.register_module()
class LabelFocalLoss(FocalLoss):
    """mmseg's focal loss, called with one-hot labels.

    With class numbers, as decode heads have them, mmseg's own fails on a CPU: it takes one channel of the one-hot
    labels where it means all of them (``target[:, num_classes]``). The mean is over the pixels that are
    not ignored, and over the classes.

    Args:
        **settings: The arguments of ``mmseg.FocalLoss``.
    """

    def forward(
        self,
        pred: Tensor,
        target: Tensor,
        weight: Tensor | None = None,
        avg_factor: float | Tensor | None = None,
        reduction_override: str | None = None,
        ignore_index: int = 255,
        **_: Any,  # noqa: ANN401 - what other hosts pass
    ) -> Tensor:
        """Returns the loss of (N, K, ...) logits and (N, ...) class numbers."""
        valid = target != ignore_index
        classes = pred.shape[1]
        one_hot = F.one_hot(target.clamp(max=classes - 1), classes).movedim(-1, 1).to(pred.dtype)
        total = valid.to(pred.dtype) if weight is None else valid * weight
        if avg_factor is None:
            avg_factor = (total.sum() * classes).clamp(min=1)
        return super().forward(pred, one_hot, total.reshape(-1), avg_factor, reduction_override, ignore_index)
