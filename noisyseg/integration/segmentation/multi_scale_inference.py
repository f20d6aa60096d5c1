"""Predicts an image at several scales, and flipped, as one distribution for each pixel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from mmseg.structures import SegDataSample
from torch import Tensor, nn
from torch.nn.functional import interpolate

__all__ = ["Merge", "MultiScaleInference"]

Merge = Literal["prob", "logit"]


@dataclass(frozen=True)
class MultiScaleInference:
    """How an image is predicted: in the manner of test-time augmentation.

    Attributes:
        scales: Of the image, > 0.
        flip: Predict each scale mirrored too.
        merge: ``"prob"``: the mean of the softmaxes, as the host's test-time augmentation; ``"logit"``: the softmax of
            the mean of the logits, as in ADELE's code.
        temperature: Logits are divided by it before the softmax; ADELE's code has 3 for VOC, which makes the same
            threshold of confidence much stricter.
    """

    scales: Sequence[float] = (0.75, 1.0, 1.5)
    flip: bool = True
    merge: Merge = "prob"
    temperature: float = 1.0

    def __post_init__(self) -> None:
        if not self.scales or not all(0 < scale <= 16 for scale in self.scales):
            raise ValueError(f"scales: expected numbers in (0, 16], at least one, got {tuple(self.scales)}")
        if self.merge not in get_args(Merge):
            raise ValueError(f"merge: expected one of {', '.join(get_args(Merge))}, not {self.merge!r}")
        if not self.temperature > 0:
            raise ValueError(f"temperature: expected a number > 0, got {self.temperature}")

    def probs(self, model: nn.Module, image: Tensor, sample: SegDataSample) -> Tensor:
        """Returns the probabilities of one image, at the size it has on disk.

        Call it in evaluation mode and without gradients, as in `noisyseg.integration.predicting.predicting`.

        Args:
            model: An mmseg segmentor.
            image: (3, H, W) uint8, as a pipeline packs it.
            sample: With the meta information of the image.

        Returns:
            (K, h, w) float32 on the model's device; each pixel's numbers sum to 1. A model with one sigmoid channel p
            has K = 2: 1 - p and p.
        """
        total, count = None, 0
        for logits in self._logits(model, image, sample):
            part = logits if self.merge == "logit" else (logits / self.temperature).softmax(dim=0)
            total = part if total is None else total.add_(part)
            count += 1
        total = total.div_(count)
        return total if self.merge == "prob" else (total / self.temperature).softmax(dim=0)

    def _logits(self, model: nn.Module, image: Tensor, sample: SegDataSample) -> Iterator[Tensor]:
        for scale in self.scales:
            scaled = _scaled(image, scale)
            meta = {**sample.metainfo, "img_shape": tuple(scaled.shape[1:]), "pad_shape": tuple(scaled.shape[1:])}
            meta.pop("flip", None)
            for mirrored in (False, True) if self.flip else (False,):
                batch = {
                    "inputs": [scaled.flip(-1) if mirrored else scaled],
                    "data_samples": [SegDataSample(metainfo=meta)],
                }
                scores = model.test_step(batch)[0].seg_logits.data.float()
                if len(scores) == 1:  # mmseg has taken the sigmoid of a single channel already
                    scores = torch.cat([torch.zeros_like(scores), scores.logit(eps=1e-7)])
                yield scores.flip(-1) if mirrored else scores


def _scaled(image: Tensor, scale: float) -> Tensor:
    if scale == 1:
        return image
    size = [max(1, round(side * scale)) for side in image.shape[1:]]
    return interpolate(image[None].float(), size=size, mode="bilinear", align_corners=False)[0]
