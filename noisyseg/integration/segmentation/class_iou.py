"""Intersection over union of each class among the scores, not only in the log."""

from __future__ import annotations

import numpy as np
from mmseg.evaluation import IoUMetric
from torch import Tensor

from noisyseg.ops import confusion_counts
from noisyseg.registry import METRICS

__all__ = ["ClassIoU"]


@METRICS.register_module()
class ClassIoU(IoUMetric):
    """mmseg's IoU as scores ``mIoU``, ``aAcc`` and ``IoU/<class>``, percent, not rounded.

    A class that is neither in the labels nor predicted has no score, and the mean is over the others.
    """

    @staticmethod
    def intersect_and_union(
        pred_label: Tensor, label: Tensor, num_classes: int, ignore_index: int
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Returns the (K,) float areas of intersection, union, prediction and label of one image.

        The host's numbers, from one pass over the pixels instead of three.
        """
        counts = confusion_counts(label, pred_label, num_classes, ignore_index)[:-1].cpu().float()
        hits, predicted, labelled = counts.diagonal(), counts.sum(0), counts.sum(1)
        return hits, predicted + labelled - hits, predicted, labelled

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Returns the scores of all images together."""
        areas = [sum(column) for column in zip(*results, strict=True)]
        scores = self.total_area_to_metrics(*areas, metrics=["mIoU"])
        each = 100 * scores["IoU"]
        named = dict(zip(self.dataset_meta["classes"], each.tolist(), strict=True))
        return {"mIoU": float(np.nanmean(each)), "aAcc": 100 * float(scores["aAcc"])} | {
            f"IoU/{name}": value for name, value in named.items() if not np.isnan(value)
        }
