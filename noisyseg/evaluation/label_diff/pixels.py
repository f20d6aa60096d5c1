"""Counts of what changed in label maps and in masks. A pixel that changed is right, wrong, neither, or unknown.

Right: the new class is the clean one. Wrong: the old one was. Neither: none of them is. Unknown: the clean label is
ignored, or there is none.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from noisyseg.labels import IGNORE

__all__ = ["FATES", "Fates", "MapCounts", "fates_of_maps", "fates_of_masks"]

RIGHT, WRONG, NEITHER, UNKNOWN = 1, 2, 3, 4
FATES = {"right": RIGHT, "wrong": WRONG, "neither": NEITHER, "unknown": UNKNOWN}
MOST = IGNORE + 1

ClassMap = npt.NDArray[np.uint8]
Fates = npt.NDArray[np.uint8]
"""(H, W): 0 where nothing changed, else one of FATES."""
Counts = npt.NDArray[np.int64]


def fates_of_maps(old: ClassMap, new: ClassMap, clean: ClassMap | None) -> Fates:
    """Returns (H, W) what became of each pixel of a label map.

    Args:
        old: (H, W) classes, 255 where ignored.
        new: The same, of the later version.
        clean: The same, clean; None makes every change unknown.
    """
    changed = old != new
    if clean is None:
        return np.where(changed, UNKNOWN, 0).astype(np.uint8)
    fates = np.select([clean == IGNORE, new == clean, old == clean], [UNKNOWN, RIGHT, WRONG], NEITHER)
    return np.where(changed, fates, 0).astype(np.uint8)


def fates_of_masks(old: npt.NDArray[np.bool_], new: npt.NDArray[np.bool_], clean: npt.NDArray | None) -> Fates:
    """Returns (H, W) what became of each pixel of a mask: right where it is now as in the clean one, else wrong."""
    changed = old != new
    if clean is None:
        return np.where(changed, UNKNOWN, 0).astype(np.uint8)
    return np.where(changed, np.where(new == clean, RIGHT, WRONG), 0).astype(np.uint8)


def _square() -> Counts:
    return np.zeros((MOST, MOST), np.int64)


@dataclass
class MapCounts:
    """Pixels of the maps of a data set, added up image by image.

    Attributes:
        moves: (256, 256) pixels by old and new class; 255 is ignored.
        fates: (5, 256, 256) the changed ones among them, by fate, the first row empty.
        before: (256, 256) pixels by clean and old class.
        after: (256, 256) pixels by clean and new class.
    """

    moves: Counts = field(default_factory=_square)
    fates: Counts = field(default_factory=lambda: np.zeros((len(FATES) + 1, MOST, MOST), np.int64))
    before: Counts = field(default_factory=_square)
    after: Counts = field(default_factory=_square)

    def add(self, old: ClassMap, new: ClassMap, clean: ClassMap | None) -> Counts:
        """Adds the maps of one image, and returns its (5,) pixels by fate, unchanged ones first."""
        fates = fates_of_maps(old, new, clean)
        self.moves += _pairs(old, new)
        places = fates != 0
        rows = (fates[places].astype(np.int64) * MOST + old[places]) * MOST + new[places]
        self.fates += np.bincount(rows, minlength=self.fates.size).reshape(self.fates.shape)
        if clean is not None:
            self.before += _pairs(clean, old)
            self.after += _pairs(clean, new)
        return np.bincount(fates.ravel(), minlength=len(FATES) + 1)

    def add_same(self, old: ClassMap, clean: ClassMap | None) -> None:
        """Adds the map of an image that did not change."""
        self.moves[np.arange(MOST), np.arange(MOST)] += np.bincount(old.ravel(), minlength=MOST)
        if clean is not None:
            pairs = _pairs(clean, old)
            self.before += pairs
            self.after += pairs


def _pairs(rows: ClassMap, columns: ClassMap) -> Counts:
    codes = rows.astype(np.int32).ravel() * MOST + columns.ravel()
    return np.bincount(codes, minlength=MOST * MOST).reshape(MOST, MOST)
