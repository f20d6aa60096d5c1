"""Apply a recipe to the images of a file, in tasks of many annotations, in one process or several."""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

import cv2
import numpy as np
import orjson
from joblib import Parallel, delayed
from tqdm import tqdm

from noisyseg.labels import Categories, LabelError
from noisyseg.labels.coco import CocoFile, instances_from_coco
from noisyseg.labels.rng import keyed_rng
from noisyseg.noise.compose import Recipe
from noisyseg.noise.provenance import noisy_annotations

Json = dict[str, Any]
ImageTask = tuple[Json, list[Json]]
Settings = tuple[bytes, int, int]
# Annotations in one task: enough to make the way to a worker cheap, few enough to share work out evenly.
TASK_SIZE = 1000


class Lines(Sequence[bytes]):
    """One line of JSON an annotation, by its place in the file.

    Kept as one block of bytes a task: hundreds of thousands of small objects among the short-lived arrays of the
    work would tear the memory into pieces.

    Args:
        total: Number of annotations.
    """

    def __init__(self, total: int) -> None:
        self._blocks: list[bytes] = []
        self._block = np.zeros(total, np.int32)
        self._start = np.zeros(total, np.int64)
        self._stop = np.zeros(total, np.int64)

    def add(self, places: Sequence[int], block: bytes) -> None:
        """Takes the lines of ``places``, joined by line feeds."""
        stops = np.append(np.flatnonzero(np.frombuffer(block, np.uint8) == ord("\n")), len(block))
        self._block[places] = len(self._blocks)
        self._start[places] = np.append(0, stops[:-1] + 1)
        self._stop[places] = stops
        self._blocks.append(block)

    def __len__(self) -> int:
        return len(self._block)

    def __getitem__(self, place: int) -> bytes:
        return self._blocks[self._block[place]][self._start[place] : self._stop[place]]


def noisy_lines(
    model: Recipe, seed: int, coco: CocoFile, *, id_shift: int, workers: int, progress: bool
) -> tuple[Lines, Counter[str]]:
    """Returns the JSON of every noisy annotation, and what happened.

    Takes the annotations out of ``coco.document``, which is not usable afterwards.

    Args:
        model: What is done to each image.
        seed: Master seed.
        coco: The clean file.
        id_shift: Added to every annotation id.
        workers: Number of processes.
        progress: Whether to draw a progress bar on stderr.

    Returns:
        One line an annotation in file order, empty where it was removed; counts of operations and flags.

    Raises:
        LabelError: An annotation cannot be used.
    """
    annotations = coco.document["annotations"]
    lines = Lines(len(annotations))
    counts: Counter[str] = Counter()
    tasks = list(_tasks(coco))

    def images(task: dict[int, list[int]]) -> list[ImageTask]:
        taken = [(coco.images[image_id], [annotations[place] for place in places]) for image_id, places in task.items()]
        for places in task.values():
            for place in places:
                annotations[place] = None  # parsed annotations are most of the memory: let go what is on its way
        return taken

    # Pickled once, and by the name of its classes: a worker then imports the modules of other people's models too.
    settings = (pickle.dumps(model), seed, id_shift)
    results = _run(settings, coco.categories, map(images, tasks), workers)
    try:
        with tqdm(total=len(lines), unit="ann", unit_scale=True, disable=not progress) as bar:
            for task, (block, happened) in zip(tasks, results, strict=True):
                places = list(chain.from_iterable(task.values()))
                lines.add(places, block)
                counts += happened
                bar.update(len(places))
    except LabelError as error:
        raise error.at(file=coco.path) from None
    return lines, counts


def _tasks(coco: CocoFile) -> Iterator[dict[int, list[int]]]:
    """Yields the positions of about TASK_SIZE annotations by image."""
    task: dict[int, list[int]] = {}
    size = 0
    for image_id, places in coco.positions.items():
        if places:
            task[image_id] = places
            size += len(places)
        if size >= TASK_SIZE:
            yield task
            task, size = {}, 0
    if task:
        yield task


def _run(
    settings: Settings, categories: Categories, tasks: Iterator[list[ImageTask]], workers: int
) -> Iterator[tuple[bytes, Counter[str]]]:
    """Yields what becomes of each task, in order."""
    if workers == 1:
        for task in tasks:
            yield _noise_images(settings, categories, task)
        return
    # Bytes travel between processes faster than objects.
    jobs = (delayed(_in_worker)(settings, categories, orjson.dumps(task)) for task in tasks)
    yield from Parallel(n_jobs=workers, return_as="generator")(jobs)


def _in_worker(settings: Settings, categories: Categories, images: bytes) -> tuple[bytes, Counter[str]]:
    cv2.setNumThreads(1)  # one process a core; OpenCV's own threads would only fight over it
    return _noise_images(settings, categories, orjson.loads(images))


def _noise_images(
    settings: Settings, categories: Categories, images: Sequence[ImageTask]
) -> tuple[bytes, Counter[str]]:
    """Returns the JSON of each noisy annotation in order, a line each, empty where it was removed; what happened."""
    pickled, seed, id_shift = settings
    model = _model(pickled)
    lines, counts = [], Counter()
    for image, given in images:
        clean = instances_from_coco(image, given, categories)
        noisy, params = model.run(clean, keyed_rng(seed, image["id"]))
        entries, happened = noisy_annotations(
            given,
            clean,
            noisy,
            model.history(params),
            set(params["vanished"]),
            keep_boxes=model.boxes == "keep",
        )
        counts += happened
        for entry in entries:
            if entry is not None and id_shift:
                entry = entry | {"id": entry["id"] + id_shift}
            lines.append(b"" if entry is None else orjson.dumps(entry))
    return b"\n".join(lines), counts


@lru_cache(maxsize=1)
def _model(pickled: bytes) -> Recipe:
    return pickle.loads(pickled)
