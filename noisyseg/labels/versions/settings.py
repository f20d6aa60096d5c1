"""What the data set of a training did to class numbers, as the hook that writes the store noted it."""

from __future__ import annotations

from typing import NamedTuple

import orjson

from noisyseg.labels.errors import LabelError
from noisyseg.labels.store import LabelStore

__all__ = ["ClassSettings", "class_settings"]

FILE = "given.json"


class ClassSettings(NamedTuple):
    """How numbers in the given files become classes in the store.

    Attributes:
        classes: Names of the classes; empty where they are not known.
        reduce_zero_label: Whether 0 is ignored and classes are counted from 1 in the files; None: not known.
    """

    classes: tuple[str, ...] = ()
    reduce_zero_label: bool | None = None


def class_settings(store: LabelStore) -> ClassSettings:
    """Returns what ``given.json`` in a store says; nothing is known where there is no such file.

    Raises:
        LabelError: The file is broken, or the data set changed numbers in a way that cannot be taken back.
    """
    path = store.root / FILE
    try:
        document = orjson.loads(path.read_bytes())
        classes = tuple(str(name) for name in document["classes"])
        reduced = {bool(part["reduce_zero_label"]) for part in document["settings"]}
        maps = [part["label_map"] or {} for part in document["settings"]]
        changed = {int(old): int(new) for one in maps for old, new in one.items() if int(old) != int(new)}
    except FileNotFoundError:
        return ClassSettings()
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise LabelError(f"expected classes and settings of the given labels: {error}", file=path) from error
    if changed:
        old, new = next(iter(changed.items()))
        raise LabelError(
            f"label_map: expected none, got one that makes {old} to {new} and cannot be taken back; write the mapped "
            "labels as files, and train with these",
            file=path,
        )
    if len(reduced) > 1:
        raise LabelError("reduce_zero_label: expected the same for all parts of the data set, got both", file=path)
    return ClassSettings(classes, *reduced)
