"""Noise on boxes, and what it does to the masks in them.

Boxes are (..., 4) float64 ``x0, y0, x1, y1`` in pixels, half-open: the pixel of column x covers [x, x + 1). The numbers
that move them are (..., 4) as well, relative to the width and height of the box.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Pixels = npt.NDArray[np.uint8]


class Window(NamedTuple):
    """Pixels of a mask inside a frame.

    Attributes:
        left: Column of the window's first pixel.
        top: Row of the window's first pixel.
        pixels: (h, w) uint8 in {0, 1}.
    """

    left: int
    top: int
    pixels: Pixels


def shift_and_scale(boxes: Floats, numbers: Floats) -> Floats:
    """Returns boxes with their centres shifted and their sides scaled.

    Args:
        boxes: The boxes, of width w and height h.
        numbers: ``dx, dy, dw, dh``: the centre moves by ``w * dx, h * dy``, the sides become ``w * (1 + dw)`` and
            ``h * (1 + dh)``. Zeros leave a box exactly as it is.

    Reference: Liu et al., "Robust Object Detection with Inaccurate Bounding Boxes" (OA-MIL), ECCV 2022.
    """
    shift, growth = numbers[..., :2], numbers[..., 2:] / 2
    return boxes + _sides(boxes) * np.concatenate([shift - growth, shift + growth], axis=-1)


def move_sides(boxes: Floats, numbers: Floats) -> Floats:
    """Returns boxes each of whose sides moved by itself, by ``w * dx0, h * dy0, w * dx1, h * dy1``.

    Sides that pass each other give a box of negative size, which nobody should keep.
    """
    return boxes + _sides(boxes) * numbers


def resample(boxes: Floats, numbers: Floats) -> Floats:
    """Returns boxes between random positions in the doubled box around the same centre.

    Args:
        boxes: The boxes.
        numbers: Two positions along x and two along y, 0 and 1 being the sides of the doubled box, in any order.

    Reference: localization noise of UNA, arXiv 2312.13822.
    """
    sides = _sides(boxes)[..., :2]
    first = boxes[..., :2] - sides / 2
    ends = np.sort(numbers.reshape(*numbers.shape[:-1], 2, 2), axis=-1)
    return np.concatenate([first + 2 * sides * ends[..., 0], first + 2 * sides * ends[..., 1]], axis=-1)


def clip(boxes: Floats, size_hw: tuple[int, int]) -> Floats:
    """Returns the parts of boxes in the image [0, W] x [0, H]; a box beside it has no width or no height."""
    height, width = size_hw
    return np.clip(boxes, 0.0, (width, height, width, height))


def iou(one: Floats, other: Floats) -> Floats:
    """Returns (...) intersection over union of each box with its partner; 0 for two boxes without area."""
    both = np.minimum(one[..., 2:], other[..., 2:]) - np.maximum(one[..., :2], other[..., :2])
    common = both.clip(0.0).prod(axis=-1)
    union = _area(one) + _area(other) - common
    return common / np.where(union > 0, union, 1.0)


def warp(window: Window, old: Floats, new: Floats, size_hw: tuple[int, int]) -> Window:
    """Returns a mask moved and stretched as the map does that takes one box to another, cut at the frame.

    A pixel takes the value of the one that its centre comes from.

    Args:
        window: The mask.
        old: (4,) box that it lay in, of positive width and height.
        new: (4,) box that it is to lie in, of positive width and height.
        size_hw: Rows and columns of the frame.
    """
    x0, y0, x1, y1 = new.tolist()
    old_x0, old_y0, old_x1, old_y1 = old.tolist()
    rows_from, columns_from = window.pixels.shape
    left, columns = _sources(window.left, columns_from, (old_x0, old_x1), (x0, x1), size_hw[1])
    top, rows = _sources(window.top, rows_from, (old_y0, old_y1), (y0, y1), size_hw[0])
    return Window(left, top, window.pixels[np.ix_(rows, columns)])


def cut(window: Window, box: Floats) -> Window:
    """Returns a mask without the pixels whose centres lie outside the box."""
    x0, y0, x1, y1 = np.ceil(box - 0.5).astype(int).tolist()
    height, width = window.pixels.shape
    first_row, last_row = (min(max(y - window.top, 0), height) for y in (y0, y1))
    first_column, last_column = (min(max(x - window.left, 0), width) for x in (x0, x1))
    pixels = window.pixels[first_row:last_row, first_column:last_column]
    return Window(window.left + first_column, window.top + first_row, pixels)


def _sides(boxes: Floats) -> Floats:
    """Returns (..., 4) width, height, width, height."""
    sides = boxes[..., 2:] - boxes[..., :2]
    return np.concatenate([sides, sides], axis=-1)


def _area(boxes: Floats) -> Floats:
    return (boxes[..., 2:] - boxes[..., :2]).clip(0.0).prod(axis=-1)


def _sources(
    start: int, count: int, old: tuple[float, float], new: tuple[float, float], size: int
) -> tuple[int, npt.NDArray[np.int64]]:
    """Returns along one axis the first pixel that gets something, and for it and those behind it what they get."""
    stretch = (new[1] - new[0]) / (old[1] - old[0])
    # One pixel more on each side than the map of the window's ends, against rounding.
    first = int(np.floor(new[0] + (start - old[0]) * stretch)) - 1
    last = int(np.ceil(new[0] + (start + count - old[0]) * stretch)) + 1
    pixels = np.arange(max(first, 0), min(last, size))
    sources = np.floor(old[0] + (pixels + 0.5 - new[0]) / stretch).astype(np.int64) - start
    inside = (sources >= 0) & (sources < count)
    return int(pixels[inside][0]) if inside.any() else 0, sources[inside]
