"""What changed between two versions of label maps, image by image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from noisyseg.evaluation.label_diff.document import header, image_row, ratio
from noisyseg.evaluation.label_diff.pixels import FATES, MapCounts
from noisyseg.labels import IGNORE, LabelError
from noisyseg.labels.versions import GivenMaps, VersionMaps

__all__ = ["clean_map", "compare_maps"]

Json = dict[str, Any]
Counts = npt.NDArray[np.int64]


def compare_maps(old: VersionMaps, new: VersionMaps, clean: GivenMaps | None = None, *, progress: bool = False) -> Json:
    """Returns what changed between two versions of label maps; every map is read once, one at a time.

    Args:
        old: The earlier version, such as 0, the given labels.
        new: The later version of the same labels.
        clean: Clean labels, with the same names and numbers of classes.
        progress: Draw a progress bar on stderr.

    Raises:
        LabelError: A map is missing or broken, or maps of one image have different sizes.
    """
    given = new.given
    counts, rows, pixels = MapCounts(), [], 0
    for name in tqdm(given.names, unit="map", disable=not progress):
        before = given.classes(name)
        right = None if clean is None else clean_map(clean, name, before.shape)
        pixels += before.size
        was, is_ = old.classes(name, before), new.classes(name, before)
        if old.source(name) == new.source(name):
            counts.add_same(was, right)
            continue
        fates = counts.add(was, is_, right)
        if fates[1:].any():
            rows.append(image_row(name, before.size, fates, with_fates=clean is not None))
    old.check()
    new.check()
    document = header("labels", old, new, pixels=pixels, rows=rows, with_fates=clean is not None)
    names = [*given.codes.names] + [""] * (IGNORE - len(given.codes.names)) + ["ignored"]
    document["by_class"] = _classes_of_maps(counts, names, with_clean=clean is not None)
    document["moves"] = _moves(counts, names, with_clean=clean is not None)
    if clean is not None:
        document["totals"] |= {
            "agreement_before": _agreement(counts.before),
            "agreement_after": _agreement(counts.after),
        }
    return document


def clean_map(clean: GivenMaps, name: str, shape: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """Returns the clean map of an image.

    Raises:
        LabelError: It is missing or broken, or has another size than the given one.
    """
    found = clean.classes(name)
    if found.shape != shape:
        raise LabelError(f"expected the size of the given labels, {shape}, got {found.shape}", file=clean.path(name))
    return found


def _classes_of_maps(counts: MapCounts, names: Sequence[str], *, with_clean: bool) -> list[Json]:
    before, after, kept = counts.moves.sum(axis=1), counts.moves.sum(axis=0), np.diag(counts.moves)
    gained = counts.fates.sum(axis=1)  # by fate and new class
    ious = [_ious(matrix) for matrix in (counts.before, counts.after)]
    rows = []
    for k in np.flatnonzero(before + after).tolist():
        row: Json = {
            "class": names[k],
            "before": int(before[k]),
            "after": int(after[k]),
            "gained": int(after[k] - kept[k]),
            "lost": int(before[k] - kept[k]),
        }
        if with_clean:
            row |= {fate: int(gained[number, k]) for fate, number in FATES.items()}
            row |= {"iou_before": ious[0][k], "iou_after": ious[1][k]}
        rows.append(row)
    return rows


def _moves(counts: MapCounts, names: Sequence[str], *, with_clean: bool) -> list[Json]:
    changed = counts.fates.sum(axis=0)
    rows = []
    for a, b in np.argwhere(changed).tolist():
        row: Json = {"from": names[a], "to": names[b], "pixels": int(changed[a, b])}
        if with_clean:
            row |= {fate: int(counts.fates[number, a, b]) for fate, number in FATES.items()}
        rows.append(row)
    return sorted(rows, key=lambda row: -row["pixels"])


def _valid(matrix: Counts) -> Counts:
    return matrix[:IGNORE, :IGNORE]


def _agreement(matrix: Counts) -> float | None:
    """Returns the share of pixels with the clean class, among those that have a class in both."""
    return ratio(int(np.trace(_valid(matrix))), int(_valid(matrix).sum()))


def _ious(matrix: Counts) -> list[float | None]:
    """Returns the IoU of each class with the clean one, among pixels that have a class in both; None for ignored."""
    valid = _valid(matrix)
    both = np.diag(valid)
    either = valid.sum(axis=0) + valid.sum(axis=1) - both
    return [ratio(*pair) for pair in zip(both.tolist(), either.tolist(), strict=True)] + [None]
