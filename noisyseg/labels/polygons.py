"""COCO polygons, checked, and turned into run lengths.

The run lengths are built from the outline, without a frame, so the frame's size costs nothing here.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from noisyseg.labels.errors import LabelError
from noisyseg.labels.kernels.outlines import norm_bound, runs_of_polygon
from noisyseg.labels.kernels.runs import Runs, union

# pycocotools, with which others read our files, crashes on an outline of many millions of pixels.
FARTHEST = 2**20
LONGEST = 2**22

Ring = npt.NDArray[np.float64]


def rings_from_coco(polygons: Sequence[Sequence[float]]) -> list[Ring]:
    """Returns each polygon as a flat array, checked.

    Args:
        polygons: One ``[x0, y0, x1, y1, …]`` list a part, pixels.

    Returns:
        One (2V,) float64 array a part.

    Raises:
        LabelError: No part, a part with an odd number or fewer than 6 of coordinates, or a coordinate that is no
            finite number or absurdly far out.
    """
    if not polygons:
        raise LabelError("segmentation: expected at least one polygon, got []")
    rings = []
    for part, polygon in enumerate(polygons):
        try:
            ring = np.array(polygon)
        except ValueError:
            ring = None
        if ring is None or ring.ndim != 1:
            raise LabelError(f"polygon {part}: expected a flat list of numbers, got something else")
        if ring.size < 6 or ring.size % 2:
            raise LabelError(f"polygon {part}: expected an even count >= 6 of coordinates, got {ring.size}")
        if ring.dtype.kind not in "iuf":
            raise LabelError(f"polygon {part}: expected numbers, got others")
        if ring.dtype != np.float64:
            ring = ring.astype(np.float64)
        # The norm bounds coordinates and, times the square root of their number, half the outline; NaN fails too.
        if not norm_bound(ring) <= LONGEST**2 / 4:
            _check_extent(ring, part)
        rings.append(ring)
    return rings


def _check_extent(ring: Ring, part: int) -> None:
    if not np.abs(ring).max() <= FARTHEST:
        raise LabelError(f"polygon {part}: expected finite coordinates up to {FARTHEST}, got NaN or farther ones")
    points = ring.reshape(-1, 2)
    if np.abs(points - np.roll(points, 1, axis=0)).max(axis=1).sum() > LONGEST:
        raise LabelError(f"polygon {part}: expected an outline of at most {LONGEST} px, got a longer one")


def runs_from_rings(rings: Sequence[Ring], size_hw: tuple[int, int]) -> Runs:
    """Returns the run lengths of the union of the polygons, pixel by pixel those of pycocotools.

    Args:
        rings: Checked parts, from :func:`rings_from_coco`.
        size_hw: Rows and columns of the frame.
    """
    runs = runs_of_polygon(rings[0], *size_hw)
    for ring in rings[1:]:
        runs = union(runs, runs_of_polygon(ring, *size_hw))
    return runs
