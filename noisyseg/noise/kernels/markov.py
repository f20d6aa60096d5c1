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

from noisyseg.labels.kernels.compiling import compiled

Pixels = npt.NDArray[np.uint8]
# What the walk writes into a pixel: on which side it is, in which lists it stands; or that it is no pixel.
INSIDE, LISTED, BEYOND = 1, 2, 8
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
        rng: Source of all draws: the T coins first, then one number a boundary pixel and step; then the flips. How
            much of the frame the array shows has no influence on the walk.
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
        rng: Gives one number for each pixel of each rim.
    """
    x, y, w, h = cv2.boundingRect(np.ascontiguousarray(pixels))
    canvas = np.full((pixels.shape[0] + 2, pixels.shape[1] + 2), BEYOND, np.uint8)
    canvas[1:-1, 1:-1] = pixels
    _walk(canvas, (x, y, x + w, y + h), np.asarray(grows, np.bool_), theta2, rng)
    return canvas[1:-1, 1:-1] & INSIDE


@compiled
def _walk(
    canvas: Pixels, box: tuple[int, int, int, int], grows: npt.NDArray[np.bool_], theta2: float, rng: Generator
) -> None:
    """Walks the boundary of the mask in ``canvas``, which has a rim of BEYOND around it.

    Both sides of the boundary are kept as lists, so a step costs what the boundary is long. A pixel may stand in a list
    though it has left that side: it is found out when the list is read, before the step changes anything.
    """
    flat, width = canvas.ravel(), canvas.shape[1]
    around = (-width, -1, 1, width)
    lists = (np.empty(canvas.size, np.int64), np.empty(canvas.size, np.int64))
    counts = np.zeros(2, np.int64)
    flips = np.empty(canvas.size, np.int64)
    # The canvas is a pixel larger on each side: this is the box and a pixel around it.
    for row in range(box[1], box[3] + 2):
        for place in range(row * width + box[0], row * width + box[2] + 2):
            _list(flat, place, around, lists, counts)
    for step in range(len(grows)):
        side = 0 if grows[step] else 1
        counts[side] = _checked(flat, lists[side], counts[side], side, around)
        flipped = 0
        for i in range(counts[side]):
            if rng.random() < theta2:
                flips[flipped] = lists[side][i]
                flipped += 1
        for i in range(flipped):
            flat[flips[i]] ^= INSIDE
        for i in range(flipped):
            _list(flat, flips[i], around, lists, counts)
            for offset in around:
                _list(flat, flips[i] + offset, around, lists, counts)


@compiled
def _checked(
    flat: Pixels, listed: npt.NDArray[np.int64], count: int, side: int, around: tuple[int, int, int, int]
) -> int:
    """Takes the pixels off a list that are not at the boundary on its side any more; returns how many stay."""
    kept = 0
    for i in range(count):
        place = listed[i]
        if flat[place] & 1 == side and _touches(flat, place, around, 1 - side):
            listed[kept] = place
            kept += 1
        else:
            flat[place] ^= LISTED << side
    return kept


@compiled
def _touches(flat: Pixels, place: int, around: tuple[int, int, int, int], side: int) -> bool:
    """Returns whether one of the four neighbours is on ``side``, 1 inside and 0 outside."""
    for offset in around:
        near = flat[place + offset]
        if near != BEYOND and near & 1 == side:
            return True
    return False


@compiled
def _list(
    flat: Pixels,
    place: int,
    around: tuple[int, int, int, int],
    lists: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]],
    counts: npt.NDArray[np.int64],
) -> None:
    """Puts a pixel into the list of its side, if it is at the boundary and not there yet."""
    value = flat[place]
    side = value & 1
    if value != BEYOND and not value & LISTED << side and _touches(flat, place, around, 1 - side):
        lists[side][counts[side]] = place
        counts[side] += 1
        flat[place] |= LISTED << side


def smoothed(pixels: Pixels, sigma: float) -> Pixels:
    """Returns where a 5 x 5 Gaussian blur of the mask exceeds one half; ``sigma`` in pixels, > 0."""
    smooth = np.zeros(pixels.shape, np.uint8)
    x, y, w, h = cv2.boundingRect(np.ascontiguousarray(pixels))
    window = np.s_[max(y - BLUR_SIDE, 0) : y + h + BLUR_SIDE, max(x - BLUR_SIDE, 0) : x + w + BLUR_SIDE]
    blurred = cv2.GaussianBlur(np.ascontiguousarray(pixels[window], np.float32), (BLUR_SIDE, BLUR_SIDE), sigma)
    smooth[window] = blurred > 0.5
    return smooth


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
