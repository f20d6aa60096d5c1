"""Between the samples that run through a host's pipeline and the labels of noisyseg."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from noisyseg.labels import Categories, Instances, LabelError, Mask, SemanticMap

__all__ = ["image_key", "instances_of", "put_instances", "put_semantic_map", "rgb_of", "semantic_map_of"]

Sample = dict[str, Any]


def instances_of(sample: Sample, *, with_image: bool = False) -> Instances:
    """Returns the objects of a sample of `noisyseg.CocoDataset` that no transform has loaded yet.

    Args:
        sample: What mmdet's pipeline passes on, before ``LoadAnnotations``.
        with_image: Whether the noise looks at the pixels.

    Raises:
        LabelError: The sample does not come from `noisyseg.CocoDataset`, its annotations are loaded already,
            some objects have a mask and some have none, part of the file's classes is left out, or the image is
            wanted and not loaded yet, or changed already.
    """
    entries = sample.get("instances")
    if entries is None or "categories" not in sample:
        raise LabelError("expected a sample of noisyseg.CocoDataset; other data sets lose annotation ids")
    if "gt_bboxes" in sample or "gt_masks" in sample:
        raise LabelError("the annotations are loaded already; expected a place before mmdet.LoadAnnotations")
    size_hw = sample["height"], sample["width"]
    index, ids = sample["categories"].index, sample["category_ids"]
    if len(ids) != len(index):
        raise LabelError(
            f"expected all {len(index)} classes of the file, got {len(ids)} of them: objects change into and "
            "out of the others; train on a file from tools/make_noise.py instead"
        )
    with_masks = sum("mask" in entry for entry in entries)
    if with_masks not in (0, len(entries)):
        raise LabelError(f"expected a mask for all {len(entries)} objects or none, got {with_masks}")
    masks = [Mask.from_coco(entry["mask"], size_hw) for entry in entries if "mask" in entry]
    return Instances(
        size_hw=size_hw,
        categories=sample["categories"],
        boxes=np.array([entry["bbox"] for entry in entries], np.float64).reshape(-1, 4),
        classes=np.array([index[ids[entry["bbox_label"]]] for entry in entries], np.int64),
        masks=tuple(masks) if with_masks or (not entries and sample.get("with_masks", True)) else None,
        source=np.array([entry["ann_id"] for entry in entries], np.int64),
        crowd=np.array([entry["ignore_flag"] for entry in entries], bool),
        image=rgb_of(sample) if with_image else None,
    )


def put_instances(sample: Sample, labels: Instances) -> None:
    """Replaces the objects of ``sample`` by ``labels``, in the form that mmdet's ``LoadAnnotations`` reads.

    There may be more or fewer objects than before; those that noise invented have negative ids. A box that is thinner
    than a pixel or does not touch the image is left out, as mmdet leaves it out of a file. Other keys of an object
    stay; an invented one has none.
    """
    clean = {entry["ann_id"]: entry for entry in sample["instances"]}
    label_of = {id_: label for label, id_ in enumerate(sample["category_ids"])}
    entries = []
    for i, source in enumerate(labels.source.tolist()):
        x0, y0, x1, y1 = labels.boxes[i].tolist()
        width, height = x1 - x0, y1 - y0
        rows, columns = labels.size_hw
        if width < 1 or height < 1 or x0 >= columns or y0 >= rows or x1 <= 0 or y1 <= 0:
            continue
        entry = {
            **clean.get(source, {}),
            "bbox": [x0, y0, x0 + width, y0 + height],  # to the last bit what a file with width and height gives back
            "bbox_label": label_of[labels.categories.ids[labels.classes[i]]],
            "ignore_flag": int(labels.crowd[i]),
            "ann_id": source,
        }
        if labels.masks is not None:
            entry["mask"] = labels.masks[i].segmentation
        entries.append(entry)
    sample["instances"] = entries


def semantic_map_of(sample: Sample, categories: Categories, *, with_image: bool = False) -> SemanticMap:
    """Returns the label map of a sample, after mmseg's ``LoadAnnotations`` and before any augmentation.

    Zero labels are reduced and classes mapped by then, as the data set says; 255 marks ignored pixels.

    Args:
        sample: What mmseg's pipeline passes on.
        categories: The classes 0..K-1.
        with_image: Whether the noise looks at the pixels.

    Raises:
        LabelError: The map is not loaded yet, or holds a number that is neither one of the classes nor 255; or the
            image is wanted and not loaded yet, or changed already.
    """
    if "gt_seg_map" not in sample:
        raise LabelError("the label map is not loaded yet; expected a place after mmseg.LoadAnnotations")
    try:
        return SemanticMap(sample["gt_seg_map"], categories, rgb_of(sample) if with_image else None)
    except LabelError as error:
        raise error.at(file=sample.get("seg_map_path")) from None


def put_semantic_map(sample: Sample, labels: SemanticMap) -> None:
    """Replaces the label map of ``sample``; its dtype stays as mmseg loaded it."""
    sample["gt_seg_map"] = np.ascontiguousarray(labels.classes, dtype=sample["gt_seg_map"].dtype)


def rgb_of(sample: Sample) -> npt.NDArray[np.uint8]:
    """Returns the (H, W, 3) uint8 RGB pixels of a sample, whose ``img`` is BGR, as the hosts load it.

    Raises:
        LabelError: There is no image, or it is not one of bytes in three channels.
    """
    image = sample.get("img")
    if image is None:
        raise LabelError("this noise looks at the image, which is not loaded; expected a place after LoadImageFromFile")
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise LabelError(f"img: expected (H, W, 3) uint8 as it was loaded, got {image.shape} of {image.dtype}")
    return np.ascontiguousarray(image[..., ::-1])


def image_key(sample: Sample) -> int | str:
    """Returns what names the image of a sample in draws: its COCO id, or its file name without the ending."""
    return int(sample["img_id"]) if "img_id" in sample else Path(sample["img_path"]).stem
