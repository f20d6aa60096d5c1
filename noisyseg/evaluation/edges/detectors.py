"""Edge detectors without learning, to hold learned ones against: Canny, and the magnitude of the gradient."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt
from scipy import ndimage

from noisyseg.evaluation.edges.suppression import largest_across

Image = npt.NDArray[np.uint8]
Strength = npt.NDArray[np.float32]

THRESHOLDS = 99
# Canny of OpenCV takes gradients of 16 bits; with this factor those of a full step fit in.
FULL_STEP = 16384


def gradient_edges(image: Image, sigma: float = 2.0) -> npt.NDArray[np.uint8]:
    """Returns (H, W) uint8 edges: the root of the contrast where it is largest across the edge, 0 elsewhere.

    The contrast is the length of the grey value's gradient after a Gaussian, in heights of a straight step: 1 for a
    step from black to white. The root spreads low contrasts over more thresholds.

    Args:
        image: (H, W, 3) uint8 RGB.
        sigma: Standard deviation of the Gaussian, pixels.

    Raises:
        ValueError: The image has another dtype or shape, or ``sigma`` is not positive.
    """
    dx, dy = _contrast(image, sigma)
    contrast = np.hypot(dx, dy)
    kept = largest_across(contrast, np.arctan2(dy, dx))
    return np.rint(255 * np.sqrt(np.minimum(np.where(kept, contrast, 0), 1))).astype(np.uint8)


def canny_thresholds(image: Image, sigma: float = 2.0, ratio: float = 0.4) -> npt.NDArray[np.uint8]:
    """Returns (H, W) uint8 edges that, cut at k / 100, are Canny's with the high threshold (k / 100)².

    Thresholds are contrasts, see :func:`gradient_edges`. Edges at a higher threshold are among those at a lower one, so
    99 runs of Canny make one map.

    Args:
        image: (H, W, 3) uint8 RGB.
        sigma: Standard deviation of the Gaussian, pixels.
        ratio: Low threshold over the high one, in (0, 1].

    Raises:
        ValueError: The image has another dtype or shape, or a setting is out of its range.
    """
    if not 0 < ratio <= 1:
        raise ValueError(f"ratio: expected a number in (0, 1], got {ratio}")
    dx, dy = (np.rint(FULL_STEP * side).astype(np.int16) for side in _contrast(image, sigma))
    edges = np.zeros(dx.shape, np.uint8)
    for k in range(1, THRESHOLDS + 1):
        high = FULL_STEP * (k / (THRESHOLDS + 1)) ** 2
        found = cv2.Canny(dx, dy, ratio * high, high, L2gradient=True) > 0
        if not found.any():
            break
        edges[found] = math.ceil(255 * k / (THRESHOLDS + 1))
    return edges


def _contrast(image: Image, sigma: float) -> tuple[Strength, Strength]:
    """Returns the (H, W) gradient to the right and downwards, in heights of a step."""
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(f"image: expected (H, W, 3) uint8, got {image.shape} of {image.dtype}")
    if not (math.isfinite(sigma) and sigma > 0):
        raise ValueError(f"sigma: expected a length > 0, got {sigma}")
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    step = sigma * math.sqrt(2 * math.pi)
    dx, dy = (step * ndimage.gaussian_filter(grey, sigma, order=order) for order in ((0, 1), (1, 0)))
    return dx, dy
