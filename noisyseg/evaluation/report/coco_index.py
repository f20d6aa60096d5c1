"""A COCO file whose annotations stay bytes until somebody looks at them: two large ones fit into memory together."""

from __future__ import annotations

import mmap
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from noisyseg.evaluation.report import scanning
from noisyseg.labels import LabelError
from noisyseg.labels.coco import CocoFile, read_coco

Json = dict[str, Any]
Ints = npt.NDArray[np.int64]


class CocoIndex:
    """A COCO file: everything but its annotations is parsed, of these ids and places are known.

    Args:
        path: The file.

    Attributes:
        path: The file.
        categories: Its classes.
        images: Image entries by id, in file order.
        ids: (N,) annotation ids, in file order.
        image_ids: (N,) image ids of the annotations.
        with_masks: Whether an annotation has a segmentation.
        spans: (N, 2) first byte of each annotation and the one behind its last.

    Raises:
        LabelError: The file cannot be read or is not a usable COCO document.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._data = data = _bytes(self.path)
        first, last, rows = scanning.scan_annotations(np.frombuffer(data, np.uint8))
        document = None if first < 0 else _parsed(data[:first] + b"[]" + data[last:])
        if document is None or not _is_sound(document, rows):
            raise self._error()
        rest = CocoFile(document, self.path)
        self.categories, self.images = rest.categories, rest.images
        self.spans = np.ascontiguousarray(rows[:, [scanning.START, scanning.STOP]])
        self.ids, self.image_ids = rows[:, scanning.OWN_ID].copy(), rows[:, scanning.OWN_IMAGE].copy()
        self.with_masks = bool(rows[:, scanning.HAS_MASK].any()) or not len(rows)

    def __len__(self) -> int:
        return len(self.ids)

    def annotations(self, places: Sequence[int]) -> list[Json]:
        """Returns the parsed annotations at ``places`` of the file's list."""
        return parsed_annotations(self.path, self._data, self.spans[places])

    def places_by_image(self) -> dict[int, Ints]:
        """Returns where the annotations of each image stand in the file's list, in file order."""
        order = np.argsort(self.image_ids, kind="stable")
        ids, starts = np.unique(self.image_ids[order], return_index=True)
        found = dict(zip(ids.tolist(), np.split(order, starts[1:]), strict=True)) if len(ids) else {}
        nothing = np.zeros(0, np.int64)
        return {image_id: found.get(image_id, nothing) for image_id in self.images}

    def _error(self) -> LabelError:
        """Returns what a full reading of the file says against it."""
        try:
            read_coco(self.path)
        except LabelError as error:
            return error
        return LabelError(
            "annotations: expected one list of objects with plain whole numbers under the keys id and image_id",
            file=self.path,
        )


def read_annotations(path: str | Path, spans: Ints) -> list[Json]:
    """Returns the parsed annotations at ``spans``; a worker process keeps the file open."""
    return parsed_annotations(path, _opened(str(path)), spans)


def parsed_annotations(path: str | Path, data: bytes | mmap.mmap, spans: Ints) -> list[Json]:
    """Returns the annotations whose bytes are at ``spans``.

    Raises:
        LabelError: One is not JSON.
    """
    try:
        return orjson.loads(b"[" + b",".join(data[start:stop] for start, stop in spans.tolist()) + b"]")
    except orjson.JSONDecodeError as error:
        raise LabelError(f"not JSON: {error}", file=path) from None


def _bytes(path: Path) -> bytes | mmap.mmap:
    try:
        with path.open("rb") as file:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError as error:
        raise LabelError(f"cannot be read: {error.strerror}", file=path) from error
    except ValueError:  # an empty file cannot be mapped
        return b""


@lru_cache(maxsize=2)
def _opened(path: str) -> bytes | mmap.mmap:
    return _bytes(Path(path))


def _parsed(data: bytes) -> Json | None:
    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
    return document if isinstance(document, dict) else None


def _is_sound(document: Json, rows: Ints) -> bool:
    """Returns whether every annotation has an id of its own and belongs to an image."""
    ids, image_ids = rows[:, scanning.OWN_ID], rows[:, scanning.OWN_IMAGE]
    images = document.get("images")
    if not isinstance(images, list) or not isinstance(document.get("categories"), list):
        return False
    known = {image.get("id") for image in images if isinstance(image, dict)}
    return (
        (not len(ids) or int(ids.min()) >= 0)
        and len(np.unique(ids)) == len(ids)
        and set(np.unique(image_ids).tolist()) <= known
    )
