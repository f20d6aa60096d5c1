"""Colours in which labels are shown."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

PALETTE: tuple[tuple[int, int, int], ...] = (
    (38, 40, 48),  # background
    (102, 187, 106),  # blob
    (255, 183, 77),  # ring
    (66, 133, 244),  # box
    (239, 83, 80),  # star
    (38, 198, 218),  # key
    (171, 71, 188),  # worm
)
"""Red, green, blue in 0..255 for each class of the semantic maps."""


def edge_palette() -> tuple[tuple[int, int, int], ...]:
    """Returns the colour of each of the 64 values of an edge map: black, or the mean of its classes."""
    colours = np.array(PALETTE[1:])
    count = len(colours)
    values = np.arange(1 << count)
    chosen = values[:, None] >> np.arange(count) & 1
    means: npt.NDArray[np.int64] = chosen @ colours // np.maximum(chosen.sum(1, keepdims=True), 1)
    return tuple(tuple(row) for row in means.tolist())
