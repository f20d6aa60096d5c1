"""Measure the pairs of two COCO files, image by image, in one process or several."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from joblib import Parallel, delayed
from tqdm import tqdm

from noisyseg.evaluation.report import kernels
from noisyseg.evaluation.report.matching import Pairing, pairs_by_id, pairs_by_overlap
from noisyseg.evaluation.report.tables import (
    IMAGE,
    PAIR,
    RELATIVE_TOLERANCE,
    SINGLE,
    TOLERANCES,
    Rows,
    Tables,
    joined_tables,
)
from noisyseg.labels import Categories, Crop, Instances, LabelError, Mask
from noisyseg.labels.coco import instances_from_coco
from noisyseg.labels.coco_text import CocoText, read_annotations

Json = dict[str, Any]
Ints = npt.NDArray[np.int64]
# Annotations of one file in one task.
TASK_SIZE = 1000


@dataclass(frozen=True)
class Side:
    """One of the two files, as a worker needs it.

    Attributes:
        path: The file.
        categories: Its classes.
        with_masks: Whether its annotations have segmentations.
    """

    path: Path
    categories: Categories
    with_masks: bool


@dataclass(frozen=True)
class Settings:
    """What is the same in all tasks.

    Attributes:
        clean: The clean file.
        noisy: The noisy file.
        classes: (K',) clean class of each noisy one.
        pairing: How objects are paired.
    """

    clean: Side
    noisy: Side
    classes: Ints
    pairing: Pairing


@dataclass(frozen=True)
class Work:
    """One image.

    Attributes:
        place: Its place in the list of images.
        clean: Its entry in the clean file, else that in the noisy one.
        spans: Bytes of its annotations in the clean file and in the noisy one, (N, 2) and (M, 2).
    """

    place: int
    entry: Json
    spans: tuple[Ints, Ints]


def measure_files(
    clean: CocoText,
    noisy: CocoText,
    images: Sequence[tuple[int | None, int | None]],
    classes: Ints,
    pairing: Pairing,
    *,
    workers: int,
    progress: bool,
) -> Tables:
    """Returns what there is to know about each pair, object without a partner, and image.

    Args:
        clean: The clean file.
        noisy: The noisy file.
        images: Clean and noisy id of each image; None where a file lacks it.
        classes: (K',) clean class of each noisy one.
        pairing: How objects are paired.
        workers: Number of processes; the result does not depend on it.
        progress: Whether to draw a progress bar on stderr.

    Raises:
        LabelError: An annotation cannot be used.
    """
    settings = Settings(
        Side(clean.path, clean.categories, clean.with_masks),
        Side(noisy.path, noisy.categories, noisy.with_masks),
        classes,
        pairing,
    )
    tasks = list(_tasks(clean, noisy, images))
    if workers == 1:
        results: Iterable[Tables] = (measure_images(settings, task) for task in tasks)
    else:
        results = Parallel(n_jobs=workers, return_as="generator")(delayed(_in_worker)(settings, task) for task in tasks)
    with tqdm(total=len(images), unit="image", unit_scale=True, disable=not progress) as bar:
        tables = []
        for task, table in zip(tasks, results, strict=True):
            tables.append(table)
            bar.update(len(task))
    return joined_tables(tables)


def measure_images(settings: Settings, task: Sequence[Work]) -> Tables:
    """Returns the tables of some images."""
    given = [_annotations(side, [work.spans[k] for work in task]) for k, side in enumerate(_sides(settings))]
    ops: dict[str, int] = {}
    tables = []
    for work, clean_entries, noisy_entries in zip(task, *given, strict=True):
        clean = _instances(settings.clean, work.entry, clean_entries)
        noisy = _instances(settings.noisy, work.entry, noisy_entries)
        noisy = noisy.replace(classes=settings.classes[noisy.classes], categories=settings.clean.categories)
        if settings.pairing.by == "id":
            here, there = pairs_by_id(clean.source, noisy.source - settings.pairing.shift)
        else:
            here, there = pairs_by_overlap(clean, noisy)
        records = [entry.get("noise") for entry in noisy_entries]
        rows = _pair_rows(clean, noisy, here, there)
        rows["image"] = work.place
        for row, j in zip(rows, there.tolist(), strict=True):
            _read_record(row, records[j], ops)
        missing = _single_rows(clean, np.setdiff1d(np.arange(len(clean)), here), work.place)
        alone = np.setdiff1d(np.arange(len(noisy)), there)
        added = _single_rows(noisy, alone, work.place)
        for row, j in zip(added, alone.tolist(), strict=True):
            row["piece"] = isinstance(records[j], Mapping) and "piece" in records[j].get("flags", ())
            row["ops"] = _bits(records[j], ops)
        tables.append(Tables(rows, missing, added, _image_row(clean, noisy), list(ops)))
    return Tables(
        *(
            np.concatenate([getattr(table, name) for table in tables])
            for name in ("pairs", "missing", "added", "images")
        ),
        ops=list(ops),
    )


def _in_worker(settings: Settings, task: Sequence[Work]) -> Tables:
    cv2.setNumThreads(1)  # one process a core
    return measure_images(settings, task)


def _sides(settings: Settings) -> tuple[Side, Side]:
    return settings.clean, settings.noisy


def _tasks(clean: CocoText, noisy: CocoText, images: Sequence[tuple[int | None, int | None]]) -> Iterator[list[Work]]:
    nothing = np.zeros(0, np.int64)
    places = clean.positions, noisy.positions
    task: list[Work] = []
    size = 0
    for place, ids in enumerate(images):
        spans = tuple(
            index.spans[nothing if id_ is None else found[id_]]
            for index, found, id_ in zip((clean, noisy), places, ids, strict=True)
        )
        entry = noisy.images[ids[1]] if ids[0] is None else clean.images[ids[0]]
        task.append(Work(place, {"id": entry["id"], "height": entry.get("height"), "width": entry.get("width")}, spans))
        size += max(*map(len, spans), 1)
        if size >= TASK_SIZE:
            yield task
            task, size = [], 0
    if task:
        yield task


def _annotations(side: Side, spans: Sequence[Ints]) -> list[list[Json]]:
    """Returns the annotations of each image; parsed together, which is faster."""
    entries = read_annotations(side.path, np.concatenate(spans))
    stops = np.cumsum([0, *map(len, spans)]).tolist()
    return [entries[start:stop] for start, stop in pairwise(stops)]


def _instances(side: Side, image: Json, annotations: Sequence[Json]) -> Instances:
    try:
        return instances_from_coco(image, annotations, side.categories, with_masks=side.with_masks)
    except LabelError as error:
        raise error.at(file=side.path) from None


def _pair_rows(clean: Instances, noisy: Instances, here: Ints, there: Ints) -> Rows:
    rows = np.zeros(len(here), PAIR)
    for name, labels, places in (("clean", clean, here), ("noisy", noisy, there)):
        rows[f"{name}_id"] = labels.source[places]
        rows[f"{name}_class"] = labels.classes[places]
        rows[f"{name}_box"] = labels.boxes[places]
    rows["crowd"] = clean.crowd[here]
    if clean.masks is None or noisy.masks is None:
        rows["same"] = (rows["clean_box"] == rows["noisy_box"]).all(axis=1)
        for name in ("clean", "noisy"):
            sides = rows[f"{name}_box"][:, 2:] - rows[f"{name}_box"][:, :2]
            rows[f"{name}_area"] = sides.prod(axis=1)
        for name in ("both", "distance", "hausdorff95", "bias", "boundary_f"):
            rows[name] = np.nan
        return rows
    height, width = clean.size_hw
    tolerances = np.array([*TOLERANCES, RELATIVE_TOLERANCE * float(np.hypot(height, width))])
    out = np.empty(len(kernels.MEASURES) + len(tolerances))
    for row, i, j in zip(rows, here.tolist(), there.tolist(), strict=True):
        _measure_masks(row, clean.masks[i], noisy.masks[j], tolerances, out)
    return rows


def _measure_masks(row: Rows, clean: Mask, noisy: Mask, tolerances: npt.NDArray[np.float64], out: Rows) -> None:
    row["clean_tight"] = clean.box
    clean_x, clean_y, clean_pixels = _window(clean)
    row["clean_parts"], row["clean_holes"] = kernels.topology(clean_pixels)
    if clean.rle["counts"] == noisy.rle["counts"]:
        row["same"] = True
        row["clean_area"] = row["noisy_area"] = row["both"] = area = clean.area
        row["boundary_f"] = 1
        if not area:
            row["distance"] = row["hausdorff95"] = row["bias"] = np.nan
        for name in ("tight", "parts", "holes"):
            row[f"noisy_{name}"] = row[f"clean_{name}"]
        return
    row["noisy_tight"] = noisy.box
    noisy_x, noisy_y, noisy_pixels = _window(noisy)
    row["noisy_parts"], row["noisy_holes"] = kernels.topology(noisy_pixels)
    kernels.compare(clean_pixels, clean_x, clean_y, noisy_pixels, noisy_x, noisy_y, tolerances, out)
    row["clean_area"], row["noisy_area"], row["both"], row["distance"], row["hausdorff95"], row["bias"] = out[:6]
    row["boundary_f"] = out[6:]


def _window(mask: Mask) -> Crop:
    """Returns the mask's window with its rows one after the other in memory."""
    left, top, pixels = mask.crop
    return Crop(left, top, np.ascontiguousarray(pixels))


def _single_rows(labels: Instances, places: Ints, image: int) -> Rows:
    rows = np.zeros(len(places), SINGLE)
    rows["image"] = image
    rows["id"], rows["class"], rows["crowd"] = labels.source[places], labels.classes[places], labels.crowd[places]
    if labels.masks is None:
        boxes = labels.boxes[places]
        rows["area"] = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    else:
        rows["area"] = [labels.masks[i].area for i in places.tolist()]
    return rows


def _image_row(clean: Instances, noisy: Instances) -> Rows:
    row = np.zeros(1, IMAGE)
    row["height"], row["width"] = clean.size_hw
    for name, labels in (("clean", clean), ("noisy", noisy)):
        row[f"{name}_objects"] = np.count_nonzero(~labels.crowd)
        if labels.masks is None:
            continue
        claims = np.zeros(labels.size_hw, np.uint8)
        for mask, crowd in zip(labels.masks, labels.crowd.tolist(), strict=True):
            if not crowd:
                left, top, pixels = _window(mask)
                kernels.count_claims(claims, pixels, left, top)
        twice = int(np.count_nonzero(claims > 1))
        row[f"{name}_claimed"], row[f"{name}_twice"] = np.count_nonzero(claims), twice
    return row


def _read_record(row: Rows, record: object, ops: dict[str, int]) -> None:
    """Fills in what the noisy annotation says was done to it."""
    if isinstance(record, Mapping):
        row["recorded"] = True
        row["vanished"] = "vanished" in record.get("flags", ())
        row["ops"] = _bits(record, ops)


def _bits(record: object, ops: dict[str, int]) -> int:
    """Returns the operations of a record as bits; new ones get the next free bit."""
    bits = 0
    chain = record.get("chain", ()) if isinstance(record, Mapping) else ()
    for entry in chain:
        for name in _names(entry):
            bits |= 1 << ops.setdefault(name, len(ops))
    return bits


def _names(entry: Mapping[str, Any]) -> Iterator[str]:
    """Yields the name of an operation, and a second one that says which way a draw of yes or no went."""
    name = str(entry.get("op"))
    yield name
    draws = entry.get("draws")
    if isinstance(draws, Mapping):
        for key, value in draws.items():
            if isinstance(value, bool):
                yield f"{name}, {key}" if value else f"{name}, not {key}"
