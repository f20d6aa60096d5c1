"""PASCAL VOC 2012 and SBD segmentation labels, and their COCO and semantic form.

VOC: ``SegmentationObject/<id>.png`` and ``SegmentationClass/<id>.png``, whose values are numbers of objects and of
classes (0 background, 255 void), and ``ImageSets/Segmentation/<split>.txt``. SBD: ``inst/<id>.mat``, ``cls/<id>.mat``
and ``<split>.txt``.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError
from scipy import ndimage
from tqdm import tqdm

from noisyseg.labels.categories import Categories
from noisyseg.labels.errors import LabelError
from noisyseg.labels.files import write_json
from noisyseg.labels.folders import atomic_folder
from noisyseg.labels.instances import IGNORE, SemanticMap
from noisyseg.labels.masks import Mask
from noisyseg.labels.mat_files import read_mat
from noisyseg.labels.semantic_files import write_semantic_map
from noisyseg.labels.voc_classes import VOC_CLASSES, VOC_GROUP_OF

Layout = Literal["voc", "sbd"]
MANIFEST = "voc.json"
SPLITS: dict[str, str] = {"voc": "ImageSets/Segmentation/{}.txt", "sbd": "{}.txt"}
NAMES = Categories.from_names(("background", *VOC_CLASSES))


class VocImage(NamedTuple):
    """The labels of one image.

    Attributes:
        objects: (H, W) numbers of objects from 1; 0 and 255 are none.
        classes: (H, W) uint8 classes 0 (background) to 20, 255 void.
        class_of: The class of each object, 1..20; the one that most of its pixels have.
        mixed: How many objects have pixels of several classes.
    """

    objects: npt.NDArray[np.integer]
    classes: npt.NDArray[np.uint8]
    class_of: dict[int, int]
    mixed: int


def read_split(root: str | Path, split: str, layout: Layout = "voc") -> list[str]:
    """Returns the image ids of a split, sorted.

    Raises:
        LabelError: The list is empty, or names an image twice.
        OSError: It cannot be read.
    """
    path = Path(root) / SPLITS[layout].format(split)
    ids = sorted(path.read_text().split())
    if not ids:
        raise LabelError("expected image ids, got none", file=path)
    twice = [one for one, other in pairwise(ids) if one == other]
    if twice:
        raise LabelError(f"expected each image once, got {twice[0]} again", file=path)
    return ids


def read_image(root: str | Path, image: str, layout: Layout = "voc") -> VocImage:
    """Returns the labels of an image.

    Raises:
        LabelError: A file cannot be used, or an object has no class.
        OSError: A file cannot be read.
    """
    labels = (_read_sbd if layout == "sbd" else _read_voc)(Path(root), image)
    used = {*labels.class_of.values(), *np.unique(labels.classes).tolist()}
    wrong = sorted(used - {*range(len(NAMES)), IGNORE})
    if wrong:
        raise LabelError(f"expected classes 0..{len(VOC_CLASSES)} or {IGNORE}, got {wrong[0]}", file=image)
    return labels


def coco_annotations(labels: VocImage) -> list[dict[str, Any]]:
    """Returns the objects as COCO annotations without ids: compressed RLE, tight boxes, areas in pixels."""
    numbers = [number for number in np.unique(labels.objects).tolist() if number not in (0, IGNORE)]
    compact = np.zeros(max(int(labels.objects.max()), IGNORE) + 1, np.int32)
    compact[numbers] = np.arange(1, len(numbers) + 1)
    compact = compact[labels.objects]
    annotations = []
    for k, (number, window) in enumerate(zip(numbers, ndimage.find_objects(compact), strict=True), start=1):
        rows, columns = window
        pixels = (compact[window] == k).astype(np.uint8)
        mask = Mask.from_crop(columns.start, rows.start, pixels, labels.objects.shape)
        annotations.append(
            {
                "category_id": labels.class_of[number],
                "iscrowd": 0,
                "area": int(pixels.sum()),
                "bbox": [columns.start, rows.start, columns.stop - columns.start, rows.stop - rows.start],
                "segmentation": mask.rle,
            }
        )
    return annotations


def convert_voc(
    root: str | Path,
    out_dir: str | Path,
    *,
    layout: Layout = "voc",
    splits: Sequence[str] = ("train", "val"),
    force: bool = False,
    progress: bool = False,
) -> dict[str, Any]:
    """Writes ``instances_<split>.json`` and ``semantic/<id>.png``, and returns the manifest ``voc.json`` beside them.

    Image and annotation ids count from 1 in the order of image ids; category ids are the class numbers 1..20; file
    names are ``<id>.jpg``. The folder appears when it is complete.

    Args:
        root: Folder of the data set, such as ``VOCdevkit/VOC2012`` or ``benchmark_RELEASE/dataset``.
        out_dir: The folder to write: one that does not exist or is empty, unless ``force`` is given.
        layout: Whose layout ``root`` has.
        splits: Names of the lists of images.
        force: Replace a folder that this function wrote.
        progress: Draw a progress bar on stderr.

    Raises:
        LabelError: A file cannot be used; the message names it.
        FileExistsError: ``out_dir`` may not be replaced.
        OSError: A file is missing.
    """
    lists = {split: read_split(root, split, layout) for split in splits}
    counts: dict[str, dict[str, int]] = {}
    with atomic_folder(out_dir, marker=MANIFEST, force=force) as folder:
        for split, ids in lists.items():
            images, annotations, mixed = [], [], 0
            for image_id, image in enumerate(tqdm(ids, unit="image", desc=split, disable=not progress), start=1):
                labels = read_image(root, image, layout)
                height, width = labels.classes.shape
                images.append({"id": image_id, "file_name": f"{image}.jpg", "height": height, "width": width})
                for entry in coco_annotations(labels):
                    annotations.append({"id": len(annotations) + 1, "image_id": image_id, **entry})
                mixed += labels.mixed
                write_semantic_map(folder / "semantic" / f"{image}.png", SemanticMap(labels.classes, NAMES))
            document = {"images": images, "annotations": annotations, "categories": voc_categories()}
            write_json(folder / f"instances_{split}.json", document)
            counts[split] = {"images": len(images), "objects": len(annotations), "of several classes": mixed}
        manifest = {
            "layout": layout,
            "splits": counts,
            "classes": list(NAMES.names),
            "ignore_index": IGNORE,
            "versions": {"noisyseg": version("noisyseg")},
        }
        write_json(folder / MANIFEST, manifest, indent=True)
    return manifest


def voc_categories() -> list[dict[str, Any]]:
    """Returns the COCO categories 1..20."""
    return [
        {"id": number, "name": name, "supercategory": VOC_GROUP_OF[name]}
        for number, name in enumerate(VOC_CLASSES, start=1)
    ]


def _read_voc(root: Path, image: str) -> VocImage:
    path = root / "SegmentationObject" / f"{image}.png"
    objects, classes = _numbers(path), _numbers(root / "SegmentationClass" / f"{image}.png")
    _check_sizes(objects, classes, path)
    counts = np.bincount(objects.ravel().astype(np.int64) * (IGNORE + 1) + classes.ravel(), minlength=(IGNORE + 1) ** 2)
    counts = counts.reshape(IGNORE + 1, IGNORE + 1)[:, 1:IGNORE]
    class_of, mixed = {}, 0
    for number in np.unique(objects).tolist():
        if number in (0, IGNORE):
            continue
        if not counts[number].any():
            raise LabelError(f"expected a class on the pixels of object {number}, got none", file=path)
        class_of[number] = int(counts[number].argmax()) + 1
        mixed += int(np.count_nonzero(counts[number]) > 1)
    return VocImage(objects, classes, class_of, mixed)


def _read_sbd(root: Path, image: str) -> VocImage:
    path = root / "inst" / f"{image}.mat"
    found = read_mat(path)
    if found.layout != "GTinst":
        raise LabelError(f"expected the variable GTinst, got {found.layout}", file=path)
    objects = found.maps[0].regions
    classes = read_mat(root / "cls" / f"{image}.mat", SemanticMap).maps[0].classes.astype(np.uint8)
    _check_sizes(objects, classes, path)
    struct = found.document["GTinst"]
    if "Categories" not in struct.dtype.names:
        raise LabelError(f"expected the field Categories, got {', '.join(struct.dtype.names)}", file=path)
    listed = np.ravel(struct["Categories"][0, 0]).astype(int).tolist()
    class_of = dict(enumerate(listed, start=1))
    unknown = [number for number in np.unique(objects).tolist() if number not in (0, IGNORE, *class_of)]
    if unknown:
        raise LabelError(f"expected a category for each object, got none for {unknown[0]}", file=path)
    return VocImage(objects, classes, class_of, 0)


def _check_sizes(objects: npt.NDArray[np.integer], classes: npt.NDArray[np.uint8], path: Path) -> None:
    if objects.shape != classes.shape:
        raise LabelError(f"expected classes of {objects.shape}, got {classes.shape}", file=path)


def _numbers(path: Path) -> npt.NDArray[np.uint8]:
    """Returns the numbers in a PNG with a palette, or a grey one."""
    try:
        with Image.open(path) as image:
            if image.mode not in ("P", "L"):
                raise LabelError(f"expected a PNG with a palette, got one of mode {image.mode}", file=path)
            return np.array(image)
    except UnidentifiedImageError:
        raise LabelError("expected a PNG with a palette, got no image", file=path) from None
