"""Predicts training images with a detector: counts how well given masks are met, and writes corrected ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import reduce
from operator import add

import numpy as np
import numpy.typing as npt
import torch
from mmdet.structures import DetDataSample
from mmengine.dataset import pseudo_collate
from mmengine.dist import all_gather_object, get_dist_info
from torch import nn
from torch.utils.data import DataLoader, Dataset, Subset
from tqdm import tqdm

from noisyseg.correction.instance_policy import InstancePolicy
from noisyseg.correction.instances import PredictedInstances, instance_counts
from noisyseg.correction.label_changes import LabelChanges
from noisyseg.integration.detection.load_stored_instances import KIND
from noisyseg.integration.detection.plain_images import given_instances
from noisyseg.integration.given_labels import require_different_keys
from noisyseg.integration.predicting import predicting
from noisyseg.integration.weight_transforms import WeightKey
from noisyseg.labels import Categories, Instances, LabelError, Mask
from noisyseg.labels.store import GIVEN, LabelStore

__all__ = ["InstancePass"]


class InstancePass:
    """The images of a data set, shared between the processes: each image and each file has one of them.

    Memory does not grow with the data set but for one bit a class and image: which classes an image has, so that from
    the second correction on only images that can change are loaded.

    Args:
        dataset: See `plain_images`.
        policy: What is corrected, and how.
        key: What names an image in the store.
        categories: The classes, in the order of mmdet's labels.
        num_workers: Of the loader.
        progress: Draw a progress bar on stderr, where that is a terminal.
    """

    def __init__(
        self,
        dataset: Dataset,
        policy: InstancePolicy,
        key: WeightKey,
        categories: Categories,
        *,
        num_workers: int = 0,
        progress: bool = True,
    ) -> None:
        self.dataset, self.policy, self.key, self.categories = dataset, policy, key, categories
        self.num_workers, self.progress = num_workers, progress
        self.rank, self.world_size = get_dist_info()
        self._present: dict[int, bytes] = {}
        self._checked = False

    def counts(self, model: nn.Module, indices: Sequence[int], title: str) -> npt.NDArray[np.int64]:
        """Returns (K + 1, K + 1) counts of some images with their given objects, those of all processes.

        Args:
            model: An mmdet detector with masks, not wrapped.
            indices: Of the images.
            title: For errors.

        Raises:
            LabelError: An image and its objects do not go together, or the model predicts no masks.
        """
        K = len(self.categories)
        counts = np.zeros((K + 1, K + 1), np.int64)
        with predicting(model, dropout=False):
            for batch in self._batches(indices[self.rank :: self.world_size]):
                sample = batch["data_samples"][0]
                given = given_instances(sample, self.categories)
                with _named(sample, title):
                    predicted = _predicted(model, batch, _present(given), 0.0)
                    counts += instance_counts(given, predicted, self.policy.match_iou)
        return np.sum(all_gather_object(counts), axis=0)

    def run(
        self,
        model: nn.Module,
        due: npt.NDArray[np.bool_],
        store: LabelStore,
        version: int,
        title: str,
        parent: int = GIVEN,
    ) -> LabelChanges:
        """Writes the files of an incomplete version, and returns what it changes in all processes together.

        A file holds all masks of its image that are not as given. Changes are counted in pixels of objects.

        Args:
            model: An mmdet detector with masks, not wrapped.
            due: (K,) the classes that are to be corrected.
            store: Where masks go.
            version: The incomplete version.
            title: Of the progress bar, and for errors.
            parent: The version whose masks are corrected.

        Raises:
            LabelError: Two images have one key, or see `counts`.
            ValueError: The policy wants probabilities of pixels and the model gives none.
        """
        size = len(self.dataset)
        own = range(self.rank * size // self.world_size, (self.rank + 1) * size // self.world_size)
        wanted = [i for i in own if i not in self._present or self.policy.wants(self._unpacked(i), due)]
        changes, keys = [], []
        silent = None if self.progress and self.rank == 0 else True
        batches = tqdm(self._batches(wanted), desc=title, total=len(wanted), unit="image", disable=silent)
        with predicting(model, dropout=False), _soft_masks(model, wanted=self.policy.pixel_tau is not None):
            for index, batch in zip(wanted, batches, strict=True):
                sample = batch["data_samples"][0]
                given, key = given_instances(sample, self.categories), self.key.of(sample.metainfo["img_path"])
                keys.append(key)
                self._remember(index, given)
                if not self.policy.wants(self._unpacked(index), due):
                    continue
                current = _with_stored(given, store.get(key, KIND, parent) or {})
                with _named(sample, title):
                    predicted = _predicted(model, batch, _present(given) & due, self.policy.tau)
                    new = self.policy.relabel(given, current, predicted, due)
                changes.append(_changes(current, new))
                if changes[-1].changed_images:
                    store.put(key, KIND, _differing(given, new), version)
        if not self._checked:
            require_different_keys([key for part in all_gather_object(keys) for key in part])
            self._checked = True
        parts = [part for process in all_gather_object(changes) for part in process]
        return reduce(add, parts, LabelChanges.none(len(self.categories)))

    def _batches(self, indices: Sequence[int]) -> Iterator[dict]:
        return DataLoader(
            Subset(self.dataset, indices), batch_size=1, num_workers=self.num_workers, collate_fn=pseudo_collate
        )

    def _remember(self, index: int, given: Instances) -> None:
        self._present[index] = np.packbits(np.append(_present(given), given.crowd.any())).tobytes()

    def _unpacked(self, index: int) -> npt.NDArray[np.bool_]:
        bits = np.unpackbits(np.frombuffer(self._present[index], np.uint8), count=len(self.categories) + 1)
        return bits.astype(bool)


def _present(given: Instances) -> npt.NDArray[np.bool_]:
    """Returns (K,) of which classes there are objects."""
    return np.bincount(given.classes[~given.crowd], minlength=len(given.categories)) > 0


def _predicted(model: nn.Module, batch: dict, classes: npt.NDArray[np.bool_], above: float) -> PredictedInstances:
    """Returns what a model sees in a batch of one image: of some classes, with scores above a number."""
    sample = DetDataSample(metainfo=batch["data_samples"][0].metainfo)
    found = model.test_step({"inputs": batch["inputs"], "data_samples": [sample]})[0].pred_instances
    if "masks" not in found:
        raise ValueError(f"{type(model).__name__} predicts no masks; expected a model for instance segmentation")
    labels, scores = found.labels.cpu().numpy(), found.scores.double().cpu().numpy()
    if not np.isfinite(scores).all():
        raise ValueError("predictions: expected finite scores, got others")
    # What would make no difference stays on the device.
    keep = np.flatnonzero(classes[labels] & (scores > above))
    masks = found.masks[torch.from_numpy(keep).to(found.masks.device)]
    masks = masks if masks.dtype == torch.uint8 else masks.bool()
    return PredictedInstances.of(labels[keep], scores[keep], masks.cpu().numpy())


@contextmanager
def _soft_masks(model: nn.Module, *, wanted: bool) -> Iterator[None]:
    """Lets a model return probabilities of pixels instead of masks, as those with RoI heads can."""
    if not wanted:
        yield
        return
    settings = getattr(getattr(model, "roi_head", None), "test_cfg", None) or {}
    if "mask_thr_binary" not in settings:
        raise ValueError(
            "pixel_tau: expected a model whose roi_head has a mask_thr_binary, because no others give probabilities of "
            f"pixels, got {type(model).__name__}"
        )
    held = settings.mask_thr_binary
    settings.mask_thr_binary = -1
    try:
        yield
    finally:
        settings.mask_thr_binary = held


@contextmanager
def _named(sample: DetDataSample, title: str) -> Iterator[None]:
    """Names the image in errors."""
    try:
        yield
    except ValueError as error:
        raise LabelError(str(error), file=sample.metainfo["img_path"], where=title) from error


def _with_stored(given: Instances, stored: dict) -> Instances:
    masks = list(given.masks)
    for i, id_ in enumerate(given.source.tolist()):
        if id_ in stored:
            masks[i] = Mask.from_coco(stored[id_], given.size_hw)
    return given.replace(masks=tuple(masks))


def _differing(given: Instances, new: Instances) -> dict[int, dict]:
    triples = zip(given.source.tolist(), given.masks, new.masks, strict=True)
    return {id_: mask.rle for id_, old, mask in triples if mask.rle != old.rle}


def _changes(old: Instances, new: Instances) -> LabelChanges:
    gained, lost = (np.zeros(len(old.categories), np.int64) for _ in range(2))
    for c, before, after in zip(old.classes.tolist(), old.masks, new.masks, strict=True):
        both = before.overlap(after)
        gained[c] += after.area - both
        lost[c] += before.area - both
    return LabelChanges(1, int(gained.any() or lost.any()), gained, lost)
