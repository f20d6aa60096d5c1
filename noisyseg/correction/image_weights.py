"""How far the labels of whole images are to be trusted, and how such weights are brought to one scale.

An estimator first measures each image by itself, so that no prediction has to be kept, and then turns the measures
of the data set into weights.
"""

from __future__ import annotations

import math
from typing import ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from noisyseg.correction.pixel_weights import share
from noisyseg.correction.prediction import LabelMap, Prediction, check_labels
from noisyseg.registry import TASK_UTILS

__all__ = [
    "ImageWeight",
    "LossRank",
    "MonteCarloUncertainty",
    "SoftDiceQuality",
    "label_loss",
    "lowest_share",
    "monte_carlo_uncertainty",
    "normalised_weights",
    "soft_dice_quality",
    "uncertainty_weights",
]

Numbers = npt.NDArray[np.float64]


class ImageWeight(Protocol):
    """What every estimator of image weights is."""

    min_passes: ClassVar[int]
    """How many passes over an image it needs."""

    def measure(self, labels: LabelMap, prediction: Prediction) -> float:
        """Returns a number for one image; NaN where it has no valid pixel."""
        ...

    def weights(self, measures: Numbers) -> Numbers:
        """Returns (N,) weights >= 0 from the (N,) finite measures of a data set."""
        ...


def soft_dice_quality(labels: LabelMap, prediction: Prediction) -> float:
    """Returns the mean, over the classes present, of the soft Dice between prediction and labels: 1 where equal.

    ``2 sum p y / (sum p + sum y)`` over the valid pixels, y one-hot; NaN where no pixel is valid.
    """
    valid = check_labels(labels, prediction.probs)
    chosen, probs = labels[valid].astype(np.int64), prediction.probs[:, valid].astype(np.float64)
    if not chosen.size:
        return math.nan
    classes = len(probs)
    area = np.bincount(chosen, minlength=classes)
    hit = np.bincount(chosen, weights=probs[chosen, np.arange(len(chosen))], minlength=classes)
    present = area > 0
    return float((2 * hit[present] / (probs.sum(axis=1)[present] + area[present])).mean())


def monte_carlo_uncertainty(
    labels: LabelMap, prediction: Prediction, threshold: float = 0.01, min_voxels: int = 50
) -> float:
    """Returns ``sum Var / #{-p log p > threshold}`` over the foreground, or 1 where that set is too small (FPL+).

    Var and p are variance and mean over the passes. FPL+ has one foreground class; with more, sums run over the
    probabilities of every class but 0. Ignored pixels are left out, which FPL+ does not know; NaN where all are.

    Args:
        labels: (H, W) classes or 255.
        prediction: Of at least two passes.
        threshold: Least entropy term of a pixel that counts as uncertain.
        min_voxels: Below this number of them the image counts as fully uncertain.

    Raises:
        ValueError: The prediction has one pass.
    """
    valid = check_labels(labels, prediction.probs)
    if prediction.variance is None:
        raise ValueError("uncertainty: expected a prediction of at least 2 passes, got 1")
    if not valid.any():
        return math.nan
    probs = prediction.probs[1:, valid].astype(np.float64)
    uncertain = int((-probs * np.log(np.where(probs > 0, probs, 1)) > threshold).sum())
    if uncertain < min_voxels:
        return 1.0
    return float(prediction.variance[1:, valid].sum(dtype=np.float64)) / uncertain


def uncertainty_weights(uncertainty: Numbers) -> Numbers:
    """Returns ``(u_max - u) / (u_max - u_min) + .01`` (FPL+): 1.01 for the surest image, .01 for the least sure one.

    All equal uncertainties give 1, where FPL+ divides by zero.

    Raises:
        ValueError: Wherever the model is not sure, the passes are all equal, as they are without dropout.
    """
    if (uncertainty == 0).any() and np.isin(uncertainty, (0, 1)).all():
        raise ValueError(
            "uncertainty: the passes over all images are equal; the model needs dropout, or the passes flips"
        )
    low, high = uncertainty.min(), uncertainty.max()
    if low == high:
        return np.ones_like(uncertainty)
    return (high - uncertainty) / (high - low) + 0.01


