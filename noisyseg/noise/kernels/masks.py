"""Spatial noise on one binary mask.

Pixels are (h, w) uint8 in {0, 1}, a window of the frame; V vertices of a ring are (V, 2) int32 ``x, y`` in pixels of
that window. A *part* is one outer ring with the rings of its holes.

Reference: Kimhi et al., "Noisy Annotations in Semantic Segmentation" (COCO-N), arXiv 2406.10891, and the authors'
public generator, whose primitives these reproduce where a docstring says *official*.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from noisyseg.noise.kernels.simplify import simplified
from noisyseg.noise.kernels.tracing import OUTER, borders

Pixels = npt.NDArray[np.uint8]
Ring = npt.NDArray[np.int32]


class Part(NamedTuple):
    """One connected part of a mask.

    Attributes:
        outer: (V, 2) int32 vertices around it.
        holes: (V, 2) int32 vertices around each hole, on the foreground side.
    """

    outer: Ring
    holes: tuple[Ring, ...] = ()


def scale(pixels: Pixels, size: int, grow: bool) -> Pixels:
    """Returns the mask dilated or eroded once by a square.

    Outside the window counts as foreground when eroding, so a mask that touches the image border is not eroded there
    (OpenCV's rule, official).

    Args:
        pixels: (h, w) window; beyond a side that is not the image's border it needs ``size`` empty pixels.
        size: Side of the square in pixels, odd.
        grow: Dilate if true, erode otherwise.
    """
    operation = cv2.dilate if grow else cv2.erode
    return operation(pixels, np.ones((size, size), np.uint8))


def parts(pixels: Pixels, *, holes: bool) -> list[Part]:
    """Returns the connected parts of a mask as rings of their direction changes, in OpenCV's order.

    Args:
        pixels: (h, w) window.
        holes: Whether to trace holes; official: no, so holes are filled by whoever fills the rings.
    """
    points, starts, parents = borders(pixels)
    starts, parents = starts.tolist(), parents.tolist()
    rings = [points[start:stop] for start, stop in pairwise(starts)]
    # OpenCV lists what it finds last first.
    if not holes:
        return [Part(ring) for ring, parent in zip(reversed(rings), reversed(parents), strict=True) if parent == OUTER]
    inner: dict[int, list[Ring]] = {}
    for ring, parent in zip(reversed(rings), reversed(parents), strict=True):
        if parent >= 0:
            inner.setdefault(parent, []).append(ring)
    return [
        Part(rings[place], tuple(inner.get(place, ()))) for place in reversed(range(len(rings))) if parents[place] < 0
    ]


def fill(mask_parts: Sequence[Part], size_hw: tuple[int, int], offset_xy: tuple[int, int] = (0, 0)) -> Pixels:
    """Returns the union of filled parts, outlines included; self-crossing rings are filled even-odd.

    Args:
        mask_parts: The parts.
        size_hw: Rows and columns of the result.
        offset_xy: Added to every vertex.
    """
    canvas = np.zeros(size_hw, np.uint8)
    for part in mask_parts:
        if not part.holes:
            cv2.fillPoly(canvas, [part.outer], 1, offset=offset_xy)
            continue
        solid = np.zeros(size_hw, np.uint8)
        cv2.fillPoly(solid, [part.outer], 1, offset=offset_xy)
        for hole in part.holes:
            inside = np.zeros(size_hw, np.uint8)
            cv2.fillPoly(inside, [hole], 1, offset=offset_xy)
            # A hole's ring runs on the foreground pixels around it: they stay.
            cv2.polylines(inside, [hole + np.array(offset_xy, np.int32)], isClosed=True, color=0)
            solid &= inside ^ 1
        canvas |= solid
    return canvas


def displace(part: Part, offsets: npt.NDArray[np.integer]) -> Part:
    """Returns the part with its vertices moved.

    Args:
        part: The part, V vertices over all its rings.
        offsets: (V, 2) whole pixels ``dx, dy``, the outer ring's first.
    """
    moved, start = [], 0
    for ring in (part.outer, *part.holes):
        moved.append(ring + offsets[start : start + len(ring)].astype(np.int32))
        start += len(ring)
    return Part(moved[0], tuple(moved[1:]))


def simplify(mask_parts: Sequence[Part], tolerance: float) -> list[Part]:
    """Returns the parts with each ring simplified by Douglas-Peucker, topology kept.

    A ring of fewer than four vertices is simple already and stays.

    Args:
        mask_parts: The parts, of one mask or of many.
        tolerance: Largest distance, in pixels, by which an outline may move.
    """

    def simple(ring: Ring) -> Ring:
        return simplified(ring, float(tolerance)) if len(ring) >= 4 else ring

    return [Part(simple(part.outer), tuple(map(simple, part.holes))) for part in mask_parts]
