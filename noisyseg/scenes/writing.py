"""A data set of scenes on disk, in the layouts that mmdet and mmseg read.

::

    OUT/images/{train,val}/000001.png                  RGB
    OUT/annotations/instances_{train,val}.json         COCO; annotations of an image in painting order
    OUT/semantic/{train,val}/000001.png                class of each pixel, 0 = background, k = category id k
    OUT/edges/{train,val}/000001.png                   bit mask of class boundaries, bit k - 1 = category id k
    OUT/scenes.json                                    what the set was made with

The PNGs of labels have a palette, so that any viewer shows them in colour; their values are what counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image
from tqdm import tqdm

from noisyseg.labels import Instances
from noisyseg.labels.coco import coco_document
from noisyseg.labels.files import write_json
from noisyseg.labels.folders import atomic_folder
from noisyseg.labels.rng import keyed_rng
from noisyseg.scenes.description import CATEGORIES
from noisyseg.scenes.palette import PALETTE, edge_palette
from noisyseg.scenes.rendering import render
from noisyseg.scenes.sampling import MIN_SIDE, sample_scene

VERSION = 1
"""Goes up whenever the same arguments give other scenes."""
MANIFEST = "scenes.json"


class _Job(NamedTuple):
    folder: Path
    seed: int
    split: str
    index: int
    size: int


def write_scenes(
    out_dir: str | Path,
    *,
    train: int = 200,
    val: int = 60,
    size: int = 128,
    seed: int = 0,
    workers: int = 1,
    force: bool = False,
    progress: bool = False,
) -> Path:
    """Writes a data set and returns its folder.

    Scene i of a split depends on the seed, the split and i alone, so a larger set begins with the smaller
    one, and the bytes are the same for any number of workers. The folder appears when it is complete.

    Args:
        out_dir: A folder that does not exist or is empty, unless ``force`` is given.
        train: Number of training images.
        val: Number of validation images.
        size: Height and width of the images, pixels, at least 32.
        seed: Any integer >= 0.
        workers: Number of processes.
        force: Replace a data set of scenes that stands in ``out_dir``; any other folder is still refused.
        progress: Show a progress bar.

    Raises:
        ValueError: An argument is out of range.
        FileExistsError: ``out_dir`` may not be replaced.
    """
    for name, value, least in (
        ("train", train, 1),
        ("val", val, 1),
        ("size", size, MIN_SIDE),
        ("seed", seed, 0),
        ("workers", workers, 1),
    ):
        if value < least:
            raise ValueError(f"{name}: expected at least {least}, got {value}")
    out_dir = Path(out_dir).absolute()
    with atomic_folder(out_dir, marker=MANIFEST, force=force) as folder:
        splits = {"train": train, "val": val}
        for split in splits:
            for part in ("images", "semantic", "edges"):
                (folder / part / split).mkdir(parents=True)
        jobs = [
            _Job(folder, seed, split, index, size) for split, count in splits.items() for index in range(1, count + 1)
        ]
        labels = list(tqdm(_write_all(jobs, workers), total=len(jobs), unit="scene", disable=not progress))
        _write_annotations(folder, jobs, labels)
        write_json(
            folder / MANIFEST,
            {"version": VERSION, "seed": seed, "size": size, "classes": CATEGORIES.names, "images": splits},
            indent=True,
        )
    return out_dir


def _write_all(jobs: Sequence[_Job], workers: int) -> Iterator[Instances]:
    """Yields the instances of each job, in order, once its files are written."""
    if workers == 1:
        yield from map(_write_scene, jobs)
        return
    with ProcessPoolExecutor(workers) as pool:
        yield from pool.map(_write_scene, jobs, chunksize=4)


def _write_scene(job: _Job) -> Instances:
    rendering = render(sample_scene(keyed_rng(job.seed, "scenes", job.split, job.index), (job.size, job.size)))
    name = Path(job.split) / _file_name(job)
    _write_png(job.folder / "images" / name, rendering.image)
    _write_png(job.folder / "semantic" / name, rendering.semantic.classes, PALETTE)
    _write_png(job.folder / "edges" / name, rendering.edges, edge_palette())
    return rendering.instances


def _write_png(
    path: Path, pixels: npt.NDArray[np.uint8], palette: Sequence[tuple[int, int, int]] | None = None
) -> None:
    height, width = pixels.shape[:2]
    image = Image.frombytes("RGB" if palette is None else "P", (width, height), pixels.tobytes())
    if palette is not None:
        # A full palette keeps Pillow from packing pixels into fewer bits, which not every reader unpacks.
        full = [*palette, *[(0, 0, 0)] * (256 - len(palette))]
        image.putpalette([channel for colour in full for channel in colour])
    image.save(path, format="PNG", compress_level=6)


def _write_annotations(folder: Path, jobs: Sequence[_Job], labels: Sequence[Instances]) -> None:
    """Writes a COCO file a split; ids of images and annotations count on from split to split."""
    images: dict[str, list[dict[str, Any]]] = {}
    numbered: dict[str, list[Instances]] = {}
    first = 1
    for image_id, (job, instances) in enumerate(zip(jobs, labels, strict=True), start=1):
        images.setdefault(job.split, []).append(
            {"id": image_id, "file_name": _file_name(job), "height": job.size, "width": job.size}
        )
        source = np.arange(first, first + len(instances))
        numbered.setdefault(job.split, []).append(instances.replace(source=source))
        first += len(instances)
    for split, entries in images.items():
        document = coco_document(entries, numbered[split], CATEGORIES)
        document["info"] = {"description": f"noisyseg scenes, {split}", "version": str(VERSION)}
        write_json(folder / "annotations" / f"instances_{split}.json", document)


def _file_name(job: _Job) -> str:
    return f"{job.index:06d}.png"
