"""Smooths probabilities within what looks alike in the image, and not across its edges."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
import numpy.typing as npt

from noisyseg.correction.prediction import FloatMap
from noisyseg.registry import TASK_UTILS

__all__ = ["GuidedSmoothing", "guided_filter"]


def guided_filter(maps: FloatMap, guide: FloatMap, radius: int, eps: float) -> FloatMap:
    """Returns (K, H, W) float32 maps that are, in each window, nearly a linear function of the guide's colour.

    The guided filter for a colour guide (He et al., TPAMI 2013, equations 14 to 16): in each window, clipped at the
    border of the image, ridge regression of the map on the colour; each pixel gets the mean of what the regressions of
    all windows that hold it say. Linear in the maps and true to constants, so that maps that sum to 1 still do;
    values can leave the range of the maps a little.

    Args:
        maps: (K, H, W).
        guide: (H, W, 3) in [0, 1].
        radius: Of the windows of 2 radius + 1 pixels, >= 1.
        eps: Weight of the penalty on slopes, > 0: colour differences far below its square root are no edges.

    Raises:
        ValueError: The sizes differ.
    """
    if guide.shape != (*maps.shape[1:], 3):
        raise ValueError(f"guide: expected {(*maps.shape[1:], 3)}, got {guide.shape}")
    size = (2 * radius + 1, 2 * radius + 1)
    height, width = guide.shape[:2]

    def box(plane: FloatMap) -> FloatMap:
        return cv2.boxFilter(plane, -1, size, normalize=False, borderType=cv2.BORDER_CONSTANT)

    # Plane by plane: numpy is several times slower where the last axis has only three values.
    colours = [np.ascontiguousarray(guide[..., i], np.float32) for i in range(3)]
    share = 1 / box(np.ones((height, width), np.float32))
    means = [box(colour) * share for colour in colours]
    covariance = np.empty((height, width, 3, 3))
    for i, j in itertools.product(range(3), repeat=2):
        covariance[..., i, j] = box(colours[i] * colours[j]) * share - means[i] * means[j]
    inverse = np.ascontiguousarray(np.moveaxis(_inverse(covariance + eps * np.eye(3)), (-2, -1), (0, 1)), np.float32)
    smooth = np.empty(maps.shape, np.float32)
    for k, values in enumerate(maps):
        plane = np.ascontiguousarray(values, np.float32)
        offset = box(plane) * share
        moments = [box(colours[i] * plane) * share - means[i] * offset for i in range(3)]
        slopes = [sum(inverse[i, j] * moments[j] for j in range(3)) for i in range(3)]
        for i in range(3):
            offset -= slopes[i] * means[i]
        smooth[k] = box(offset)
        for i in range(3):
            smooth[k] += box(slopes[i]) * colours[i]
        smooth[k] *= share
    return smooth


@TASK_UTILS.register_module()
class GuidedSmoothing:
    """Moves the borders of a prediction to those of the image by a `guided_filter`, where others run a dense CRF.

    ADELE's code for VOC uses a dense CRF from its epoch 9 on. This costs no iterations and no dependency; that it helps
    as much is published nowhere.

    Args:
        radius: Of the windows in pixels, >= 1.
        eps: Square of the colour difference, in units of the full range, that makes an edge; > 0.

    Raises:
        ValueError: A setting is out of range.
    """

    def __init__(self, radius: int = 8, eps: float = 1e-3) -> None:
        if radius < 1:
            raise ValueError(f"radius: expected pixels >= 1, got {radius}")
        if not 0 < eps < np.inf:
            raise ValueError(f"eps: expected a number above 0, got {eps}")
        self.radius, self.eps = radius, eps

    def __call__(self, probs: FloatMap, image: npt.NDArray[np.uint8]) -> FloatMap:
        """Returns (K, H, W) float32 probabilities that sum to 1 at each pixel.

        Args:
            probs: (K, H, W) probabilities.
            image: (H, W, 3) uint8.

        Raises:
            ValueError: The image is not uint8, or the sizes differ.
        """
        if image.dtype != np.uint8:
            raise ValueError(f"image: expected uint8, got {image.dtype}")
        smooth = guided_filter(probs, image / np.float32(255), self.radius, self.eps)
        np.maximum(smooth, 0, out=smooth)
        return smooth / smooth.sum(axis=0)


def _inverse(matrices: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Returns the inverses of symmetric (..., 3, 3) matrices, by cofactors; numpy's solver is far slower."""
    first, second, third = np.moveaxis(matrices, -2, 0)
    cofactors = np.stack([np.cross(second, third), np.cross(third, first), np.cross(first, second)], axis=-2)
    return cofactors / (first * cofactors[..., 0, :]).sum(axis=-1)[..., None, None]
