"""What a model says about one image: mean probabilities over its passes, and how far the passes differ."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from noisyseg.labels import IGNORE

__all__ = ["Prediction", "check_labels", "prediction_of"]

FloatMap = npt.NDArray[np.float32]
LabelMap = npt.NDArray[np.integer]


@dataclass(frozen=True, eq=False)
class Prediction:
    """The prediction of an un-augmented image at its own size.

    Attributes:
        probs: (K, H, W) float32, the mean over the passes; each pixel's K numbers sum to 1. A model with one sigmoid
            channel p has K = 2: 1 - p and p.
        variance: (K, H, W) float32, the variance over the passes (divided by their number); None for one pass.
        unanimous: (H, W) bool, whether all passes have the same most probable class; None for one pass.
        passes: How many passes there were.
    """

    probs: FloatMap
    variance: FloatMap | None = None
    unanimous: npt.NDArray[np.bool_] | None = None
    passes: int = 1

    @property
    def classes(self) -> npt.NDArray[np.uint8]:
        """The (H, W) most probable class of each pixel; of equals, the first."""
        return self.probs.argmax(axis=0).astype(np.uint8)


def prediction_of(passes: Iterable[FloatMap]) -> Prediction:
    """Returns the prediction that several passes over one image make together.

    Mean and variance are updated pass by pass (Welford's recurrence), so that the memory is that of three passes,
    however many there are.

    Args:
        passes: (K, H, W) probabilities each.

    Raises:
        ValueError: There is no pass, shapes differ, or a number is not in [0, 1].
    """
    mean = squares = first = unanimous = None
    count = 0
    for probs in passes:
        _check_probs(probs)
        count += 1
        if mean is None:
            mean = probs.astype(np.float64)
            squares, first = np.zeros_like(mean), probs.argmax(axis=0)
            unanimous = np.ones(probs.shape[1:], bool)
            continue
        if probs.shape != mean.shape:
            raise ValueError(f"passes: expected one shape, got {mean.shape} and {probs.shape}")
        step = probs - mean
        mean += step / count
        squares += step * (probs - mean)
        unanimous &= probs.argmax(axis=0) == first
    if mean is None:
        raise ValueError("passes: expected at least one, got none")
    if count == 1:
        return Prediction(mean.astype(np.float32))
    return Prediction(mean.astype(np.float32), (squares / count).astype(np.float32), unanimous, count)


def check_labels(labels: LabelMap, probs: FloatMap) -> npt.NDArray[np.bool_]:
    """Returns (H, W) bool, which pixels of ``labels`` are valid, that is not 255.

    Raises:
        ValueError: The sizes differ, or a label is neither one of the K classes of ``probs`` nor 255.
    """
    if labels.shape != probs.shape[1:]:
        raise ValueError(f"labels: expected the size of the prediction, {probs.shape[1:]}, got {labels.shape}")
    valid = labels != IGNORE
    if valid.any() and not (labels.min() >= 0 and int(labels[valid].max()) < len(probs)):
        raise ValueError(f"labels: expected classes 0..{len(probs) - 1} or {IGNORE}, got {int(labels[valid].max())}")
    return valid


def _check_probs(probs: FloatMap) -> None:
    if probs.ndim != 3 or len(probs) < 2:
        raise ValueError(f"probabilities: expected (K, H, W) with K >= 2, got {probs.shape}")
    if not (probs.size and probs.min() >= 0 and probs.max() <= 1 + 1e-4):  # also false where one is NaN
        raise ValueError("probabilities: expected numbers in [0, 1], got some outside, or NaN")
