"""Labels moved about: displacement fields and nearest-neighbour remapping.

A displacement is ``dx, dy`` in pixels: the pixel at (x, y) takes the label that stands at (x + dx, y + dy).

Reference: "NSegment: Label-specific Deformations for Remote Sensing Image Segmentation", arXiv 2504.19634, and the
elastic distortion of Simard et al., ICDAR 2003, which it applies to labels alone.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
Displacement = tuple[FloatArray, FloatArray]


def blur_reach(sigma: float) -> int:
    """Returns how many pixels far the Gaussian of :func:`elastic_displacement` looks."""
    return math.ceil(4 * sigma)


def elastic_displacement(noise: FloatArray, alpha: float, sigma: float) -> Displacement:
    """Returns ``alpha`` times the Gaussian-blurred noise: a smooth random displacement.

    Args:
        noise: (2, h + 2r, w + 2r) independent and uniform on [0, 1), for dx and dy, with r = ``blur_reach(sigma)``;
            the rim of r pixels is used up, so the field is alike everywhere, also at the borders.
        alpha: Amplitude before the blur, pixels, >= 0. No displacement is longer along an axis.
        sigma: Of the blur, pixels, > 0.

    Returns:
        ``dx, dy``, (h, w) each, whose root mean square is :func:`elastic_rms`.
    """
    reach = blur_reach(sigma)
    side = 2 * reach + 1
    inner = slice(reach, -reach)
    dx, dy = (cv2.GaussianBlur(2 * layer - 1, (side, side), sigma)[inner, inner] * alpha for layer in noise)
    return dx, dy


def elastic_rms(alpha: float, sigma: float) -> float:
    """Returns the root mean square length, in pixels, of an elastic displacement: alpha sqrt(2/3) / (2 sqrt(pi) sigma).

    From sigma = 1 on; under a narrower Gaussian the sum over pixels is no integral any more.
    """
    return alpha * math.sqrt(2 / 3) / (2 * math.sqrt(math.pi) * sigma)


def elastic_margin(alpha: float, sigma: float) -> int:
    """Returns a number of pixels that no displacement exceeds along an axis.

    Eight standard deviations, which a displacement exceeds with a chance of about 1e-14, or ``alpha``, which none can.
    """
    return math.ceil(min(alpha, 8 * elastic_rms(alpha, sigma) / math.sqrt(2) + 1))


def remap_nearest(labels: npt.NDArray[np.generic], dx: FloatArray, dy: FloatArray) -> npt.NDArray[np.generic]:
    """Returns the labels moved: each pixel takes the label nearest to where its displacement points.

    Places outside the array are clipped to it, so at the border the labels there are repeated.

    Args:
        labels: (h, w) of any type.
        dx: (h, w) pixels.
        dy: (h, w) pixels.
    """
    height, width = labels.shape
    columns = np.rint(np.arange(width) + dx).clip(0, width - 1).astype(np.intp)
    rows = np.rint(np.arange(height)[:, None] + dy).clip(0, height - 1).astype(np.intp)
    return labels[rows, columns]


def affine_nearest(
    pixels: npt.NDArray[np.uint8],
    corner_xy: tuple[int, int],
    matrix: FloatArray,
    offset_xy: FloatArray,
    window_xy: tuple[int, int],
    window_hw: tuple[int, int],
) -> npt.NDArray[np.uint8]:
    """Returns a window of an affinely transformed mask; what comes from outside ``pixels`` is 0.

    Args:
        pixels: (h, w) window that holds the whole mask.
        corner_xy: Where its first pixel stands in the frame.
        matrix: (2, 2); with ``offset_xy`` it says for a pixel p of the frame where its label comes from: matrix p +
            offset, to the nearest pixel.
        offset_xy: (2,) pixels.
        window_xy: Where the first pixel of the result stands in the frame.
        window_hw: Rows and columns of the result.
    """
    x = np.arange(window_xy[0], window_xy[0] + window_hw[1])
    y = np.arange(window_xy[1], window_xy[1] + window_hw[0])[:, None]
    columns, rows = (
        np.rint(a * x + b * y + c).astype(np.int64) - corner
        for (a, b), c, corner in zip(matrix, offset_xy, corner_xy, strict=True)
    )
    inside = (columns >= 0) & (columns < pixels.shape[1]) & (rows >= 0) & (rows < pixels.shape[0])
    moved = np.zeros(window_hw, pixels.dtype)
    moved[inside] = pixels[rows[inside], columns[inside]]
    return moved
