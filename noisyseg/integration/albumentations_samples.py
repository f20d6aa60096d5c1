"""Between the data of a call to albumentations and instances; nothing here imports albumentations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from noisyseg.labels import Categories, Instances, LabelError, Mask

__all__ = ["CallSample"]

Data = dict[str, Any]
# albumentations keeps label fields as float32, which has no gaps below.
LARGEST_IN_A_FIELD = 2**24


@dataclass(frozen=True)
class CallSample:
    """The data of one call, N objects of an image of H x W.

    Attributes:
        data: What stands in the call, as a transform sees it: ``bboxes`` as (N, 4 + columns) shares of the image.
        size_hw: Rows and columns of the image.
        boxes: albumentations' processor of boxes; None outside ``A.Compose(bbox_params=...)``.
        class_field: Name of the field with the N class numbers.
        id_field: Name of the field with the N annotation ids; None numbers them from 1.
        crowd_field: Name of the field with the N crowd flags; None where no object is a crowd.
    """

    data: Data
    size_hw: tuple[int, int]
    boxes: Any
    class_field: str
    id_field: str | None
    crowd_field: str | None

    def instances(self, categories: Categories, image: npt.NDArray[np.uint8] | None) -> Instances:
        """Returns the objects.

        Raises:
            LabelError: There are no objects, a field is missing, has another length, or numbers that cannot be used.
        """
        numbers = {name: len(self.data[name]) for name in ("masks", "bboxes") if name in self.data}
        if not numbers:
            raise LabelError("expected objects under 'masks' or 'bboxes'; a recipe for 'mask' needs noisyseg.ByRegion")
        if "mask" in self.data:
            raise LabelError("mask: a recipe for instances would leave it as it is; give objects or a label map")
        if len(set(numbers.values())) > 1:
            raise LabelError(f"expected as many masks as bboxes, got {numbers}")
        if "bboxes" in self.data and self.boxes is None:
            raise LabelError("bboxes: expected them to run through A.Compose(bbox_params=...)")
        n = next(iter(numbers.values()))
        classes = self._whole(self.class_field, n)
        source = np.arange(1, n + 1) if self.id_field is None else self._whole(self.id_field, n)
        if source.size and (source.min() < 0 or len(np.unique(source)) < n):
            raise LabelError(f"{self.id_field}: expected each id once, and none below 0, got {source.tolist()}")
        crowd = np.zeros(n, bool) if self.crowd_field is None else self._whole(self.crowd_field, n) != 0
        masks = None
        if "masks" in self.data:
            masks = tuple(self._mask(place) for place in range(n))
        if "bboxes" in self.data:
            boxes = np.asarray(self.data["bboxes"], np.float64)[:, :4] * self._scale() if n else []
        else:
            boxes = [mask.box for mask in masks]
        return Instances(
            size_hw=self.size_hw,
            categories=categories,
            boxes=np.array(boxes, np.float64).reshape(n, 4),
            classes=classes,
            masks=masks,
            source=source,
            crowd=crowd,
            image=image,
        )

    def replaced(self, clean: Instances, noisy: Instances) -> Data:
        """Returns the parts of the data that change when ``noisy`` takes the place of ``clean``.

        An object whose box has no area is left out: albumentations refuses it.

        Raises:
            LabelError: There are new objects, and fields that nobody knows a value for.
        """
        if "bboxes" in self.data:
            sides = noisy.boxes[:, 2:] - noisy.boxes[:, :2]
            noisy = noisy.take(np.flatnonzero((sides > 0).all(axis=1)))
        places = {source: place for place, source in enumerate(clean.source.tolist())}
        origins = [places.get(source) for source in noisy.source.tolist()]
        values = {self.class_field: noisy.classes}
        if self.id_field is not None:
            values[self.id_field] = noisy.source
        if self.crowd_field is not None:
            values[self.crowd_field] = noisy.crowd
        changed = {
            name: _like(self.data[name], value) for name, value in values.items() if name not in self._label_fields()
        }
        if noisy.masks is not None:
            changed["masks"] = self._frames(clean, noisy, origins)
        if "bboxes" in self.data:
            changed["bboxes"] = self._rows(clean, noisy, origins, values)
        return changed

    def _whole(self, name: str, n: int) -> npt.NDArray[np.int64]:
        """Returns the whole numbers of a field, wherever it stands."""
        fields = self._label_fields()
        if name in fields and n:
            metadata = self.boxes.label_manager.metadata["bboxes"][name]
            if not metadata.is_numerical:
                raise LabelError(f"{name}: expected whole numbers, got names")
            values = self.data["bboxes"][:, fields.index(name) - len(fields)]
            if np.abs(values).max() >= LARGEST_IN_A_FIELD:
                raise LabelError(
                    f"{name}: albumentations rounds numbers from {LARGEST_IN_A_FIELD} in label_fields; "
                    "pass it beside them"
                )
        elif name in self.data:
            values = np.asarray(self.data[name])
        else:
            raise LabelError(f"expected a field {name!r}, got {', '.join(sorted(self.data))}")
        if values.shape != (n,):
            raise LabelError(f"{name}: expected {n} numbers, one an object, got shape {values.shape}")
        if n and (values.dtype.kind not in "biuf" or not (values == np.floor(values)).all()):
            raise LabelError(f"{name}: expected whole numbers, got {values.tolist()}")
        return values.astype(np.int64)

    def _label_fields(self) -> list[str]:
        return list(self.boxes.params.label_fields or ()) if "bboxes" in self.data and self.boxes else []

    def _scale(self) -> npt.NDArray[np.float64]:
        return np.array([*self.size_hw[::-1], *self.size_hw[::-1]], np.float64)

    def _mask(self, place: int) -> Mask:
        frame = np.asarray(self.data["masks"][place])
        if frame.shape != self.size_hw:
            raise LabelError(f"masks[{place}]: expected shape {self.size_hw}, got {frame.shape}")
        if ((frame != 0) & (frame != frame.max())).any():
            raise LabelError(f"masks[{place}]: expected 0 and one other number, got {np.unique(frame).tolist()}")
        return Mask.from_frame(frame != 0)

    def _frames(self, clean: Instances, noisy: Instances, origins: list[int | None]) -> list | npt.NDArray:
        """Returns the masks in the form and with the numbers of those that came; what did not change stays itself."""
        given = self.data["masks"]
        frames = []
        dtype = np.asarray(given[0]).dtype if len(given) else np.dtype(np.uint8)
        top = max((np.asarray(frame).max() for frame in given), default=1) or 1
        for mask, origin in zip(noisy.masks, origins, strict=True):
            if origin is not None and mask is clean.masks[origin]:
                frames.append(np.asarray(given[origin]))
            else:
                frames.append(mask.frame().astype(dtype) * dtype.type(top))
        # A list also when nothing is left: the transforms of albumentations cannot do with a stack of no masks.
        return np.stack(frames) if frames and isinstance(given, np.ndarray) else frames

    def _rows(
        self, clean: Instances, noisy: Instances, origins: list[int | None], values: dict[str, npt.NDArray]
    ) -> npt.NDArray:
        fields = self._label_fields()
        given = np.asarray(self.data["bboxes"])
        width = given.shape[1] if len(given) else 4 + len(fields)
        if None in origins and (width > 4 + len(fields) or set(fields) - set(values)):
            unknown = ", ".join(set(fields) - set(values)) or "columns behind the boxes"
            raise LabelError(f"the noise adds objects, for which nobody knows {unknown}")
        if not len(given) and len(noisy):
            for name in fields:  # of a first call without objects albumentations knows no type
                self.boxes.label_manager.process_field("bboxes", name, _like(self.data[name], np.zeros(1, np.int64)))
        rows = np.zeros((len(noisy), width), given.dtype if len(given) else np.float64)
        for i, origin in enumerate(origins):
            if origin is not None:
                rows[i] = given[origin]
            if origin is None or noisy.boxes[i].tolist() != clean.boxes[origin].tolist():
                rows[i, :4] = noisy.boxes[i] / self._scale()
            for name in set(fields) & set(values):
                rows[i, fields.index(name) - len(fields)] = values[name][i]
        return rows


def _like(given: object, values: npt.NDArray) -> object:
    """Returns values in the form of those that came: an array of the same dtype, or a list."""
    if isinstance(given, np.ndarray):
        return values.astype(given.dtype if given.size else values.dtype)
    return values.tolist()
