"""Geometry of objects that are invented, split or merged.

Boxes are ``x0, y0, x1, y1`` in pixels, half-open; pixels are (h, w) uint8 in {0, 1}, a window of the frame.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]


def box_ious(box: npt.ArrayLike, boxes: npt.ArrayLike) -> Floats:
    """Returns the IoU of one box with each of (N, 4) boxes; 0 where both have no area."""
    box, boxes = np.asarray(box, np.float64), np.asarray(boxes, np.float64).reshape(-1, 4)
    sides = np.minimum(box[2:], boxes[:, 2:]) - np.maximum(box[:2], boxes[:, :2])
    both = np.clip(sides, 0, None).prod(axis=1)
    union = (box[2:] - box[:2]).prod() + (boxes[:, 2:] - boxes[:, :2]).prod(axis=1) - both
    return np.divide(both, union, out=np.zeros(len(boxes)), where=union > 0)


def box_gaps(box: npt.ArrayLike, boxes: npt.ArrayLike) -> Floats:
    """Returns how many empty pixels lie between one box and each of (N, 4) boxes: 0 where they touch or overlap.

    Of the distances along the two axes, the larger one.
    """
    box, boxes = np.asarray(box, np.float64), np.asarray(boxes, np.float64).reshape(-1, 4)
    apart = np.maximum(boxes[:, :2] - box[2:], box[:2] - boxes[:, 2:])
    return np.clip(apart, 0, None).max(axis=1)


def ellipse(size_hw: tuple[int, int]) -> Pixels:
    """Returns the ellipse inscribed in a window, at least one pixel on each side of it."""
    height, width = size_hw
    y = (2 * np.arange(height) + 1) / height - 1
    x = (2 * np.arange(width) + 1) / width - 1
    pixels = (y[:, None] ** 2 + x**2 <= 1).astype(np.uint8)
    # The tips of a thin ellipse lie between pixel centres.
    pixels[(height - 1) // 2 : height // 2 + 1] = 1
    pixels[:, (width - 1) // 2 : width // 2 + 1] = 1
    return pixels


def cut(pixels: Pixels, angle: float, share: float) -> tuple[Pixels, Pixels]:
    """Returns the two sides of a straight line through a mask: disjoint, none empty, their union the mask.

    Pixels that lie exactly on the line are dealt out in reading order, so that both sides have the sizes asked for.

    Args:
        pixels: (h, w) window with at least two foreground pixels.
        angle: Direction across the line, radians.
        share: Share of the pixels on the first side, in (0, 1).
    """
    rows, columns = np.nonzero(pixels)
    along = np.round(columns * math.cos(angle) + rows * math.sin(angle), 9)
    count = min(max(round(share * len(rows)), 1), len(rows) - 1)
    order = np.argsort(along, kind="stable")
    first = np.zeros_like(pixels)
    first[rows[order[:count]], columns[order[:count]]] = 1
    return first, pixels - first


def connected_parts(pixels: Pixels) -> list[Pixels]:
    """Returns the 8-connected parts of a mask, each on the whole window, the largest first."""
    _, numbers, stats, _ = cv2.connectedComponentsWithStats(pixels, connectivity=8)
    order = np.argsort(-stats[1:, cv2.CC_STAT_AREA], kind="stable") + 1
    return [(numbers == number).astype(np.uint8) for number in order.tolist()]


def near(one: Pixels, other: Pixels, gap: int) -> bool:
    """Returns whether at most ``gap`` pixels lie between two masks of one window, along both axes.

    With ``gap`` 0 they overlap or touch, at a corner at least.
    """
    reach = np.ones((2 * gap + 3, 2 * gap + 3), np.uint8)
    return bool((cv2.dilate(np.ascontiguousarray(one), reach) & other).any())
