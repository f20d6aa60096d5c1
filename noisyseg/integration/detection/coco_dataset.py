"""mmdet's COCO data set, with the annotations' ids, and with a word about what it leaves out."""

from __future__ import annotations

import logging
from typing import Any, ClassVar

from mmdet.datasets import CocoDataset as MMDetCocoDataset
from mmdet.datasets.api_wrappers import COCO
from mmengine.logging import print_log

from noisyseg.integration.inject_noise import InjectNoise
from noisyseg.labels import Categories, LabelError, Mask
from noisyseg.registry import DATASETS

__all__ = ["CocoDataset"]


@DATASETS.register_module()
class CocoDataset(MMDetCocoDataset):
    """COCO annotations whose objects carry ``ann_id``, so that noise knows whom it belongs to.

    Differs from mmdet's in what it does not pass over in silence:

    - classes come from the file, unless ``metainfo`` names them; a name that the file lacks is an error;
    - a segmentation that cannot be rasterised is an error at the start, not a crash of a loader worker;
    - annotations that mmdet leaves out (without area, thinner than a pixel, outside of the image, marked
      ``ignore``, of other classes) are counted in a warning;
    - masks as RLE with ``poly2mask=False``, which mmdet would turn into ignored objects, are an error.

    Takes the arguments of ``mmdet.CocoDataset``.

    Attributes:
        categories: All classes of the file, in the order of their ids.
        with_masks: Whether the file has masks, or no annotations at all.

    Raises:
        LabelError: The file cannot be used as configured; the message names it.
    """

    METAINFO: ClassVar[dict] = {}

    def COCOAPI(self, path: str) -> COCO:  # noqa: N802 - mmdet opens its file through this attribute
        """Returns the opened file, having read the classes from it before mmdet looks for them."""
        coco = COCO(path)
        entries = coco.dataset["categories"]
        self.categories = Categories.from_coco(entries)
        # As make_noise counts: in a file of boxes, an image without annotations has no masks either.
        annotations = coco.dataset["annotations"]
        self.with_masks = not annotations or any("segmentation" in annotation for annotation in annotations)
        names = [entry["name"] for entry in entries]
        classes = self._metainfo.setdefault("classes", tuple(names))
        # mmdet numbers the classes in the order of the file, whatever the order of `metainfo`.
        if list(classes) != [name for name in names if name in classes]:
            raise LabelError(
                f"metainfo.classes: expected names of the file in its order, {names}, got {list(classes)}",
                file=self.ann_file,
            )
        return coco

    def load_data_list(self) -> list[dict]:
        """Returns the images with their objects, checked."""
        self._left_out: list[int] = []
        images = super().load_data_list()
        if self._left_out:
            print_log(
                f"{self.ann_file}: mmdet leaves out {len(self._left_out)} annotations (without area, thinner "
                "than a pixel, outside of the image, marked 'ignore', or of a class that is not trained on): "
                f"ids {', '.join(map(str, self._left_out[:10]))}{' …' if len(self._left_out) > 10 else ''}",
                "current",
                logging.WARNING,
            )
        self._check_form_of_masks(images)
        return images

    def parse_data_info(self, raw_data_info: dict[str, Any]) -> dict[str, Any]:
        """Returns one image with its objects, with the ``ann_id`` and, if any, the ``weight`` of its annotation."""
        image = raw_data_info["raw_img_info"]
        info = super().parse_data_info({**raw_data_info, "raw_ann_info": []})
        for annotation in raw_data_info["raw_ann_info"]:
            try:
                if "segmentation" in annotation:
                    Mask.from_coco(annotation["segmentation"], (image["height"], image["width"]))
            except LabelError as error:
                raise error.at(file=self.ann_file, where=f"annotation {annotation['id']}") from None
            parsed = super().parse_data_info({"raw_img_info": image, "raw_ann_info": [annotation]})
            ours = {"ann_id": annotation["id"]} | ({"weight": annotation["weight"]} if "weight" in annotation else {})
            info["instances"].extend(instance | ours for instance in parsed["instances"])
            if not parsed["instances"]:
                self._left_out.append(annotation["id"])
        return info

    def get_data_info(self, idx: int) -> dict[str, Any]:
        """Returns one sample, with the classes and masks of the file and the category id of each of mmdet's labels."""
        info = super().get_data_info(idx)
        info["categories"], info["category_ids"] = self.categories, self.cat_ids
        info["with_masks"] = self.with_masks
        return info

    def _check_form_of_masks(self, images: list[dict]) -> None:
        transforms = self.pipeline.transforms
        if all(getattr(transform, "poly2mask", True) for transform in transforms):
            return
        encoded = [
            instance["ann_id"]
            for image in images
            for instance in image["instances"]
            if isinstance(instance.get("mask"), dict) and not instance["ignore_flag"]
        ]
        if encoded or any(isinstance(transform, InjectNoise) for transform in transforms):
            raise LabelError(
                "LoadAnnotations(poly2mask=False) would ignore masks that are not polygons, "
                f"{f'such as annotation {encoded[0]}' if encoded else 'which InjectNoise makes'}; "
                "expected poly2mask=True",
                file=self.ann_file,
            )
