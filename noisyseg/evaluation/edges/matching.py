"""One-to-one matching of predicted and labelled edge pixels within a distance."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from noisyseg.evaluation.edges.kernels import match_pixels

BoolArray = npt.NDArray[np.bool_]


def match_edges(predicted: BoolArray, labelled: BoolArray, radius: float) -> tuple[BoolArray, BoolArray]:
    """Returns which predicted and which labelled pixels have a partner, two (H, W) maps with equally many pixels.

    Partners are at most ``radius`` apart, and nobody has two. No such matching has more pairs (maximum cardinality).
    Pixels are paired nearest first, then by augmenting paths; of several largest matchings it is neither the one of
    least total distance nor that of the official program, which gives up some pairs to be fast: on the benchmark's own
    images ours has 0.06 % more at a tolerance of 0.0075 of the diagonal.

    Args:
        predicted: (H, W) bool.
        labelled: (H, W) bool.
        radius: Pixels, Euclidean, between centres, >= 0.

    Raises:
        ValueError: The maps are not bool, not of one (H, W) shape, or ``radius`` is negative or not finite.
    """
    for name, edges in (("predicted", predicted), ("labelled", labelled)):
        if edges.dtype != np.bool_ or edges.ndim != 2:
            raise ValueError(f"{name}: expected (H, W) bool, got {edges.shape} of {edges.dtype}")
    if predicted.shape != labelled.shape:
        raise ValueError(f"predicted, labelled: expected one size, got {predicted.shape} and {labelled.shape}")
    if not (math.isfinite(radius) and radius >= 0):
        raise ValueError(f"radius: expected a length >= 0, got {radius}")
    width = predicted.shape[1] + 2 * int(radius)
    size = (predicted.shape[0] + 2 * int(radius)) * width
    steps = step_table(radius, width)
    sides = (predicted, labelled)
    # Paths start from whom the matching leaves over: of the smaller side these are fewer.
    swapped = np.count_nonzero(predicted) > np.count_nonzero(labelled)
    if swapped:
        sides, steps = sides[::-1], -steps
    partners = match_pixels(*(_places(edges, int(radius), width) for edges in sides), size, steps)
    matched = [np.zeros(predicted.shape, bool) for _ in sides]
    for those, edges, found in zip(matched, sides, partners, strict=True):
        those[edges] = found >= 0
    first, second = matched
    return (second, first) if swapped else (first, second)


@lru_cache(maxsize=64)
def step_table(radius: float, width: int) -> npt.NDArray[np.int64]:
    """Returns the (D,) steps of at most ``radius`` pixels in a flat map with rows of ``width``, shortest first.

    The order among equally long ones is that of rows, then columns.
    """
    reach = np.arange(-int(radius), int(radius) + 1)
    rows, columns = (side.ravel() for side in np.meshgrid(reach, reach, indexing="ij"))
    squares = rows**2 + columns**2
    inside = np.flatnonzero(squares <= radius**2)
    inside = inside[np.argsort(squares[inside], kind="stable")]
    steps = rows[inside] * width + columns[inside]
    steps.flags.writeable = False
    return steps


def _places(edges: BoolArray, margin: int, width: int) -> npt.NDArray[np.int64]:
    """Returns the places of the edge pixels in the flat map with the margin, in the order of rows."""
    rows, columns = np.nonzero(edges)
    return (rows + margin) * width + columns + margin
