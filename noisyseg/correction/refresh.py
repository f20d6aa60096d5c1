"""Replaces labels that the model contradicts with confidence, and keeps classes from losing all their weight."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import numpy.typing as npt

from noisyseg.correction.pixel_weights import share
from noisyseg.correction.prediction import FloatMap, LabelMap, Prediction, check_labels
from noisyseg.registry import TASK_UTILS

__all__ = ["Refresh", "faded_classes", "raised_weights", "refreshed_labels"]


def refreshed_labels(
    labels: LabelMap, weights: FloatMap, probs: FloatMap, below: float | None = 0.5, confidence: float = 0.8
) -> npt.NDArray[np.uint8]:
    """Returns labels with the most probable class where the weight is low and the model confident.

    ``argmax p`` where weight < ``below`` and ``max p`` > ``confidence``; ignored pixels stay ignored. A design of ours,
    published nowhere.

    Args:
        labels: (H, W) classes or 255.
        weights: (H, W) in [0, 1], of ``labels``.
        probs: (K, H, W) probabilities.
        below: Weights from here on protect a label; None replaces labels whatever their weight, for labels that are
            predictions themselves.
        confidence: In [0, 1].
    """
    replaced = check_labels(labels, probs) & (probs.max(axis=0) > confidence)
    if below is not None:
        replaced &= weights < below
    return np.where(replaced, probs.argmax(axis=0), labels).astype(np.uint8)


def faded_classes(pixels: npt.NDArray[np.int64], sums: npt.NDArray[np.float64], least: float = 0.01) -> list[int]:
    """Returns the classes whose weights sum to less than ``least`` of their pixels.

    Args:
        pixels: (K,) valid pixels of each class in the data set.
        sums: (K,) sum of their weights.
        least: Share.
    """
    return np.flatnonzero((pixels > 0) & (sums < least * pixels)).tolist()


def raised_weights(weights: FloatMap, labels: LabelMap, classes: Collection[int], floor: float = 0.25) -> FloatMap:
    """Returns weights of at least ``floor`` at the pixels of some classes; the others stay."""
    return np.where(np.isin(labels, list(classes)), np.maximum(weights, np.float32(floor)), weights)


@TASK_UTILS.register_module()
class Refresh:
    """Settings of `refreshed_labels`.

    Raises:
        ValueError: ``below`` or ``confidence`` is not in [0, 1].
    """

    def __init__(self, below: float | None = 0.5, confidence: float = 0.8) -> None:
        self.below = below if below is None else share("below", below)
        self.confidence = share("confidence", confidence)

    def __call__(self, labels: LabelMap, weights: FloatMap, prediction: Prediction) -> npt.NDArray[np.uint8]:
        """Returns `refreshed_labels`."""
        return refreshed_labels(labels, weights, prediction.probs, self.below, self.confidence)
