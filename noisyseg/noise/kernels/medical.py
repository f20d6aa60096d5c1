"""Regions drawn too small or too large by a share of their own size.

Reference: Liu et al., "Adaptive Early-Learning Correction for Segmentation from Noisy Annotations" (ADELE), CVPR 2022,
the noise of the authors' SegTHOR experiments.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Weights = npt.NDArray[np.float64]

# Pixels that a region has when it is eroded or dilated.
COMMON_AREA = 1000
# Columns and rows that bicubic interpolation looks at beyond a pixel.
_REACH = 3


def resized_morphology(
    pixels: Pixels,
    steps: int,
    grow: bool,
    max_ratio: float,
    corner_xy: tuple[int, int] = (0, 0),
    size_hw: tuple[int, int] | None = None,
) -> Pixels:
    """Returns the mask eroded or dilated at a common size, so that it changes by a share of its area.

    The frame is resized (bicubic) so that the mask has about ``COMMON_AREA`` pixels, the mask eroded or dilated
    ``steps`` times by a 3x3 square, and the frame resized back. A disc is left with about .73, .61, .50 of its area by
    2, 3, 4 steps, or 1.31, 1.47, 1.64.

    Args:
        pixels: (h, w) uint8 in {0, 1}, a window of the frame; beyond a side that is not the frame's it needs
            :func:`margin` empty pixels.
        steps: Number of erosions or dilations.
        grow: Dilate if true, erode otherwise.
        max_ratio: Largest factor by which the frame is resized; below ``COMMON_AREA / max_ratio ** 2`` pixels the
            noise gets weaker with it. Without a bound a single pixel makes 16,191 x 16,191 of 512 x 512.
        corner_xy: Column and row of the window's first pixel in the frame.
        size_hw: Rows and columns of the frame; those of the window unless given.
    """
    area = int(np.count_nonzero(pixels))
    if not area:
        return pixels.copy()
    factor = ratio(area, max_ratio)
    frame = pixels.shape if size_hw is None else size_hw
    ways = [
        _resizing(whole, max(round(whole * factor), 1), first, first + part)
        for whole, first, part in zip(frame, corner_xy[::-1], pixels.shape, strict=True)
    ]
    (down_rows, up_rows), (down_columns, up_columns) = ways
    common = (down_rows @ pixels @ down_columns.T > 0.5).astype(np.uint8)
    operation = cv2.dilate if grow else cv2.erode
    common = operation(common, np.ones((3, 3), np.uint8), iterations=steps)
    return (up_rows @ common @ up_columns.T > 0.5).astype(np.uint8)


def ratio(area: int, max_ratio: float) -> float:
    """Returns the factor by which a mask of ``area`` pixels is resized."""
    return min(math.sqrt(COMMON_AREA / area), max_ratio)


def margin(area: int, steps: int, max_ratio: float) -> int:
    """Returns how many pixels around a mask :func:`resized_morphology` can change or look at."""
    return math.ceil((steps + _REACH) / ratio(area, max_ratio)) + _REACH


def _resizing(whole: int, common: int, first: int, stop: int) -> tuple[Weights, Weights]:
    """Returns the matrices that resize pixels ``first`` to ``stop`` of ``whole`` along one axis, there and back."""
    scale = whole / common
    # One more on each side than the window covers, cut at the frame.
    window = max(int(first / scale) - 1, 0), min(math.ceil(stop / scale) + 1, common)
    there = _bicubic(whole, common, (first, stop), window)
    return there, _bicubic(common, whole, window, (first, stop))


def _bicubic(size: int, new_size: int, window: tuple[int, int], new_window: tuple[int, int]) -> Weights:
    """Returns the weights of the old pixels (columns) in each new one (rows), for windows of the two axes.

    OpenCV's bicubic interpolation (a = -0.75); the border is repeated, pixels outside the window count as 0.
    """
    new = np.arange(*new_window)
    places = (new + 0.5) * (size / new_size) - 0.5
    base = np.floor(places).astype(np.int64)
    weights = np.zeros((len(new), window[1] - window[0]))
    for tap in (-1, 0, 1, 2):
        distance = np.abs(places - base - tap)
        near = (1.25 * distance - 2.25) * distance**2 + 1
        far = -0.75 * (((distance - 5) * distance + 8) * distance - 4)
        old = np.clip(base + tap, 0, size - 1)
        inside = (old >= window[0]) & (old < window[1])
        weight = np.where(distance <= 1, near, far)
        np.add.at(weights, (np.flatnonzero(inside), old[inside] - window[0]), weight[inside])
    return weights
