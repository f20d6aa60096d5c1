"""The terms of the losses of PNT-Edge: sums over a batch, which the caller weights and divides.

Letters: B batch, K edge classes, H rows, W columns, φ the field (B, 2, H, W) pixels, rows first, then columns. All in
float32, also under autocast: there is no product of matrices here. Source: PNT-Edge (arXiv 2307.14070).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from noisyseg.ops.warp import Padding, warp
from noisyseg.transitions.complexity import shift_energy

__all__ = ["complexity_sum", "seen_through", "smoothness_sum", "still_valid", "target_sum", "unreached_sum"]

LEAST_PROBABILITY = 1e-6
LARGEST = 0.99
"""Energy and complexity above this count as this."""


def seen_through(probability: Tensor, field: Tensor, padding: Padding = "zeros") -> Tensor:
    """Returns logits of the probabilities that the labels should show: ``probability`` read where φ points to.

    Args:
        probability: (B, K, H, W) float in [0, 1].
        field: φ.
        padding: See :func:`noisyseg.ops.warp`.

    Returns:
        (B, K, H, W) float32, within ±13.8: probabilities closer to 0 or 1 than 10⁻⁶ count as that far, and have no
        gradient. The published code clamps at 10⁻¹⁰, where a gradient can be 10¹².

    Raises:
        ValueError: What :func:`noisyseg.ops.warp` raises.
    """
    seen = warp(probability, field, padding).clamp(LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
    return seen.logit()


@torch.no_grad()
def still_valid(valid: Tensor, field: Tensor) -> Tensor:
    """Returns (B, 1, H, W) bool: which valid pixels also read from valid ones alone.

    Outside of the image lies what is at its border, so that only ignored pixels take others with them.

    Args:
        valid: (B, 1, H, W) bool, False where labels are ignored.
        field: φ.

    Raises:
        ValueError: A tensor is none of the above.
    """
    _check_field(field)
    _check("valid", valid, field)
    return valid & (warp(valid, field, "border") > LARGEST)


def target_sum(field: Tensor, target: Tensor, defined: Tensor) -> Tensor:
    """Returns (), the sum of ``|φ - target|²`` over the pixels where the target is defined, px².

    Args:
        field: φ.
        target: (B, 2, H, W); see :func:`~noisyseg.transitions.shift_target`.
        defined: (B, 1, H, W) bool.

    Raises:
        ValueError: A tensor is none of the above.
    """
    _check_field(field)
    _check("target", target, field, channels=2, mask=False)
    _check("defined", defined, field)
    return ((field - target).square() * defined).sum()


def complexity_sum(
    field: Tensor,
    complexity: Tensor,
    labelled: Tensor,
    valid: Tensor,
    *,
    least: float = 1.0,
    padding: Padding = "zeros",
) -> Tensor:
    """Returns (), the squared difference of how far labels are shifted and how busy the image is, summed.

    An image counts nothing if it has no label edge, or none of its pixels a complexity: there is nothing to compare.

    Args:
        field: φ.
        complexity: (B, 1, H, W) in [0, 1]; see :func:`~noisyseg.transitions.local_complexity`. Read where φ points to.
        labelled: (B, 1, H, W) bool, label edges of any class.
        valid: (B, 1, H, W) bool.
        least: See :func:`~noisyseg.transitions.shift_energy`.
        padding: See :func:`noisyseg.ops.warp`.

    Raises:
        ValueError: A tensor is none of the above, or what the two functions raise.
    """
    _check_field(field)
    _check("complexity", complexity, field, mask=False)
    _check("labelled", labelled, field)
    _check("valid", valid, field)
    energy = shift_energy(field, labelled, least)
    difference = energy.clamp(max=LARGEST) - warp(complexity, field, padding).clamp(max=LARGEST)
    comparable = _any_pixel(labelled) & _any_pixel(complexity > 0)
    return (difference.square() * (valid & comparable)).sum()


def smoothness_sum(field: Tensor, valid: Tensor) -> Tensor:
    """Returns (), the squared differences of φ between neighbouring pixels, summed over valid pairs of them, px².

    Along a straight edge its own shift cannot be seen; this carries it there from corners and bends. Not in the
    published code, where a term of that name is always 0.

    Args:
        field: φ.
        valid: (B, 1, H, W) bool.

    Raises:
        ValueError: A tensor is none of the above.
    """
    _check_field(field)
    _check("valid", valid, field)
    down = field.diff(dim=2).square() * (valid[:, :, 1:] & valid[:, :, :-1])
    across = field.diff(dim=3).square() * (valid[..., 1:] & valid[..., :-1])
    return down.sum() + across.sum()


def unreached_sum(logits: Tensor, reached: Tensor, valid: Tensor) -> Tensor:
    """Returns (), the cross entropy with "no edge" of all pixels that φ never points to, summed, for all classes.

    Without it nothing tells the detector what to find there.

    Args:
        logits: (B, K, H, W) float of an output of the detector, in its own frame.
        reached: (B, 1, H, W) bool; see :func:`noisyseg.ops.reachable`.
        valid: (B, 1, H, W) bool.

    Raises:
        ValueError: A tensor is none of the above.
    """
    if logits.dim() != 4:
        raise ValueError(f"logits: expected (B, K, H, W), got {tuple(logits.shape)}")
    _check("reached", reached, logits)
    _check("valid", valid, logits)
    return (F.softplus(logits.float()) * (valid & ~reached)).sum()


def _any_pixel(mask: Tensor) -> Tensor:
    """Returns (B, 1, 1, 1) bool."""
    return mask.flatten(1).any(dim=1).view(-1, 1, 1, 1)


def _check_field(field: Tensor) -> None:
    if field.dim() != 4 or field.shape[1] != 2:
        raise ValueError(f"field: expected (B, 2, H, W), got {tuple(field.shape)}")


def _check(name: str, tensor: Tensor, like: Tensor, channels: int = 1, *, mask: bool = True) -> None:
    """Raises a `ValueError` unless a tensor has the images and pixels of another one, and is bool if it is a mask."""
    expected = (len(like), channels, *like.shape[2:])
    if tensor.shape != expected or (mask and tensor.dtype != torch.bool):
        raise ValueError(
            f"{name}: expected {expected}{' bool' if mask else ''}, got {tuple(tensor.shape)} of {tensor.dtype}"
        )
