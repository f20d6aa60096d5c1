"""Small clean data sets that the benchmark is made of: images with label maps, at the size that is trained on."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from noisyseg.labels import IGNORE, Categories, SemanticMap
from noisyseg.labels.camvid import read_camvid
from noisyseg.labels.coco import CocoFile, read_coco
from noisyseg.labels.paint import semantic_from_instances
from noisyseg.scenes import CLASSES, write_scenes

__all__ = ["SOURCES", "Picture", "pictures_of", "spread"]


class Picture(NamedTuple):
    """An image with its clean labels.

    Attributes:
        split: ``"train"`` or ``"val"``.
        name: Stem of its files.
        image: (H, W, 3) uint8 RGB.
        labels: Its classes.
    """

    split: str
    name: str
    image: npt.NDArray[np.uint8]
    labels: SemanticMap


def pictures_of(source: str, *, train: int, val: int, size: int, seed: int) -> Iterator[Picture]:
    """Yields the pictures of a data set: the same ones for the same arguments.

    Args:
        source: ``camvid``, ``dsb2018`` or ``scenes``.
        train: Number of training images.
        val: Number of validation images.
        size: Height of the pictures, pixels; how wide they are follows from the data set.
        seed: Seed of what is drawn; only scenes are.

    Raises:
        ValueError: There is no such source, or it has fewer images.
        OSError: Its files are not where the environment variable of the data set says.
    """
    if source not in SOURCES:
        raise ValueError(f"source: expected one of {', '.join(SOURCES)}, got {source!r}")
    return SOURCES[source]({"train": train, "val": val}, size, seed)


def _camvid(counts: dict[str, int], size: int, _seed: int) -> Iterator[Picture]:
    """Yields CamVid at a smaller scale: frames at even distances, whole, their width a multiple of 16."""
    root = Path(os.environ.get("NOISYSEG_CAMVID", "data/camvid"))
    for split, count in counts.items():
        for path in spread(sorted((root / f"{split}annot").glob("*.png")), count, "CAMVID", root):
            labels = read_camvid(path)
            height, width = labels.size_hw
            shape = (16 * round(width * size / height / 16), size)
            image = cv2.resize(_read(root / split / path.name), shape, interpolation=cv2.INTER_AREA)
            yield Picture(split, path.stem, image, _scaled(labels, shape))


def _dsb2018(counts: dict[str, int], size: int, _seed: int) -> Iterator[Picture]:
    """Yields nuclei on a ground: corrected masks painted as one class, at half the scale, the middle of the image.

    The data set has no split: of images at even distances in the order of the file, every third or so validates.
    """
    root = Path(os.environ.get("NOISYSEG_DSB2018", "data/dsb2018"))
    coco = read_coco(root / "annotations" / "instances_fixed.json")
    large = [key for key, entry in coco.images.items() if min(entry["height"], entry["width"]) >= 2 * size]
    chosen = spread(large, sum(counts.values()), "DSB2018", root)
    places = np.linspace(0, len(chosen) - 1, counts["val"]).round().astype(int)
    for place, image_id in enumerate(chosen):
        yield _nuclei(root, coco, image_id, "val" if place in places else "train", size)


def _nuclei(root: Path, coco: CocoFile, image_id: int, split: str, size: int) -> Picture:
    entry = coco.images[image_id]
    painted = semantic_from_instances(coco.instances(image_id)).classes
    top, left = (entry["height"] - 2 * size) // 2, (entry["width"] - 2 * size) // 2
    window = np.s_[top : top + 2 * size, left : left + 2 * size]
    image = cv2.resize(_read(root / "images" / entry["file_name"])[window], (size, size), interpolation=cv2.INTER_AREA)
    nuclei = np.where(painted == IGNORE, IGNORE, np.minimum(painted, 1)).astype(np.uint8)
    labels = SemanticMap(nuclei[window], Categories.from_names(("background", "nucleus")))
    return Picture(split, f"{image_id:04d}", image, _scaled(labels, (size, size)))


def _scenes(counts: dict[str, int], size: int, seed: int) -> Iterator[Picture]:
    """Yields synthetic scenes."""
    categories = Categories.from_names(("background", *CLASSES))
    with tempfile.TemporaryDirectory() as scratch:
        root = write_scenes(Path(scratch) / "scenes", **counts, size=size, seed=seed)
        for split in counts:
            for path in sorted((root / "images" / split).glob("*.png")):
                classes = np.array(Image.open(root / "semantic" / split / path.name))
                yield Picture(split, path.stem, _read(path), SemanticMap(classes, categories))


SOURCES: dict[str, Callable[[dict[str, int], int, int], Iterator[Picture]]] = {
    "camvid": _camvid,
    "dsb2018": _dsb2018,
    "scenes": _scenes,
}


def spread(items: Sequence, count: int, name: str, root: Path) -> list:
    """Returns ``count`` of the items, at even distances.

    Args:
        items: Files of a split, or what stands for them.
        count: At least 1.
        name: The data set, as in the name of its environment variable.
        root: Where it was looked for.

    Raises:
        FileNotFoundError: There is none.
        ValueError: There are fewer than ``count``.
    """
    if not items:
        raise FileNotFoundError(f"{root}: no labels there; say where they are with NOISYSEG_{name}")
    if count > len(items):
        raise ValueError(f"{root}: expected at least {count} images of a split, got {len(items)}")
    return [items[place] for place in np.linspace(0, len(items) - 1, count).round().astype(int)]


def _read(path: Path) -> npt.NDArray[np.uint8]:
    with Image.open(path) as image:
        return np.array(image.convert("RGB"))


def _scaled(labels: SemanticMap, size_wh: tuple[int, int]) -> SemanticMap:
    """Returns the map at another size; a pixel has the class of the nearest one."""
    return labels.replace(classes=cv2.resize(labels.classes, size_wh, interpolation=cv2.INTER_NEAREST_EXACT))
