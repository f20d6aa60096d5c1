"""Apply a recipe to the images of a file, in tasks of many annotations, in one process or several."""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache, partial
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
from tqdm import tqdm

from noisyseg.labels import Categories, LabelError
from noisyseg.labels.coco import instances_from_coco, read_coco
from noisyseg.labels.coco_text import CocoText
from noisyseg.labels.rng import keyed_rng
from noisyseg.noise.dataset.backends import run_tasks
from noisyseg.noise.dataset.images import ImageFolder
from noisyseg.noise.dataset.journal import ImageJournal, Task
from noisyseg.noise.dataset.provenance import noisy_annotations
from noisyseg.noise.recipe import Recipe

Json = dict[str, Any]
Outcome = tuple[bytes, list[list[bytes]], Counter[str]]
# Images with the numbers of their annotations, and those annotations, as the text of JSON lists.
ImageTask = tuple[bytes, bytes]
Settings = tuple[bytes, int, int, bool, ImageFolder | None]
# Annotations in one task: enough to make the way to a worker cheap, few enough to share work out evenly.
TASK_SIZE = 1000


class Lines(Sequence[bytes]):
    """One line of JSON an annotation, by its place in the file; added ones behind them.

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

    def add(self, places: Sequence[int] | npt.NDArray[np.int64], block: bytes) -> None:
        """Takes the lines of ``places``, joined by line feeds."""
        stops = np.append(np.flatnonzero(np.frombuffer(block, np.uint8) == ord("\n")), len(block))
        self._block[places] = len(self._blocks)
        self._start[places] = np.append(0, stops[:-1] + 1)
        self._stop[places] = stops
        self._blocks.append(block)

    def append(self, lines: Sequence[bytes]) -> None:
        """Adds lines behind the last place."""
        total = len(self)
        for name in ("_block", "_start", "_stop"):
            setattr(self, name, np.append(getattr(self, name), np.zeros(len(lines), getattr(self, name).dtype)))
        if lines:
            self.add(range(total, total + len(lines)), b"\n".join(lines))

    def __len__(self) -> int:
        return len(self._block)

    def __getitem__(self, place: int) -> bytes:
        return self._blocks[self._block[place]][self._start[place] : self._stop[place]]


def noisy_lines(
    model: Recipe,
    seed: int,
    coco: CocoText,
    *,
    id_shift: int,
    workers: int,
    progress: bool,
    backend: str = "loky",
    images: ImageFolder | None = None,
    journal: ImageJournal | None = None,
) -> tuple[Lines, Counter[str]]:
    """Returns the JSON of every noisy annotation, and what happened.

    Args:
        model: What is done to each image.
        seed: Master seed.
        coco: The clean file.
        id_shift: Added to every annotation id.
        workers: Number of processes.
        progress: Whether to draw a progress bar on stderr.
        backend: Where the processes are, see :func:`~noisyseg.noise.dataset.backends.run_tasks`.
        images: The images, for a model that looks at them.
        journal: Keeps what has become of each image, and knows what an earlier run kept; None keeps nothing.

    Returns:
        One line an annotation in file order, empty where it was removed, and then the added annotations in the order
        of image ids, with ids above all others; counts of operations and flags.

    Raises:
        LabelError: An annotation cannot be used.
    """
    lines = Lines(len(coco))
    counts: Counter[str] = Counter()
    largest_id = int(coco.ids.max(initial=0)) + id_shift
    # In a file of boxes, an image without annotations has no masks either.
    with_masks = coco.with_masks
    tasks = list(_tasks(coco, 1 if journal else TASK_SIZE))
    added: list[tuple[int, bytes]] = []

    def taken(task: Task) -> ImageTask:
        images = [(coco.images[image_id], len(places)) for image_id, places in task.items()]
        return orjson.dumps(images), coco.text_at(np.concatenate(list(task.values())))

    # Pickled once, and by the name of its classes: a worker then imports the modules of other people's models too.
    settings = (pickle.dumps(model), seed, id_shift, with_masks, images if model.needs_image else None)
    run = partial(_run, settings, coco.categories, workers=workers, backend=backend)
    results = journal.continued(tasks, taken, run) if journal else run(map(taken, tasks))
    try:
        with tqdm(total=len(lines), unit="ann", unit_scale=True, disable=not progress) as bar:
            for task, (block, new, happened) in zip(tasks, results, strict=True):
                places = np.concatenate(list(task.values()))
                lines.add(places, block)
                added += [(image_id, line) for image_id, some in zip(task, new, strict=True) for line in some]
                counts += happened
                bar.update(len(places))
    except LabelError as error:
        raise error.at(file=coco.path) from None
    except orjson.JSONDecodeError:
        read_coco(coco.path)  # says where in the file
        raise
    added.sort(key=lambda item: item[0])
    lines.append(
        [
            orjson.dumps({"id": largest_id + number, "image_id": image_id} | orjson.loads(line))
            for number, (image_id, line) in enumerate(added, start=1)
        ]
    )
    return lines, counts


def _tasks(coco: CocoText, wanted: int) -> Iterator[Task]:
    """Yields the positions of about ``wanted`` annotations by image."""
    task: Task = {}
    size = 0
    for image_id, places in coco.positions.items():
        task[image_id] = places
        size += max(len(places), 1)
        if size >= wanted:
            yield task
            task, size = {}, 0
    if task:
        yield task


def _run(
    settings: Settings, categories: Categories, tasks: Iterator[ImageTask], workers: int, backend: str
) -> Iterator[Outcome]:
    """Yields what becomes of each task, in order."""
    return run_tasks(_noise_images, ((settings, categories, *task) for task in tasks), workers, backend)


def _noise_images(settings: Settings, categories: Categories, images: bytes, annotations: bytes) -> Outcome:
    """Returns what becomes of the images.

    Returns:
        The JSON of each noisy annotation in order, a line each, empty where it was removed; for each image the JSON of
        what was added; what happened.
    """
    pickled, seed, id_shift, with_masks, folder = settings
    model = _model(pickled)
    lines, added, counts = [], [], Counter()
    entries = iter(orjson.loads(annotations))
    for image, count in orjson.loads(images):
        given = list(islice(entries, count))
        clean = instances_from_coco(image, given, categories, with_masks=with_masks)
        if folder is not None:
            clean = clean.replace(image=folder.of_coco(image))
        noisy, params = model.run(clean, keyed_rng(seed, image["id"]))
        written = noisy_annotations(
            given,
            clean,
            noisy,
            model.history(params),
            set(params["vanished"]),
            keep_boxes=model.boxes == "keep",
        )
        counts += written.happened + model.tally(params)
        for entry in written.entries:
            if entry is not None and id_shift:
                entry = entry | {"id": entry["id"] + id_shift}
            lines.append(b"" if entry is None else orjson.dumps(entry))
        added.append(b"\n".join(map(orjson.dumps, written.added)).splitlines())
    return b"\n".join(lines), added, counts


@lru_cache(maxsize=1)
def _model(pickled: bytes) -> Recipe:
    return pickle.loads(pickled)
