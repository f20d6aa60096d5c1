"""Noise that walks the boundary of one binary mask, pixel by pixel, and its Euclidean counterpart.

Pixels are (h, w) uint8 in {0, 1}. What reaches beyond the array is cut, and nothing comes in from outside: a mask
that touches a side is not eroded there. A window of a larger frame gives what the frame would give if each of its
sides that is no side of the frame has enough empty pixels.

Reference: Yao et al., "Learning to Segment from Noisy Annotations: A Spatial Correction Approach", ICLR 2023
(arXiv 2308.02498).
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt
from numpy.random import Generator

Pixels = npt.NDArray[np.uint8]
CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
# The authors' blur looks two pixels far, whatever its sigma.
BLUR_SIDE = 5


def markov(
    pixels: Pixels,
    steps: int,
    theta1: float,
    theta2: float,
    theta3: float,
    blur_sigma: float,
    rng: Generator,
) -> Pixels:
    """Returns the mask after a random walk of its boundary, random flips and a blur; the whole model for one mask.

    An empty mask and one that fills the array come back unchanged.

    Args:
        pixels: The mask.
        steps: Steps of the walk, T in the paper.
        theta1: Chance that a step expands, in [0, 1]; 2 * theta1 - 1 is the bias.
        theta2: Chance that a boundary pixel follows a step, in [0, 1].
        theta3: Chance that a pixel of the array flips at the end, in [0, 1].
        blur_sigma: Of the blur at the very end, pixels; 0 for none.
        rng: Source of all draws: the T coins first, then one number a boundary pixel and step, row by row; then the
            flips. What stands beyond the mask's surroundings has no influence on the walk.
    """
    if not pixels.any() or pixels.all():
        return pixels.copy()
    noisy = boundary_walk(pixels, rng.random(steps) < theta1, theta2, rng)
    if theta3:
        noisy ^= rng.random(noisy.shape) < theta3
    return smoothed(noisy, blur_sigma) if blur_sigma else noisy


def boundary_walk(
    pixels: Pixels, grows: Sequence[bool] | npt.NDArray[np.bool_], theta2: float, rng: Generator
) -> Pixels:
    """Returns the mask after one step for each of ``grows``: the rim outside joins, or the rim inside leaves.

    Each pixel of the rim, at distance 1 from the other side, follows with chance ``theta2``. The boundary gets rough,
    so it moves faster than ``theta2`` pixels a step, by about 1.5 to 1.8 times, and by at most one.

    Args:
        pixels: The mask.
        grows: (T,) whether each step expands.
        theta2: Chance that a pixel of the rim follows, in [0, 1].
        rng: Gives one number for each pixel of each rim, row by row.
    """
    canvas = np.ascontiguousarray(pixels).copy()
    height, width = canvas.shape
    x, y, w, h = cv2.boundingRect(canvas)
    x0, y0, x1, y1 = x, y, x + w, y + h
    for grow in np.asarray(grows, bool).tolist():
        left, top = max(x0 - 1, 0), max(y0 - 1, 0)
        window = canvas[top : min(y1 + 1, height), left : min(x1 + 1, width)]
        rim = (cv2.dilate if grow else cv2.erode)(window, CROSS) ^ window
        places = np.flatnonzero(rim)
        rows, columns = np.divmod(places[rng.random(places.size) < theta2], window.shape[1])
        window[rows, columns] = grow
        if grow and rows.size:
            x0, x1 = min(x0, left + int(columns.min())), max(x1, left + int(columns.max()) + 1)
            y0, y1 = min(y0, top + int(rows[0])), max(y1, top + int(rows[-1]) + 1)
    return canvas


def smoothed(pixels: Pixels, sigma: float) -> Pixels:
    """Returns where a 5 x 5 Gaussian blur of the mask exceeds one half; ``sigma`` in pixels, > 0."""
    blurred = cv2.GaussianBlur(np.ascontiguousarray(pixels, np.float32), (BLUR_SIDE, BLUR_SIDE), sigma)
    return (blurred > 0.5).astype(np.uint8)


def euclidean_scale(pixels: Pixels, level: float, grow: bool) -> Pixels:
    """Returns the mask dilated or eroded by a Euclidean distance ("DE" noise).

    Dilation takes in what is nearer than ``level`` to the mask; erosion keeps what is at least ``level`` away from the
    background. Up to level 1 nothing changes. A mask without background, or empty, stays as it is.

    Args:
        pixels: The mask.
        level: Distance in pixels, >= 0.
        grow: Dilate if true, erode otherwise.
    """
    if not pixels.any() or pixels.all():
        return pixels.copy()
    inside = np.ascontiguousarray(pixels)
    # Of a pixel to the nearest zero, exact.
    distance = cv2.distanceTransform(inside ^ 1 if grow else inside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    if grow:
        return ((distance < level) | (inside != 0)).astype(np.uint8)
    return (inside & (distance >= level)).astype(np.uint8)
