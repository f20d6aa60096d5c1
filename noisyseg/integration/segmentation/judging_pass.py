"""Predicts the training images one by one and writes what that says about their labels into a new version."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from mmengine.dataset import pseudo_collate
from mmengine.dist import all_gather_object, barrier, get_dist_info
from torch import nn
from torch.utils.data import DataLoader, Dataset, Subset
from tqdm import tqdm

from noisyseg.correction import ImageRecord, Judge, RoundSummary, raised_weights, summed_up
from noisyseg.integration.load_stored_labels import KEY
from noisyseg.integration.predicting import predicting
from noisyseg.integration.segmentation.passes import Passes
from noisyseg.integration.weight_transforms import WEIGHT_MAP
from noisyseg.labels import LabelError
from noisyseg.labels.store import LabelStore
from noisyseg.labels.weight_maps import LEVELS, quantise_weights

__all__ = ["JudgingPass"]


class JudgingPass:
    """One look at every training image, shared between the processes; each image and each file has one of them.

    Args:
        model: An mmseg segmentor, not wrapped.
        dataset: Of un-augmented images, as `noisyseg.integration.segmentation.plain_dataset` makes it.
        store: Where labels and weights go.
        judge: The estimators.
        passes: How images are predicted.
        class_floor: Classes whose mean weight is below the first number get at least the second one everywhere.
        num_workers: Of the loader.
        progress: Draw a progress bar on stderr, where that is a terminal.
    """

    def __init__(
        self,
        model: nn.Module,
        dataset: Dataset,
        store: LabelStore,
        judge: Judge,
        passes: Passes,
        *,
        class_floor: tuple[float, float] = (0.01, 0.25),
        num_workers: int = 0,
        progress: bool = True,
    ) -> None:
        self.model, self.dataset, self.store, self.judge, self.passes = model, dataset, store, judge, passes
        self.class_floor, self.num_workers, self.progress = class_floor, num_workers, progress
        self.rank, self.world_size = get_dist_info()

    def run(self, number: int, version: int) -> tuple[list[ImageRecord], RoundSummary]:
        """Writes the files of an incomplete version, and returns the records of all images, by key, and their summary.

        Memory does not grow with the data set but for these few numbers an image. A version of the labels holds only
        those that changed; weights are written for all images.

        Args:
            number: Of the round that ended.
            version: The incomplete version.

        Raises:
            LabelError: Two images have one key; or an image and its labels do not go together.
        """
        size = len(self.dataset)
        own = range(self.rank * size // self.world_size, (self.rank + 1) * size // self.world_size)
        records = self._judge(number, version, own)
        everything = sorted((r for part in all_gather_object(records) for r in part), key=lambda record: record.key)
        _check_keys(everything)
        summary = summed_up(everything, self.class_floor[0])
        touched = [any(record.pixels[number] for number in summary.faded) for record in records]
        self._raise_weights(version, [index for index, hit in zip(own, touched, strict=True) if hit], summary)
        barrier()  # the version may be finished when all files are written
        return everything, summary

    def _judge(self, number: int, version: int, indices: Sequence[int]) -> list[ImageRecord]:
        records = []
        with predicting(self.model, dropout=bool(self.passes.dropout)):
            bar = tqdm(
                self._loader(indices),
                desc=f"round {number + 1}: labels judged",
                unit="image",
                disable=None if self.progress and self.rank == 0 else True,
            )
            for batch in bar:
                image, sample = batch["inputs"][0], batch["data_samples"][0]
                key = sample.metainfo[KEY]
                labels = sample.gt_sem_seg.data[0].numpy()
                weights = getattr(sample, WEIGHT_MAP).data[0].numpy().astype(np.float32) / LEVELS
                prediction = self.passes.predict(self.model, image, sample, number, key)
                try:
                    verdict = self.judge(key, labels, weights, prediction)
                except ValueError as error:
                    raise LabelError(
                        str(error), file=sample.metainfo["img_path"], where=f"round {number + 1}"
                    ) from error
                if verdict.record.relabelled:
                    self.store.put(key, "labels", verdict.labels, version)
                self.store.put(key, "weights", quantise_weights(verdict.weights), version)
                records.append(verdict.record)
        return records

    def _raise_weights(self, version: int, indices: Sequence[int], summary: RoundSummary) -> None:
        for batch in self._loader(indices):
            sample = batch["data_samples"][0]
            key = sample.metainfo[KEY]
            labels = self.store.get_written(key, "labels", version)
            if labels is None:
                labels = sample.gt_sem_seg.data[0].numpy()
            weights = self.store.get_written(key, "weights", version).astype(np.float32) / LEVELS
            weights = raised_weights(weights, labels, summary.faded, self.class_floor[1])
            self.store.put(key, "weights", quantise_weights(weights), version)

    def _loader(self, indices: Sequence[int]) -> DataLoader:
        return DataLoader(
            Subset(self.dataset, indices), batch_size=1, num_workers=self.num_workers, collate_fn=pseudo_collate
        )


def _check_keys(records: Sequence[ImageRecord]) -> None:
    key, times = Counter(record.key for record in records).most_common(1)[0]
    if times > 1:
        raise LabelError(
            f"key: expected one image for each key, got {times} with {key!r}; img_dir=... in LoadStoredLabels makes "
            "folders a part of the key"
        )
