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

# Pixels that a region has when it is eroded or dilated.
COMMON_AREA = 1000
# Columns and rows that bicubic interpolation looks at beyond a pixel.
_REACH = 3


def resized_morphology(pixels: Pixels, steps: int, grow: bool, max_ratio: float) -> Pixels:
    """Returns the mask eroded or dilated at a common size, so that it changes by a share of its area.

    The mask is resized (bicubic) to about ``COMMON_AREA`` pixels, eroded or dilated ``steps`` times by a 3x3 square,
    and resized back. A disc is left with about .73, .61, .50 of its area by 2, 3, 4 steps, or 1.31, 1.47, 1.64.

    Args:
        pixels: (h, w) uint8 in {0, 1}, a window; beyond a side that is not the image's border it needs
            :func:`margin` empty pixels.
        steps: Number of erosions or dilations.
        grow: Dilate if true, erode otherwise.
        max_ratio: Largest factor by which the mask is resized; below ``COMMON_AREA / max_ratio ** 2`` pixels the
            noise gets weaker with it. Without a bound a single pixel of a 512 x 512 slice becomes 16,191 x 16,191.
    """
    area = int(np.count_nonzero(pixels))
    if not area:
        return pixels.copy()
    factor = ratio(area, max_ratio)
    height, width = pixels.shape
    size = max(round(width * factor), 1), max(round(height * factor), 1)
    common = cv2.resize(pixels, size, interpolation=cv2.INTER_CUBIC)
    operation = cv2.dilate if grow else cv2.erode
    # Bytes in {0, 1} round what bicubic interpolation gives, which is the threshold at one half.
    common = operation((common > 0).astype(np.uint8), np.ones((3, 3), np.uint8), iterations=steps)
    return (cv2.resize(common, (width, height), interpolation=cv2.INTER_CUBIC) > 0).astype(np.uint8)


def ratio(area: int, max_ratio: float) -> float:
    """Returns the factor by which a mask of ``area`` pixels is resized."""
    return min(math.sqrt(COMMON_AREA / area), max_ratio)


def margin(area: int, steps: int, max_ratio: float) -> int:
    """Returns how many pixels around a mask :func:`resized_morphology` can change or look at."""
    return math.ceil((steps + _REACH) / ratio(area, max_ratio)) + _REACH
