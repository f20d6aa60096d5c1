"""What changed between two versions of the masks of a COCO file, image by image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from noisyseg.evaluation.label_diff.document import header, image_row, ratio
from noisyseg.evaluation.label_diff.pixels import FATES, fates_of_masks
from noisyseg.labels import LabelError, Mask
from noisyseg.labels.coco_text import CocoText
from noisyseg.labels.kernels.runs import overlap
from noisyseg.labels.versions import VersionMasks

__all__ = ["CleanMasks", "compare_masks"]

Json = dict[str, Any]
Counts = npt.NDArray[np.int64]
_COLUMNS = (
    *("objects", "objects_changed", "before", "after", "gained", "lost", *FATES),
    *("both_before", "either_before", "both_after", "either_after"),
)


class CleanMasks:
    """The masks of a clean COCO file by annotation id.

    Args:
        path: The file.

    Raises:
        LabelError: It cannot be used.
    """

    def __init__(self, path: str | Path) -> None:
        self.coco = CocoText(path)
        self._places = {id_: place for place, id_ in enumerate(self.coco.ids.tolist())}

    def get(self, ids: Sequence[int], size_hw: tuple[int, int]) -> dict[int, Mask]:
        """Returns the masks of those ids that the file has.

        Raises:
            LabelError: One cannot be used, or is of an image of another size.
        """
        found = {}
        places = [self._places[id_] for id_ in ids if id_ in self._places]
        for annotation in self.coco.annotations_at(places):
            try:
                found[annotation["id"]] = Mask.from_coco(annotation.get("segmentation"), size_hw)
            except LabelError as error:
                raise error.at(file=self.coco.path, where=f"annotation {annotation['id']}") from None
        return found


def compare_masks(
    old: VersionMasks, new: VersionMasks, clean: CleanMasks | None = None, *, progress: bool = False
) -> Json:
    """Returns what changed between two versions of the masks of a COCO file, one image at a time.

    Args:
        old: The earlier version, such as 0, the given masks.
        new: The later version of the same annotations.
        clean: Clean masks of the same annotation ids; a mask without one is unknown.
        progress: Draw a progress bar on stderr.

    Raises:
        LabelError: A mask cannot be used.
    """
    given = new.given
    names = given.coco.categories.names
    table = np.zeros((len(names), len(_COLUMNS)), np.int64)
    rows, pixels = [], 0
    for name in tqdm(given.names, unit="image", disable=not progress):
        size_hw = given.size_hw(name)
        pixels += size_hw[0] * size_hw[1]
        masks, classes = given.masks(name)
        rights = {} if clean is None else clean.get(list(masks), size_hw)
        was, is_ = ({**masks, **version.replaced(name)} for version in (old, new))
        total, objects = np.zeros(len(FATES) + 1, np.int64), 0
        for id_, class_ in classes.items():
            row, fates = _counts(was[id_], is_[id_], rights.get(id_))
            table[class_] += row
            total[1:] += fates
            objects += int(fates.any())
        if objects:
            image = image_row(name, size_hw[0] * size_hw[1], total, with_fates=clean is not None)
            rows.append(image | {"objects": objects})
    document = header("instances", old, new, pixels=pixels, rows=rows, with_fates=clean is not None)
    document["totals"] |= {"objects": len(given.coco), "objects_changed": sum(row["objects"] for row in rows)}
    document["by_class"] = [
        _class_of_masks(name, dict(zip(_COLUMNS, row, strict=True)), with_clean=clean is not None)
        for name, row in zip(names, table.tolist(), strict=True)
    ]
    document["moves"] = []
    if clean is not None:
        sums = dict(zip(_COLUMNS, table.sum(axis=0).tolist(), strict=True))
        document["totals"] |= {
            "iou_before": ratio(sums["both_before"], sums["either_before"]),
            "iou_after": ratio(sums["both_after"], sums["either_after"]),
        }
    return document


def _counts(old: Mask, new: Mask, clean: Mask | None) -> tuple[Counts, Counts]:
    """Returns the counts of one object, in the order of the columns, and its (4,) changed pixels by fate."""
    fates = np.zeros(len(FATES), np.int64)
    overlaps = [*_overlap(old, clean), *_overlap(new, clean)]
    if old is new:  # most objects: no frame is painted for them
        return np.array([1, 0, old.area, old.area, 0, 0, *fates, *overlaps]), fates
    was, is_ = (mask.frame() != 0 for mask in (old, new))
    right = None if clean is None else clean.frame() != 0
    fates = np.bincount(fates_of_masks(was, is_, right).ravel(), minlength=len(FATES) + 1)[1:]
    gained, lost = np.count_nonzero(is_ & ~was), np.count_nonzero(was & ~is_)
    return np.array([1, int(gained + lost > 0), old.area, new.area, gained, lost, *fates, *overlaps]), fates


def _overlap(mask: Mask, clean: Mask | None) -> tuple[int, int]:
    """Returns the pixels of intersection and union with the clean mask; zeros where there is none."""
    if clean is None:
        return 0, 0
    both = overlap(mask.runs, clean.runs)
    return both, mask.area + clean.area - both


def _class_of_masks(name: str, sums: Mapping[str, int], *, with_clean: bool) -> Json:
    kept = ("objects", "objects_changed", "before", "after", "gained", "lost")
    row: Json = {"class": name} | {key: sums[key] for key in kept}
    if with_clean:
        row |= {fate: sums[fate] for fate in FATES}
        row["iou_before"] = ratio(sums["both_before"], sums["either_before"])
        row["iou_after"] = ratio(sums["both_after"], sums["either_after"])
    return row
