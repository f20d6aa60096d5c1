"""Polygons to run lengths, with the pixels that pycocotools gives.

Reference: COCO API, ``maskApi.c`` (``rleFrPoly``): vertices are rounded to fifths of a pixel, the outline is followed
in steps of a fifth, and a column's pixels are those between the places where the outline crosses its middle.
"""

from __future__ import annotations

import numpy as np

from noisyseg.labels.kernels.compiling import compiled
from noisyseg.labels.kernels.runs import Runs, joined

# Steps a pixel, and which of them is the middle of a column.
_FINE, _MIDDLE = 5, 2


@compiled
def runs_of_polygon(ring: np.ndarray, height: int, width: int) -> Runs:
    """Returns the runs of one polygon.

    Args:
        ring: (2V,) float64 ``x0, y0, x1, y1, …``, pixels, finite.
        height: Rows of the frame.
        width: Columns of the frame.
    """
    count = len(ring) // 2
    xs, ys = np.empty(count + 1, np.int64), np.empty(count + 1, np.int64)
    room = 1
    for k in range(count):
        xs[k], ys[k] = int(_FINE * ring[2 * k] + 0.5), int(_FINE * ring[2 * k + 1] + 0.5)
    xs[count], ys[count] = xs[0], ys[0]
    for k in range(count):
        room += abs(xs[k + 1] - xs[k]) // _FINE + 2
    crossings = np.empty(room, np.int64)
    found = 0
    for k in range(count):
        found = _cross(xs[k], ys[k], xs[k + 1], ys[k + 1], height, width, crossings, found)
    _sort(crossings[:found], height)
    runs = np.empty(found + 1, np.int64)
    previous = 0
    for i in range(found):
        runs[i] = crossings[i] - previous
        previous = crossings[i]
    runs[found] = height * width - previous
    return joined(runs)


@compiled
def _sort(crossings: Runs, height: int) -> None:
    """Sorts positions in place: by columns, which are few and known, and by insertion in the column."""
    count = len(crossings)
    if not count:
        return
    low = high = crossings[0]
    for place in crossings:
        low, high = min(low, place), max(high, place)
    first, last = low // height, high // height
    starts = np.zeros(last - first + 2, np.int64)
    for place in crossings:
        starts[place // height - first + 1] += 1
    for column in range(last - first + 1):
        starts[column + 1] += starts[column]
    ordered = np.empty(count, np.int64)
    for place in crossings:
        column = place // height - first
        ordered[starts[column]] = place
        starts[column] += 1
    for i in range(count):
        place, k = ordered[i], i
        while k > 0 and crossings[k - 1] > place:
            crossings[k] = crossings[k - 1]
            k -= 1
        crossings[k] = place


@compiled
def _cross(x0: int, y0: int, x1: int, y1: int, height: int, width: int, crossings: Runs, found: int) -> int:
    """Writes where the edge crosses the middles of columns, from place ``found`` on; returns the next free place."""
    dx, dy = abs(x1 - x0), abs(y1 - y0)
    # Every edge is followed in the direction in which its longer side grows, so that its steps round alike.
    if (dx >= dy and x0 > x1) or (dx < dy and y0 > y1):
        x0, y0, x1, y1 = x1, y1, x0, y0
    low, high = min(x0, x1), min(max(x0, x1), _FINE * width)
    first = max(low + (_MIDDLE - low) % _FINE, _MIDDLE)
    if dx >= dy:
        slope = (y1 - y0) / max(dx, 1)
        for u in range(first, high, _FINE):
            t = u - x0
            v = min(int(y0 + slope * t + 0.5), int(y0 + slope * (t + 1) + 0.5))
            crossings[found] = _place(u, v, height)
            found += 1
        return found
    slope = (x1 - x0) / dy
    for u in range(first, high, _FINE):
        # The last step on the near side of u + 1/2: guessed, then moved by whole steps until it is exact.
        t = min(max(int((u + 0.5 - x0) / slope), 0), dy)
        if slope > 0:
            while int(x0 + slope * t + 0.5) > u:
                t -= 1
            while int(x0 + slope * (t + 1) + 0.5) <= u:
                t += 1
        else:
            while int(x0 + slope * t + 0.5) <= u:
                t -= 1
            while int(x0 + slope * (t + 1) + 0.5) > u:
                t += 1
        crossings[found] = _place(u, y0 + t, height)
        found += 1
    return found


@compiled
def _place(u: int, v: int, height: int) -> int:
    """Returns the position, column by column, of the first pixel below a crossing at fifths ``(u, v)``."""
    y = (v + 0.5) / _FINE - 0.5
    y = min(max(y, 0.0), float(height))
    return (u - _MIDDLE) // _FINE * height + int(np.ceil(y))


@compiled
def norm_bound(ring: np.ndarray) -> float:
    """Returns the sum of squares of the coordinates times their number; NaN or infinite for ones that are."""
    total = 0.0
    for value in ring:
        total += value * value
    return total * len(ring)
