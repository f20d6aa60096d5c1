"""Compiled measures of one pair of masks, and of one mask: areas, boundary distances, parts and holes.

Masks come as windows, (h, w) uint8 in {0, 1}, with the column and row of their first pixel in the frame. Everything
outside a window is empty, also what lies outside the frame, so that a mask has a boundary where the frame cuts it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from noisyseg.labels.kernels.compiling import compiled

Pixels = npt.NDArray[np.uint8]
Places = npt.NDArray[np.int32]
Squares = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

# Squared distances below this are ranked by counting, larger ones by sorting.
COUNTED = 1024
FAR = 1 << 24
# What `compare` writes, in this order; then one boundary-F a tolerance.
MEASURES = ("clean_area", "noisy_area", "both", "distance", "hausdorff95", "bias")


@compiled
def compare(clean: Pixels, cx: int, cy: int, noisy: Pixels, nx: int, ny: int, tolerances: Floats, out: Floats) -> None:
    """Measures a pair of masks on their common window.

    Boundary pixels are those with one of their four neighbours outside the mask. Distances are Euclidean, between
    centres of boundary pixels, and exact.

    Args:
        clean: Window of the clean mask.
        cx: Its first column.
        cy: Its first row.
        noisy: Window of the noisy mask.
        nx: Its first column.
        ny: Its first row.
        tolerances: (T,) float64, pixels.
        out: (6 + T,) float64 that is filled: areas of clean, noisy and both; the mean of the two mean distances from
            one boundary to the other; the larger of the two 95 % quantiles (linear between ranks); the signed mean
            distance, positive where noisy lies outside clean; the boundary F at each tolerance. Distances are NaN
            where a mask is empty.
    """
    x0, y0 = min(cx, nx) - 1, min(cy, ny) - 1
    w = max(cx + clean.shape[1], nx + noisy.shape[1]) + 1 - x0
    h = max(cy + clean.shape[0], ny + noisy.shape[0]) + 1 - y0
    window = np.zeros((h, w), np.uint8)
    clean_area = _paste(window, clean, cx - x0, cy - y0, 1)
    noisy_area = _paste(window, noisy, nx - x0, ny - y0, 2)
    out[0], out[1] = clean_area, noisy_area
    if not clean_area or not noisy_area:
        out[2] = 0.0
        out[3:6] = np.nan
        out[6:] = 1.0 if clean_area == noisy_area else 0.0
        return
    both = 0
    for y in range(h):
        some = 0
        for x in range(w):
            some += window[y, x] == 3
        both += some
    out[2] = both
    clean_edge, noisy_edge = _boundary(window, 1), _boundary(window, 2)
    to_noisy = _squared_distances(clean_edge, noisy_edge, h, w)
    to_clean = _squared_distances(noisy_edge, clean_edge, h, w)
    # A pixel of the noisy boundary lies outside or inside clean; one of the clean boundary says the opposite.
    mean_out, bias_out = _means(window, noisy_edge, to_clean, 1)
    mean_in, bias_in = _means(window, clean_edge, to_noisy, 2)
    out[3] = (mean_out + mean_in) / 2
    out[4] = max(_quantile95(to_clean), _quantile95(to_noisy))
    out[5] = (bias_out - bias_in) / 2
    for t in range(tolerances.size):
        limit = tolerances[t] * tolerances[t]
        precision = _share_within(to_clean, limit)
        recall = _share_within(to_noisy, limit)
        out[6 + t] = 2 * precision * recall / (precision + recall) if precision + recall else 0.0


@compiled
def topology(mask: Pixels) -> tuple[int, int]:
    """Returns the number of parts (8-connected) and of holes (4-connected background) of a mask.

    Runs of neighbouring rows that touch are the edges of a graph whose nodes are the runs; it has as many components
    as the mask has parts, and as many independent cycles as it has holes.
    """
    h, w = mask.shape
    total = 0
    for y in range(h):
        total += mask[y, 0]
        for x in range(1, w):
            total += mask[y, x] > mask[y, x - 1]
    starts, stops, firsts = _runs(mask, total)
    parent = np.arange(total)
    parts, edges = total, 0
    for y in range(1, h):
        i, j = firsts[y - 1], firsts[y]
        while i < firsts[y] and j < firsts[y + 1]:
            if starts[i] <= stops[j] and starts[j] <= stops[i]:  # corners touch too
                edges += 1
                a, b = _root(parent, i), _root(parent, j)
                if a != b:
                    parent[b] = a
                    parts -= 1
            if stops[i] < stops[j]:
                i += 1
            else:
                j += 1
    return parts, edges - total + parts


@compiled
def count_claims(claims: Pixels, mask: Pixels, left: int, top: int) -> None:
    """Notes in (H, W) uint8 which pixels a mask claims: bit 0 for one claim or more, bit 1 for more than one."""
    h, w = mask.shape
    for y in range(h):
        before, more = claims[top + y, left : left + w], mask[y]
        for x in range(w):
            before[x] = np.uint8(before[x] | more[x] | (before[x] & more[x]) << 1)


@compiled
def _runs(mask: Pixels, total: int) -> tuple[Places, Places, Places]:
    """Returns where the ``total`` runs start and stop in their rows, and (h + 1,) the first run of each row."""
    h, w = mask.shape
    starts, stops, firsts = np.empty(total, np.int32), np.empty(total, np.int32), np.empty(h + 1, np.int32)
    n = 0
    for y in range(h):
        firsts[y] = n
        before = 0
        for x in range(w):
            value = mask[y, x]
            if value > before:
                starts[n] = x
            elif value < before:
                stops[n] = x
                n += 1
            before = value
        if before:
            stops[n] = w
            n += 1
    firsts[h] = n
    return starts, stops, firsts


@compiled
def _paste(window: Pixels, mask: Pixels, x0: int, y0: int, bit: int) -> int:
    area = 0
    for y in range(mask.shape[0]):
        some = 0
        for x in range(mask.shape[1]):
            window[y0 + y, x0 + x] |= mask[y, x] * bit
            some += mask[y, x]
        area += some
    return area


@compiled
def _boundary(window: Pixels, bit: int) -> Places:
    """Returns the (n, 2) rows and columns of the boundary pixels; the window has an empty rim."""
    h, w = window.shape
    edge = np.empty((h, w), np.uint8)
    n = 0
    for y in range(1, h - 1):
        some = 0
        for x in range(1, w - 1):
            inside = window[y - 1, x] & window[y + 1, x] & window[y, x - 1] & window[y, x + 1]
            value = np.uint8(window[y, x] & ~inside & bit)
            edge[y, x] = value
            some += value != 0
        n += some
    places = np.empty((n, 2), np.int32)
    n = 0
    for y in range(1, h - 1):
        for x in range(1, w - 1):
            if edge[y, x]:
                places[n, 0], places[n, 1] = y, x
                n += 1
    return places


@compiled
def _squared_distances(from_: Places, to: Places, h: int, w: int) -> Squares:
    """Returns, for each place of ``from_``, the squared distance to the nearest place of ``to``.

    Two sweeps over the rows give the distance along the column; the rest is a search along the row that ends as soon
    as it has gone as far as the best one found.
    """
    along = np.full((h, w), FAR, np.int32)
    for i in range(len(to)):
        along[to[i, 0], to[i, 1]] = 0
    for y in range(1, h):
        for x in range(w):
            along[y, x] = min(along[y, x], along[y - 1, x] + 1)
    for y in range(h - 2, -1, -1):
        for x in range(w):
            along[y, x] = min(along[y, x], along[y + 1, x] + 1)
    squares = np.empty(len(from_), np.int64)
    for i in range(len(from_)):
        row, x = along[from_[i, 0]], from_[i, 1]
        best = np.int64(row[x]) * row[x]
        step = 1
        while step * step < best:
            if x - step >= 0:
                best = min(best, step * step + np.int64(row[x - step]) * row[x - step])
            if x + step < w:
                best = min(best, step * step + np.int64(row[x + step]) * row[x + step])
            step += 1
        squares[i] = best
    return squares


@compiled
def _means(window: Pixels, edge: Places, squares: Squares, bit: int) -> tuple[float, float]:
    """Returns the mean distance, and the mean with a minus sign where the place is inside the mask of ``bit``."""
    total, signed = 0.0, 0.0
    for i in range(squares.size):
        if squares[i]:
            distance = np.sqrt(np.float64(squares[i]))
            total += distance
            signed += -distance if window[edge[i, 0], edge[i, 1]] & bit else distance
    return total / squares.size, signed / squares.size


@compiled
def _share_within(squares: Squares, limit: float) -> float:
    count = 0
    for i in range(squares.size):
        count += squares[i] <= limit
    return count / squares.size


@compiled
def _quantile95(squares: Squares) -> float:
    """Returns the 95 % quantile of the distances, linear between ranks."""
    place = 0.95 * (squares.size - 1)
    rank = int(place)
    counts = np.zeros(COUNTED, np.int32)
    for i in range(squares.size):
        if squares[i] < COUNTED:
            counts[squares[i]] += 1
    low, high = -1, -1
    seen = 0
    for square in range(COUNTED):
        seen += counts[square]
        if low < 0 and seen > rank:
            low = square
        if seen > min(rank + 1, squares.size - 1):
            high = square
            break
    if high < 0:
        ordered = np.sort(squares)
        low, high = ordered[rank], ordered[min(rank + 1, squares.size - 1)]
    return np.sqrt(low) + (place - rank) * (np.sqrt(high) - np.sqrt(low))


@compiled
def _root(parent: Squares, i: int) -> int:
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i
