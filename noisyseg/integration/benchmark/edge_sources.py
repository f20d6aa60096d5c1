"""Small clean data sets of edges that the benchmark is made of, at the size that is trained on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from noisyseg.integration.benchmark.sources import pictures_of, spread
from noisyseg.labels import IGNORE, Categories, EdgeMap, SemanticMap
from noisyseg.labels.edges import edge_map, label_edges, thinned
from noisyseg.labels.mat_files import read_mat
from noisyseg.labels.rng import keyed_rng

__all__ = ["EDGE_SOURCES", "EdgePicture", "edge_pictures_of"]

EDGE_SOURCES = ("bsds500", "camvid", "scenes")
GROUND = {"scenes": 1, "camvid": 0}
"""How many classes at the beginning are ground, whose edges are those of all others."""


class EdgePicture(NamedTuple):
    """An image with its clean edges.

    Attributes:
        source: Name of the data set.
        split: ``"train"`` or ``"val"``.
        name: Stem of its files.
        image: (H, W, 3) uint8 RGB.
        annotators: Its edges, one pixel wide, with their regions: one map for training, one an annotator for
            validation.
        wide: For training, the edges of the same regions as wide as asked for; None for validation.
        ignore: Number of the region whose pixels are ignored; None where there is none.
    """

    source: str
    split: str
    name: str
    image: npt.NDArray[np.uint8]
    annotators: tuple[EdgeMap, ...]
    wide: EdgeMap | None
    ignore: int | None


def edge_pictures_of(
    source: str, *, train: int, val: int, size: int, seed: int, radius: float, agnostic: bool = False
) -> Iterator[EdgePicture]:
    """Yields the pictures of a data set: the same ones for the same arguments.

    ``camvid``: borders of the 11 classes of whole frames; void is ignored. ``scenes``: borders of the classes of
    objects. ``bsds500``: the wide images at even distances, whole, their width a multiple of 16; regions are scaled
    and their borders drawn anew, which keeps edges thin. There a training image has the edges of one of its
    annotators, drawn by (seed, name of the image), and a validation image those of all.

    Args:
        source: One of :data:`EDGE_SOURCES`.
        train: Number of training images.
        val: Number of validation images.
        size: Height of the pictures, pixels.
        seed: Seed of what is drawn: scenes and annotators.
        radius: How wide the wide edges are, see `noisyseg.labels.edges.label_edges`.
        agnostic: Whether the edges of all classes are one class; those of ``bsds500`` are.

    Raises:
        ValueError: There is no such source, or it has fewer images.
        OSError: Its files are not where the environment variable of the data set says.
    """
    if source not in EDGE_SOURCES:
        raise ValueError(f"source: expected one of {', '.join(EDGE_SOURCES)}, got {source!r}")
    if source == "bsds500":
        yield from _bsds500({"train": train, "val": val}, size, seed, radius)
        return
    for picture in pictures_of(source, train=train, val=val, size=size, seed=seed):
        labels, ground = picture.labels, None if agnostic else GROUND[source]
        thin = _of_classes(labels, ground, 0)
        wide = _of_classes(labels, ground, radius) if picture.split == "train" else None
        yield EdgePicture(source, picture.split, picture.name, picture.image, (thin,), wide, IGNORE)


def _of_classes(labels: SemanticMap, ground: int | None, radius: float) -> EdgeMap:
    """Returns the edges of all classes but the first ``ground``, or for None of all classes as one."""
    edges = edge_map(labels, radius)
    if ground is None:
        either = edges.edges.any(axis=0, keepdims=True)
        joined = either if radius else thinned(either[0])[None]
        return edges.replace(edges=joined, categories=Categories.from_names(("edge",)))
    return edges.replace(edges=edges.edges[ground:], categories=Categories.from_names(labels.categories.names[ground:]))


def _bsds500(counts: dict[str, int], size: int, seed: int, radius: float) -> Iterator[EdgePicture]:
    root = Path(os.environ.get("NOISYSEG_BSDS500", "data/bsds500/BSDS500/data"))
    for split, count in counts.items():
        wide = [path for path in sorted((root / "images" / split).glob("*.jpg")) if _is_wide(path)]
        for path in spread(wide, count, "BSDS500", root):
            with Image.open(path) as file:
                image = np.array(file.convert("RGB"))
            height, width = image.shape[:2]
            shape = (16 * round(width * size / height / 16), size)
            maps = read_mat(root / "groundTruth" / split / f"{path.stem}.mat").maps
            if split == "train":
                maps = (maps[keyed_rng(seed, path.stem, "annotator").integers(len(maps))],)
            thin = tuple(_of_regions(one, shape, 0) for one in maps)
            wide = _of_regions(maps[0], shape, radius) if split == "train" else None
            small = cv2.resize(image, shape, interpolation=cv2.INTER_AREA)
            yield EdgePicture("bsds500", split, path.stem, small, thin, wide, None)


def _is_wide(path: Path) -> bool:
    with Image.open(path) as image:
        return image.width > image.height


def _of_regions(labels: EdgeMap, size_wh: tuple[int, int], radius: float) -> EdgeMap:
    """Returns the edges of the regions at another size."""
    regions = cv2.resize(labels.regions.astype(np.uint16), size_wh, interpolation=cv2.INTER_NEAREST_EXACT)
    return EdgeMap(label_edges(regions, radius)[None], labels.categories, regions)
