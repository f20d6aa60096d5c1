"""Cityscapes ``gtFine`` files, and their COCO form in the three ways in which it has been made.

The conventions differ in what becomes an object: the pixels of an instance image (mmdet), every polygon (the authors of
Cityscapes-N), or polygons cut by those in front of them (detectron2). Ids, order and file names are ours in all three:
image and annotation ids count from 1 in the order of file names, so neither the file system nor an unused label changes
them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import cv2
import numpy as np
import orjson
from scipy import ndimage
from shapely.geometry import Polygon
from shapely.geometry.base import BaseGeometry
from tqdm import tqdm

from noisyseg.labels.errors import LabelError
from noisyseg.labels.masks import Mask

Convention = Literal["mmdet", "authors", "detectron2"]
SUFFIX: dict[Convention, str] = {
    "mmdet": "_gtFine_instanceIds.png",
    "authors": "_gtFine_polygons.json",
    "detectron2": "_gtFine_polygons.json",
}
FIRST_OBJECT = 1000


class Label(NamedTuple):
    """A label of Cityscapes: official id, name and group; whether it has objects that are evaluated."""

    id: int
    name: str
    group: str
    thing: bool


_STUFF = {
    "void": (*("unlabeled", "ego vehicle", "rectification border", "out of roi", "static", "dynamic", "ground"),),
    "flat": ("road", "sidewalk", "parking", "rail track"),
    "construction": ("building", "wall", "fence", "guard rail", "bridge", "tunnel"),
    "object": ("pole", "polegroup", "traffic light", "traffic sign"),
    "nature": ("vegetation", "terrain"),
    "sky": ("sky",),
    "human": ("person", "rider"),
    "vehicle": ("car", "truck", "bus", "caravan", "trailer", "train", "motorcycle", "bicycle"),
}
_NAMED = [(name, group) for group, names in _STUFF.items() for name in names]
LABELS = tuple(
    Label(id_, name, group, group in ("human", "vehicle") and name not in ("caravan", "trailer"))
    for id_, (name, group) in enumerate(_NAMED)
)
PLATE = Label(-1, "license plate", "vehicle", False)
BY_NAME = {label.name: label for label in (*LABELS, PLATE)}
THINGS = tuple(label for label in LABELS if label.thing)
# In the polygon files a region of many objects has its label's name followed by this.
GROUP = "group"
WITH_GROUPS = (*(label.name for label in (*LABELS, PLATE)), *(f"{label.name}{GROUP}" for label in LABELS[24:]))


class GtFile(NamedTuple):
    """One label file: the city, the name without suffixes, and where it is."""

    city: str
    stem: str
    path: Path


class Converted(NamedTuple):
    """A COCO document, and how many objects were left out of it, by reason."""

    document: dict[str, Any]
    left_out: dict[str, int]


def find_files(root: str | Path, split: str, convention: Convention = "mmdet") -> list[GtFile]:
    """Returns the label files of a split, sorted by city and name.

    Raises:
        LabelError: There are none.
    """
    folder = Path(root) / "gtFine" / split
    suffix = SUFFIX[convention]
    found = [GtFile(path.parent.name, path.name.removesuffix(suffix), path) for path in folder.glob(f"*/*{suffix}")]
    if not found:
        raise LabelError(f"expected files <city>/*{suffix}, got none", file=folder)
    return sorted(found)


def coco_from_gt_fine(
    files: Iterable[GtFile], convention: Convention = "mmdet", *, min_area: int = 0, progress: bool = False
) -> Converted:
    """Returns the COCO document of label files.

    Args:
        files: From :func:`find_files`, in any order.
        convention: ``"mmdet"``: an object is what has one number in ``instanceIds.png``, in the 8 evaluated classes;
            numbers below 1000 are crowds. ``"authors"``: each polygon is an object, of whatever label, also the sky or
            a group, and hides nothing. ``"detectron2"``: each polygon of the 8 classes, grown by half a pixel and
            without what later polygons cover, is an object; groups are crowds; holes are filled.
        min_area: Objects of fewer pixels are left out and counted; crowds stay.
        progress: Draw a progress bar on stderr.

    Raises:
        LabelError: A file cannot be used; the message names it.
        ValueError: There is no such convention.
    """
    if convention not in SUFFIX:
        raise ValueError(f"convention: expected one of {', '.join(SUFFIX)}, got {convention!r}")
    images, annotations = [], []
    left_out: dict[str, int] = {"too small": 0, "without pixels": 0, "fewer than three corners": 0}
    for file in tqdm(sorted(files), unit="image", disable=not progress):
        try:
            size_hw, found = _READERS[convention](file.path)
        except LabelError as error:
            raise error.at(file=file.path) from None
        image_id = len(images) + 1
        images.append(_image_entry(file, size_hw, image_id, convention))
        for entry in found:
            reason = entry.pop("left_out", None)
            if reason is None and entry["area"] < min_area and not entry["iscrowd"]:
                reason = "too small"
            if reason:
                left_out[reason] += 1
            else:
                annotations.append({"id": len(annotations) + 1, "image_id": image_id, **entry})
    document = {"images": images, "annotations": annotations, "categories": categories(convention)}
    return Converted(document, {reason: count for reason, count in left_out.items() if count})


def categories(convention: Convention) -> list[dict[str, Any]]:
    """Returns the COCO categories: the 8 evaluated classes under their official ids, or all names, from 1."""
    if convention != "authors":
        return [{"id": label.id, "name": label.name, "supercategory": label.group} for label in THINGS]
    return [
        {"id": k, "name": name, "supercategory": _label(name)[0].group} for k, name in enumerate(WITH_GROUPS, start=1)
    ]


def _image_entry(file: GtFile, size_hw: tuple[int, int], image_id: int, convention: Convention) -> dict[str, Any]:
    entry = {
        "id": image_id,
        "file_name": f"{file.city}/{file.stem}_leftImg8bit.png",
        "height": size_hw[0],
        "width": size_hw[1],
    }
    return entry | ({"segm_file": f"{file.city}/{file.stem}_gtFine_labelIds.png"} if convention == "mmdet" else {})


def _from_instance_image(path: Path) -> tuple[tuple[int, int], list[dict[str, Any]]]:
    """Returns the size and the annotations of an ``instanceIds.png``, by instance number."""
    numbers = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if numbers is None or numbers.ndim != 2 or numbers.dtype != np.uint16:
        raise LabelError("expected a grey PNG of 16 bits")
    found = np.unique(numbers)
    labels = {number: number // FIRST_OBJECT if number >= FIRST_OBJECT else number for number in found.tolist()}
    unknown = [number for number, label in labels.items() if label >= len(LABELS)]
    if unknown:
        raise LabelError(f"expected labels 0..{len(LABELS) - 1}, times 1000 plus a number, got {unknown[0]}")
    kept = [number for number, label in labels.items() if LABELS[label].thing]
    compact = np.zeros(int(found[-1]) + 1, np.int32)
    compact[kept] = np.arange(1, len(kept) + 1)
    compact = compact[numbers]
    masks = []
    for k, window in enumerate(ndimage.find_objects(compact), start=1):
        rows, columns = window
        masks.append(Mask.from_crop(columns.start, rows.start, (compact[window] == k).astype(np.uint8), numbers.shape))
    annotations = [
        _entry(mask.rle, mask.box, mask.area, labels[number], number < FIRST_OBJECT)
        for number, mask in zip(kept, masks, strict=True)
    ]
    return numbers.shape, annotations


def _from_all_polygons(path: Path) -> tuple[tuple[int, int], list[dict[str, Any]]]:
    """Returns the size and one annotation a polygon, box cut to whole numbers, whatever lies over it."""
    size_hw, objects = _polygons(path)
    annotations = []
    for name, points in objects:
        _label(name)
        if len(points) < 3:
            annotations.append({"left_out": "fewer than three corners"})
            continue
        x0, y0, x1, y1 = (int(value) for value in (*points.min(axis=0), *points.max(axis=0)))
        rings = [points.ravel().tolist()]
        annotations.append(_entry(rings, (x0, y0, x1, y1), _area(rings, size_hw), WITH_GROUPS.index(name) + 1, False))
    return size_hw, annotations


def _from_visible_polygons(path: Path) -> tuple[tuple[int, int], list[dict[str, Any]]]:
    """Returns the size and the annotations of what later polygons leave visible, front to back."""
    size_hw, objects = _polygons(path)
    front: BaseGeometry = Polygon()
    annotations = []
    for name, points in reversed(objects):
        label, group = _label(name)
        if label.id < 0:
            continue
        if len(points) < 3:
            if label.thing:
                annotations.append({"left_out": "fewer than three corners"})
            continue
        # The corners are pixels; half a pixel on each side is what a raster image of the polygon covers.
        shape = Polygon(points + 0.5).buffer(0.5, quad_segs=4)
        visible = shape.difference(front)
        front = front.union(shape)
        if not label.thing:
            continue
        rings = [np.asarray(part.exterior.coords).ravel().tolist() for part in _parts(visible)]
        if not rings:
            annotations.append({"left_out": "without pixels"})
            continue
        annotations.append(_entry(rings, visible.bounds, _area(rings, size_hw), label.id, group))
    return size_hw, annotations


_READERS = {"mmdet": _from_instance_image, "authors": _from_all_polygons, "detectron2": _from_visible_polygons}


def _polygons(path: Path) -> tuple[tuple[int, int], list[tuple[str, np.ndarray]]]:
    """Returns the size, and name and (V, 2) corners of each object that is not deleted, back to front."""
    try:
        document = orjson.loads(path.read_bytes())
        size_hw = int(document["imgHeight"]), int(document["imgWidth"])
        objects = [
            (str(entry["label"]), np.array(entry["polygon"], np.float64).reshape(-1, 2))
            for entry in document["objects"]
            if not entry.get("deleted")
        ]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        problem = f"no {error}" if isinstance(error, KeyError) else str(error)
        raise LabelError(f"expected imgHeight, imgWidth and objects with label and polygon, got {problem}") from None
    return size_hw, objects


def _label(name: str) -> tuple[Label, bool]:
    """Returns the label of a name, and whether it is a group of objects."""
    if name in BY_NAME:
        return BY_NAME[name], False
    single = name.removesuffix(GROUP)
    if single == name or single not in BY_NAME or BY_NAME[single] not in LABELS[24:]:
        raise LabelError(f"expected a label of Cityscapes, got {name!r}")
    return BY_NAME[single], True


def _parts(shape: BaseGeometry) -> list[Polygon]:
    """Returns the polygons in a shape; lines and points, which polygons share, have no area and are none."""
    if isinstance(shape, Polygon):
        return [] if shape.is_empty else [shape]
    return [part for piece in getattr(shape, "geoms", ()) for part in _parts(piece)]


def _entry(
    segmentation: list[list[float]] | Mapping[str, Any],
    box: tuple[float, float, float, float],
    area: int,
    category: int,
    crowd: bool,
) -> dict[str, Any]:
    x0, y0, x1, y1 = box
    return {
        "category_id": category,
        "iscrowd": int(crowd),
        "area": area,
        "bbox": [x0, y0, x1 - x0, y1 - y0],
        "segmentation": segmentation,
    }


def _area(rings: list[list[float]], size_hw: tuple[int, int]) -> int:
    """Returns the number of pixels that the rings cover together."""
    return Mask.from_coco(rings, size_hw).area
