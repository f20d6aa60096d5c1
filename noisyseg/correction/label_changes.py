"""What a new version of the labels changes, counted so that images can be added up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from noisyseg.labels import IGNORE

__all__ = ["LabelChanges"]


@dataclass(frozen=True, eq=False)
class LabelChanges:
    """Changed pixels of some images.

    Attributes:
        images: How many were looked at.
        changed_images: How many have a changed pixel.
        gained: (K,) pixels that got the class.
        lost: (K,) pixels that had it before.
        right: (K,) of ``gained``, those with the class in the clean labels; None where there are no clean labels.
        wrong: (K,) of ``lost``, those with the class in the clean labels; None where there are none.
    """

    images: int
    changed_images: int
    gained: npt.NDArray[np.int64]
    lost: npt.NDArray[np.int64]
    right: npt.NDArray[np.int64] | None = None
    wrong: npt.NDArray[np.int64] | None = None

    @classmethod
    def of(
        cls,
        old: npt.NDArray[np.uint8],
        new: npt.NDArray[np.uint8],
        num_classes: int,
        clean: npt.NDArray[np.uint8] | None = None,
    ) -> LabelChanges:
        """Returns the changes of one image.

        Args:
            old: (H, W) classes or 255.
            new: (H, W), likewise.
            num_classes: K.
            clean: (H, W) the true ones, where they are known.
        """
        changed = old != new
        before, after = old[changed], new[changed]
        right = wrong = None
        if clean is not None:
            true = clean[changed]
            right, wrong = _count(after[after == true], num_classes), _count(before[before == true], num_classes)
        return cls(1, int(before.size > 0), _count(after, num_classes), _count(before, num_classes), right, wrong)

    @classmethod
    def none(cls, num_classes: int, *, clean: bool = False) -> LabelChanges:
        """Returns those of no image, to add others to."""
        zeros = np.zeros(num_classes, np.int64)
        return cls(0, 0, zeros, zeros, *((zeros, zeros) if clean else (None, None)))

    def __add__(self, other: LabelChanges) -> LabelChanges:
        known = self.right is not None and other.right is not None
        return LabelChanges(
            self.images + other.images,
            self.changed_images + other.changed_images,
            self.gained + other.gained,
            self.lost + other.lost,
            self.right + other.right if known else None,
            self.wrong + other.wrong if known else None,
        )

    def document(self, names: Sequence[str]) -> Mapping[str, Any]:
        """Returns it as JSON, with the names of the classes."""
        columns = {"gained": self.gained, "lost": self.lost}
        if self.right is not None:
            columns |= {"right": self.right, "wrong": self.wrong}
        return {
            "images": self.images,
            "changed_images": self.changed_images,
            "changed": {
                name: {key: int(column[index]) for key, column in columns.items()} for index, name in enumerate(names)
            },
        }


def _count(classes: npt.NDArray[np.uint8], num_classes: int) -> npt.NDArray[np.int64]:
    return np.bincount(classes[classes != IGNORE], minlength=num_classes)[:num_classes]
