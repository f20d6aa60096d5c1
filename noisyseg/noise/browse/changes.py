"""How much two label files of the same images differ, object by object, paired by annotation id."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from tqdm import tqdm

from noisyseg.labels import Instances, LabelError, Mask
from noisyseg.labels.coco import CocoFile


@dataclass(frozen=True)
class ObjectChange:
    """What became of one object.

    Attributes:
        source: Its annotation id in the clean file.
        clean_class: Class in the clean file, 0..K-1; None for an object that only the noisy file has.
        noisy_class: Class in the noisy file; None for an object that only the clean file has.
        iou: Intersection over union of the two masks in [0, 1]; 0 where one file lacks the object.
    """

    source: int
    clean_class: int | None
    noisy_class: int | None
    iou: float

    @property
    def is_missing(self) -> bool:
        """Whether only the clean file has the object."""
        return self.noisy_class is None

    @property
    def is_added(self) -> bool:
        """Whether only the noisy file has the object."""
        return self.clean_class is None

    @property
    def class_changed(self) -> bool:
        """Whether both files have the object, with different classes."""
        return not self.is_missing and not self.is_added and self.clean_class != self.noisy_class

    @property
    def amount(self) -> float:
        """1 - IoU, plus 1 for another class; 2 for an object that one file lacks, of which nothing agrees."""
        if self.is_missing or self.is_added:
            return 2.0
        return 1 - self.iou + self.class_changed


@dataclass(frozen=True)
class ImageChange:
    """What became of the objects of one image: those of the clean file in its order, then the added ones."""

    image_id: int
    objects: tuple[ObjectChange, ...]

    @cached_property
    def amount(self) -> float:
        """Mean of the objects' amounts, in [0, 2]; 0 without objects."""
        return float(np.mean([change.amount for change in self.objects])) if self.objects else 0.0

    @cached_property
    def mean_iou(self) -> float:
        """Mean IoU of the objects; 1 without objects."""
        return float(np.mean([change.iou for change in self.objects])) if self.objects else 1.0

    @property
    def changed(self) -> int:
        """Number of objects that are not the same in both files."""
        return sum(change.amount > 0 for change in self.objects)

    @property
    def classes_changed(self) -> int:
        """Number of objects with another class."""
        return sum(change.class_changed for change in self.objects)


class Comparison:
    """Two COCO files of the same images, side by side.

    Args:
        clean: The clean file.
        noisy: The noisy one.

    Attributes:
        image_ids: Images that both have, in the order of the clean file.
        only_clean: Ids of images that the noisy file lacks.
        only_noisy: Ids of images that the clean file lacks.
        shift: How much higher the annotation ids of the noisy file are; ``make_noise`` adds 1 to every id where the
            clean file has an annotation 0.

    Raises:
        LabelError: The files have different categories, or different sizes for an image.
    """

    def __init__(self, clean: CocoFile, noisy: CocoFile) -> None:
        if (clean.categories.ids, clean.categories.names) != (noisy.categories.ids, noisy.categories.names):
            raise LabelError(
                f"categories: expected those of {clean.path}, ids {clean.categories.ids} with names "
                f"{clean.categories.names}, got {noisy.categories.ids}, {noisy.categories.names}",
                file=noisy.path,
            )
        self.clean, self.noisy = clean, noisy
        self.image_ids = [image_id for image_id in clean.images if image_id in noisy.images]
        self.only_clean = [image_id for image_id in clean.images if image_id not in noisy.images]
        self.only_noisy = [image_id for image_id in noisy.images if image_id not in clean.images]
        self.shift = _id_shift(clean, noisy)

    def labels(self, image_id: int) -> tuple[Instances, Instances]:
        """Returns the clean and the noisy labels of an image, with the sources of the clean file."""
        clean, noisy = self.clean.instances(image_id), self.noisy.instances(image_id)
        if clean.size_hw != noisy.size_hw:
            raise LabelError(
                f"height, width: expected {clean.size_hw} as in {self.clean.path}, got {noisy.size_hw}",
                file=self.noisy.path,
                where=f"image {image_id}",
            )
        return clean, noisy.replace(source=noisy.source - self.shift)

    def change(self, image_id: int) -> ImageChange:
        """Returns what became of one image."""
        return ImageChange(image_id, tuple(_object_changes(*self.labels(image_id))))


def compare_files(comparison: Comparison, *, progress: bool = False) -> list[ImageChange]:
    """Returns what became of each image that both files have, in the order of the clean file."""
    return [comparison.change(image_id) for image_id in tqdm(comparison.image_ids, unit="image", disable=not progress)]


def mask_or_box(labels: Instances, i: int) -> Mask:
    """Returns the mask of object ``i``, or its box in whole pixels where the labels have boxes only."""
    if labels.masks is not None:
        return labels.masks[i]
    height, width = labels.size_hw
    x0, y0, x1, y1 = np.rint(labels.boxes[i]).clip(0, [width, height, width, height]).astype(int).tolist()
    if x0 == x1 or y0 == y1:
        return Mask.empty(labels.size_hw)
    return Mask.from_crop(x0, y0, np.ones((y1 - y0, x1 - x0), np.uint8), labels.size_hw)


def _object_changes(clean: Instances, noisy: Instances) -> Iterator[ObjectChange]:
    places = {source: place for place, source in enumerate(noisy.source.tolist())}
    for i, source in enumerate(clean.source.tolist()):
        place = places.pop(source, None)
        if place is None:
            yield ObjectChange(source, int(clean.classes[i]), None, 0.0)
            continue
        iou = mask_or_box(clean, i).iou(mask_or_box(noisy, place))
        yield ObjectChange(source, int(clean.classes[i]), int(noisy.classes[place]), iou)
    for source, place in places.items():
        yield ObjectChange(source, None, int(noisy.classes[place]), 0.0)


def _id_shift(clean: CocoFile, noisy: CocoFile) -> int:
    """Returns 1 where every noisy annotation belongs to the image of the clean one before it, which has ids from 0."""
    images = {annotation["id"]: annotation["image_id"] for annotation in clean.document["annotations"]}
    shifted = [
        annotation["id"] > 0 and images.get(annotation["id"] - 1) == annotation["image_id"]
        for annotation in noisy.document["annotations"]
    ]
    return int(0 in images and bool(shifted) and all(shifted))
