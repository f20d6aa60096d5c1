"""Learned displacements as pictures: label edges in the colour of their direction, with a wheel that explains it.

Letters: H rows, W columns. A field is (2, H, W) pixels, rows first, then columns.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

__all__ = ["displacement_colours", "displacement_picture"]

Field = npt.NDArray[np.floating]
Picture = npt.NDArray[np.uint8]
DIMMED = 0.45
SMALLEST_WHEEL = 32


def displacement_colours(field: Field, longest: float) -> Picture:
    """Returns (H, W, 3) BGR colours: the hue is the direction, the saturation the length; white does not move.

    Right is red, down yellow-green, left cyan, up violet.

    Args:
        field: The displacement.
        longest: Length in pixels, > 0, from which on colours are saturated.
    """
    rows, columns = field
    hue = np.rad2deg(np.arctan2(rows, columns)) % 360
    share = np.clip(np.hypot(rows, columns) / longest, 0, 1)
    hsv = np.stack([hue, share, np.ones_like(share)], axis=-1).astype(np.float32)
    return np.rint(255 * cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)).astype(np.uint8)


def displacement_picture(image: Picture, field: Field, edges: npt.NDArray[np.bool_], longest: float) -> Picture:
    """Returns the image in grey, its label edges coloured by how they are displaced, and beside it the wheel.

    The wheel's rim is ``longest`` pixels, which is written below it.

    Args:
        image: (H, W, 3) BGR.
        field: Where labels lie, seen from the true edges.
        edges: (H, W) label edges.
        longest: Length in pixels at which colours are saturated, > 0.

    Returns:
        (H, W + side, 3) BGR, the side as wide as the wheel.

    Raises:
        ValueError: Shapes that do not fit, or a length that is not positive.
    """
    if image.shape != (*edges.shape, 3) or field.shape != (2, *edges.shape):
        raise ValueError(
            f"expected image (H, W, 3), field (2, H, W) and edges (H, W), got {image.shape}, {field.shape} and "
            f"{edges.shape}"
        )
    if not longest > 0:
        raise ValueError(f"longest: expected pixels > 0, got {longest}")
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    canvas = np.rint(DIMMED * cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)).astype(np.uint8)
    canvas[edges] = displacement_colours(field, longest)[edges]
    return np.hstack([canvas, _legend(len(canvas), longest)])


def _legend(height: int, longest: float) -> Picture:
    """Returns a column of that height with the wheel at the top, as far as it fits."""
    size = max(SMALLEST_WHEEL, min(96, height // 3))
    middle = (size - 1) / 2
    rows, columns = np.mgrid[:size, :size] - middle
    wheel = displacement_colours(np.stack([rows, columns]) * (longest / middle), longest)
    wheel[np.hypot(rows, columns) > middle] = 0
    column = np.zeros((max(height, size + 12), size, 3), np.uint8)
    column[:size] = wheel
    cv2.putText(column, f"{longest:g} px", (1, size + 10), cv2.FONT_HERSHEY_SIMPLEX, 0.3, (255, 255, 255), 1)
    return column[:height]
