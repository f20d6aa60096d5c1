"""What the scores of one image are made of: pixels matched and pixels in all, at each threshold."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image

from noisyseg.evaluation.edges.matching import match_edges
from noisyseg.evaluation.edges.protocol import EdgeProtocol
from noisyseg.evaluation.edges.suppression import suppressed
from noisyseg.evaluation.edges.thinning import thin_edges

BoolArray = npt.NDArray[np.bool_]
Probability = npt.NDArray[np.uint8]
Counts = npt.NDArray[np.int64]
COUNTING = 1
"""Goes up whenever counting changes, here or in what it calls, so that counts that were kept are counted anew."""
# Rows and columns may be rounded differently by who made the predictions smaller; more is another picture.
ASPECT = 0.02


def edge_counts(
    probability: Probability,
    labelled: Sequence[BoolArray],
    protocol: EdgeProtocol,
    ignored: BoolArray | None = None,
    each: Callable[..., Iterable[tuple[int, int, int]]] = map,
) -> Counts:
    """Returns (T, 4) int64 counts of one image and class: cntR, sumR, cntP, sumP at each threshold.

    cntR and sumR are matched and all labelled pixels, summed over the annotators; cntP are the predicted pixels that
    are matched with at least one annotator, each of whom is matched separately; sumP are all predicted pixels. Equal
    edges at neighbouring thresholds are matched once, and nothing is thinned or matched above the largest value.

    Args:
        probability: (H, W) uint8, 255 times the probability of an edge.
        labelled: (H, W) bool edges, one an annotator, at least one; an empty map is an annotator who saw no edge.
        protocol: The settings.
        ignored: (H, W) bool, pixels that neither predictions nor labels count on; None for none. Predictions are
            thinned before they are dropped there.
        each: Goes through the thresholds; ``map`` of an executor of threads lets them run side by side.

    Raises:
        ValueError: An array has another dtype or shape, there is no annotator, or the border leaves nothing.
    """
    probability, labels, ignored = _prepared(probability, labelled, protocol, ignored)
    radius = protocol.tolerance * math.hypot(*probability.shape)
    labels = [edges & ~ignored for edges in labels]
    total = sum(int(np.count_nonzero(edges)) for edges in labels)
    # Maps at rising levels shrink, so equally many pixels are the same ones.
    above = np.cumsum(np.bincount(probability.ravel(), minlength=257)[::-1])[::-1]
    levels = protocol.levels()
    _, first, place = np.unique(above[levels], return_index=True, return_inverse=True)

    def count(level: int) -> tuple[int, int, int]:
        return _count(probability >= level, labels, ignored, protocol, radius)

    found = np.array(list(each(count, levels[first].tolist())), np.int64)[place]
    return np.stack([found[:, 0], np.full(len(levels), total), found[:, 1], found[:, 2]], axis=1)


def _count(
    edges: BoolArray, labels: Sequence[BoolArray], ignored: BoolArray, protocol: EdgeProtocol, radius: float
) -> tuple[int, int, int]:
    """Returns matched labelled, matched predicted and all predicted pixels at one threshold."""
    if not edges.any():
        return 0, 0, 0
    if protocol.mode == "thin":
        edges = thin_edges(edges)
    edges = edges & ~ignored
    hit = np.zeros(edges.shape, bool)
    recalled = 0
    for one in labels:
        if one.any():
            predicted, matched = match_edges(edges, one, radius)
            hit |= predicted
            recalled += int(np.count_nonzero(matched))
    return recalled, int(np.count_nonzero(hit)), int(np.count_nonzero(edges))


def _prepared(
    probability: Probability, labelled: Sequence[BoolArray], protocol: EdgeProtocol, ignored: BoolArray | None
) -> tuple[Probability, list[BoolArray], BoolArray]:
    """Returns predictions, labels and ignored pixels checked, at the protocol's scale and without the border."""
    if probability.dtype != np.uint8 or probability.ndim != 2:
        raise ValueError(
            f"probability: expected (H, W) uint8, 255 times the probability, got {probability.shape} of "
            f"{probability.dtype}"
        )
    if not len(labelled):
        raise ValueError("labelled: expected the edges of at least one annotator, got none")
    maps = [*labelled, np.zeros(labelled[0].shape, bool) if ignored is None else ignored]
    size_hw = maps[0].shape
    maps = scaled_maps(maps, protocol.scale)
    _check_size(probability.shape, size_hw, maps[0].shape, protocol)
    if protocol.nms:
        probability = suppressed(probability)
    if probability.shape != maps[0].shape:
        smaller = Image.fromarray(probability).resize(maps[0].shape[::-1], Image.Resampling.BICUBIC)
        probability = np.asarray(smaller)
    if min(probability.shape) <= 2 * protocol.border:
        raise ValueError(f"border: expected less than half of {probability.shape}, got {protocol.border}")
    inside = tuple(slice(protocol.border, side - protocol.border) for side in probability.shape)
    return probability[inside], [edges[inside] for edges in maps[:-1]], maps[-1][inside]


def scaled_maps(maps: Sequence[BoolArray], scale: float) -> list[BoolArray]:
    """Returns (H, W) bool maps made smaller to the nearest pixel, ceil(side * scale) pixels a side.

    Raises:
        ValueError: A map has another dtype, or not the shape of the first.
    """
    for edges in maps:
        if edges.dtype != np.bool_ or edges.ndim != 2 or edges.shape != maps[0].shape:
            raise ValueError(
                f"labelled, ignored: expected (H, W) bool of one size, got {edges.shape} of {edges.dtype} beside "
                f"{maps[0].shape}"
            )
    if scale == 1:
        return [*maps]
    # Rounded, because 100 * 0.07 is a little more than 7. The pixel is that under the middle of the smaller one.
    rows, columns = (
        np.minimum(((np.arange(math.ceil(round(side * scale, 9))) + 0.5) / scale).astype(np.int64), side - 1)
        for side in maps[0].shape
    )
    return [edges[np.ix_(rows, columns)] for edges in maps]


def _check_size(
    got: tuple[int, ...], labelled: tuple[int, ...], scaled: tuple[int, ...], protocol: EdgeProtocol
) -> None:
    if got in (labelled, scaled):
        return
    if not protocol.resize:
        raise ValueError(f"probability: expected the size {labelled} of the labels, got {got}; resize=True resizes it")
    if not all(got) or abs(got[0] * labelled[1] / (got[1] * labelled[0]) - 1) > ASPECT:
        raise ValueError(f"probability: expected the proportions of the labels {labelled}, got {got}")
