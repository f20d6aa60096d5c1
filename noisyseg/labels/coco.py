"""Read and write COCO instance JSON; every id, order and unknown field of the input survives.

Reference: COCO data format, https://cocodataset.org/#format-data. Unlike the COCO API we check a document before
we use it, and keep classes in the order of their ids.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from noisyseg.labels.categories import Categories
from noisyseg.labels.errors import LabelError
from noisyseg.labels.instances import Instances
from noisyseg.labels.masks import Mask
from noisyseg.labels.polygons import FARTHEST

Json = dict[str, Any]
LARGEST_ID = 2**63 - 1
NUMBERS = {int, float}


class CocoFile:
    """A COCO document, checked as far as its ids and references; geometry is checked when an image is read.

    Args:
        document: The parsed JSON object.
        path: Where it came from, for messages.

    Attributes:
        document: The JSON object as read.
        path: The file, or None.
        categories: Its classes, in the order of their ids.
        images: Image entries by id, in file order.

    Raises:
        LabelError: A list is missing, an id is not a unique whole number, or a reference has no target.
    """

    def __init__(self, document: Json, path: Path | None = None) -> None:
        self.document, self.path = document, path
        try:
            for key in ("images", "annotations", "categories"):
                if not isinstance(document.get(key), list):
                    raise LabelError(f"expected a list under {key!r}, got {type(document.get(key)).__name__}")
            self.categories = Categories.from_coco(document["categories"])
            self.images: dict[int, Json] = _by_id(document["images"], "image")
            seen: set[int] = set()
            for place, annotation in enumerate(document["annotations"]):
                check_annotation(annotation, place, seen, self.images)
        except LabelError as error:
            raise error.at(file=path) from None

    @cached_property
    def positions(self) -> dict[int, list[int]]:
        """Where the annotations of each image stand in the file's list; images without any have an empty list."""
        positions: dict[int, list[int]] = {image_id: [] for image_id in self.images}
        for place, annotation in enumerate(self.document["annotations"]):
            positions[annotation["image_id"]].append(place)
        return positions

    def annotations_of(self, image_id: int) -> list[Json]:
        """Returns the annotations of one image in file order."""
        annotations = self.document["annotations"]
        return [annotations[place] for place in self.positions[image_id]]

    def instances(self, image_id: int) -> Instances:
        """Returns the labels of one image, checked.

        Raises:
            LabelError: A geometry, class or box of the image cannot be used.
        """
        try:
            return instances_from_coco(self.images[image_id], self.annotations_of(image_id), self.categories)
        except LabelError as error:
            raise error.at(file=self.path) from None


def read_coco(path: str | Path) -> CocoFile:
    """Returns the COCO document in a file.

    Raises:
        LabelError: The file cannot be read, is not JSON, or is not a usable COCO document.
    """
    path = Path(path)
    try:
        document = orjson.loads(path.read_bytes())
    except OSError as error:
        raise LabelError(f"cannot be read: {error.strerror}", file=path) from error
    except orjson.JSONDecodeError as error:
        raise LabelError(f"not JSON: {error}", file=path) from None
    if not isinstance(document, dict):
        raise LabelError(f"expected a JSON object, got {type(document).__name__}", file=path)
    return CocoFile(document, path)


def instances_from_coco(
    image: Json, annotations: Sequence[Json], categories: Categories, *, with_masks: bool | None = None
) -> Instances:
    """Returns the labels of one image from its COCO entries.

    Args:
        image: Entry of ``images``, with ``height`` and ``width``.
        annotations: Its entries of ``annotations``; all with a segmentation, or none.
        categories: What the category ids mean.
        with_masks: Whether the objects have masks; None finds out from the annotations, and takes an image without
            any for one with masks.

    Raises:
        LabelError: An entry cannot be used; the message names the annotation.
    """
    size_hw = _size(image)
    n = len(annotations)
    boxes, classes, crowd = [], [], []
    if with_masks is None:
        with_masks = not n or any("segmentation" in annotation for annotation in annotations)
    masks = []
    for annotation in annotations:
        try:
            category = annotation.get("category_id")
            if type(category) is not int or category not in categories.index:
                raise LabelError(f"category_id: expected one of the file's categories, got {category}")
            classes.append(categories.index[category])
            boxes.append(_box(annotation.get("bbox")))
            crowd.append(_crowd(annotation.get("iscrowd", 0)))
            if with_masks:
                masks.append(Mask.from_coco(annotation.get("segmentation"), size_hw))
        except LabelError as error:
            raise error.at(where=f"annotation {annotation.get('id')}") from None
    boxes = np.array(boxes, np.float64).reshape(n, 4)
    boxes[:, 2:] += boxes[:, :2]
    return Instances(
        size_hw=size_hw,
        categories=categories,
        boxes=boxes,
        classes=np.array(classes, np.int64).reshape(n),
        masks=tuple(masks) if with_masks else None,
        source=np.array([annotation["id"] for annotation in annotations], np.int64),
        crowd=np.array(crowd, bool).reshape(n),
    )


