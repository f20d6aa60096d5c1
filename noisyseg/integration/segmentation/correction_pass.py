"""Predicts the training images that a correction can change, and writes their new labels into a new version."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from operator import add

import numpy as np
import numpy.typing as npt
from mmengine.dataset import pseudo_collate
from mmengine.dist import all_gather_object, get_dist_info
from mmseg.structures import SegDataSample
from torch import nn
from torch.utils.data import DataLoader, Dataset, Subset
from tqdm import tqdm

from noisyseg.correction.label_changes import LabelChanges
from noisyseg.correction.policies import CorrectionPolicy
from noisyseg.integration.given_labels import require_different_keys
from noisyseg.integration.load_stored_labels import GIVEN_MAP, KEY
from noisyseg.integration.predicting import predicting
from noisyseg.integration.segmentation.load_clean_map import CLEAN_MAP
from noisyseg.integration.segmentation.multi_scale_inference import MultiScaleInference
from noisyseg.labels import IGNORE, LabelError
from noisyseg.labels.store import LabelStore

__all__ = ["CorrectionPass"]


class CorrectionPass:
    """The images of a data set, shared between the processes: each image and each file has one of them.

    Memory does not grow with the data set but for one bit a class and image: which classes an image has, so that from
    the second pass on only images that can change are loaded.

    Args:
        dataset: Of un-augmented images with their given labels, see
            `noisyseg.integration.segmentation.plain_dataset.plain_dataset`.
        policy: What is corrected, and how.
        inference: How images are predicted.
        num_classes: K.
        num_workers: Of the loader.
        progress: Draw a progress bar on stderr, where that is a terminal.
    """

    def __init__(
        self,
        dataset: Dataset,
        policy: CorrectionPolicy,
        inference: MultiScaleInference,
        num_classes: int,
        *,
        num_workers: int = 0,
        progress: bool = True,
    ) -> None:
        self.dataset, self.policy, self.inference, self.num_classes = dataset, policy, inference, num_classes
        self.num_workers, self.progress = num_workers, progress
        self.rank, self.world_size = get_dist_info()
        self._present: dict[int, bytes] = {}
        self._checked = False

    def run(
        self,
        model: nn.Module,
        due: npt.NDArray[np.bool_],
        store: LabelStore,
        version: int,
        title: str,
        *,
        cumulative: bool = False,
    ) -> LabelChanges:
        """Writes the files of an incomplete version, and returns what it changes in all processes together.

        Args:
            model: An mmseg segmentor, not wrapped.
            due: (K,) the classes that are to be corrected.
            store: Where labels go.
            version: The incomplete version.
            title: Of the progress bar, and for errors.
            cumulative: Correct the labels in force, instead of the given ones.

        Raises:
            LabelError: Two images have one key; an image and its labels do not go together; or the model's predictions
                are no numbers.
        """
        size = len(self.dataset)
        own = range(self.rank * size // self.world_size, (self.rank + 1) * size // self.world_size)
        wanted = [i for i in own if i not in self._present or self.policy.wants(self._unpacked(i), due)]
        changes, keys = [], []

        def correct(index: int, image: object, sample: SegDataSample) -> None:
            keys.append(sample.metainfo[KEY])
            given = _map_of(sample, GIVEN_MAP)
            current = _map_of(sample, "gt_sem_seg") if cumulative else given
            self._remember(index, current)
            if not self.policy.wants(self._unpacked(index), due):
                return
            try:
                probs = self.inference.probs(model, image, sample).cpu().numpy()
                picture = image.numpy().transpose(1, 2, 0)
                new = self.policy.relabel(given, current, probs, due, image=picture)
            except ValueError as error:
                raise LabelError(str(error), file=sample.metainfo["img_path"], where=title) from error
            clean = _map_of(sample, CLEAN_MAP) if CLEAN_MAP in sample else None
            change = LabelChanges.of(current, new, self.num_classes, clean)
            changes.append(change if not changes else changes.pop() + change)
            if change.changed_images:
                store.put(sample.metainfo[KEY], "labels", new, version)
                if cumulative:
                    self._remember(index, new)

        with predicting(model, dropout=False):
            self._each(wanted, title, correct)
        if not self._checked:
            require_different_keys([key for part in all_gather_object(keys) for key in part])
            self._checked = True
        parts = [part for process in all_gather_object(changes) for part in process]
        return reduce(add, parts) if parts else LabelChanges.none(self.num_classes)

    def _each(self, indices: Sequence[int], title: str, act: Callable[..., None]) -> None:
        loader = DataLoader(
            Subset(self.dataset, indices), batch_size=1, num_workers=self.num_workers, collate_fn=pseudo_collate
        )
        silent = None if self.progress and self.rank == 0 else True
        for index, batch in zip(indices, tqdm(loader, desc=title, unit="image", disable=silent), strict=True):
            act(index, batch["inputs"][0], batch["data_samples"][0])

    def _remember(self, index: int, labels: npt.NDArray[np.uint8]) -> None:
        counts = np.bincount(labels.reshape(-1), minlength=IGNORE + 1)
        present = np.append(counts[: self.num_classes] > 0, counts[IGNORE] > 0)
        self._present[index] = np.packbits(present).tobytes()

    def _unpacked(self, index: int) -> npt.NDArray[np.bool_]:
        bits = np.unpackbits(np.frombuffer(self._present[index], np.uint8), count=self.num_classes + 1)
        return bits.astype(bool)


def _map_of(sample: SegDataSample, name: str) -> npt.NDArray[np.uint8]:
    return getattr(sample, name).data[0].numpy().astype(np.uint8)
