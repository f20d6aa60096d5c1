"""How far each pixel's label is to be trusted: weights from labels, or from labels and predictions.

Every weight is in [0, 1], 1 where nothing speaks against the label, 0 at ignored pixels. The functions hold the
formulas, the classes hold settings and share one signature, so that a config names one.
"""

from __future__ import annotations

from typing import ClassVar, Protocol

import numpy as np
from scipy import ndimage

from noisyseg.correction.prediction import FloatMap, LabelMap, Prediction, check_labels
from noisyseg.labels import IGNORE
from noisyseg.registry import TASK_UTILS

__all__ = [
    "Agreement",
    "BoundaryBand",
    "EntropyWeight",
    "FplUncertainty",
    "LabelProbability",
    "PixelWeight",
    "agreement_weights",
    "boundary_band_weights",
    "entropy_weights",
    "label_probability_weights",
]


class PixelWeight(Protocol):
    """What every estimator of pixel weights is: a function of labels and a prediction, without state."""

    min_passes: ClassVar[int]
    """How many passes over an image it needs."""

    def __call__(self, labels: LabelMap, prediction: Prediction) -> FloatMap:
        """Returns (H, W) float32 in [0, 1] for (H, W) labels, classes or 255."""
        ...


def label_probability_weights(labels: LabelMap, probs: FloatMap, eta: float = 2.0, floor: float = 0.05) -> FloatMap:
    """Returns ``clip((2 p_y) ** eta, floor, 1)`` with p_y the probability of the label: 1 from p_y = 1/2 on.

    A design of ours, published nowhere.

    Args:
        labels: (H, W) classes or 255.
        probs: (K, H, W) probabilities.
        eta: How steeply the weight falls, > 0.
        floor: The least weight of a valid pixel, in [0, 1].
    """
    valid = check_labels(labels, probs)
    chosen = np.where(valid, labels, 0).astype(np.int64)
    of_label = np.take_along_axis(probs, chosen[None], axis=0)[0]
    weights = np.clip((2 * of_label.astype(np.float64)) ** eta, floor, 1)
    return np.where(valid, weights, 0).astype(np.float32)


def agreement_weights(labels: LabelMap, others: LabelMap, disagree: float = 0.5) -> FloatMap:
    """Returns 1 where two label maps agree, else ``disagree``; 0 where ``labels`` are ignored.

    FPL+ (HiLab-git/FPL-plus) writes .5 where the pseudo labels of an image and of its translated copy differ; its
    loader then makes 0 of every weight below 1, which is ``disagree=0`` here.

    Args:
        labels: (H, W) classes or 255: the labels in force.
        others: (H, W) classes or 255, predicted or drawn by somebody else; where they are 255 they object to nothing.
        disagree: In [0, 1].

    Raises:
        ValueError: The sizes differ.
    """
    if labels.shape != others.shape:
        raise ValueError(f"expected two label maps of one size, got {labels.shape} and {others.shape}")
    weights = np.where((labels == others) | (others == IGNORE), 1.0, disagree)
    return np.where(labels == IGNORE, 0, weights).astype(np.float32)


def entropy_weights(labels: LabelMap, probs: FloatMap) -> FloatMap:
    """Returns ``1 - H(p) / log K``, 1 where the model is sure of any class, 0 where all K are equally likely."""
    valid = check_labels(labels, probs)
    wide = probs.astype(np.float64)
    entropy = -(wide * np.log(np.where(wide > 0, wide, 1))).sum(axis=0)
    weights = np.clip(1 - entropy / np.log(len(probs)), 0, 1)
    return np.where(valid, weights, 0).astype(np.float32)


def boundary_band_weights(labels: LabelMap, radius: float, weight: float) -> FloatMap:
    """Returns ``weight`` at pixels with another class at most ``radius`` pixels away, 1 elsewhere, 0 at ignored ones.

    The distance is Euclidean, between the centres of pixels: radius 1 takes one pixel on either side of an edge. The
    borders of the image and of ignored regions are no edges.

    Args:
        labels: (H, W) classes or 255.
        radius: Pixels, >= 0.
        weight: In [0, 1].
    """
    valid = labels != IGNORE
    band = np.zeros(labels.shape, bool)
    present = np.unique(labels[valid])
    for number in present if len(present) > 1 else ():
        own = labels == number
        band |= own & (ndimage.distance_transform_edt(own | ~valid) <= radius)
    return np.where(valid, np.where(band, weight, 1), 0).astype(np.float32)