def annotation_from_instance(labels: Instances, i: int, image_id: int) -> Json:
    """Returns object ``i`` of ``labels`` as a new COCO annotation; a mask gives its own tight box and area."""
    annotation = {
        "id": int(labels.source[i]),
        "image_id": image_id,
        "category_id": labels.categories.ids[labels.classes[i]],
        "iscrowd": int(labels.crowd[i]),
    }
    if labels.masks is None:
        x0, y0, x1, y1 = labels.boxes[i].tolist()
        return annotation | {"bbox": [x0, y0, x1 - x0, y1 - y0], "area": (x1 - x0) * (y1 - y0)}
    return annotation | mask_fields(labels.masks[i])


def mask_fields(mask: Mask) -> Json:
    """Returns ``segmentation``, tight ``bbox`` ``[x, y, width, height]`` and ``area`` in pixels of a mask."""
    x0, y0, x1, y1 = mask.box
    return {"segmentation": mask.segmentation, "bbox": [x0, y0, x1 - x0, y1 - y0], "area": mask.area}


def coco_document(images: Sequence[Json], labels: Iterable[Instances], categories: Categories) -> Json:
    """Returns a new COCO document.

    Args:
        images: Entries of ``images``, with ids.
        labels: The labels of each image, in the same order; sources become annotation ids.
        categories: The classes.
    """
    annotations = [
        annotation_from_instance(instances, i, image["id"])
        for image, instances in zip(images, labels, strict=True)
        for i in range(len(instances))
    ]
    names = zip(categories.ids, categories.names, categories.groups, strict=True)
    return {
        "info": {},
        "licenses": [],
        "images": list(images),
        "annotations": annotations,
        "categories": [
            {"id": id_, "name": name} | ({} if group is None else {"supercategory": group})
            for id_, name, group in names
        ],
    }


def check_annotation(annotation: object, place: int, seen: set[int], images: Mapping[int, Json]) -> None:
    """Raises LabelError unless an annotation has an id of its own and an image; remembers the id.

    Args:
        annotation: The entry.
        place: Where it stands in the file's list.
        seen: The ids of the annotations before it; this one is added.
        images: The file's images by id.
    """
    id_ = _checked_id(annotation, "annotation", place, seen)
    image_id = annotation.get("image_id")
    if type(image_id) is not int or image_id not in images:
        raise LabelError(f"image_id: expected an image of the file, got {image_id!r}", where=f"annotation {id_}")
    if id_ < 0:
        raise LabelError("expected an id >= 0", where=f"annotation {id_}")
    seen.add(id_)


def _by_id(entries: Sequence[Json], kind: str) -> dict[int, Json]:
    table: dict[int, Json] = {}
    for place, entry in enumerate(entries):
        table[_checked_id(entry, kind, place, table)] = entry
    return table


def _checked_id(entry: object, kind: str, place: int, seen: Container[int]) -> int:
    id_ = entry.get("id") if isinstance(entry, dict) else None
    if type(id_) is not int or not -LARGEST_ID <= id_ <= LARGEST_ID:
        raise LabelError(
            f"expected a whole number of at most 63 bits under 'id', got {id_!r}", where=f"{kind}s[{place}]"
        )
    if id_ in seen:
        raise LabelError("expected unique ids, got this one twice", where=f"{kind} {id_}")
    return id_


def _size(image: Json) -> tuple[int, int]:
    size_hw = image.get("height"), image.get("width")
    if not all(type(side) is int and side > 0 for side in size_hw):
        raise LabelError(
            f"height, width: expected whole numbers >= 1, got {size_hw[0]!r}, {size_hw[1]!r}",
            where=f"image {image.get('id')}",
        )
    return size_hw


def _box(bbox: object) -> Sequence[float]:
    if type(bbox) is not list or len(bbox) != 4 or not NUMBERS.issuperset(map(type, bbox)):
        raise LabelError(f"bbox: expected four finite numbers [x, y, width, height], got {bbox}")
    x, y, width, height = bbox
    # The comparisons are false for NaN.
    if not (-FARTHEST <= x <= FARTHEST and -FARTHEST <= y <= FARTHEST and width <= FARTHEST and height <= FARTHEST):
        raise LabelError(f"bbox: expected four finite numbers [x, y, width, height], got {bbox}")
    if width < 0 or height < 0:
        raise LabelError(f"bbox: expected width and height >= 0, got {bbox}")
    return bbox


def _crowd(iscrowd: object) -> bool:
    if iscrowd not in (0, 1, None):
        raise LabelError(f"iscrowd: expected 0 or 1, got {iscrowd!r}")
    return bool(iscrowd)
