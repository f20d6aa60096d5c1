"""Predicts training images with a detector: counts how well given masks are met, and writes corrected ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
import torch
from mmdet.structures import DetDataSample
from mmengine.dist import all_gather_object
from torch import nn
from torch.utils.data import Dataset

from noisyseg.correction.instance_policy import InstancePolicy
from noisyseg.correction.instances import PredictedInstances, instance_counts
from noisyseg.correction.label_changes import LabelChanges
from noisyseg.integration.detection.load_stored_instances import KIND
from noisyseg.integration.detection.plain_images import given_instances
from noisyseg.integration.image_pass import ImagePass, naming_image
from noisyseg.integration.predicting import predicting
from noisyseg.integration.weight_transforms import WeightKey
from noisyseg.labels import Categories, Instances, Mask
from noisyseg.labels.store import GIVEN, LabelStore

__all__ = ["InstancePass"]


class InstancePass(ImagePass):
    """A pass over masks of objects; see the base class.

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
        super().__init__(dataset, len(categories), policy.wants, num_workers=num_workers, progress=progress)
        self.policy, self.key, self.categories = policy, key, categories

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
            for batch in self.batches(indices[self.rank :: self.world_size]):
                sample = batch["data_samples"][0]
                given = given_instances(sample, self.categories)
                with naming_image(sample.metainfo["img_path"], title):
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

        def correct(index: int, batch: dict) -> tuple[str, LabelChanges | None]:
            sample = batch["data_samples"][0]
            given, key = given_instances(sample, self.categories), self.key.of(sample.metainfo["img_path"])
            self.remember(index, np.append(_present(given), given.crowd.any()))
            if not self.can_change(index, due):
                return key, None
            current = _with_stored(given, store.get(key, KIND, parent) or {})
            with naming_image(sample.metainfo["img_path"], title):
                predicted = _predicted(model, batch, _present(given) & due, self.policy.tau)
                new = self.policy.relabel(given, current, predicted, due)
            changes = _changes(current, new)
            if changes.changed_images:
                store.put(key, KIND, _differing(given, new), version)
            return key, changes

        with predicting(model, dropout=False), _soft_masks(model, wanted=self.policy.pixel_tau is not None):
            return self.over(due, title, correct)


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
