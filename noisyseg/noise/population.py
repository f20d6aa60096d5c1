"""All objects of a data set, without their geometry: what a model looks at that promises exact numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from noisyseg.labels import Categories
from noisyseg.labels.coco import CocoFile


@dataclass(frozen=True, eq=False)
class Population:
    """The objects of a data set; N objects in I images. Nothing depends on their order.

    Attributes:
        images: (I,) keys of the images, ids or names, also of those without objects.
        categories: What the class numbers mean.
        image: (N,) int64 place in ``images``.
        source: (N,) int64 id of the annotation.
        classes: (N,) int64 in 0..K-1.
        areas: (N,) float64 pixels: of the mask as the file states it, else of the box.
        crowd: (N,) bool.
    """

    images: tuple[int | str, ...]
    categories: Categories
    image: npt.NDArray[np.int64]
    source: npt.NDArray[np.int64]
    classes: npt.NDArray[np.int64]
    areas: npt.NDArray[np.float64]
    crowd: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.source)

    def take(self, indices: npt.NDArray[np.integer] | npt.NDArray[np.bool_]) -> Population:
        """Returns the objects at ``indices``; the images stay."""
        fields = ("image", "source", "classes", "areas", "crowd")
        return Population(self.images, self.categories, *(getattr(self, name)[indices] for name in fields))


def coco_population(coco: CocoFile) -> Population:
    """Returns the objects of a COCO file; areas are those it states, else those of the boxes."""
    annotations = coco.document["annotations"]
    places = {image_id: place for place, image_id in enumerate(coco.images)}

    def area(annotation: dict) -> float:
        stated = annotation.get("area")
        return stated if stated is not None else annotation["bbox"][2] * annotation["bbox"][3]

    return Population(
        images=tuple(coco.images),
        categories=coco.categories,
        image=np.array([places[annotation["image_id"]] for annotation in annotations], np.int64),
        source=np.array([annotation["id"] for annotation in annotations], np.int64),
        classes=np.array([coco.categories.index[annotation["category_id"]] for annotation in annotations], np.int64),
        areas=np.array([area(annotation) for annotation in annotations], np.float64),
        crowd=np.array([annotation.get("iscrowd", 0) or 0 for annotation in annotations], bool),
    )
