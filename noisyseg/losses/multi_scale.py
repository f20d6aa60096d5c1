"""One image at several scales: predictions that are held to their mixture, so that none of them runs ahead."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

__all__ = ["Divisor", "Gate", "ScaleWeights", "gate_of", "mixture", "multi_scale_consistency"]

Gate = Literal["pixel", "image"]
Divisor = Literal["valid", "all"]
LOWEST = 1e-3


class ScaleWeights(nn.Module):
    """Weights of the scales that sum to 1, equal at first.

    Args:
        scales: K, their number.
        learn: Whether they are parameters; else they stay equal, in a buffer.
    """

    numbers: Tensor

    def __init__(self, scales: int, learn: bool = True) -> None:
        super().__init__()
        if learn:
            self.numbers = nn.Parameter(torch.ones(scales))
        else:
            self.register_buffer("numbers", torch.ones(scales))

    def forward(self) -> Tensor:
        """Returns the (K,) weights: the softmax of the numbers, 1/K each at first."""
        return self.numbers.float().softmax(0)


def mixture(probabilities: Sequence[Tensor], weights: Tensor, normalize: bool = True) -> Tensor:
    """Returns the weighted mean of predictions, with each probability clipped to [0.001, 0.999].

    Args:
        probabilities: K tensors (B, C, ...).
        weights: (K,), sum 1.
        normalize: Makes the clipped probabilities sum to 1 again; the released code does not.
    """
    mixed = sum(weight * p for weight, p in zip(weights, probabilities, strict=True))
    mixed = mixed.clamp(LOWEST, 1 - LOWEST)
    return mixed / mixed.sum(1, keepdim=True) if normalize else mixed


def gate_of(mixed: Tensor, valid: Tensor, threshold: float, per: Gate) -> Tensor:
    """Returns where the mixture is so sure of a class that predictions are held to it.

    Args:
        mixed: (B, C, ...) probabilities.
        valid: (B, ...) bool; pixels that cannot open the gate are False.
        threshold: Least probability of the surest class.
        per: ``pixel``; or ``image``, where one sure pixel is enough for all.

    Returns:
        (B, ...) bool; for images of size 1 in all dimensions but the first.
    """
    sure = (mixed.detach().amax(1) >= threshold) & valid
    return sure if per == "pixel" else sure.flatten(1).any(1).view(-1, *[1] * (sure.dim() - 1))


def multi_scale_consistency(
    logits: Sequence[Tensor],
    weights: Tensor,
    valid: Tensor,
    *,
    threshold: float = 0.8,
    gate: Gate = "pixel",
    divisor: Divisor = "valid",
    masked: bool = True,
    normalize: bool = True,
) -> Tensor:
    """Returns the mean over pixels of ``sum_k KL(p_k || q)``, where q is the mixture of all p_k and sure enough.

    Args:
        logits: K tensors (B, C, ...); one channel counts as the two classes with logits (0, z).
        weights: (K,) of the scales in the mixture, sum 1.
        valid: (B, ...) bool, False where the label is ignored.
        threshold: See `gate_of`.
        gate: See `gate_of`.
        divisor: Number of ``valid`` pixels, or of ``all``, as in the released code.
        masked: Leaves out pixels that are not valid; an option in the released code.
        normalize: See `mixture`.

    Returns:
        A scalar, float32 (float64 for such logits).

    Source:
        Liu et al., Adaptive Early-Learning Correction for Segmentation from Noisy Annotations, CVPR 2022.
    """
    dtype = torch.promote_types(logits[0].dtype, torch.float32)
    with torch.autocast(logits[0].device.type, enabled=False):
        planes = [z.to(dtype) for z in logits]
        if planes[0].shape[1] == 1:
            planes = [torch.cat([torch.zeros_like(z), z], 1) for z in planes]
        logs = [z.log_softmax(1) for z in planes]
        chances = [log_p.exp() for log_p in logs]
        mixed = mixture(chances, weights.to(dtype), normalize)
        log_q = mixed.log()
        values = sum((p * (log_p - log_q)).sum(1) for p, log_p in zip(chances, logs, strict=True))
        counted = gate_of(mixed, valid, threshold, gate)
        counted = counted & valid if masked else counted.expand_as(valid)
        pixels = valid.sum().clamp(min=1) if divisor == "valid" else valid.numel()
        return torch.where(counted, values, 0).sum() / pixels
