"""Check one ``segmentation`` and measure its mask, without a frame of pixels.

Nothing reaches pycocotools before every number in it was looked at: NaN, infinite and far-away coordinates
make it write out of bounds or ask for all memory there is.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from noisyseg.labels import polygons, rle
from noisyseg.labels.check.findings import Json, Problem, is_number, shown
from noisyseg.labels.errors import LabelError
from noisyseg.labels.kernels.runs import box_and_area

Box = tuple[float, float, float, float]
SizeHW = tuple[int, int]

FRAME_TOLERANCE = 1.0
"""Pixels that coordinates may lie outside the image: data sets that count pixels from 1 end there."""

LONGEST = 1 << 20
"""Pixels, of an outline or of a coordinate. pycocotools steps along an outline at about 120 bytes a pixel."""


class Shape(NamedTuple):
    """What a mask measures, by its pixels and by its outline; boxes are half-open ``x0, y0, x1, y1``.

    Attributes:
        box: Tight box of the pixels.
        area: Count of the pixels.
        outline_box: Bounds of the polygons' points; for RLE, ``box``.
        outline_area: Area that the polygons enclose, part by part; for RLE, ``area``.
        outline_length: Length of the polygons' sides; for RLE, of the sides of ``box``.
    """

    box: Box
    area: int
    outline_box: Box
    outline_area: float
    outline_length: float


def measure(segmentation: object, size_hw: SizeHW | None) -> tuple[Shape | None, list[Problem]]:
    """Returns the measures of a mask, None where it has none, and what is wrong with it.

    Args:
        segmentation: The value as read from JSON.
        size_hw: Rows and columns of the image, or None where they are unknown: then only the form is checked.
    """
    if isinstance(segmentation, dict):
        return _measure_rle(segmentation, size_hw)
    if not isinstance(segmentation, list):
        return None, [("segmentation-type", f"segmentation: expected polygons or RLE, got {shown(segmentation)}")]
    if not segmentation:
        return None, [("segmentation-empty", "segmentation: expected at least one polygon, got []")]
    rings, problems = _rings(segmentation)
    if problems or size_hw is None:
        return None, problems
    return _measure_rings(rings, size_hw)


def _rings(segmentation: list) -> tuple[list[polygons.Ring], list[Problem]]:
    if all(map(is_number, segmentation)):
        return [], [("polygon-type", "segmentation: expected a list of polygons, got the numbers of one, not nested")]
    rings, problems = [], []
    for part, polygon in enumerate(segmentation):
        if not isinstance(polygon, list) or not set(map(type, polygon)) <= {int, float}:
            problems.append(("polygon-type", f"polygon {part}: expected a flat list of numbers, got {shown(polygon)}"))
        elif len(polygon) < 6:
            box = " (taken for a box)" if len(polygon) == 4 else ""
            problems.append(("polygon-short", f"polygon {part}: expected 6 numbers or more, got {len(polygon)}{box}"))
        elif len(polygon) % 2:
            problems.append(("polygon-odd", f"polygon {part}: expected an even count of numbers, got {len(polygon)}"))
        else:
            ring = _array(polygon)
            bad = np.flatnonzero(~np.isfinite(ring))
            if bad.size:
                got = f"{shown(polygon[bad[0]])} at position {bad[0]}"
                problems.append(("polygon-nan", f"polygon {part}: expected finite numbers, got {got}"))
            rings.append(ring)
    return rings, problems


def _array(numbers: list) -> polygons.Ring:
    try:
        return np.array(numbers, np.float64)
    except OverflowError:  # a whole number beyond the range of floats
        return np.array([number if abs(number) < 1 << 1000 else np.inf for number in numbers], np.float64)


def _measure_rings(rings: list[polygons.Ring], size_hw: SizeHW) -> tuple[Shape | None, list[Problem]]:
    height, width = size_hw
    points = (rings[0] if len(rings) == 1 else np.concatenate(rings)).reshape(-1, 2)
    (x0, y0), (x1, y1) = points.min(0).tolist(), points.max(0).tolist()
    farthest = max(-x0, -y0, x1, y1)
    if farthest > LONGEST:
        return None, [("polygon-huge", f"expected coordinates up to {LONGEST}, got one {farthest:.4g} away")]
    length = area = 0.0
    for ring in rings:
        ring_length, ring_area = _outline(ring)
        length += ring_length
        area += ring_area
    if length > LONGEST:
        return None, [("polygon-huge", f"expected an outline of up to {LONGEST} px, got {length:.4g}")]
    problems = []
    if min(x0, y0) < -FRAME_TOLERANCE or x1 > width + FRAME_TOLERANCE or y1 > height + FRAME_TOLERANCE:
        got = f"x {x0:.6g} to {x1:.6g}, y {y0:.6g} to {y1:.6g}"
        problems.append(("polygon-outside", f"expected points inside {width} x {height} px, got {got}"))
    *box, pixels = box_and_area(polygons.runs_from_rings(rings, size_hw), height)
    if not pixels:
        hint = "; coordinates in 0..1 look like fractions of the image" if x0 >= 0 and max(x1, y1) <= 1 else ""
        got = f"polygons at x {x0:.6g} to {x1:.6g}, y {y0:.6g} to {y1:.6g}"
        return None, [
            *problems,
            ("mask-empty", f"expected a pixel inside {width} x {height} px, got {got}{hint}"),
        ]
    return Shape(tuple(box), pixels, (x0, y0, x1, y1), area, length), problems


def _outline(ring: polygons.Ring) -> tuple[float, float]:
    """Returns length and enclosed area of one closed polygon."""
    x, y = ring[::2], ring[1::2]
    dx, dy = np.concatenate((x[1:], x[:1])) - x, np.concatenate((y[1:], y[:1])) - y
    return float(np.hypot(dx, dy).sum()), abs(float(x @ dy - y @ dx)) / 2


def _measure_rle(segmentation: Json, size_hw: SizeHW | None) -> tuple[Shape | None, list[Problem]]:
    size, counts = segmentation.get("size"), segmentation.get("counts")
    if not (isinstance(size, list) and len(size) == 2 and all(type(side) is int and side > 0 for side in size)):
        return None, [("rle-type", f"size: expected two whole numbers >= 1, got {shown(size)}")]
    own_hw = size[0], size[1]
    problems = []
    if size_hw is not None and own_hw != size_hw:
        swapped = "; height and width are swapped" if own_hw[::-1] == size_hw else ""
        problems.append(("rle-size", f"size: expected {list(size_hw)}, got {shown(size)}{swapped}"))
    if isinstance(counts, str):
        try:
            runs = rle.runs_from_string(counts).tolist()
        except LabelError as error:
            return None, [*problems, ("rle-encoding", error.problem)]
    elif isinstance(counts, list) and set(map(type, counts)) <= {int}:
        runs = counts
    else:
        return None, [
            *problems,
            ("rle-type", f"counts: expected a string or whole numbers, got {shown(counts)}"),
        ]
    if runs and min(runs) < 0:
        problems.append(("rle-negative", f"counts: expected runs >= 0, got {shown(min(runs))}"))
    elif sum(runs) != own_hw[0] * own_hw[1]:
        expected = f"runs that sum to {shown(own_hw[0] * own_hw[1])} ({shown(size)})"
        problems.append(("rle-total", f"counts: expected {expected}, got {shown(sum(runs))}"))
    if problems or size_hw is None:
        return None, problems
    *box, area = box_and_area(rle.joined(np.array(runs, np.int64)), size_hw[0])
    box = tuple(box)
    if not area:
        return None, [("mask-empty", "counts: expected foreground, got none")]
    return Shape(box, area, box, area, 2 * (box[2] - box[0] + box[3] - box[1])), []
