"""A COCO file whose annotations stay text: hundreds of thousands of them, each parsed only where it is used."""

from __future__ import annotations

import mmap
import os
from collections.abc import Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from noisyseg.labels.coco import CocoFile, read_coco
from noisyseg.labels.errors import LabelError
from noisyseg.labels.kernels import json_text

Json = dict[str, Any]
# Annotations are read in one piece where that is at most so many times as long as they are.
MOST_BETWEEN = 2
Places = Sequence[int] | npt.NDArray[np.int64]


class CocoText(CocoFile):
    """A COCO file, checked as far as its ids and references; its annotations are text, in a map of the file.

    Parsed as a whole, annotations take five times the memory of the file and most of the time that reading it takes.
    That each of them is valid JSON is found when it is parsed.

    Args:
        path: The file.

    Attributes:
        document: All but the annotations, for which an empty list stands.
        ids: (N,) int64 ids of the annotations, in file order.
        image_ids: (N,) int64 ids of their images.
        spans: (N, 2) int64 first byte of each annotation and the one behind its last.
        with_masks: Whether any annotation has a segmentation; true where there is none.

    Raises:
        LabelError: The file cannot be read, is not a COCO document, an id is not a unique whole number, a reference
            has no target, or its keys are written in a way that only a parser understands.
    """

    def __init__(self, path: str | Path) -> None:
        path = Path(path)
        self._data = data = _bytes(path)
        first, last, rows = json_text.scan_annotations(np.frombuffer(data, np.uint8))
        document = None if first < 0 else _parsed(data[:first] + b"[]" + data[last:])
        if document is None or not _is_sound(document, rows):
            raise _error(path)
        super().__init__(document, path)
        self.spans = np.ascontiguousarray(rows[:, [json_text.START, json_text.STOP]])
        self.ids, self.image_ids = rows[:, json_text.OWN_ID].copy(), rows[:, json_text.OWN_IMAGE].copy()
        self.with_masks = bool(rows[:, json_text.HAS_MASK].any()) or not len(rows)

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def positions(self) -> dict[int, npt.NDArray[np.int64]]:
        """Where the annotations of each image stand in the file's list; images without any have an empty array."""
        order = np.argsort(self.image_ids, kind="stable")
        ids, starts = np.unique(self.image_ids[order], return_index=True)
        found = dict(zip(ids.tolist(), np.split(order, starts[1:]), strict=True)) if len(ids) else {}
        nothing = np.zeros(0, np.int64)
        return {image_id: found.get(image_id, nothing) for image_id in self.images}

    def text_at(self, places: Places) -> bytes:
        """Returns the annotations at ``places`` of the file's list, as the JSON text of a list."""
        return _list_of(self._data, self.spans[places])

    def annotations_at(self, places: Places) -> list[Json]:
        """Returns the parsed annotations at ``places`` of the file's list.

        Raises:
            LabelError: One is not JSON.
        """
        return _annotations(self.path, self._data, self.spans[places])

    def annotations_of(self, image_id: int) -> list[Json]:
        """Returns the annotations of one image in file order."""
        return self.annotations_at(self.positions[image_id])


def read_annotations(path: str | Path, spans: npt.NDArray[np.int64]) -> list[Json]:
    """Returns the parsed annotations at ``spans`` of a file; for worker processes, which keep it open.

    They read and do not map it: joblib takes the pages of a map for a leak, and replaces the process.

    Raises:
        LabelError: The file cannot be read, or an annotation is not JSON.
    """
    if not len(spans):
        return []
    first, last = int(spans[:, 0].min()), int(spans[:, 1].max())
    file = _opened(str(path))
    try:
        if last - first <= MOST_BETWEEN * int((spans[:, 1] - spans[:, 0]).sum()):
            return _annotations(path, os.pread(file, last - first, first), spans - first)
        pieces = [os.pread(file, stop - start, start) for start, stop in spans.tolist()]
    except OSError as error:
        raise LabelError(f"cannot be read: {error.strerror}", file=path) from error
    stops = np.cumsum([len(piece) for piece in pieces])
    return _annotations(path, b"".join(pieces), np.stack([np.append(0, stops[:-1]), stops], axis=1))


def _annotations(path: str | Path, data: bytes | mmap.mmap, spans: npt.NDArray[np.int64]) -> list[Json]:
    try:
        return orjson.loads(_list_of(data, spans))
    except orjson.JSONDecodeError as error:
        raise LabelError(f"not JSON: {error}", file=path) from None


def _list_of(data: bytes | mmap.mmap, spans: npt.NDArray[np.int64]) -> bytes:
    return b"[" + b",".join([data[start:stop] for start, stop in spans.tolist()]) + b"]"


def _bytes(path: Path) -> bytes | mmap.mmap:
    try:
        with path.open("rb") as file:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError as error:
        raise LabelError(f"cannot be read: {error.strerror}", file=path) from error
    except ValueError:  # an empty file cannot be mapped
        return b""


@lru_cache(maxsize=2)
def _opened(path: str) -> int:
    try:
        return os.open(path, os.O_RDONLY)
    except OSError as error:
        raise LabelError(f"cannot be read: {error.strerror}", file=path) from error


def _parsed(data: bytes) -> Json | None:
    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
    return document if isinstance(document, dict) else None


def _is_sound(document: Json, rows: npt.NDArray[np.int64]) -> bool:
    """Returns whether every annotation has an id of its own and belongs to an image."""
    ids, image_ids = rows[:, json_text.OWN_ID], rows[:, json_text.OWN_IMAGE]
    images = document.get("images")
    if not isinstance(images, list) or not isinstance(document.get("categories"), list):
        return False
    known = {image.get("id") for image in images if isinstance(image, dict)}
    return (
        document.get("annotations") == []
        and not rows[:, json_text.ESCAPED].any()
        and (not len(ids) or int(ids.min()) >= 0)
        and len(np.unique(ids)) == len(ids)
        and set(np.unique(image_ids).tolist()) <= known
    )


def _error(path: Path) -> LabelError:
    """Returns what a full reading of a file says against it."""
    try:
        read_coco(path)
    except LabelError as error:
        return error
    problem = "expected one list of objects with plain whole numbers (18 digits at most) under id and image_id"
    return LabelError(f"annotations: {problem}", file=path)
