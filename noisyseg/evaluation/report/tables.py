"""What is known of every pair and of every object without a partner: one row each, in the order of the clean file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

# Tolerances of the boundary F in pixels; the last one is this share of the image's diagonal.
TOLERANCES = (1.0, 2.0, 3.0, 5.0)
RELATIVE_TOLERANCE = 0.0075
TOLERANCE_NAMES = (*(f"{tolerance:g} px" for tolerance in TOLERANCES), f"{RELATIVE_TOLERANCE:g} of the diagonal")

PAIR = np.dtype(
    [
        ("image", np.int32),  # place in the list of images
        ("clean_id", np.int64),
        ("noisy_id", np.int64),
        ("clean_class", np.int32),
        ("noisy_class", np.int32),
        ("crowd", bool),
        ("same", bool),  # the two masks, or boxes where there are no masks, are the same
        ("vanished", bool),
        ("recorded", bool),  # the noisy annotation says what was done to it
        ("ops", np.uint64),  # bit k: operation k of the table was applied, as the noisy annotation says
        ("clean_area", np.float64),  # pixels
        ("noisy_area", np.float64),
        ("both", np.float64),
        ("distance", np.float32),  # pixels, as in kernels.compare
        ("hausdorff95", np.float32),
        ("bias", np.float32),
        ("boundary_f", np.float32, (len(TOLERANCE_NAMES),)),
        ("clean_parts", np.int32),
        ("noisy_parts", np.int32),
        ("clean_holes", np.int32),
        ("noisy_holes", np.int32),
        ("clean_box", np.float64, (4,)),  # x0, y0, x1, y1, half-open
        ("noisy_box", np.float64, (4,)),
        ("clean_tight", np.int32, (4,)),  # the box around the mask
        ("noisy_tight", np.int32, (4,)),
    ]
)
SINGLE = np.dtype(
    [
        ("image", np.int32),
        ("id", np.int64),
        ("class", np.int32),
        ("crowd", bool),
        ("piece", bool),  # a further piece of an object that noise split
        ("area", np.float64),
        ("ops", np.uint64),
    ]
)
IMAGE = np.dtype(
    [
        ("height", np.int32),
        ("width", np.int32),
        ("clean_objects", np.int32),
        ("noisy_objects", np.int32),
        ("clean_claimed", np.int64),  # pixels that at least one object claims
        ("clean_twice", np.int64),  # and more than one
        ("noisy_claimed", np.int64),
        ("noisy_twice", np.int64),
    ]
)
Rows = npt.NDArray[Any]


@dataclass
class Tables:
    """The rows of some images.

    Attributes:
        pairs: One row of ``PAIR`` a pair.
        missing: One row of ``SINGLE`` a clean object without a partner.
        added: One row of ``SINGLE`` a noisy object without a partner.
        images: One row of ``IMAGE`` an image.
        ops: Names of the operations that the bits stand for.
    """

    pairs: Rows
    missing: Rows
    added: Rows
    images: Rows
    ops: list[str] = field(default_factory=list)


def joined_tables(tables: Sequence[Tables]) -> Tables:
    """Returns one table of several, in their order; bits of operations are renumbered to one list of names.

    Raises:
        ValueError: There are more than 64 kinds of operations.
    """
    names = sorted({name for table in tables for name in table.ops})
    if len(names) > 64:
        raise ValueError(f"noise: expected at most 64 kinds of operations in one file, got {len(names)}")
    place = {name: k for k, name in enumerate(names)}
    for table in tables:
        for rows in (table.pairs, table.added):
            old, rows["ops"] = rows["ops"].copy(), 0
            for k, name in enumerate(table.ops):
                rows["ops"] |= (old >> np.uint64(k) & np.uint64(1)) << np.uint64(place[name])
    return Tables(
        *(
            np.concatenate([getattr(table, name) for table in tables]) if tables else np.zeros(0, dtype)
            for name, dtype in (("pairs", PAIR), ("missing", SINGLE), ("added", SINGLE), ("images", IMAGE))
        ),
        ops=names,
    )
