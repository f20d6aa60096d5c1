"""ODS, OIS and AP of edges, made of counts.

Letters: N images, T thresholds, R recall, P precision, F = 2PR / (P + R).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from noisyseg.evaluation.edges.protocol import EdgeProtocol

FloatArray = npt.NDArray[np.float64]
# Points between two neighbouring thresholds, both included, on which ODS looks for the largest F.
BETWEEN = 100
RECALLS = np.arange(101) / 100


class EdgePoint(NamedTuple):
    """A point of the curve: recall, precision and F in [0, 1]; the threshold is NaN where several images have own ones.

    The order is that of the official program's output.
    """

    threshold: float
    recall: float
    precision: float
    f: float


@dataclass(frozen=True, eq=False)
class EdgeScores:
    """The scores of one class.

    Attributes:
        protocol: How they were measured.
        ods: The best point of the curve with one threshold for all images.
        ois: The point of the best threshold of each image.
        ap: Average precision as the protocol defines it.
        ap_envelope: The area under the falling envelope of the curve, whatever the protocol says.
        curve: (T, 4) threshold, R, P, F of all images together.
        images: (N, 4) the best point of each image.
        labelled: Number of labelled pixels, summed over annotators; 0 says that the class is absent.
    """

    protocol: EdgeProtocol
    ods: EdgePoint
    ois: EdgePoint
    ap: float
    ap_envelope: float
    curve: FloatArray
    images: FloatArray
    labelled: int

    def describe(self) -> str:
        """Returns the scores as one line, with the protocol."""
        return (
            f"ODS {self.ods.f:.4f} (R {self.ods.recall:.4f}, P {self.ods.precision:.4f}, threshold "
            f"{self.ods.threshold:.4f}), OIS {self.ois.f:.4f}, AP {self.ap:.4f}, envelope AP {self.ap_envelope:.4f} "
            f"[{self.protocol.describe()}]"
        )


def edge_scores(counts: npt.NDArray[np.integer], protocol: EdgeProtocol) -> EdgeScores:
    """Returns the scores of one class, from the counts of all images (SEAL's and the BSDS benchmark's definitions).

    ODS: counts are summed over images at each threshold; between neighbouring thresholds R and P are interpolated
    linearly at 100 points, and the largest F is taken. OIS: of each image the first threshold of largest F, with the
    counts summed. A ratio without denominator is 0, so nothing is NaN.

    Args:
        counts: (N, T, 4) integers cntR, sumR, cntP, sumP, as :func:`edge_counts` returns them; N >= 1.
        protocol: The settings that they were counted with.

    Raises:
        ValueError: ``counts`` has another shape, or more matched pixels than pixels.
    """
    counts = np.asarray(counts)
    if counts.ndim != 3 or counts.shape[1:] != (protocol.thresholds, 4) or not len(counts):
        raise ValueError(f"counts: expected (N, {protocol.thresholds}, 4) with N >= 1, got {counts.shape}")
    if counts.dtype.kind not in "iu" or (counts < 0).any() or (counts[..., ::2] > counts[..., 1::2]).any():
        raise ValueError("counts: expected integers >= 0, matched pixels no more than pixels")
    counts = counts.astype(np.int64)
    thresholds = protocol.threshold_values()
    curve = _points(thresholds, counts.sum(axis=0))
    best = np.argmax(_points(thresholds, counts)[..., 3], axis=1)
    chosen = counts[np.arange(len(counts)), best]
    counted = chosen if protocol.ois == "all" else chosen[chosen[:, 1] > 0]
    envelope = envelope_precision(curve[:, 1], curve[:, 2])
    return EdgeScores(
        protocol=protocol,
        ods=_best_between(curve),
        ois=EdgePoint(*_points(np.array(np.nan), counted.sum(axis=0)).tolist()),
        ap=envelope if protocol.ap == "envelope" else average_precision(curve[:, 1], curve[:, 2]),
        ap_envelope=envelope,
        curve=curve,
        images=_points(thresholds[best], chosen),
        labelled=int(counts[:, 0, 1].sum()),
    )


def mean_scores(classes: Mapping[str, EdgeScores]) -> tuple[dict[str, float], list[str]]:
    """Returns the means over classes of ``ODS``, ``OIS``, ``AP`` and ``AP envelope``, and the names of absent classes.

    The mean of ODS is what the papers call MF. A class without a labelled pixel is left out, or counts as 0 where the
    protocol says so. NaN where all are absent and left out.
    """
    absent = [name for name, scores in classes.items() if not scores.labelled]
    each = [
        (scores.ods.f, scores.ois.f, scores.ap, scores.ap_envelope)
        for scores in classes.values()
        if scores.labelled or scores.protocol.absent == "zero"
    ]
    means = np.mean(each, axis=0).tolist() if each else [float("nan")] * 4
    return dict(zip(("ODS", "OIS", "AP", "AP envelope"), means, strict=True)), absent


def average_precision(recall: FloatArray, precision: FloatArray) -> float:
    """Returns 0.01 times the sum of the precisions at R = 0, 0.01 .. 1: the official AP, at most 1.01.

    Precision is interpolated linearly on the unique recalls, each with the precision of its lowest threshold, and is 0
    outside the measured ones. A single recall has AP 0, so a perfect yes-or-no prediction has AP 0.

    Args:
        recall: (T,) in the order of rising thresholds.
        precision: (T,) in the same order.
    """
    recalls, first = np.unique(recall, return_index=True)
    if len(recalls) < 2:
        return 0.0
    return float(np.interp(RECALLS, recalls, precision[first], left=0, right=0).sum() / 100)


def envelope_precision(recall: FloatArray, precision: FloatArray) -> float:
    """Returns the area under the largest precision at this recall or a larger one, in steps, from R = 0.

    Args:
        recall: (T,) in any order.
        precision: (T,) in the same order.
    """
    order = np.argsort(recall, kind="stable")
    highest = np.maximum.accumulate(precision[order][::-1])[::-1]
    return float(np.sum(np.diff(recall[order], prepend=0) * highest))


def _points(thresholds: FloatArray, counts: npt.NDArray[np.int64]) -> FloatArray:
    """Returns (..., 4) threshold, R, P, F from (..., 4) counts."""
    recall = counts[..., 0] / np.maximum(counts[..., 1], 1)
    precision = counts[..., 2] / np.maximum(counts[..., 3], 1)
    return np.stack(np.broadcast_arrays(thresholds, recall, precision, f_measure(recall, precision)), axis=-1)


def f_measure(recall: FloatArray, precision: FloatArray) -> FloatArray:
    """Returns 2PR / (P + R), 0 where both are 0."""
    total = recall + precision
    return 2 * recall * precision / np.where(total > 0, total, 1)


def _best_between(curve: FloatArray) -> EdgePoint:
    """Returns the point of largest F on the lines between neighbouring points of the (T, 4) curve."""
    share = np.linspace(0, 1, BETWEEN)[:, None]
    lines = curve[:-1, None, :3] * (1 - share) + curve[1:, None, :3] * share
    points = np.concatenate([curve[:1, :3], lines.reshape(-1, 3)])
    f = f_measure(points[:, 1], points[:, 2])
    best = int(np.argmax(f))
    return EdgePoint(*points[best].tolist(), float(f[best]))
