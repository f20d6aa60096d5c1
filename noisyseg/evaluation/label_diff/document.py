"""The numbers on what changed between two versions of labels, as JSON; what maps and masks have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from noisyseg.evaluation.label_diff.pixels import FATES
from noisyseg.labels.versions import VersionMaps, VersionMasks

__all__ = ["header", "image_row", "ratio"]

Json = dict[str, Any]
Counts = npt.NDArray[np.int64]


def image_row(name: str, pixels: int, fates: Counts, *, with_fates: bool) -> Json:
    """Returns what changed in one image.

    Args:
        name: The image.
        pixels: How many it has.
        fates: (5,) pixels by fate, unchanged ones first.
        with_fates: Whether there are clean labels to tell fates by.
    """
    changed = int(fates[1:].sum())
    row: Json = {"image": name, "pixels": pixels, "changed": changed, "share": changed / pixels}
    return row | (dict(zip(FATES, fates[1:].tolist(), strict=True)) if with_fates else {})


def header(
    kind: str,
    old: VersionMaps | VersionMasks,
    new: VersionMaps | VersionMasks,
    *,
    pixels: int,
    rows: Sequence[Json],
    with_fates: bool,
) -> Json:
    """Returns what is said about all images together, and the changed images, most changed first.

    Args:
        kind: ``"labels"`` or ``"instances"``.
        old: The earlier version.
        new: The later one.
        pixels: Pixels of all images, changed or not.
        rows: One of `image_row` for each changed image.
        with_fates: Whether there are clean labels to tell fates by.
    """
    changed = sum(row["changed"] for row in rows)
    totals = {"images": len(new.given.names), "images_changed": len(rows), "pixels": pixels, "changed": changed}
    totals["share"] = changed / pixels
    if with_fates:
        totals |= {fate: sum(row[fate] for row in rows) for fate in FATES}
    return {
        "diff": 1,
        "kind": kind,
        "store": str(new.store.root),
        "from": old.version,
        "to": new.version,
        "totals": totals,
        "images": sorted(rows, key=lambda row: (-row["share"], row["image"])),
    }


def ratio(part: int, whole: int) -> float | None:
    """Returns a share, None of nothing."""
    return part / whole if whole else None
