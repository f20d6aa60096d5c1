"""Run lengths of binary masks, column by column as COCO counts them: strings, crops, areas, boxes, overlaps.

*Runs* are (R,) int64 alternating lengths of background and foreground, background first; they sum to H * W and none
but the first is 0.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from noisyseg.labels.kernels.compiling import compiled

Runs = npt.NDArray[np.int64]
Pixels = npt.NDArray[np.uint8]
# What can be wrong with a string.
FINE, BAD_CHARACTER, CUT_OFF, TOO_LONG = range(4)
# Times this, the highest byte of eight that are 0 or 1 is their sum.
_ONES = np.uint64(0x0101010101010101)


@compiled
def parsed(codes: Pixels) -> tuple[int, Runs]:
    """Returns what is wrong with the bytes of a compressed string, and the numbers in it.

    Seven bits a character from 48 on: five of the number, low ones first, and one that says whether more follow. From
    the fourth number on each is a difference to the one two places before it.
    """
    runs = np.empty(len(codes), np.int64)
    count = 0
    value, shift = np.int64(0), 0
    for code in codes:
        bits = np.int64(code) - 48
        if bits < 0 or bits > 63:
            return BAD_CHARACTER, runs[:0]
        if shift > 30:
            return TOO_LONG, runs[:0]
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:
            value |= np.int64(-1) << shift
        if count > 2:
            value += runs[count - 2]
        runs[count] = value
        count += 1
        value, shift = np.int64(0), 0
    if shift:
        return CUT_OFF, runs[:0]
    return FINE, runs[:count].copy()


@compiled
def packed(runs: Runs) -> Pixels:
    """Returns the bytes of the compressed string of ``runs``."""
    codes = np.empty(13 * len(runs), np.uint8)
    count = 0
    for i in range(len(runs)):
        value = runs[i] - runs[i - 2] if i > 2 else runs[i]
        more = True
        while more:
            bits = value & 31
            value >>= 5
            more = value != -1 if bits & 16 else value != 0
            codes[count] = 48 + bits + (32 if more else 0)
            count += 1
    return codes[:count].copy()


@compiled
def joined(runs: Runs) -> Runs:
    """Returns non-negative ``runs`` with what an empty run parts made one run; only the first may be 0."""
    out = np.empty(max(len(runs), 1), np.int64)
    out[0] = runs[0] if len(runs) else 0
    count = 1
    i = 1
    while i < len(runs):
        if runs[i]:
            out[count] = runs[i]
            count += 1
        elif i + 1 < len(runs):
            i += 1
            out[count - 1] += runs[i]
        i += 1
    return out[:count].copy()


@compiled
def box_and_area(runs: Runs, height: int) -> tuple[int, int, int, int, int]:
    """Returns the tight half-open box ``x0, y0, x1, y1`` and the number of foreground pixels; zeros without any."""
    area, position = 0, 0
    x0, y0, x1, y1 = -1, height, 0, 0
    for i in range(len(runs)):
        length = runs[i]
        if i % 2 and length:
            first, last = position // height, (position + length - 1) // height
            if x0 < 0:
                x0 = first
            x1 = last + 1
            if last > first:  # it goes on in the next column: from the bottom of one to the top of another
                y0, y1 = 0, height
            else:
                y0 = min(y0, position - first * height)
                y1 = max(y1, position + length - first * height)
            area += length
        position += length
    if x0 < 0:
        return 0, 0, 0, 0, 0
    return x0, y0, x1, y1, area


@compiled
def window(runs: Runs, height: int, x0: int, y0: int, x1: int, y1: int) -> Pixels:
    """Returns the (y1 - y0, x1 - x0) uint8 pixels of a window that holds all foreground."""
    pixels = np.zeros((y1 - y0, x1 - x0), np.uint8)
    position = 0
    # A mark where a column changes; summed down the columns, marks become pixels.
    for i in range(len(runs)):
        length = runs[i]
        if i % 2:
            column, row = position // height, position % height
            left = length
            while left > 0:
                stop = row + left
                pixels[row - y0, column - x0] ^= 1
                if stop < height:
                    if stop < y1:
                        pixels[stop - y0, column - x0] ^= 1
                    break
                left = stop - height
                column += 1
                row = 0
        position += length
    for y in range(1, y1 - y0):
        for x in range(x1 - x0):
            pixels[y, x] ^= pixels[y - 1, x]
    return pixels


@compiled
def runs_of_window(pixels: Pixels, left: int, top: int, height: int, width: int) -> Runs:
    """Returns the runs of a frame that is ``pixels`` ((h, w) uint8 in {0, 1}) in a window and empty outside it."""
    w = pixels.shape[1]
    columns, rows = _changes_down(pixels)
    # Sorted by columns by counting them; within a column they are in the order of rows already.
    starts = np.zeros(w + 1, np.int64)
    for column in columns:
        starts[column + 1] += 1
    for x in range(w):
        starts[x + 1] += starts[x]
    changes = np.empty(len(columns), np.int64)
    for i in range(len(columns)):
        x = columns[i]
        changes[starts[x]] = (left + x) * height + top + rows[i]
        starts[x] += 1
    return _runs_between(changes, height * width)


@compiled
def _changes_down(pixels: Pixels) -> tuple[Runs, Runs]:
    """Returns column and row of each pixel that differs from the one above it, row by row; outside is background."""
    h, w = pixels.shape
    words = (w + 7) // 8
    # Rows are compared eight pixels at a time: most words are alike.
    padded = np.zeros((h + 2, 8 * words), np.uint8)
    for y in range(h):
        for x in range(w):
            padded[y + 1, x] = pixels[y, x]
    eight = padded.reshape(-1).view(np.uint64)
    # Counted first: an array that grows inside a loop makes the whole loop many times slower.
    total = 0
    for i in range((h + 1) * words):
        total += np.int64(((eight[i + words] ^ eight[i]) * _ONES) >> np.uint64(56))
    columns, rows = np.empty(total + 8, np.int64), np.empty(total + 8, np.int64)
    count = 0
    for y in range(h + 1):
        above = y * words
        for i in range(words):
            different = eight[above + words + i] ^ eight[above + i]
            if different:
                for byte in range(8):  # written in any case and counted where it is one: no branch to guess wrong
                    columns[count], rows[count] = 8 * i + byte, y
                    count += np.int64((different >> np.uint64(8 * byte)) & np.uint64(1))
    return columns[:count], rows[:count]


@compiled
def _runs_between(changes: Runs, total: int) -> Runs:
    """Returns the runs between ascending positions of change; two at one place are none."""
    runs = np.empty(len(changes) + 1, np.int64)
    count, previous = 0, 0
    i = 0
    while i < len(changes):
        if i + 1 < len(changes) and changes[i] == changes[i + 1]:
            i += 2
            continue
        if changes[i] >= total:
            break
        runs[count] = changes[i] - previous
        previous = changes[i]
        count += 1
        i += 1
    runs[count] = total - previous
    return runs[: count + 1].copy()


@compiled
def overlap(one: Runs, other: Runs) -> int:
    """Returns the number of pixels that are foreground in both."""
    both = 0
    i, j = 0, 0
    left_one = one[0] if len(one) else 0
    left_other = other[0] if len(other) else 0
    while i < len(one) and j < len(other):
        step = min(left_one, left_other)
        if i % 2 and j % 2:
            both += step
        left_one -= step
        left_other -= step
        if left_one == 0:
            i += 1
            left_one = one[i] if i < len(one) else 0
        if left_other == 0:
            j += 1
            left_other = other[j] if j < len(other) else 0
    return both


@compiled
def union(one: Runs, other: Runs) -> Runs:
    """Returns the runs of what is foreground in one or the other."""
    out = np.empty(len(one) + len(other), np.int64)
    out[0] = 0
    count = 0
    i, j = 0, 0
    left_one, left_other = one[0], other[0]
    inside = 0
    while i < len(one) and j < len(other):
        step = min(left_one, left_other)
        now = (i % 2) | (j % 2)
        if step:
            if now != inside:
                count += 1
                out[count] = 0
                inside = now
            out[count] += step
        left_one -= step
        left_other -= step
        if left_one == 0:
            i += 1
            left_one = one[i] if i < len(one) else 0
        if left_other == 0:
            j += 1
            left_other = other[j] if j < len(other) else 0
    return out[: count + 1].copy()
