"""Masks of objects that change while a model trains, as a step of mmdet's training pipeline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmdet.structures.bbox import HorizontalBoxes
from mmdet.structures.mask import BitmapMasks

from noisyseg.integration.load_stored_labels import KEY, StoreReader
from noisyseg.integration.samples import Sample
from noisyseg.labels import LabelError, Mask
from noisyseg.registry import TRANSFORMS

__all__ = ["KIND", "LoadStoredInstances"]

KIND = "instances"
"""The kind of the files in a label store."""


@TRANSFORMS.register_module()
class LoadStoredInstances(StoreReader):
    """Replaces masks of objects by those in force in a label store, and their boxes by tight ones around these.

    Stands right behind ``mmdet.LoadAnnotations(with_bbox=True, with_mask=True)``, over `noisyseg.CocoDataset`, before
    all that moves pixels or selects objects. Which version is in force is read for each sample, so that loader workers
    follow, see `noisyseg.LoadStoredLabels`. Objects that no version changes keep mask and box as they were given.

    Masks must be bitmaps, which they are unless ``poly2mask=False``: the store has run lengths, and an image whose
    masks are of another kind before a correction than after it would be trained on differently.

    Adds ``label_key``. ``instances``, from which the annotations are loaded, stay as they are given.

    Args:
        store: Folder of the store; None leaves it to the hook that writes it, `noisyseg.InstanceCorrectionHook`.
        img_dir: Folder that the images' paths are relative to, for a key with sub folders; None takes the file's name.
        img_suffix: Ending of the images' names; None means what follows the last dot.

    Raises:
        LabelError: The store has no folder yet or a file of it cannot be used; the annotations are not loaded as this
            step needs them; or a stored mask has another size than the image, or belongs to an object that the image
            does not have.
    """

    def transform(self, results: Sample) -> Sample:
        """Returns ``results`` with the masks in force."""
        store = self.require_store()
        objects = results.get("instances", [])
        _check_loaded(results, len(objects))
        key = results[KEY] = self.key.of(results["img_path"])
        stored = store.get(key, KIND)
        if stored:
            try:
                _put(results, stored)
            except LabelError as error:
                raise error.at(file=store.root, where=f"masks of {key}") from None
        return results


def _check_loaded(results: Sample, count: int) -> None:
    found = results.get("gt_masks"), results.get("gt_bboxes")
    kinds = BitmapMasks, HorizontalBoxes
    if not all(isinstance(*pair) and len(pair[0]) == count for pair in zip(found, kinds, strict=True)):
        raise LabelError(
            "LoadStoredInstances: expected a place right behind mmdet.LoadAnnotations(with_bbox=True, with_mask=True), "
            f"and bitmaps and horizontal boxes of {count} objects, got "
            + " and ".join("none" if part is None else f"{len(part)} {type(part).__name__}" for part in found),
            file=results.get("img_path"),
        )


def _put(results: Sample, stored: Mapping[int, Mapping[str, Any]]) -> None:
    masks, boxes = results["gt_masks"], results["gt_bboxes"].tensor
    size_hw = masks.height, masks.width
    places = {instance.get("ann_id"): i for i, instance in enumerate(results["instances"])}
    for id_, run_lengths in stored.items():
        if id_ not in places:
            raise LabelError(f"expected masks of objects of the image, got one of annotation {id_}")
        mask = Mask.from_coco(run_lengths, size_hw)
        masks.masks[places[id_]] = mask.frame()
        boxes[places[id_]] = boxes.new_tensor(mask.box)
