"""Instance weights that travel through mmdet's pipeline together with the class labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from mmcv.transforms import BaseTransform
from mmdet.datasets.transforms import PackDetInputs as MMDetPackDetInputs

from noisyseg.integration.samples import Sample
from noisyseg.integration.weight_transforms import KeyWeights, Missing, check_missing
from noisyseg.labels import LabelError
from noisyseg.labels.weight_maps import checked_weight
from noisyseg.registry import TRANSFORMS

__all__ = ["LoadInstanceWeights", "PackDetInputs"]

RECORD = np.dtype([("label", np.int64), ("weight", np.float32)])
LABELS = "gt_bboxes_labels"


@TRANSFORMS.register_module()
class LoadInstanceWeights(BaseTransform):
    """Gives each object of an image its weight, which then goes wherever the object goes.

    Stands right behind ``mmdet.LoadAnnotations``, over `noisyseg.CocoDataset`. mmdet's transforms select and
    concatenate boxes, labels, masks and flags, and know no other field; so ``gt_bboxes_labels`` becomes an array of
    records (label int64, weight float32), which they treat as they treat labels. `noisyseg.PackDetInputs` takes the
    records apart. mmdet's packing in its place fails, because no tensor has records ("can't convert np.ndarray of
    type numpy.void").

    Args:
        file: JSON object of annotation id: weight >= 0, read again when it is replaced. None takes the field
            ``weight`` of the annotations in the COCO file.
        missing: What an object without a weight means, such as one that noise invented: an error, or weight 1.

    Raises:
        LabelError: An object has no weight, or one that is not a finite number >= 0; or the annotations are not
            loaded yet.
    """

    def __init__(self, file: str | None = None, missing: Missing = "error") -> None:
        self.weights = None if file is None else KeyWeights(file)
        self.missing = check_missing(missing)

    def transform(self, results: Sample) -> Sample:
        """Returns ``results`` with records in the place of labels."""
        instances, labels = results.get("instances", []), results.get(LABELS)
        if labels is None or labels.dtype == RECORD or len(labels) != len(instances):
            raise LabelError(
                "LoadInstanceWeights: expected a place right behind mmdet.LoadAnnotations(with_label=True)",
                file=results.get("img_path"),
            )
        records = np.zeros(len(labels), RECORD)
        records["label"] = labels
        for i, instance in enumerate(instances):
            records["weight"][i] = self._weight(instance, results.get("img_path"))
        results[LABELS] = records
        return results

    def _weight(self, instance: Sample, img_path: str | None) -> float:
        where = f"annotation {instance['ann_id']}" if "ann_id" in instance else "an object"
        if self.weights is None:
            weight, file = instance.get("weight"), img_path
        else:
            if "ann_id" not in instance:
                raise LabelError("expected objects with ann_id, as noisyseg.CocoDataset has them", file=img_path)
            weight, file = self.weights.get(str(instance["ann_id"])), str(self.weights.path)
        if weight is None:
            if self.missing == "error":
                raise LabelError("expected a weight for it; missing='ones' would mean 1", file=file, where=where)
            return 1.0
        return checked_weight(weight, file=file, where=where)

    def __repr__(self) -> str:
        file = None if self.weights is None else str(self.weights.path)
        return f"{type(self).__name__}(file={file!r}, missing='{self.missing}')"


@TRANSFORMS.register_module()
class PackDetInputs(MMDetPackDetInputs):
    """Packs what ``mmdet.PackDetInputs`` packs, and the weights of the objects.

    ``gt_instances.weights`` and ``ignored_instances.weights`` are (n,) float32, in the order of the boxes.

    Args:
        meta_keys: Keys of the meta information; None means mmdet's.

    Raises:
        LabelError: No weights have been loaded, or the image has one, which mmdet's losses have no place for.
    """

    def __init__(self, meta_keys: Sequence[str] | None = None) -> None:
        if meta_keys is None:
            super().__init__()
        else:
            super().__init__(meta_keys)

    def transform(self, results: Sample) -> dict:
        """Returns ``inputs`` and ``data_samples``."""
        records = results.get(LABELS)
        if records is None or records.dtype != RECORD:
            raise LabelError(
                "noisyseg.PackDetInputs: expected weights from noisyseg.LoadInstanceWeights; without weights pack with "
                "mmdet.PackDetInputs",
                file=results.get("img_path"),
            )
        if "image_weight" in results:
            raise LabelError(
                "noisyseg.PackDetInputs: the losses of mmdet's heads take weights of objects, none of images; leave "
                "noisyseg.LoadImageWeight out",
                file=results.get("img_path"),
            )
        packed = super().transform({**results, LABELS: np.ascontiguousarray(records["label"])})
        weights = np.ascontiguousarray(records["weight"])
        ignored = results.get("gt_ignore_flags", np.zeros(len(records), bool)).astype(bool)
        sample = packed["data_samples"]
        sample.gt_instances.weights = _tensor(weights[~ignored])
        sample.ignored_instances.weights = _tensor(weights[ignored])
        return packed


def _tensor(weights: npt.NDArray[np.float32]) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(weights))
