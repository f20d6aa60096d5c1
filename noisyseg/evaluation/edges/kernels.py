"""Compiled loops of the evaluation of edges: thinning, and one-to-one matching within a distance.

Both work on flat maps with a margin, in which a step to a neighbour is one addition.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from noisyseg.labels.kernels.compiling import compiled

Pixels = npt.NDArray[np.uint8]
Places = npt.NDArray[np.int64]
Partners = npt.NDArray[np.int32]


@compiled
def thin_in_place(pixels: Pixels, width: int, first: npt.NDArray[np.bool_], second: npt.NDArray[np.bool_]) -> None:
    """Deletes pixels of a flat map until what is left is one pixel wide.

    Args:
        pixels: (P,) of 0 and 1, rows behind each other, with a margin of one empty pixel on all sides.
        width: Length of a row, with its margin.
        first: (256,) which neighbourhoods let a pixel go in the first half of a round; see `neighbourhood_tables`.
        second: (256,) the same for the second half.
    """
    alive = np.flatnonzero(pixels)
    count = alive.size
    doomed = np.empty(count, np.int64)
    while True:
        before = count
        for half in range(2):
            table = first if half == 0 else second
            gone = 0
            for i in range(count):
                p = alive[i]
                code = pixels[p + 1] | pixels[p - width + 1] << 1 | pixels[p - width] << 2 | pixels[p - width - 1] << 3
                code |= pixels[p - 1] << 4 | pixels[p + width - 1] << 5
                code |= pixels[p + width] << 6 | pixels[p + width + 1] << 7
                if table[code]:
                    doomed[gone] = p
                    gone += 1
            for i in range(gone):
                pixels[doomed[i]] = 0
            kept = 0
            for i in range(count):
                if pixels[alive[i]]:
                    alive[kept] = alive[i]
                    kept += 1
            count = kept
        if count == before:
            return


@compiled
def match_pixels(sources: Places, targets: Places, size: int, steps: Places) -> tuple[Partners, Partners]:
    """Returns the (N,) partner of each source and the (M,) partner of each target, -1 for none: a largest matching.

    Pairs are made nearest first; then augmenting paths, found in phases (Hopcroft and Karp, 1973), add pairs until
    there is no such path, which proves that no matching has more. Who has a partner after the first part keeps one.

    Args:
        sources: (N,) places in a flat map whose margin is as wide as the longest step.
        targets: (M,) places in the same map.
        size: Number of places of the map.
        steps: (D,) differences of places within reach, shortest step first.
    """
    at = np.full(size, -1, np.int32)
    for t in range(targets.size):
        at[targets[t]] = t
    of_source = np.full(sources.size, -1, np.int32)
    of_target = np.full(targets.size, -1, np.int32)
    free = np.arange(sources.size)
    count = _pair_nearest(sources, at, steps, of_source, of_target, free)
    level = np.empty(sources.size, np.int32)
    cursor = np.empty(sources.size, np.int64)
    choice = np.empty(sources.size, np.int32)
    line = np.empty(sources.size, np.int64)
    # Targets in reach of a source, looked up when a path first comes by: most sources are on none.
    first = np.full(sources.size, -1, np.int64)
    last = np.full(sources.size, -1, np.int64)
    near = np.empty(16 * sources.size + steps.size, np.int32)
    used = 0
    while count:
        found, near, used = _set_levels(
            sources, at, steps, of_target, free[:count], level, line, first, last, near, used
        )
        if not found:
            break
        cursor[:] = first
        left = 0
        for i in range(count):
            start = free[i]
            if not _augment(start, of_source, of_target, level, cursor, last, near, choice, line):
                free[left] = start
                left += 1
        count = left
    return of_source, of_target


@compiled
def _pair_nearest(
    sources: Places, at: Partners, steps: Places, of_source: Partners, of_target: Partners, free: Places
) -> int:
    """Pairs who is free at each step in turn, and returns how many sources at the start of ``free`` are left over.

    Left out of these are sources without any target in reach, which no path can start from.
    """
    count = free.size
    for d in range(steps.size):
        left = 0
        for i in range(count):
            s = free[i]
            t = at[sources[s] + steps[d]]
            if t >= 0 and of_target[t] < 0:
                of_target[t] = s
                of_source[s] = t
            else:
                free[left] = s
                left += 1
        count = left
    left = 0
    for i in range(count):
        for d in range(steps.size):
            if at[sources[free[i]] + steps[d]] >= 0:
                free[left] = free[i]
                left += 1
                break
    return left


@compiled
def _set_levels(
    sources: Places,
    at: Partners,
    steps: Places,
    of_target: Partners,
    free: Places,
    level: Partners,
    line: Places,
    first: Places,
    last: Places,
    near: Partners,
    used: int,
) -> tuple[bool, Partners, int]:
    """Fills the length of the shortest alternating path to each source; sources beyond the shortest end have level -1.

    Returns whether a path ends at a free target, and ``near`` with what was looked up: the targets in reach of source
    s are ``near[first[s]:last[s]]``; ``used`` places are taken.
    """
    level[:] = -1
    stop = free.size
    for i in range(stop):
        level[free[i]] = 0
        line[i] = free[i]
    found = False
    deepest = 0
    i = 0
    while i < stop:
        s = line[i]
        i += 1
        if found and level[s] > deepest:
            break
        if first[s] < 0:
            first[s] = used
            near, used = _look_up(sources[s], at, steps, near, used)
            last[s] = used
        for k in range(first[s], last[s]):
            other = of_target[near[k]]
            if other < 0:
                if not found:
                    found, deepest = True, level[s]
            elif level[other] < 0 and not found:
                level[other] = level[s] + 1
                line[stop] = other
                stop += 1
    return found, near, used


@compiled
def _look_up(place: int, at: Partners, steps: Places, near: Partners, used: int) -> tuple[Partners, int]:
    """Returns ``near``, longer where it was full, with the targets in reach of a place behind the ``used`` ones."""
    if used + steps.size > near.size:
        wider = np.empty(2 * near.size, np.int32)
        wider[:used] = near[:used]
        near = wider
    for d in range(steps.size):
        t = at[place + steps[d]]
        if t >= 0:
            near[used] = t
            used += 1
    return near, used


@compiled
def _augment(
    start: int,
    of_source: Partners,
    of_target: Partners,
    level: Partners,
    cursor: Places,
    last: Places,
    near: Partners,
    choice: Partners,
    stack: Places,
) -> bool:
    """Returns whether a path along rising levels led from ``start`` to a free target, and swaps the pairs on it.

    Sources that lead nowhere, and those on the path, are closed for this phase (level -1); so are, from the start,
    those whose targets were not looked up (no place in ``near``).
    """
    depth = 1
    stack[0] = start
    while depth:
        s = stack[depth - 1]
        if cursor[s] == last[s]:
            level[s] = -1
            depth -= 1
            continue
        t = near[cursor[s]]
        cursor[s] += 1
        other = of_target[t]
        if other < 0:
            choice[s] = t
            for i in range(depth):
                one = stack[i]
                of_source[one] = choice[one]
                of_target[choice[one]] = one
                level[one] = -1
            return True
        if level[other] == level[s] + 1:
            choice[s] = t
            stack[depth] = other
            depth += 1
    return False
