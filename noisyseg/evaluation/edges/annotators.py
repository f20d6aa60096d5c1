"""How well annotators predict each other: the score that a detector of edges can be held against."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from noisyseg.evaluation.edges.counting import edge_counts, scaled_maps
from noisyseg.evaluation.edges.protocol import EdgeProtocol
from noisyseg.evaluation.edges.scoring import EdgePoint, f_measure

BoolArray = npt.NDArray[np.bool_]


def annotator_counts(
    labelled: Sequence[BoolArray], protocol: EdgeProtocol, ignored: BoolArray | None = None
) -> npt.NDArray[np.int64]:
    """Returns (A, 4) int64 counts cntR, sumR, cntP, sumP of each annotator, scored as a prediction of the others.

    Args:
        labelled: A maps (H, W) bool, A >= 2.
        protocol: The settings; where its mode is thin, the annotator who stands for the prediction is thinned, and
            made smaller to the nearest pixel as labels are. Suppression is for probabilities, so ``nms`` is left out.
        ignored: See :func:`~noisyseg.evaluation.edges.counting.edge_counts`.

    Raises:
        ValueError: There are fewer than two annotators, or a map has another dtype or shape.
    """
    if len(labelled) < 2:
        raise ValueError(f"labelled: expected at least two annotators, got {len(labelled)}")
    once = dataclasses.replace(protocol, thresholds=1, nms=False)
    counts = []
    for a, edges in enumerate(scaled_maps(labelled, protocol.scale)):
        others = [*labelled[:a], *labelled[a + 1 :]]
        counts.append(edge_counts(edges.astype(np.uint8) * 255, others, once, ignored)[0])
    return np.stack(counts)


def annotator_score(counts: npt.NDArray[np.integer]) -> EdgePoint:
    """Returns R, P and F of all annotators of all images together (leave one out, counts summed).

    Args:
        counts: (N, 4), the rows of :func:`annotator_counts` of all images.
    """
    matched, labelled, hit, predicted = np.asarray(counts).sum(axis=0).tolist()
    recall, precision = matched / max(labelled, 1), hit / max(predicted, 1)
    return EdgePoint(float("nan"), recall, precision, float(f_measure(np.float64(recall), np.float64(precision))))