@TASK_UTILS.register_module()
class LabelProbability:
    """Weight by the probability of the label in force; see `label_probability_weights`.

    Raises:
        ValueError: ``eta`` is not above 0 or ``floor`` not in [0, 1].
    """

    min_passes: ClassVar[int] = 1

    def __init__(self, eta: float = 2.0, floor: float = 0.05) -> None:
        if not 0 < eta < np.inf:
            raise ValueError(f"eta: expected a number above 0, got {eta}")
        self.eta, self.floor = eta, share("floor", floor)

    def __call__(self, labels: LabelMap, prediction: Prediction) -> FloatMap:
        """Returns `label_probability_weights`."""
        return label_probability_weights(labels, prediction.probs, self.eta, self.floor)


@TASK_UTILS.register_module()
class Agreement:
    """Weight by whether the predicted class is the label; see `agreement_weights`.

    Raises:
        ValueError: ``disagree`` is not in [0, 1].
    """

    min_passes: ClassVar[int] = 1

    def __init__(self, disagree: float = 0.5) -> None:
        self.disagree = share("disagree", disagree)

    def __call__(self, labels: LabelMap, prediction: Prediction) -> FloatMap:
        """Returns `agreement_weights` of the labels and the predicted classes."""
        check_labels(labels, prediction.probs)
        return agreement_weights(labels, prediction.classes, self.disagree)


@TASK_UTILS.register_module()
class EntropyWeight:
    """Weight by how sure the model is, whatever the label; see `entropy_weights`."""

    min_passes: ClassVar[int] = 1

    def __call__(self, labels: LabelMap, prediction: Prediction) -> FloatMap:
        """Returns `entropy_weights`."""
        return entropy_weights(labels, prediction.probs)


@TASK_UTILS.register_module()
class BoundaryBand:
    """Lower weight near label edges, where annotators differ; needs no prediction; see `boundary_band_weights`.

    Raises:
        ValueError: ``radius`` is negative or ``weight`` not in [0, 1].
    """

    min_passes: ClassVar[int] = 1

    def __init__(self, radius: float = 2.0, weight: float = 0.5) -> None:
        if not 0 <= radius < np.inf:
            raise ValueError(f"radius: expected pixels >= 0, got {radius}")
        self.radius, self.weight = radius, share("weight", weight)

    def __call__(self, labels: LabelMap, prediction: Prediction | None = None) -> FloatMap:
        """Returns `boundary_band_weights`."""
        return boundary_band_weights(labels, self.radius, self.weight)


@TASK_UTILS.register_module()
class FplUncertainty:
    """Weight 1 where all passes predict the label, else ``disagree``: the pixel weight of FPL+ on passes of one model.

    FPL+ compares the pseudo labels of an image and of its copy in the style of another domain. Here the flipped or
    dropout passes stand for the copies, so it is in the spirit of FPL+ and no reproduction.

    Raises:
        ValueError: ``disagree`` is not in [0, 1]; called with a prediction of one pass.
    """

    min_passes: ClassVar[int] = 2

    def __init__(self, disagree: float = 0.5) -> None:
        self.disagree = share("disagree", disagree)

    def __call__(self, labels: LabelMap, prediction: Prediction) -> FloatMap:
        """Returns (H, W) weights."""
        if prediction.unanimous is None:
            raise ValueError("FplUncertainty: expected a prediction of at least 2 passes, got 1")
        weights = Agreement(self.disagree)(labels, prediction)
        lowered = np.where(prediction.unanimous, weights, np.minimum(weights, np.float32(self.disagree)))
        return lowered.astype(np.float32)


def share(name: str, value: float) -> float:
    """Returns ``value``, or raises ``ValueError`` if it is not in [0, 1]."""
    if not 0 <= value <= 1:
        raise ValueError(f"{name}: expected a number in [0, 1], got {value}")
    return value
