"""A COCO file whose annotations stay text: hundreds of thousands of them, each parsed only where it is used."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from noisyseg.labels.coco import CocoFile, check_annotation, read_coco
from noisyseg.labels.errors import LabelError
from noisyseg.labels.kernels.json_text import list_of_objects

Json = dict[str, Any]
KEYS = [np.frombuffer(key, np.uint8) for key in (b"annotations", b"id", b"image_id", b"segmentation")]
# Annotations that are parsed at once to look at their ids: few, so that they stay in the processor's cache.
AT_ONCE = 1000


class CocoText(CocoFile):
    """A COCO document, checked as far as its ids and references; its annotations are text.

    Parsed as a whole, annotations take five times the memory of the file and most of the time that reading it takes.
    That each of them is valid JSON is found when it is parsed.

    Args:
        text: The file's bytes.
        path: Where they came from, for messages.

    Attributes:
        document: All but the annotations, for which an empty list stands.
        ids: (N,) int64 ids of the annotations, in file order.
        with_masks: Whether any annotation has a segmentation.

    Raises:
        LabelError: The text is not a COCO document, an id is not a unique whole number, or a reference has no target.
    """

    def __init__(self, text: bytes, path: Path) -> None:
        found = list_of_objects(np.frombuffer(text, np.uint8), *KEYS)
        self._starts, self._stops, self._text = found.starts, found.stops, text
        document = orjson.loads(text[: found.first] + b"[]" + text[found.last :] if found.first >= 0 else text)
        if not isinstance(document, dict):
            raise LabelError(f"expected a JSON object, got {type(document).__name__}", file=path)
        super().__init__(document, path)
        if document["annotations"]:  # the key is written in a way that only a parser understands
            raise ValueError("annotations: not found in the text")
        self.with_masks = found.flagged
        self.ids, self._image_ids = found.numbers.T
        if not (found.regular and self._consistent()):
            self._check_singly()

    def _consistent(self) -> bool:
        ids = np.sort(self.ids)
        known = np.array(list(self.images), np.int64)
        return not len(ids) or (ids[0] >= 0 and (ids[1:] != ids[:-1]).all() and np.isin(self._image_ids, known).all())

    def _check_singly(self) -> None:
        """Looks at one annotation after the other: one is wrong, or has its keys written in an unusual way."""
        seen: set[int] = set()
        annotations = []
        try:
            for place, annotation in enumerate(self._all()):
                check_annotation(annotation, place, seen, self.images)
                annotations.append((annotation["id"], annotation["image_id"]))
                self.with_masks = self.with_masks or "segmentation" in annotation
        except LabelError as error:
            raise error.at(file=self.path) from None
        self.ids, self._image_ids = np.array(annotations, np.int64).reshape(-1, 2).T

    def __len__(self) -> int:
        return len(self._starts)

    @cached_property
    def positions(self) -> dict[int, list[int]]:
        """Where the annotations of each image stand in the file's list; images without any have an empty list."""
        positions: dict[int, list[int]] = {image_id: [] for image_id in self.images}
        for place, image_id in enumerate(self._image_ids.tolist()):
            positions[image_id].append(place)
        return positions

    def annotations_at(self, places: Sequence[int] | npt.NDArray[np.integer]) -> bytes:
        """Returns the annotations at ``places`` of the file's list, as the JSON text of a list."""
        if len(places) and places[-1] - places[0] == len(places) - 1 and list(places) == sorted(places):
            return b"[" + self._text[self._starts[places[0]] : self._stops[places[-1]]] + b"]"
        starts, stops = self._starts[places].tolist(), self._stops[places].tolist()
        return b"[" + b",".join([self._text[a:b] for a, b in zip(starts, stops, strict=True)]) + b"]"

    def annotations_of(self, image_id: int) -> list[Json]:
        """Returns the annotations of one image in file order."""
        return orjson.loads(self.annotations_at(self.positions[image_id]))

    def _all(self) -> Iterator[Json]:
        for first in range(0, len(self), AT_ONCE):
            yield from orjson.loads(self.annotations_at(range(first, min(first + AT_ONCE, len(self)))))


def read_coco_text(path: str | Path) -> CocoText:
    """Returns the COCO document in a file, its annotations as text.

    Raises:
        LabelError: The file cannot be read, is not JSON, or is not a usable COCO document.
    """
    path = Path(path)
    try:
        return CocoText(path.read_bytes(), path)
    except (OSError, ValueError) as error:
        if isinstance(error, LabelError):
            raise
        # The parser knows better what is wrong. Where nothing is, it writes the key in the common way.
        return CocoText(orjson.dumps(read_coco(path).document), path)
