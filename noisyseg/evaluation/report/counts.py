"""How many objects were touched, and how: over all, by class, by size, by operation."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from noisyseg.evaluation.report.agreement import SIZES, short_agreement, size_buckets
from noisyseg.evaluation.report.distributions import share
from noisyseg.evaluation.report.tables import Rows, Tables

Json = dict[str, Any]


def overall_counts(tables: Tables, *, masks: bool) -> Json:
    """Returns the counts of objects and of what became of them; crowds are counted by themselves."""
    pairs, crowds = tables.pairs[~tables.pairs["crowd"]], tables.pairs[tables.pairs["crowd"]]
    images = tables.images
    flipped = pairs["clean_class"] != pairs["noisy_class"]
    moved = (pairs["clean_box"] != pairs["noisy_box"]).any(axis=1)
    found = {
        "images": len(images),
        "clean_objects": int(images["clean_objects"].sum()),
        "noisy_objects": int(images["noisy_objects"].sum()),
        "pairs": len(pairs),
        "untouched": int((pairs["same"] & ~flipped & ~moved).sum()),
        "class_changed": int(flipped.sum()),
        "box_changed": int(moved.sum()),
        "missing": int((~tables.missing["crowd"]).sum()),
        "bogus": int((~tables.added["crowd"] & ~tables.added["piece"]).sum()),
        "pieces": int(tables.added["piece"].sum()),
        "vanished_restored": int((pairs["vanished"] & pairs["same"]).sum()),
        "crowd_pairs": len(crowds),
        "crowds_changed": int((~crowds["same"]).sum()),
        "images_emptied": int(((images["clean_objects"] > 0) & (images["noisy_objects"] == 0)).sum()),
    }
    if masks:
        found |= {
            "mask_changed": int((~pairs["same"]).sum()),
            "vanished_kept": int(((pairs["noisy_area"] == 0) & (pairs["clean_area"] > 0)).sum()),
            "empty_masks": int((pairs["noisy_area"] == 0).sum()),
            "touching_border": int(_touches(pairs, images).sum()),
        }
    return found


def by_class(tables: Tables, names: tuple[str, ...], *, masks: bool) -> list[Json]:
    """Returns a row for each class that occurs, by the class of the clean object."""
    return [
        {"class": name, **row}
        for name, row in zip(names, _groups(tables, len(names), "class", masks=masks), strict=True)
        if row["clean"] or row["bogus"] or row["flipped_into"]
    ]


def by_size(tables: Tables, *, masks: bool) -> list[Json]:
    """Returns a row for small, medium and large objects, by the area of the clean object."""
    rows = _groups(tables, len(SIZES), "size", masks=masks)
    return [{"size": name, **row} for name, row in zip(SIZES, rows, strict=True)]


def by_operation(tables: Tables, *, masks: bool) -> list[Json]:
    """Returns a row for each recorded operation; an object with several counts in each of them."""
    pairs = tables.pairs[~tables.pairs["crowd"]]
    rows = []
    for k, name in enumerate(tables.ops):
        hit = pairs["ops"] >> np.uint64(k) & np.uint64(1) == 1
        rows.append({"op": name, **short_agreement(pairs[hit], masks=masks)})
    return rows


def operation_counts(tables: Tables) -> dict[str, int]:
    """Returns in how many annotations of the noisy file each operation is recorded."""
    return {
        name: int(sum((rows["ops"] >> np.uint64(k) & np.uint64(1)).sum() for rows in (tables.pairs, tables.added)))
        for k, name in enumerate(tables.ops)
    }


def _groups(tables: Tables, groups: int, what: str, *, masks: bool) -> list[Json]:
    pairs = tables.pairs[~tables.pairs["crowd"]]
    missing = tables.missing[~tables.missing["crowd"]]
    bogus = tables.added[~tables.added["crowd"] & ~tables.added["piece"]]
    if what == "class":
        keys, missing_keys, bogus_keys = pairs["clean_class"], missing["class"], bogus["class"]
    else:
        keys, missing_keys, bogus_keys = (
            size_buckets(areas) for areas in (pairs["clean_area"], missing["area"], bogus["area"])
        )
    flipped = pairs["clean_class"] != pairs["noisy_class"]
    into = np.bincount(pairs["noisy_class"][flipped], minlength=groups) if what == "class" else None
    gone, come = np.bincount(missing_keys, minlength=groups), np.bincount(bogus_keys, minlength=groups)
    # One sort instead of a search a class: there may be a thousand of them.
    order = np.argsort(keys, kind="stable")
    starts = np.searchsorted(keys[order], np.arange(groups + 1))
    rows = []
    for k in range(groups):
        of_group = order[starts[k] : starts[k + 1]]
        row = short_agreement(pairs[of_group], masks=masks)
        row |= {
            "clean": len(of_group) + int(gone[k]),
            "flipped": int(flipped[of_group].sum()),
            "missing": int(gone[k]),
            "bogus": int(come[k]),
        }
        row["flip_rate"] = share(row["flipped"], len(of_group))
        if into is not None:
            row["flipped_into"] = int(into[k])
        rows.append(row)
    return rows


def _touches(pairs: Rows, images: Rows) -> npt.NDArray[np.bool_]:
    """Returns which clean masks touch the border of their image."""
    tight = pairs["clean_tight"]
    limits = np.stack([images["width"], images["height"]], axis=1)[pairs["image"]]
    return ((tight[:, :2] <= 0).any(axis=1) | (tight[:, 2:] >= limits).any(axis=1)) & (pairs["clean_area"] > 0)
