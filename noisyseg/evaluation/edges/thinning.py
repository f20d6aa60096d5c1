"""Thinning of predicted edges, as the evaluation does it at each threshold."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from noisyseg.evaluation.edges.kernels import thin_in_place

BoolArray = npt.NDArray[np.bool_]


def thin_edges(edges: BoolArray) -> BoolArray:
    """Returns (H, W) edges thinned until nothing changes (Guo and Hall, 1989).

    The same pixels as ``skimage.morphology.thin`` leaves, and MATLAB's ``bwmorph``; only edge pixels are visited,
    which is several times as fast on maps that are mostly empty.

    Args:
        edges: (H, W) bool.

    Returns:
        (H, W) bool, a new array.

    Raises:
        ValueError: The map is not (H, W) or not bool.
    """
    # The compiled loop looks neighbourhoods up in a table without a check of its bounds: other values read beside it.
    if edges.dtype != np.bool_ or edges.ndim != 2:
        raise ValueError(f"edges: expected (H, W) bool, got {edges.shape} of {edges.dtype}")
    padded = np.zeros((edges.shape[0] + 2, edges.shape[1] + 2), np.uint8)
    padded[1:-1, 1:-1] = edges
    thin_in_place(padded.reshape(-1), padded.shape[1], *neighbourhood_tables())
    return padded[1:-1, 1:-1].astype(bool)


@lru_cache(maxsize=1)
def neighbourhood_tables() -> tuple[BoolArray, BoolArray]:
    """Returns for the two halves of a round which of the 256 neighbourhoods let a pixel go, (256,) each.

    Bit i of a neighbourhood is the i-th neighbour, from the right one counterclockwise. A pixel goes whose removal
    neither parts nor shortens anything: the neighbours make one run (G1), of a length between that of an end and that
    of the inside (G2), and the pixel lies on the side that the half is for (G3).
    """
    codes = np.arange(256)
    x = [codes >> (i % 8) & 1 for i in range(9)]
    runs = sum((1 - x[i]) & (x[i + 1] | x[i + 2]) for i in (0, 2, 4, 6))
    odd, even = (sum(x[i] | x[i + 1] for i in places) for places in ((0, 2, 4, 6), (1, 3, 5, 7)))
    length = np.minimum(odd, even)
    candidate = (runs == 1) & (length >= 2) & (length <= 3)
    lower = ((x[1] | x[2] | (1 - x[7])) & x[0]) == 0
    upper = ((x[5] | x[6] | (1 - x[3])) & x[4]) == 0
    return candidate & lower, candidate & upper
