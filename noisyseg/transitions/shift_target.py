"""Where displaced label edges should have been: from each label pixel to the nearest confident prediction.

Letters: B batch, H rows, W columns. A field is (B, 2, H, W) pixels, rows first, then columns.
"""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["nearest_offset", "shift_target"]


def shift_target(source: Tensor, target: Tensor, limit: float = 15) -> tuple[Tensor, Tensor]:
    """Returns the shift from label edges to predicted ones, and where it is defined.

    A pixel of the labels counts if some predicted pixel has it as its nearest one; its shift leads to the predicted
    pixel that is nearest to it. Distances are L1, exact; of several nearest pixels any one is taken. Source: the
    "PSL" stage of PNT-Edge (arXiv 2307.14070). We differ where its code fails: shifts longer than ``limit`` are left
    out, an image may have any size, and labels without edges give no target in place of one everywhere.

    Args:
        source: (B, 1, H, W) bool, what is predicted with confidence.
        target: (B, 1, H, W) bool, the edges of the labels, of any class.
        limit: Longest shift in pixels (Euclidean), > 0; a longer one belongs to another edge.

    Returns:
        The shift (B, 2, H, W) float32, 0 where it is not defined; where it is, (B, 1, H, W) bool.

    Raises:
        ValueError: Another dtype or shape, shapes that differ, a limit that is not positive.
    """
    for name, mask in (("source", source), ("target", target)):
        _check_mask(mask, name)
    if source.shape != target.shape:
        raise ValueError(
            f"expected source and target of one shape, got {tuple(source.shape)} and {tuple(target.shape)}"
        )
    if not limit > 0:
        raise ValueError(f"limit: expected pixels > 0, got {limit}")
    batch, _, height, width = source.shape
    to_target, has_target = nearest_offset(target)
    to_source, has_source = nearest_offset(source)
    rows = torch.arange(height, device=source.device)[:, None]
    columns = torch.arange(width, device=source.device)
    place = (rows + to_target[:, :1]) * width + columns + to_target[:, 1:]
    # One place more than pixels, for what is no source or has no target.
    place = torch.where(source & has_target, place, height * width)
    marked = torch.zeros(batch, height * width + 1, dtype=torch.bool, device=source.device)
    marked.scatter_(1, place.flatten(1), True)
    near = to_source.square().sum(dim=1, keepdim=True) <= limit**2
    defined = marked[:, :-1].view_as(source) & has_source & near
    return torch.where(defined, to_source, 0).float(), defined


def nearest_offset(mask: Tensor) -> tuple[Tensor, Tensor]:
    """Returns the way from each pixel to the nearest pixel of the mask, in the L1 distance, and whether there is one.

    The L1 distance is the sum of a way along the column and one along the row. Each of both is the smallest value so
    far of something that can be written down, from either side: four running minima over the whole batch, and no
    search.

    Args:
        mask: (B, 1, H, W) bool.

    Returns:
        (B, 2, H, W) int64 rows and columns, 0 where an image has no pixel in the mask; (B, 1, 1, 1) bool, whether it
        has one.

    Raises:
        ValueError: Another dtype or shape.
    """
    _check_mask(mask, "mask")
    height, width = mask.shape[2:]
    far = 2 * (height + width)
    rows = torch.arange(height, device=mask.device)[:, None]
    columns = torch.arange(width, device=mask.device)
    # The nearest pixel of the same column, above and below: its row.
    above = torch.where(mask, rows, -far).cummax(dim=2).values
    below = torch.where(mask, rows, height + far).flip(2).cummin(dim=2).values.flip(2)
    row = torch.where(rows - above <= below - rows, above, below)
    vertical = (row - rows).abs().clamp(max=far)
    # Of all columns to the left (right) the one where that way and the way there are shortest together.
    left, at_left = (vertical - columns).cummin(dim=3)
    right, at_right = (vertical + columns).flip(3).cummin(dim=3)
    right, at_right = right.flip(3), width - 1 - at_right.flip(3)
    column = torch.where(left + columns <= right - columns, at_left, at_right)
    offset = torch.cat([row.gather(3, column) - rows, column - columns], dim=1)
    present = mask.any(dim=3, keepdim=True).any(dim=2, keepdim=True)
    return torch.where(present, offset, 0), present


def _check_mask(mask: Tensor, name: str) -> None:
    if mask.dtype != torch.bool or mask.dim() != 4 or mask.shape[1] != 1:
        raise ValueError(f"{name}: expected (B, 1, H, W) bool, got {tuple(mask.shape)} {mask.dtype}")
