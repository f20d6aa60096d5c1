"""Cross entropy, under the contract that all losses here share: the baseline of every comparison."""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from torch import Tensor

from noisyseg.losses.elementwise import ElementwiseLoss
from noisyseg.registry import MODELS

__all__ = ["CrossEntropy", "cross_entropy"]


def cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """Returns the cross entropy ``-log p_y`` of each element.

    Args:
        logits: (N, K, ...) float.
        target: (N, ...) int64 in 0..K-1.

    Returns:
        (N, ...) >= 0.

    Examples:
        >>> import torch
        >>> cross_entropy(torch.tensor([[2.0, 0.0, -1.0]], dtype=torch.float64), torch.tensor([0]))
        tensor([0.1698], dtype=torch.float64)
    """
    return F.cross_entropy(logits, target, reduction="none")


@MODELS.register_module()
class CrossEntropy(ElementwiseLoss):
    """Cross entropy; see `cross_entropy`.

    Differs from the hosts' in the mean: over the valid pixels and their weights, never over the ignored ones.

    Args:
        **settings: The arguments of `ElementwiseLoss`.
    """

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401 - passed on
        super().__init__(**settings)

    def elementwise(self, logits: Tensor, target: Tensor) -> Tensor:
        """Returns `cross_entropy` of the elements."""
        return cross_entropy(logits, target)
