"""Douglas-Peucker simplification of closed rings that keeps their topology, compiled.

A section of the ring is replaced by its chord where no vertex is farther than the tolerance from it and the chord
neither crosses nor touches what stands of the ring; at least three vertices remain. Then the start vertex goes too, by
the same rule.

Reference: Douglas & Peucker 1973; rings as in GEOS 3.12 and later (``TopologyPreservingSimplifier``), whose results
these are for vertices in whole pixels; our tests compare. Done here, files are the same for every version of GEOS.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from noisyseg.labels.kernels.compiling import compiled

Ring = npt.NDArray[np.int32]
Points = npt.NDArray[np.int64]
# Vertices of the smallest ring that may come out, the first one counted again at the end.
_FEWEST = 4


@compiled
def simplified(ring: Ring, tolerance: float) -> Ring:
    """Returns the (U, 2) int32 vertices that remain of a ring, the first one repeated at the end.

    Args:
        ring: (V, 2) int32 vertices in whole pixels, V >= 4, the first one not repeated.
        tolerance: Largest distance of a removed vertex from the chord that replaces it, pixels.
    """
    count = len(ring)
    points = np.empty((count + 1, 2), np.int64)
    for i in range(count):
        points[i, 0], points[i, 1] = ring[i, 0], ring[i, 1]
    points[count] = points[0]
    # Segment i of the ring runs from point i to i + 1; one that was replaced no longer stands in the way.
    standing = np.ones(count, np.bool_)
    chords = np.empty((count, 4), np.int64)
    chord_count = 0
    kept = np.empty(count + 1, np.int64)
    kept[0] = 0
    kept_count = 1
    # Sections still to be looked at: first and last point, depth of halving.
    stack = np.empty((count + 2, 3), np.int64)
    stack[0, 0], stack[0, 1], stack[0, 2] = 0, count, 1
    height = 1
    while height:
        height -= 1
        first, last, depth = stack[height, 0], stack[height, 1], stack[height, 2]
        if first + 1 == last:
            kept[kept_count] = last
            kept_count += 1
            continue
        size = kept_count if kept_count > 1 else 0
        may = size >= _FEWEST or depth + 1 >= _FEWEST
        middle, distance = _farthest(points, first, last)
        if distance <= tolerance and may:
            x0, y0, x1, y1 = points[first, 0], points[first, 1], points[last, 0], points[last, 1]
            if _free(x0, y0, x1, y1, chords[:chord_count], points, standing, first, last):
                chords[chord_count, 0], chords[chord_count, 1] = x0, y0
                chords[chord_count, 2], chords[chord_count, 3] = x1, y1
                chord_count += 1
                standing[first:last] = False
                kept[kept_count] = last
                kept_count += 1
                continue
        stack[height, 0], stack[height, 1], stack[height, 2] = middle, last, depth + 1
        stack[height + 1, 0], stack[height + 1, 1], stack[height + 1, 2] = first, middle, depth + 1
        height += 2
    return _without_start(points, kept[:kept_count], chords[:chord_count], standing, tolerance)


@compiled
def _without_start(points: Points, kept: Points, chords: Points, standing: npt.NDArray[np.bool_], tolerance: float):  # noqa: ANN202
    """Returns the kept vertices, without the start where the ring may do without it."""
    stop = len(kept)
    superfluous = False
    if stop > _FEWEST:
        before, after = kept[stop - 2], kept[1]
        x0, y0, x1, y1 = points[before, 0], points[before, 1], points[after, 0], points[after, 1]
        x, y = points[0, 0], points[0, 1]
        if _distance(x, y, x0, y0, x1, y1) <= tolerance and (
            _side(x0, y0, x1, y1, x, y) == 0 or _free(x0, y0, x1, y1, chords, points, standing, 0, 0)
        ):
            superfluous = True
    if superfluous:  # the one before the end is the new start
        stop -= 1
    out = np.empty((stop, 2), np.int32)
    for i in range(stop):
        place = kept[stop - 1] if superfluous and i == 0 else kept[i]
        out[i, 0], out[i, 1] = points[place, 0], points[place, 1]
    return out


@compiled
def _farthest(points: Points, first: int, last: int) -> tuple[int, float]:
    """Returns the point between two that is farthest from their chord, the first such one, and its distance."""
    best, where = -1.0, first
    for k in range(first + 1, last):
        distance = _distance(
            points[k, 0], points[k, 1], points[first, 0], points[first, 1], points[last, 0], points[last, 1]
        )
        if distance > best:
            best, where = distance, k
    return where, best


@compiled
def _distance(x: int, y: int, x0: int, y0: int, x1: int, y1: int) -> float:
    """Returns the distance of a point from a segment."""
    dx, dy = float(x1 - x0), float(y1 - y0)
    squared = dx * dx + dy * dy
    if squared == 0.0:
        return np.sqrt(float((x - x0) ** 2 + (y - y0) ** 2))
    along = (float(x - x0) * dx + float(y - y0) * dy) / squared
    if along <= 0.0:
        return np.sqrt(float((x - x0) ** 2 + (y - y0) ** 2))
    if along >= 1.0:
        return np.sqrt(float((x - x1) ** 2 + (y - y1) ** 2))
    across = (float(y0 - y) * dx - float(x0 - x) * dy) / squared
    return abs(across) * np.sqrt(squared)


@compiled
def _free(
    x0: int,
    y0: int,
    x1: int,
    y1: int,
    chords: Points,
    points: Points,
    standing: npt.NDArray[np.bool_],
    first: int,
    last: int,
) -> bool:
    """Returns whether a chord meets no chord and, outside the section it replaces, no segment but at shared ends."""
    left, right, top, bottom = min(x0, x1), max(x0, x1), min(y0, y1), max(y0, y1)
    for i in range(len(chords)):
        ax, ay, bx, by = chords[i, 0], chords[i, 1], chords[i, 2], chords[i, 3]
        if max(ax, bx) < left or min(ax, bx) > right or max(ay, by) < top or min(ay, by) > bottom:
            continue
        if _meet_inside(ax, ay, bx, by, x0, y0, x1, y1):
            return False
    for i in range(len(standing)):
        if not standing[i] or first <= i < last:
            continue
        ax, ay, bx, by = points[i, 0], points[i, 1], points[i + 1, 0], points[i + 1, 1]
        if max(ax, bx) < left or min(ax, bx) > right or max(ay, by) < top or min(ay, by) > bottom:
            continue
        if _meet_inside(ax, ay, bx, by, x0, y0, x1, y1):
            return False
    return True


@compiled
def _side(x0: int, y0: int, x1: int, y1: int, x: int, y: int) -> int:
    """Returns on which side of a line a point lies: -1, 0 or 1."""
    cross = (x1 - x0) * (y - y0) - (y1 - y0) * (x - x0)
    return 1 if cross > 0 else (-1 if cross < 0 else 0)


@compiled
def _within(x: int, y: int, ax: int, ay: int, bx: int, by: int) -> bool:
    return min(ax, bx) <= x <= max(ax, bx) and min(ay, by) <= y <= max(ay, by)


@compiled
def _end_of_one(x: int, y: int, ax: int, ay: int, bx: int, by: int, cx: int, cy: int, dx: int, dy: int) -> bool:
    """Returns whether a common point of two segments lies inside one of them."""
    of_first = (x == ax and y == ay) or (x == bx and y == by)
    of_second = (x == cx and y == cy) or (x == dx and y == dy)
    return not (of_first and of_second)


@compiled
def _meet_inside(ax: int, ay: int, bx: int, by: int, cx: int, cy: int, dx: int, dy: int) -> bool:
    """Returns whether two segments are the same, or share a point that is inside one of them."""
    if (ax == cx and ay == cy and bx == dx and by == dy) or (ax == dx and ay == dy and bx == cx and by == cy):
        return True
    c_side, d_side = _side(ax, ay, bx, by, cx, cy), _side(ax, ay, bx, by, dx, dy)
    if c_side * d_side > 0:
        return False
    a_side, b_side = _side(cx, cy, dx, dy, ax, ay), _side(cx, cy, dx, dy, bx, by)
    if a_side * b_side > 0:
        return False
    if c_side and d_side and a_side and b_side:
        return True
    if not (c_side or d_side or a_side or b_side):
        # On one line: they overlap where an end of one lies in the other; common ends alone do not count.
        return (
            (_within(cx, cy, ax, ay, bx, by) and _end_of_one(cx, cy, ax, ay, bx, by, cx, cy, dx, dy))
            or (_within(dx, dy, ax, ay, bx, by) and _end_of_one(dx, dy, ax, ay, bx, by, cx, cy, dx, dy))
            or (_within(ax, ay, cx, cy, dx, dy) and _end_of_one(ax, ay, ax, ay, bx, by, cx, cy, dx, dy))
            or (_within(bx, by, cx, cy, dx, dy) and _end_of_one(bx, by, ax, ay, bx, by, cx, cy, dx, dy))
        )
    shared = (ax == cx and ay == cy) or (ax == dx and ay == dy) or (bx == cx and by == cy) or (bx == dx and by == dy)
    return not shared
