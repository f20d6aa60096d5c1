"""One round's verdict on the labels of one image, and on all of them together; everything but reading and writing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from noisyseg.correction.image_weights import ImageWeight, normalised_weights
from noisyseg.correction.pixel_weights import PixelWeight
from noisyseg.correction.prediction import FloatMap, LabelMap, Prediction
from noisyseg.correction.refresh import Refresh, faded_classes
from noisyseg.labels import IGNORE

__all__ = ["ImageRecord", "Judge", "RoundSummary", "Verdict", "summed_up"]

TRUSTED = 0.51
"""Weights above count as agreement, others as disagreement: .5, the usual weight of a pixel where a model disagrees,
is 128 / 255 once it comes from a file."""


@dataclass(frozen=True)
class ImageRecord:
    """The few numbers of an image that outlive it.

    Attributes:
        key: The image.
        measure: Of the estimator of image weights; NaN where no pixel is valid or nothing is estimated.
        valid: Valid pixels.
        moved: How many of them went from trusted to distrusted or back, or have a new label.
        relabelled: How many have a new label.
        pixels: (K,) valid pixels of each class.
        sums: (K,) sum of their weights.
    """

    key: str
    measure: float
    valid: int
    moved: int
    relabelled: int
    pixels: tuple[int, ...]
    sums: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Verdict:
    """What a round says about one image.

    Attributes:
        labels: (H, W) uint8 for the next round.
        weights: (H, W) float32 in [0, 1] of these labels.
        record: The numbers.
    """

    labels: npt.NDArray[np.uint8]
    weights: FloatMap
    record: ImageRecord


@dataclass(frozen=True)
class Judge:
    """The estimators of a run.

    Attributes:
        pixel: Of pixel weights; None for 1 everywhere.
        image: Of image weights; None for 1 everywhere.
        refresh: Rule that replaces labels; None keeps them.
    """

    pixel: PixelWeight | None
    image: ImageWeight | None
    refresh: Refresh | None

    @property
    def min_passes(self) -> int:
        """How many passes over an image the estimators need."""
        return max(part.min_passes if part is not None else 1 for part in (self.pixel, self.image))

    def __call__(self, key: str, labels: LabelMap, weights: FloatMap, prediction: Prediction) -> Verdict:
        """Returns the verdict on one image.

        Where labels are replaced, the weights are estimated anew, for they are weights of the labels that will be in
        force. The measure of the image is of these labels too.

        Args:
            key: The image.
            labels: (H, W) labels in force, classes or 255.
            weights: (H, W) weights in force.
            prediction: Of the image at its own size.
        """
        new_labels = labels.astype(np.uint8)
        new_weights = self._weights(new_labels, prediction)
        if self.refresh is not None:
            new_labels = self.refresh(labels, new_weights, prediction)
            new_weights = self._weights(new_labels, prediction)
        valid = labels != IGNORE
        relabelled = valid & (new_labels != labels)
        moved = relabelled | (valid & ((new_weights > TRUSTED) != (weights > TRUSTED)))
        chosen, classes = new_labels[valid], len(prediction.probs)
        record = ImageRecord(
            key=key,
            measure=math.nan if self.image is None else self.image.measure(new_labels, prediction),
            valid=int(valid.sum()),
            moved=int(moved.sum()),
            relabelled=int(relabelled.sum()),
            pixels=tuple(np.bincount(chosen, minlength=classes).tolist()),
            sums=tuple(np.bincount(chosen, weights=new_weights[valid], minlength=classes).tolist()),
        )
        return Verdict(new_labels, new_weights, record)

    def image_weights(self, records: Sequence[ImageRecord]) -> dict[str, float]:
        """Returns the weight of each image, of mean 1; images without a valid pixel get 1, which changes nothing."""
        if self.image is None:
            return {record.key: 1.0 for record in records}
        measures = np.array([record.measure for record in records])
        known = np.isfinite(measures)
        weights = np.ones(len(records))
        if known.any():
            weights[known] = normalised_weights(self.image.weights(measures[known]))
        return {record.key: weight for record, weight in zip(records, weights.tolist(), strict=True)}

    def _weights(self, labels: LabelMap, prediction: Prediction) -> FloatMap:
        if self.pixel is None:
            return (labels != IGNORE).astype(np.float32)
        return self.pixel(labels, prediction)


@dataclass(frozen=True)
class RoundSummary:
    """A round over the whole data set.

    Attributes:
        moved_share: Share of the valid pixels that changed sides or label.
        relabelled_share: Share of the valid pixels with a new label.
        mean_weights: (K,) mean weight of each class; NaN for a class without pixels.
        faded: Classes whose weights were nearly all gone, and were raised.
    """

    moved_share: float
    relabelled_share: float
    mean_weights: tuple[float, ...]
    faded: tuple[int, ...]

    def document(self) -> Mapping[str, Any]:
        """Returns it as JSON."""
        means = [None if math.isnan(mean) else mean for mean in self.mean_weights]
        return {
            "moved_share": self.moved_share,
            "relabelled_share": self.relabelled_share,
            "mean_weights": means,
            "faded": list(self.faded),
        }


def summed_up(records: Sequence[ImageRecord], faded_below: float = 0.01) -> RoundSummary:
    """Returns the summary of the records of all images; their order does not matter.

    Args:
        records: Of all images.
        faded_below: Classes of a mean weight below this have faded.

    Raises:
        ValueError: There is no image, or no valid pixel.
    """
    valid = sum(record.valid for record in records)
    if not valid:
        raise ValueError(f"expected valid pixels, got none in {len(records)} images")
    pixels = np.array([record.pixels for record in records]).sum(axis=0)
    # fsum is exact, so that one process and two, which sum in other orders, come to the same decision
    sums = np.array([math.fsum(column) for column in zip(*(record.sums for record in records), strict=True)])
    means = np.where(pixels > 0, sums / np.maximum(pixels, 1), np.nan)
    return RoundSummary(
        moved_share=sum(record.moved for record in records) / valid,
        relabelled_share=sum(record.relabelled for record in records) / valid,
        mean_weights=tuple(means.tolist()),
        faded=tuple(faded_classes(pixels, sums, faded_below)),
    )