def label_loss(labels: LabelMap, prediction: Prediction) -> float:
    """Returns the mean cross entropy of the labels over the valid pixels; NaN where there is none."""
    valid = check_labels(labels, prediction.probs)
    chosen, probs = labels[valid].astype(np.int64), prediction.probs[:, valid]
    if not chosen.size:
        return math.nan
    of_label = probs[chosen, np.arange(len(chosen))].astype(np.float64)
    return float(-np.log(np.maximum(of_label, np.finfo(np.float32).tiny)).mean())


def lowest_share(losses: Numbers, rho: float) -> Numbers:
    """Returns 1 for the ``round(rho * N)`` images with the lowest losses, at least one, and 0 for the others.

    Of equal losses the first come first.
    """
    kept = np.argsort(losses, kind="stable")[: max(1, round(rho * len(losses)))]
    weights = np.zeros(len(losses))
    weights[kept] = 1
    return weights


def normalised_weights(weights: Numbers, low: float = 0.05, high: float = 3.0) -> Numbers:
    """Returns weights divided by their mean, then clipped to [low, high]; a weight of 0 stays 0.

    Mean 1 keeps the meaning of the learning rate; where something is clipped the mean is only near 1. Zero means that
    a selection left the image out, which a lower bound must not undo.

    Args:
        weights: (N,) >= 0.
        low: Bound of the weights that are not 0.
        high: Bound.

    Raises:
        ValueError: A weight is negative or not finite, or all are 0.
    """
    weights = np.asarray(weights, np.float64)
    if not (np.isfinite(weights).all() and (weights >= 0).all()):
        raise ValueError("image weights: expected finite numbers >= 0")
    mean = weights.mean()
    if mean == 0:
        raise ValueError("image weights: every image has weight 0, so that nothing is left to learn from")
    return np.where(weights > 0, np.clip(weights / mean, low, high), 0)


@TASK_UTILS.register_module()
class SoftDiceQuality:
    """Weight by `soft_dice_quality`."""

    min_passes: ClassVar[int] = 1

    def measure(self, labels: LabelMap, prediction: Prediction) -> float:
        """Returns `soft_dice_quality`."""
        return soft_dice_quality(labels, prediction)

    def weights(self, measures: Numbers) -> Numbers:
        """Returns the measures as they are."""
        return measures


@TASK_UTILS.register_module()
class MonteCarloUncertainty:
    """Weight by how far dropout or flipped passes differ, as in FPL+; see `monte_carlo_uncertainty`.

    Raises:
        ValueError: ``threshold`` or ``min_voxels`` is negative.
    """

    min_passes: ClassVar[int] = 2

    def __init__(self, threshold: float = 0.01, min_voxels: int = 50) -> None:
        if threshold < 0 or min_voxels < 0:
            raise ValueError(f"expected threshold and min_voxels >= 0, got {threshold} and {min_voxels}")
        self.threshold, self.min_voxels = threshold, min_voxels

    def measure(self, labels: LabelMap, prediction: Prediction) -> float:
        """Returns `monte_carlo_uncertainty`."""
        return monte_carlo_uncertainty(labels, prediction, self.threshold, self.min_voxels)

    def weights(self, measures: Numbers) -> Numbers:
        """Returns `uncertainty_weights`."""
        return uncertainty_weights(measures)


@TASK_UTILS.register_module()
class LossRank:
    """Selects the share ``rho`` of the images whose labels have the lowest mean loss; see `lowest_share`.

    Args:
        rho: In (0, 1], usually 1 minus the estimated share of noisy images.

    Raises:
        ValueError: ``rho`` is not in (0, 1].
    """

    min_passes: ClassVar[int] = 1

    def __init__(self, rho: float) -> None:
        if rho == 0:
            raise ValueError("rho: expected a number in (0, 1], got 0")
        self.rho = share("rho", rho)

    def measure(self, labels: LabelMap, prediction: Prediction) -> float:
        """Returns `label_loss`."""
        return label_loss(labels, prediction)

    def weights(self, measures: Numbers) -> Numbers:
        """Returns `lowest_share`."""
        return lowest_share(measures, self.rho)
