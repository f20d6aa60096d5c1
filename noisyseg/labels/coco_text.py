"""A COCO file whose annotations stay text: hundreds of thousands of them, each parsed where it is used."""

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
from noisyseg.labels.kernels.json_text import list_elements

Json = dict[str, Any]
KEY = np.frombuffer(b"annotations", np.uint8)
# Annotations that are parsed at once to look at their ids: few, so that they stay in the processor's cache.
AT_ONCE = 1000


class CocoText(CocoFile):
    """A COCO document, checked as far as its ids and references; its annotations are text.

    Parsed as a whole, annotations take five times the memory of the file and most of the time that reading it takes.

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
        first, last, self._starts, self._stops = list_elements(np.frombuffer(text, np.uint8), KEY)
        document = orjson.loads(text[:first] + b"[]" + text[last:] if first >= 0 else text)
        if not isinstance(document, dict):
            raise LabelError(f"expected a JSON object, got {type(document).__name__}", file=path)
        super().__init__(document, path)
        if document["annotations"]:  # the key was written in a way that only a parser understands
            raise ValueError("annotations: not found in the text")
        self._text = text
        self.with_masks = False
        ids, image_ids = [], []
        seen: set[int] = set()
        try:
            for place, annotation in enumerate(self._all()):
                check_annotation(annotation, place, seen, self.images)
                ids.append(annotation["id"])
                image_ids.append(annotation["image_id"])
                self.with_masks = self.with_masks or "segmentation" in annotation
        except LabelError as error:
            raise error.at(file=path) from None
        self.ids = np.array(ids, np.int64)
        self._image_ids = image_ids

    def __len__(self) -> int:
        return len(self._starts)

    @cached_property
    def positions(self) -> dict[int, list[int]]:
        """Where the annotations of each image stand in the file's list; images without any have an empty list."""
        positions: dict[int, list[int]] = {image_id: [] for image_id in self.images}
        for place, image_id in enumerate(self._image_ids):
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
