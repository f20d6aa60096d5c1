"""COCO polygons, checked, and turned into run lengths by pycocotools.

pycocotools builds the run lengths from the outline, without a frame, so the frame's size costs nothing here.
Rasterising a shifted polygon on a crop would be no faster, and differs by a pixel where a line's rounding ties.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from pycocotools import mask as coco_mask

from noisyseg.labels.errors import LabelError

Ring = npt.NDArray[np.float64]


def rings_from_coco(polygons: Sequence[Sequence[float]]) -> list[Ring]:
    """Returns each polygon as a flat array, checked.

    Args:
        polygons: One ``[x0, y0, x1, y1, …]`` list a part, pixels.

    Returns:
        One (2V,) float64 array a part.

    Raises:
        LabelError: No part, a part with an odd number or fewer than 6 of coordinates, or a coordinate that is
            not a finite number.
    """
    if not polygons:
        raise LabelError("segmentation: expected at least one polygon, got []")
    rings = []
    for part, polygon in enumerate(polygons):
        try:
            ring = np.array(polygon, np.float64)
        except (TypeError, ValueError):
            raise LabelError(f"polygon {part}: expected a flat list of numbers") from None
        if ring.ndim != 1 or ring.size < 6 or ring.size % 2:
            raise LabelError(f"polygon {part}: expected an even count >= 6 of coordinates, got {ring.size}")
        if not math.isfinite(ring.sum()):
            raise LabelError(f"polygon {part}: expected finite coordinates, got NaN, infinite or huge ones")
        rings.append(ring)
    return rings


def string_from_rings(rings: Sequence[Ring], size_hw: tuple[int, int]) -> str:
    """Returns the union of the polygons as a compressed RLE string.

    Args:
        rings: Checked parts, from :func:`rings_from_coco`.
        size_hw: Rows and columns of the frame.
    """
    parts = coco_mask.frPyObjects(rings, *size_hw)
    return (parts[0] if len(parts) == 1 else coco_mask.merge(parts))["counts"].decode("ascii")
