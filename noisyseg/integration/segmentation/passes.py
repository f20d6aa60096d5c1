"""Predicts an image several times: flipped, with dropout, or both."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
from mmseg.structures import SegDataSample
from torch import Tensor, nn

from noisyseg.correction import Prediction, prediction_of
from noisyseg.integration.predicting import has_dropout
from noisyseg.labels.rng import keyed_rng

__all__ = ["Passes"]

Flip = Literal["horizontal", "vertical", "diagonal"]
AXES: dict[Flip, tuple[int, ...]] = {"horizontal": (-1,), "vertical": (-2,), "diagonal": (-2, -1)}


@dataclass(frozen=True)
class Passes:
    """How often an image is predicted, and what differs.

    Attributes:
        flips: Copies that are predicted besides the image itself, each flipped, and flipped back.
        dropout: How often each is predicted with dropout switched on; 0 means once, without.
        seed: Of the dropout; draws are named by it, the round and the image.
    """

    flips: tuple[Flip, ...] = ()
    dropout: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        if not set(self.flips) <= set(get_args(Flip)) or len(set(self.flips)) != len(self.flips):
            raise ValueError(f"flips: expected different ones of {', '.join(get_args(Flip))}, got {self.flips}")
        if self.dropout < 0:
            raise ValueError(f"dropout_passes: expected a number >= 0, got {self.dropout}")
        keyed_rng(self.seed)

    @property
    def number(self) -> int:
        """How many passes there are over an image."""
        return (1 + len(self.flips)) * max(1, self.dropout)

    def check_model(self, model: nn.Module) -> None:
        """Raises ``ValueError`` if dropout is asked for and the model has none."""
        if self.dropout and not has_dropout(model):
            raise ValueError("dropout_passes: the model has no dropout, so that all passes would be equal; use flips")

    def predict(self, model: nn.Module, image: Tensor, sample: SegDataSample, number: int, key: str) -> Prediction:
        """Returns the prediction of one image, at the size it has on disk.

        Call it inside `predicting`.

        Args:
            model: An mmseg segmentor.
            image: (3, H, W) uint8, as a pipeline packs it.
            sample: With the meta information of the image.
            number: Of the round.
            key: Of the image.
        """
        if self.dropout:
            torch.manual_seed(int(keyed_rng(self.seed, "passes", number, key).integers(2**63)))
        return prediction_of(self._probs(model, image, sample))

    def _probs(self, model: nn.Module, image: Tensor, sample: SegDataSample) -> Iterator[np.ndarray]:
        for axes in ((), *(AXES[flip] for flip in self.flips)):
            for _ in range(max(1, self.dropout)):
                batch = {"inputs": [image.flip(axes)], "data_samples": [SegDataSample(metainfo=sample.metainfo)]}
                scores = model.test_step(batch)[0].seg_logits.data.float()
                # mmseg has taken the sigmoid of a single channel already
                probs = scores.softmax(dim=0) if len(scores) > 1 else torch.cat([1 - scores, scores])
                yield probs.flip(axes).cpu().numpy()
