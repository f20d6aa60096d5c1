"""Intersection over union of each class among the scores, not only in the log."""

from __future__ import annotations

import numpy as np
from mmseg.evaluation import IoUMetric

from noisyseg.registry import METRICS

__all__ = ["ClassIoU"]


@METRICS.register_module()
class ClassIoU(IoUMetric):
    """mmseg's IoU as scores ``mIoU``, ``aAcc`` and ``IoU/<class>``, percent, not rounded.

    A class that is neither in the labels nor predicted has no score, and the mean is over the others.
    """

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Returns the scores of all images together."""
        areas = [sum(column) for column in zip(*results, strict=True)]
        scores = self.total_area_to_metrics(*areas, metrics=["mIoU"])
        each = 100 * scores["IoU"]
        named = dict(zip(self.dataset_meta["classes"], each.tolist(), strict=True))
        return {"mIoU": float(np.nanmean(each)), "aAcc": 100 * float(scores["aAcc"])} | {
            f"IoU/{name}": value for name, value in named.items() if not np.isnan(value)
        }
