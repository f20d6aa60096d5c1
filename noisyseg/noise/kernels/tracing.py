"""The borders of a mask's parts and holes, compiled: the rings that OpenCV's ``findContours`` gives, in its order.

Reference: Suzuki & Abe, "Topological structural analysis of digitized binary images by border following", 1985. Unlike
OpenCV we look for the starts of borders eight pixels at a time, and give all rings in two arrays: for small masks its
memory and its lists take longer than the following.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from noisyseg.labels.kernels.compiling import compiled

Pixels = npt.NDArray[np.uint8]
Points = npt.NDArray[np.int32]
Places = npt.NDArray[np.int64]
# The eight neighbours, counter-clockwise from the right.
_DX = np.array([1, 1, 0, -1, -1, -1, 0, 1])
_DY = np.array([0, -1, -1, -1, 0, 1, 1, 1])
_RIGHT, _LEFT = 0, 4
OUTER, ISLAND = -1, -2


def borders(pixels: Pixels) -> tuple[Points, Places, Places]:
    """Returns the vertices of all borders, scanned row by row.

    Args:
        pixels: (h, w) uint8 in {0, 1}.

    Returns:
        (V, 2) int32 ``x, y`` of the direction changes of all rings, (R + 1,) where each ring starts, and (R,) what it
        is: the number of the ring around a hole, OUTER for a part, ISLAND for a part inside a hole of another.
    """
    rings, vertices = 16, 2 * sum(pixels.shape) + 16
    while True:
        points, starts, parents, enough = _borders(pixels, rings, vertices)
        if enough:
            return points, starts, parents
        rings, vertices = 8 * rings, 4 * vertices


# Arrays are as large as the caller says: one that grows inside a loop makes the whole loop many times slower.
@compiled
def _borders(pixels: Pixels, most_rings: int, most_vertices: int) -> tuple[Points, Places, Places, bool]:  # noqa: C901
    h, w = pixels.shape
    words = (w + 9) // 8
    width = 8 * words
    # A frame of background around the pixels; rows in whole words.
    framed = np.zeros((h + 2, width), np.uint8)
    for y in range(h):
        for x in range(w):
            framed[y + 1, x + 1] = pixels[y, x]
    image = framed.reshape(-1)
    eight = image.view(np.uint64)
    # Number of the border that has passed a pixel, from 1 on; negative where its right neighbour is outside of it.
    marks = np.zeros(len(image), np.int32)
    points, count = np.empty((most_vertices, 2), np.int32), 0
    starts, parents, rings = np.empty(most_rings + 1, np.int64), np.empty(most_rings, np.int64), 0
    for y in range(1, h + 1):
        last, run, end = np.uint64(0), 0, 0
        for k in range(words):
            word = eight[y * words + k]
            changes = word ^ ((word << np.uint64(8)) | last)
            last = word >> np.uint64(56)
            byte = 0
            while changes:
                while not changes & np.uint64(1):
                    changes >>= np.uint64(8)
                    byte += 1
                changes ^= np.uint64(1)
                place = y * width + 8 * k + byte
                inside = image[place] == 0
                if not inside:
                    run = place
                start = place - inside
                if marks[start] < 0 if inside else marks[start] != 0:  # passed already
                    end = start if inside else end
                    continue
                if rings == most_rings:
                    return points[:0], starts[:0], parents[:0], False
                starts[rings] = count
                if inside:
                    end = start
                    around = abs(marks[run]) - 1
                    parents[rings] = around if parents[around] < 0 else parents[around]
                else:
                    # What lies left of it says where it is: a hole, or the ground of the part that ends there.
                    beside = abs(marks[end]) - 1
                    parents[rings] = OUTER if beside < 0 else (ISLAND if parents[beside] >= 0 else parents[beside])
                rings += 1
                count = _follow(image, marks, width, start, inside, rings, points, count)
                if count < 0:
                    return points[:0], starts[:0], parents[:0], False
    starts[rings] = count
    return points[:count].copy(), starts[: rings + 1].copy(), parents[:rings].copy(), True


@compiled
def _follow(  # noqa: C901 - a walk is one loop
    image: Pixels, marks: Points, width: int, start: int, hole: bool, number: int, points: Points, count: int
) -> int:
    """Follows one border from its first pixel, marks it, and writes vertices; returns their number, -1 without room."""
    if count == len(points):
        return -1
    first = direction = _RIGHT if hole else _LEFT
    while True:
        direction = (direction - 1) & 7
        second = start + _DY[direction] * width + _DX[direction]
        if image[second] or direction == first:
            break
    if not image[second]:  # a pixel by itself
        marks[start] = -number
        points[count, 0], points[count, 1] = start % width - 1, start // width - 1
        return count + 1
    here, before = start, direction ^ 4
    while True:
        came = direction
        while True:
            direction += 1
            there = here + _DY[direction & 7] * width + _DX[direction & 7]
            if image[there]:
                break
        direction &= 7
        if 0 <= direction - 1 < came:
            marks[here] = -number
        elif marks[here] == 0:
            marks[here] = number
        if direction != before:
            if count == len(points):
                return -1
            points[count, 0], points[count, 1] = here % width - 1, here // width - 1
            count += 1
            before = direction
        if there == start and here == second:
            return count
        here = there
        direction = (direction + 4) & 7
