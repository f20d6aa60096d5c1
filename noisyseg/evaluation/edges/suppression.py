"""Suppression of predicted edges that are not the largest across the edge."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

Strength = npt.NDArray[np.float32]


def suppressed(
    probability: npt.NDArray[np.uint8], reach: int = 2, border: int = 5, margin: float = 1.0
) -> npt.NDArray[np.uint8]:
    """Returns (H, W) uint8 edges that are 0 where a neighbour across the edge is larger (NMS, as STEAL tests with it).

    The map is smoothed by a triangle of radius 2; across the edge is the direction in which the map, smoothed by a
    triangle of radius 4, bends most. A pixel stays where it is at least as large as the ``2 reach`` points at 1 ..
    ``reach`` pixels along that direction, interpolated bilinearly. Pixels near the frame are weakened in proportion to
    their distance from it.

    Args:
        probability: (H, W) uint8.
        reach: Pixels looked at on either side, a whole number >= 1.
        border: Width of the weakened rim, pixels, >= 0.
        margin: Factor of the pixel in the comparison, > 0.

    Raises:
        ValueError: The map has another dtype or shape, or a setting is out of its range.
    """
    if probability.dtype != np.uint8 or probability.ndim != 2:
        raise ValueError(f"probability: expected (H, W) uint8, got {probability.shape} of {probability.dtype}")
    if isinstance(reach, bool) or not isinstance(reach, int) or reach < 1:
        raise ValueError(f"reach: expected a whole number >= 1, got {reach!r}")
    if not 0 <= border < math.inf:
        raise ValueError(f"border: expected a number of pixels >= 0, got {border!r}")
    if not 0 < margin < math.inf:
        raise ValueError(f"margin: expected a finite factor > 0, got {margin!r}")
    strength = _triangle(probability.astype(np.float32), 2)
    kept = largest_across(strength, _direction(_triangle(probability.astype(np.float32), 4)), reach, margin)
    rows, columns = (np.minimum(np.arange(side), np.arange(side)[::-1]) for side in strength.shape)
    rim = np.minimum(np.minimum(rows[:, None], columns[None]) / max(border, 1), 1) if border else 1
    return np.rint(np.where(kept, strength, 0) * rim).astype(np.uint8)


def largest_across(strength: Strength, angle: Strength, reach: int = 1, margin: float = 1.0) -> npt.NDArray[np.bool_]:
    """Returns where (H, W) float32 strengths are positive and no smaller than their neighbours across the edge.

    Args:
        strength: (H, W) float32.
        angle: (H, W) float32 direction across the edge, radians from the columns' axis towards larger rows.
        reach: Pixels looked at on either side.
        margin: Factor of the pixel in the comparison.
    """
    rows, columns = np.indices(strength.shape, np.float32)
    kept = strength > 0
    for step in (*range(-reach, 0), *range(1, reach + 1)):
        x, y = columns + step * np.cos(angle), rows + step * np.sin(angle)
        there = cv2.remap(strength, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        kept &= margin * strength >= there
    return kept


def _direction(smooth: Strength) -> Strength:
    """Returns the axis along which the map bends most, up or down: across a ridge, and across its feet."""
    dy, dx = np.gradient(smooth)
    dyy, dyx = np.gradient(dy)
    dxx = np.gradient(dx, axis=1)
    # Half the angle of (dxx - dyy, 2 dxy) is the axis of the larger eigenvalue of the Hessian.
    larger = np.arctan2(2 * dyx, dxx - dyy) / 2
    return np.where(dxx + dyy < 0, larger + np.pi / 2, larger).astype(np.float32)


def _triangle(values: Strength, radius: int) -> Strength:
    """Returns the map smoothed by a triangle filter of that radius, mirrored at the frame."""
    side = np.arange(1, radius + 2, dtype=np.float32)
    kernel = np.concatenate([side, side[-2::-1]])
    kernel /= kernel.sum()
    return cv2.sepFilter2D(values, cv2.CV_32F, kernel, kernel, borderType=cv2.BORDER_REFLECT)
