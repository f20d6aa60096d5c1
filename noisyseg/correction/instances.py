"""Adaptive correction of instance masks: which prediction is whose, what that counts, and which masks it replaces.

Letters: N given objects, M predicted ones, K classes, H rows, W columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from noisyseg.labels import Instances, Mask

__all__ = ["PredictedInstances", "instance_counts", "match_instances", "relabel_instances"]

IntArray = npt.NDArray[np.int64]
FULL = 255
"""The byte that stands for probability 1."""


@dataclass(frozen=True, eq=False)
class PredictedInstances:
    """Objects that a model sees in an image; the first dimension is M.

    Attributes:
        classes: (M,) int64 in 0..K-1.
        scores: (M,) float64 in [0, 1], how sure the model is of object and class.
        masks: M masks of the image's size.
        probs: (M, H, W) uint8, 255 times the probability that a pixel belongs to the object; None where nobody asks.

    Raises:
        ValueError: Lengths differ, or a score is not in [0, 1].
    """

    classes: IntArray
    scores: npt.NDArray[np.float64]
    masks: tuple[Mask, ...]
    probs: npt.NDArray[np.uint8] | None = None

    def __post_init__(self) -> None:
        lengths = [len(self.classes), len(self.scores), len(self.masks)]
        lengths += [] if self.probs is None else [len(self.probs)]
        if len(set(lengths)) > 1:
            raise ValueError(f"predicted objects: expected as many classes, scores and masks, got {lengths}")
        if not ((self.scores >= 0) & (self.scores <= 1)).all():
            raise ValueError("scores of predicted objects: expected numbers in [0, 1], got others, or NaN")

    def __len__(self) -> int:
        return len(self.classes)

    @classmethod
    def of(
        cls, classes: Sequence[int], scores: Sequence[float], pixels: npt.NDArray[np.bool_] | npt.NDArray[np.uint8]
    ) -> PredictedInstances:
        """Returns objects from (M, H, W) masks: booleans, or uint8, 255 times the probability, which is rounded."""
        soft = pixels.dtype != np.bool_
        masks = tuple(Mask.from_frame(frame > FULL // 2 if soft else frame) for frame in pixels)
        probs = pixels if soft else None
        return cls(np.asarray(classes, np.int64), np.asarray(scores, np.float64), masks, probs)


def match_instances(labels: Instances, predicted: PredictedInstances, match_iou: float = 0.5) -> IntArray:
    """Returns (N,) int64, which prediction belongs to each given object; -1 where none does.

    As COCO scores (``pycocotools``): the predictions of a class choose in the order of their scores, of equal scores
    the first one first; each takes, of the given objects of its class that are still free, the one with the highest
    mask IoU, of equal ones the last. Thus a prediction is never in the way of one with a higher score. An optimal
    assignment would instead prefer the prediction that agrees best with a mask that may be wrong. Crowds are left out.

    Args:
        labels: The given objects, with masks.
        predicted: The predicted ones, of the same image.
        match_iou: The least IoU of a pair, in (0, 1].

    Raises:
        ValueError: ``match_iou`` is out of range, there are no masks, or their sizes differ.
    """
    _check(labels, predicted, match_iou)
    matched = np.full(len(labels), -1, np.int64)
    for j in np.argsort(-predicted.scores, kind="stable").tolist():
        candidates = np.flatnonzero((labels.classes == predicted.classes[j]) & ~labels.crowd & (matched < 0))
        best, found = match_iou, None
        for i in candidates.tolist():
            iou = labels.masks[i].iou(predicted.masks[j])
            if iou >= best:
                best, found = iou, i
        if found is not None:
            matched[found] = j
    return matched


def instance_counts(labels: Instances, predicted: PredictedInstances, match_iou: float = 0.5) -> IntArray:
    """Returns (K + 1, K + 1) int64 pixel counts of one image, for `ClassHistory.append`.

    For each class c: [c, c] pixels in which given objects and the predictions that belong to them agree, [c, K] other
    pixels of given objects, which are all of an object without prediction, [K, c] other pixels of these predictions.
    Predictions without a given object count nowhere: detectors make dozens in each image. A pixel counts once for each
    object that it is part of.

    Args:
        labels: See `match_instances`.
        predicted: See there.
        match_iou: See there.

    Raises:
        ValueError: See there.
    """
    matched = match_instances(labels, predicted, match_iou)
    K = len(labels.categories)
    counts = np.zeros((K + 1, K + 1), np.int64)
    for i in np.flatnonzero(~labels.crowd).tolist():
        c, mask = int(labels.classes[i]), labels.masks[i]
        if matched[i] < 0:
            counts[c, K] += mask.area
            continue
        other = predicted.masks[matched[i]]
        both = mask.overlap(other)
        counts[c, [c, K]] += both, mask.area - both
        counts[K, c] += other.area - both
    return counts


def relabel_instances(
    labels: Instances,
    predicted: PredictedInstances,
    due: npt.NDArray[np.bool_],
    tau: float = 0.8,
    match_iou: float = 0.5,
    pixel_tau: float | None = None,
) -> Instances:
    """Returns the objects with the masks of confident predictions, and boxes around these.

    Replaced is the mask of an object of a class that is due, if a prediction with a score above ``tau`` belongs to it.
    Number, order, classes, ids and crowds stay, and an object whose mask stays keeps it, and its box, as they are. No
    mask becomes empty.

    Our transfer of ADELE (arXiv 2110.03740) from label maps to objects; the paper has no such rule.

    Args:
        labels: The objects to start from, with masks.
        predicted: See `match_instances`; those that are not above ``tau`` make no difference.
        due: (K,) bool, classes that are due.
        tau: In [0, 1].
        match_iou: See `match_instances`.
        pixel_tau: In [0.5, 1]; only pixels that the prediction holds to be in the object, or out of it, with a
            probability above this follow it. Needs ``predicted.probs``. None: all pixels do.

    Raises:
        ValueError: A number is out of range, probabilities are missing, or see `match_instances`.
    """
    _check(labels, predicted, match_iou)
    check_thresholds(tau, match_iou, pixel_tau)
    if due.shape != (len(labels.categories),):
        raise ValueError(f"due: expected {len(labels.categories)} classes, got {due.shape}")
    if pixel_tau is not None and predicted.probs is None and len(predicted):
        raise ValueError("pixel_tau: expected predictions with probabilities of pixels, got masks alone")
    sure = np.flatnonzero((predicted.scores > tau) & due[predicted.classes])
    chosen = PredictedInstances(
        predicted.classes[sure], predicted.scores[sure], tuple(predicted.masks[j] for j in sure)
    )
    masks, boxes = list(labels.masks), labels.boxes.copy()
    for i, j in enumerate(match_instances(labels, chosen, match_iou).tolist()):
        if j < 0:
            continue
        new = chosen.masks[j]
        if pixel_tau is not None:
            new = _where_sure(labels.masks[i], predicted.probs[sure[j]], pixel_tau)
        if new.area and new.rle != labels.masks[i].rle:
            masks[i], boxes[i] = new, new.box
    return labels.replace(masks=tuple(masks), boxes=boxes)


def check_thresholds(tau: float, match_iou: float, pixel_tau: float | None) -> None:
    """Raises ``ValueError`` if one is out of its range, see `relabel_instances`."""
    for name, value, least in (("tau", tau, 0.0), ("pixel_tau", pixel_tau, 0.5)):
        if value is not None and not least <= value <= 1:
            raise ValueError(f"{name}: expected a number in [{least:g}, 1], got {value}")
    if not 0 < match_iou <= 1:
        raise ValueError(f"match_iou: expected a number above 0 and at most 1, got {match_iou}")


def _where_sure(mask: Mask, probs: npt.NDArray[np.uint8], pixel_tau: float) -> Mask:
    frame = mask.frame().astype(bool)
    return Mask.from_frame((frame & (probs >= FULL * (1 - pixel_tau))) | (probs > FULL * pixel_tau))


def _check(labels: Instances, predicted: PredictedInstances, match_iou: float) -> None:
    check_thresholds(0.0, match_iou, None)
    if labels.masks is None:
        raise ValueError("expected given objects with masks, got boxes alone")
    for mask in predicted.masks:
        if tuple(mask.size_hw) != tuple(labels.size_hw):
            raise ValueError(f"predicted masks: expected the size of the image, {labels.size_hw}, got {mask.size_hw}")
    if len(predicted) and not 0 <= predicted.classes.min() <= predicted.classes.max() < len(labels.categories):
        raise ValueError(
            f"predicted classes: expected 0..{len(labels.categories) - 1}, got {np.unique(predicted.classes)}"
        )
