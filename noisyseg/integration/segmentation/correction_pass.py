"""Predicts the training images that a correction can change, and writes their new labels into a new version."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from mmseg.structures import SegDataSample
from torch import nn
from torch.utils.data import Dataset

from noisyseg.correction.label_changes import LabelChanges
from noisyseg.correction.policies import CorrectionPolicy
from noisyseg.integration.image_pass import ImagePass, naming_image
from noisyseg.integration.load_stored_labels import GIVEN_MAP, KEY
from noisyseg.integration.predicting import predicting
from noisyseg.integration.segmentation.load_clean_map import CLEAN_MAP
from noisyseg.integration.segmentation.multi_scale_inference import MultiScaleInference
from noisyseg.labels import IGNORE
from noisyseg.labels.store import LabelStore

__all__ = ["CorrectionPass"]


class CorrectionPass(ImagePass):
    """A pass over label maps; see the base class.

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
        super().__init__(dataset, num_classes, policy.wants, num_workers=num_workers, progress=progress)
        self.policy, self.inference = policy, inference

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

        def correct(index: int, batch: dict) -> tuple[str, LabelChanges | None]:
            image, sample = batch["inputs"][0], batch["data_samples"][0]
            key, given = sample.metainfo[KEY], _map_of(sample, GIVEN_MAP)
            current = _map_of(sample, "gt_sem_seg") if cumulative else given
            self.remember(index, self._classes_of(current))
            if not self.can_change(index, due):
                return key, None
            with naming_image(sample.metainfo["img_path"], title):
                probs = self.inference.probs(model, image, sample).cpu().numpy()
                new = self.policy.relabel(given, current, probs, due, image=image.numpy().transpose(1, 2, 0))
            clean = _map_of(sample, CLEAN_MAP) if CLEAN_MAP in sample else None
            changes = LabelChanges.of(current, new, self.num_classes, clean)
            if changes.changed_images:
                store.put(key, "labels", new, version)
                if cumulative:
                    self.remember(index, self._classes_of(new))
            return key, changes

        with predicting(model, dropout=False):
            return self.over(due, title, correct)

    def _classes_of(self, labels: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
        counts = np.bincount(labels.reshape(-1), minlength=IGNORE + 1)
        return np.append(counts[: self.num_classes] > 0, counts[IGNORE] > 0)


def _map_of(sample: SegDataSample, name: str) -> npt.NDArray[np.uint8]:
    return getattr(sample, name).data[0].numpy().astype(np.uint8)
