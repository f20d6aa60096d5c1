"""The labels of one image: `Instances`, `SemanticMap` and `EdgeMap`, validated once, at the door.

Letters: N objects, K classes, H rows, W columns.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from noisyseg.labels.categories import Categories
from noisyseg.labels.errors import LabelError
from noisyseg.labels.masks import Mask

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
Image = npt.NDArray[np.uint8]
IGNORE = 255

Labels = TypeVar("Labels", bound="_Replaceable")


class _Replaceable:
    """Copies with changes, without a second check: only code below the door calls it."""

    def replace(self: Labels, **changes: Any) -> Labels:  # noqa: ANN401 - the types are those of the fields
        """Returns a copy with some fields changed, unchecked; for code that keeps them consistent itself."""
        copy = object.__new__(type(self))
        for name in _names(type(self)):
            object.__setattr__(copy, name, changes[name] if name in changes else getattr(self, name))
        return copy


def _names(cls: type) -> tuple[str, ...]:
    names = cls.__dict__.get("_field_names")
    if names is None:
        names = tuple(field.name for field in fields(cls))
        cls._field_names = names
    return names


@dataclass(frozen=True, eq=False)
class Instances(_Replaceable):
    """The objects of one image; the first dimension of every field is N.

    Attributes:
        size_hw: Rows and columns of the image.
        categories: What the class numbers mean.
        boxes: (N, 4) float64 ``x0, y0, x1, y1``, pixels, half-open.
        classes: (N,) int64 in 0..K-1.
        masks: N masks of the image's size, or None where the data has boxes only.
        source: (N,) int64 id of the clean annotation; the pieces of a split object share it. Objects that noise
            invented have negative ones, -1, -2, ..., each its own.
        crowd: (N,) bool, True for a region of many objects (COCO ``iscrowd``).
        image: (H, W, 3) uint8 RGB pixels, for noise that looks at them; None where nothing does.
    """

    size_hw: tuple[int, int]
    categories: Categories
    boxes: FloatArray
    classes: IntArray
    masks: tuple[Mask, ...] | None
    source: IntArray
    crowd: BoolArray
    image: Image | None = None

    def __post_init__(self) -> None:
        _check_size(self.size_hw)
        _check_image(self.image, self.size_hw)
        n = len(self.classes)
        for name, shape in (("boxes", (n, 4)), ("classes", (n,)), ("source", (n,)), ("crowd", (n,))):
            got = getattr(self, name).shape
            if got != shape:
                raise LabelError(f"{name}: expected shape {shape}, got {got}")
        if not np.isfinite(self.boxes).all():
            raise LabelError("boxes: expected finite numbers, got NaN or infinite ones")
        if n and not (self.classes.min() >= 0 and self.classes.max() < len(self.categories)):
            raise LabelError(f"classes: expected 0..{len(self.categories) - 1}, got {np.unique(self.classes)}")
        if self.masks is not None:
            if len(self.masks) != n:
                raise LabelError(f"masks: expected {n}, one an object, got {len(self.masks)}")
            for mask in self.masks:
                if tuple(mask.size_hw) != tuple(self.size_hw):
                    raise LabelError(f"masks: expected size {self.size_hw}, got {mask.size_hw}")

    def __len__(self) -> int:
        return len(self.classes)

    @cached_property
    def keys(self) -> list[str]:
        """What names each object in draws: its source; ``"7.1"`` is the second object of source 7."""
        sources = list(map(str, self.source.tolist()))
        if len(set(sources)) == len(sources):
            return sources
        seen: Counter[str] = Counter()
        keys = []
        for source in sources:
            keys.append(f"{source}.{seen[source]}" if seen[source] else source)
            seen[source] += 1
        return keys

    def replace(self, **changes: Any) -> Instances:  # noqa: ANN401 - the types are those of the fields
        """Returns a copy with some fields changed, unchecked; for code that keeps them consistent itself."""
        copy = super().replace(**changes)
        if "source" not in changes and "keys" in self.__dict__:
            copy.__dict__["keys"] = self.keys
        return copy

    def take(self, indices: IntArray) -> Instances:
        """Returns the objects at ``indices``, in that order."""
        return self.replace(
            boxes=self.boxes[indices],
            classes=self.classes[indices],
            masks=None if self.masks is None else tuple(self.masks[i] for i in indices),
            source=self.source[indices],
            crowd=self.crowd[indices],
        )

    @classmethod
    def from_masks(
        cls,
        masks: Sequence[Mask],
        classes: Sequence[int],
        categories: Categories,
        size_hw: tuple[int, int],
        source: Sequence[int] | None = None,
    ) -> Instances:
        """Returns instances with tight boxes around ``masks``; sources count from 1 unless given."""
        n = len(masks)
        return cls(
            size_hw=size_hw,
            categories=categories,
            boxes=np.array([mask.box for mask in masks], np.float64).reshape(n, 4),
            classes=np.array(classes, np.int64).reshape(n),
            masks=tuple(masks),
            source=np.arange(1, n + 1) if source is None else np.array(source, np.int64).reshape(n),
            crowd=np.zeros(n, bool),
        )


@dataclass(frozen=True, eq=False)
class SemanticMap(_Replaceable):
    """The class of every pixel of one image.

    Attributes:
        classes: (H, W) integer array, values 0..K-1 or 255, which marks pixels to ignore.
        categories: What the class numbers mean.
        image: (H, W, 3) uint8 RGB pixels, for noise that looks at them; None where nothing does.
    """

    classes: npt.NDArray[np.integer]
    categories: Categories
    image: Image | None = None

    def __post_init__(self) -> None:
        if self.classes.ndim != 2 or not np.issubdtype(self.classes.dtype, np.integer):
            raise LabelError(
                f"classes: expected (H, W) integers, got shape {self.classes.shape} of {self.classes.dtype}"
            )
        _check_size(self.size_hw)
        _check_image(self.image, self.size_hw)
        wrong = np.unique(self.classes)
        wrong = wrong[(wrong != IGNORE) & ((wrong < 0) | (wrong >= len(self.categories)))]
        if wrong.size:
            raise LabelError(f"classes: expected 0..{len(self.categories) - 1} or {IGNORE}, got {wrong.tolist()}")

    @property
    def size_hw(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.classes.shape


@dataclass(frozen=True, eq=False)
class EdgeMap(_Replaceable):
    """The edges of one image: a pixel is on the edge of no class, of one, or of several.

    Attributes:
        edges: (K, H, W) bool, or uint8 in {0, 1}; binary edges are K = 1.
        categories: What the K channels mean.
        regions: (H, W) integer array whose boundaries the edges are, where it is known: noise that moves edges then
            moves regions and the edges stay closed. Numbers name regions, not classes; None where it is not known.
        image: (H, W, 3) uint8 RGB pixels, for noise that looks at them; None where nothing does.
    """

    edges: npt.NDArray[np.bool_] | npt.NDArray[np.uint8]
    categories: Categories
    regions: npt.NDArray[np.integer] | None = None
    image: Image | None = None

    def __post_init__(self) -> None:
        if self.edges.ndim != 3 or self.edges.dtype not in (np.bool_, np.uint8):
            raise LabelError(f"edges: expected (K, H, W) bool or uint8, got {self.edges.shape} of {self.edges.dtype}")
        if len(self.edges) != len(self.categories):
            raise LabelError(f"edges: expected {len(self.categories)} channels, one a class, got {len(self.edges)}")
        _check_size(self.size_hw)
        if self.edges.dtype == np.uint8 and self.edges.size and self.edges.max() > 1:
            raise LabelError(f"edges: expected values 0 and 1, got {self.edges.max()}")
        if self.regions is not None and self.regions.shape != self.size_hw:
            raise LabelError(f"regions: expected shape {self.size_hw}, got {self.regions.shape}")
        _check_image(self.image, self.size_hw)

    @property
    def size_hw(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.edges.shape[1:]


def _check_image(image: Image | None, size_hw: tuple[int, int]) -> None:
    if image is not None and (image.shape != (*size_hw, 3) or image.dtype != np.uint8):
        raise LabelError(f"image: expected {(*size_hw, 3)} uint8, got {image.shape} of {image.dtype}")


def _check_size(size_hw: tuple[int, int]) -> None:
    if len(size_hw) != 2 or min(size_hw) < 1:
        raise LabelError(f"image size: expected rows and columns >= 1, got {size_hw}")
