"""Maps read at displaced positions, and which positions are read.

Letters: B batch, C channels, H rows, W columns. A field is (B, 2, H, W) pixels, rows first, then columns; it says for
each pixel p where its value comes from: ``warp(A, field)(p) = A(p + field(p))``.
"""

from __future__ import annotations

from typing import Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["reachable", "warp"]

Padding = Literal["zeros", "border"]
Rounding = Literal["nearest", "truncate"]


def warp(values: Tensor, field: Tensor, padding: Padding = "zeros") -> Tensor:
    """Returns ``values`` read at the positions that ``field`` points to, interpolated bilinearly.

    Positions are computed in float32 at least, also under autocast: half precision would place them up to 0.25 px
    (float16) or 2 px (bfloat16) wrong at a width of 2048. Gradients reach both arguments; that of the field is the
    slope between the four pixels around, so it does not see an edge that is farther away than its blur.

    Args:
        values: (B, C, H, W), bool, integers or floats; values of a mask become shares of the four pixels around.
        field: (B, 2, H, W) float32 or float64, pixels: rows, columns.
        padding: What lies outside of the image: ``zeros``, or the value of the nearest pixel of the ``border``.

    Returns:
        (B, C, H, W) float32; float64 if one of the arguments is.

    Raises:
        ValueError: Shapes that do not fit, a field of another dtype, an unknown padding.
    """
    if values.dim() != 4 or field.shape != (values.shape[0], 2, *values.shape[-2:]):
        raise ValueError(
            f"expected values (B, C, H, W) and field (B, 2, H, W), got {tuple(values.shape)} and {tuple(field.shape)}"
        )
    _check_field(field)
    if padding not in get_args(Padding):
        raise ValueError(f"padding: expected one of {', '.join(get_args(Padding))}, got {padding!r}")
    dtype = torch.float64 if torch.float64 in (values.dtype, field.dtype) else torch.float32
    with torch.autocast(field.device.type, enabled=False):
        rows, columns = _positions(field.to(dtype))
        height, width = field.shape[-2:]
        # In the units of grid_sample the outer borders of the first and the last pixel are -1 and 1.
        grid = torch.stack([(2 * columns + 1) / width - 1, (2 * rows + 1) / height - 1], dim=-1)
        return F.grid_sample(values.to(dtype), grid, mode="bilinear", padding_mode=padding, align_corners=False)


def reachable(field: Tensor, rounding: Rounding = "nearest") -> Tensor:
    """Returns the pixels that the field points to from somewhere: ``round(p' + field(p')) = p`` for some p'.

    What no position points to has no part in :func:`warp` of the field, up to interpolation.

    Args:
        field: (B, 2, H, W) float32 or float64, pixels: rows, columns. A NaN points nowhere.
        rounding: ``nearest``: down from half a pixel, ``floor(x + 1/2)``; what points outside of the image reaches
            nothing. ``truncate``: ``x + 1/2`` cut towards zero, and what points outside reaches the border, as in the
            code of PNT-Edge (arXiv 2307.14070), which so puts negative shifts one pixel off.

    Returns:
        (B, 1, H, W) bool.

    Raises:
        ValueError: Another shape or dtype of the field, an unknown rounding.
    """
    if field.dim() != 4 or field.shape[1] != 2:
        raise ValueError(f"field: expected (B, 2, H, W), got {tuple(field.shape)}")
    _check_field(field)
    if rounding not in get_args(Rounding):
        raise ValueError(f"rounding: expected one of {', '.join(get_args(Rounding))}, got {rounding!r}")
    batch, _, height, width = field.shape
    whole = (field.detach() + 0.5).floor() if rounding == "nearest" else (field.detach() + 0.5).trunc()
    rows, columns = _positions(whole)
    if rounding == "truncate":
        rows, columns = rows.clamp(0, height - 1), columns.clamp(0, width - 1)
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    # Integers, because float32 does not hold every place of more than 2**24; what is outside may be no number.
    rows, columns = (torch.where(inside, line, 0).long() for line in (rows, columns))
    # One place more than pixels, for what points outside.
    place = torch.where(inside, rows * width + columns, height * width)
    reached = torch.zeros(batch, height * width + 1, dtype=torch.bool, device=field.device)
    reached.scatter_(1, place.flatten(1), True)
    return reached[:, :-1].view(batch, 1, height, width)


def _positions(field: Tensor) -> tuple[Tensor, Tensor]:
    """Returns rows and columns, (B, H, W) each, that the field points to."""
    height, width = field.shape[-2:]
    rows = torch.arange(height, dtype=field.dtype, device=field.device)[:, None]
    columns = torch.arange(width, dtype=field.dtype, device=field.device)
    return field[:, 0] + rows, field[:, 1] + columns


def _check_field(field: Tensor) -> None:
    if field.dtype not in (torch.float32, torch.float64):
        raise ValueError(f"field: expected float32 or float64, because half pixels get lost, got {field.dtype}")
