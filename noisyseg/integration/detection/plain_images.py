"""The images that a detector is trained on, un-augmented, with their objects as they are given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from mmdet.structures import DetDataSample
from mmengine.config import ConfigDict
from mmengine.registry import DATASETS
from torch.utils.data import Dataset

from noisyseg.labels import Categories, Instances, LabelError, Mask

__all__ = ["given_instances", "plain_images"]

META_KEYS = ("img_id", "img_path", "ori_shape", "img_shape", "scale_factor", "instances")
LOAD = "LoadAnnotations"


def plain_images(config: Mapping[str, Any], steps: Sequence[Mapping[str, Any]]) -> Dataset:
    """Returns the training data set without augmentation: its pipeline up to ``LoadAnnotations``, other steps, packed.

    Objects are not loaded: they come along as ``instances`` in the meta information, see `given_instances`, and no step
    moves them.

    Args:
        config: The config of a data set; what stands around it, such as repetitions, is taken off.
        steps: Between loading and packing; what brings an image to the size at which a model is tested.

    Raises:
        ValueError: There is no ``LoadAnnotations``, or the data set is one around several others.
    """
    config = ConfigDict(config).copy()
    while "dataset" in config:
        config = config["dataset"].copy()
    pipeline = list(config.get("pipeline", ()))
    places = [i for i, step in enumerate(pipeline) if step["type"].rpartition(".")[2] == LOAD]
    if len(places) != 1:
        raise ValueError(
            f"train_dataloader: expected a data set with one mmdet.{LOAD} in its pipeline, got {len(places)}; for "
            "other structures give the hook a dataloader=dict(dataset=...) of its own"
        )
    config["pipeline"] = [*pipeline[: places[0]], *steps, {"type": "mmdet.PackDetInputs", "meta_keys": META_KEYS}]
    return DATASETS.build(config)


def given_instances(sample: DetDataSample, categories: Categories) -> Instances:
    """Returns the objects of a sample of `plain_images`, at the size that the image has on disk.

    Args:
        sample: As packed.
        categories: The classes that are trained on, in the order of mmdet's labels.

    Raises:
        LabelError: The objects have no ids, two have one, or one has no mask.
    """
    meta, size_hw = sample.metainfo, tuple(sample.metainfo["ori_shape"])
    entries = meta["instances"]
    ids = [entry.get("ann_id") for entry in entries]
    if None in ids:
        raise LabelError("expected objects with ann_id, as noisyseg.CocoDataset has them", file=meta["img_path"])
    if len(set(ids)) < len(ids):
        raise LabelError(
            "expected objects with different ids, but noisyseg.InjectNoise lets the pieces of an object keep its id; "
            "write such noise to a file with tools/make_noise.py",
            file=meta["img_path"],
        )
    for entry in entries:
        if "mask" not in entry:
            raise LabelError(
                "expected objects with masks, got a box", file=meta["img_path"], where=f"annotation {entry['ann_id']}"
            )
    return Instances(
        size_hw=size_hw,
        categories=categories,
        boxes=np.array([entry["bbox"] for entry in entries], np.float64).reshape(-1, 4),
        classes=np.array([entry["bbox_label"] for entry in entries], np.int64),
        masks=tuple(Mask.from_coco(entry["mask"], size_hw) for entry in entries),
        source=np.array(ids, np.int64),
        crowd=np.array([entry["ignore_flag"] for entry in entries], bool),
    )
