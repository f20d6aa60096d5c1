"""One image at several scales: predictions that are held to their mixture, so that none of them runs ahead."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx, once_differentiable

from noisyseg.losses.closed_form import pieces

__all__ = ["Divisor", "Gate", "ScaleWeights", "multi_scale_consistency"]

Gate = Literal["pixel", "image"]
Divisor = Literal["valid", "all"]
LOWEST = 1e-3
"""Bound of the mixture's probabilities, from below and, as 1 - LOWEST, from above: its logarithm stays small."""


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
        """Returns the (K,) float32 weights: the softmax of the numbers, 1/K each at first."""
        return self.numbers.float().softmax(0)


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
    """Returns the mean over pixels of ``sum_k KL(p_k ‖ q)``, where the mixture q of all p_k is sure of a class.

    The gradient goes into all p_k, also through q, and into the weights. With m the clipped mixture and |m| its sum,
    ``q = m / |m|`` (or m), S the sum of all p_k, ``A_k = log p_k - log q``, and ``R = S / m - K / |m|`` (or S / m)
    where nothing was clipped, 0 elsewhere, it is

        d / dz_k = p_k (A_k - w_k R - <p_k, A_k - w_k R>),    d / dw_k = -<p_k, R>

    and is computed along with the values, in pieces: K tensors of the size of the logits are kept, and no others.
    In float32 (float64 stays), also under autocast.

    The released code, ``gate="image", divisor="all", normalize=False``, switches a whole image on by its surest pixel,
    and counts an image with many ignored pixels less.

    Args:
        logits: K tensors (B, C, ...); one channel counts as the two classes with logits (0, z).
        weights: (K,) of the scales in the mixture, sum 1.
        valid: (B, ...) bool, False where the label is ignored.
        threshold: Least probability of the surest class of q, below which nothing is held to it.
        gate: Whether each valid ``pixel`` has to be that sure, or any of the ``image``.
        divisor: Number of ``valid`` pixels, or of ``all``.
        masked: Leaves out pixels that are not valid; an option in the released code.
        normalize: Makes the mixture's probabilities sum to 1 again after they are clipped to [0.001, 0.999].

    Returns:
        A scalar, >= 0 with ``normalize``, to be differentiated once; 0 without valid pixels.

    Raises:
        ValueError: Shapes do not fit, or an option is unknown.

    Source:
        Liu et al., Adaptive Early-Learning Correction for Segmentation from Noisy Annotations, CVPR 2022, and its
        released code.

    Examples:
        >>> sure, unsure = torch.tensor([[[9.0], [0.0]]]), torch.tensor([[[2.0], [0.0]]])
        >>> multi_scale_consistency([sure, unsure], torch.tensor([0.5, 0.5]), torch.tensor([[True]]))
        tensor(0.0855)
    """
    for name, value, options in (("gate", gate, Gate), ("divisor", divisor, Divisor)):
        if value not in get_args(options):
            raise ValueError(f"{name}: expected one of {', '.join(get_args(options))}, not {value!r}")
    shapes = [tuple(z.shape) for z in logits]
    if not shapes or len({*shapes, (len(valid), shapes[0][1], *valid.shape[1:])}) > 1:
        raise ValueError(f"logits: expected K times (B, C, ...) for valid pixels {tuple(valid.shape)}, got {shapes}")
    if weights.shape != (len(logits),):
        raise ValueError(f"weights: expected ({len(logits)},), one a scale, got {tuple(weights.shape)}")
    total = _GatedDivergence.apply(weights, valid, threshold, gate, masked, normalize, *logits)
    return total / (valid.sum().clamp(min=1) if divisor == "valid" else max(valid.numel(), 1))


class _GatedDivergence(torch.autograd.Function):
    """The sum over pixels; see `multi_scale_consistency`."""

    @staticmethod
    def forward(
        ctx: FunctionCtx,
        weights: Tensor,
        valid: Tensor,
        threshold: float,
        gate: Gate,
        masked: bool,
        normalize: bool,
        *logits: Tensor,
    ) -> Tensor:
        dtype = torch.promote_types(logits[0].dtype, torch.float32)
        w = weights.to(dtype)
        total, by_weight = w.new_zeros(()), torch.zeros_like(w)
        gradients = [torch.empty_like(z) for z in logits]
        with torch.autocast(w.device.type, enabled=False):
            for place in _places(logits, whole_maps=gate == "image"):
                known = valid[(place[0], *place[2:])]
                logs = [_log_probabilities(z[place].to(dtype)) for z in logits]
                chances = [log_p.exp() for log_p in logs]
                q, pull = _mixture(chances, w, normalize)
                counted = _gate(q, known, threshold, gate)
                counted = (counted & known if masked else counted.expand_as(known)).to(dtype)
                log_q = q.log_()
                for k, (p, slope) in enumerate(zip(chances, logs, strict=True)):
                    slope -= log_q
                    divergence, pulled = (p * slope).sum(1), (p * pull).sum(1)
                    total += (divergence * counted).sum()
                    by_weight[k] -= (pulled * counted).sum()
                    slope.sub_(pull * w[k]).sub_((divergence - w[k] * pulled).unsqueeze(1))
                    slope.mul_(p).mul_(counted.unsqueeze(1))
                    gradients[k][place] = slope[:, -1:] if logits[k].shape[1] == 1 else slope
        ctx.save_for_backward(by_weight.to(weights.dtype), *gradients)
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, grad: Tensor) -> tuple[Tensor | None, ...]:
        by_weight, *gradients = (grad * tensor for tensor in ctx.saved_tensors)
        return by_weight, None, None, None, None, None, *gradients


def _places(logits: Sequence[Tensor], whole_maps: bool) -> Iterable[tuple[slice, ...]]:
    """Returns slices that cut (B, C, ...) logits into pieces; one piece away from the CPU."""
    first = logits[0]
    if first.device.type != "cpu" or first.numel() == 0:
        return [(slice(None),) * first.dim()]
    return pieces(torch.Size((len(first), len(logits) * first.shape[1], *first.shape[2:])), whole_maps)


def _log_probabilities(logits: Tensor) -> Tensor:
    two = torch.cat([torch.zeros_like(logits), logits], 1) if logits.shape[1] == 1 else logits
    return two.log_softmax(1)


def _mixture(chances: Sequence[Tensor], weights: Tensor, normalize: bool) -> tuple[Tensor, Tensor]:
    """Returns the mixture q and R of `multi_scale_consistency`."""
    mixed, total = weights[0] * chances[0], chances[0].clone()
    for weight, p in zip(weights[1:], chances[1:], strict=True):
        mixed += weight * p
        total += p
    q = mixed.clamp(LOWEST, 1 - LOWEST)
    free = q == mixed
    pull = total.div_(q)
    if normalize:
        size = q.sum(1, keepdim=True)
        q /= size
        pull -= len(chances) / size
    return q, pull.mul_(free)


def _gate(q: Tensor, known: Tensor, threshold: float, per: Gate) -> Tensor:
    """Returns (B, ...) bool: the pixels that are held to the mixture; for whole images of size 1 in all but B."""
    sure = (q.amax(1) >= threshold) & known
    return sure if per == "pixel" else sure.flatten(1).any(1).view(-1, *[1] * (sure.dim() - 1))
