"""Groups of classes that are taken for each other: those of the file, a named grouping, a mapping or a JSON file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import orjson

from noisyseg.labels import Categories, LabelError

Groups = Mapping[str, Sequence[str]]
Ungrouped = Literal["error", "together", "alone"]
UNGROUPED = ("error", "together", "alone")

# The groups of Cityscapes' own documentation; files made by mmdet's converter have lost them.
GROUPINGS: dict[str, Groups] = {
    "cityscapes": {
        "human": ("person", "rider"),
        "vehicle": ("car", "truck", "bus", "train", "motorcycle", "bicycle"),
    },
}


def given_groups(groups: Groups | str | Path) -> Groups:
    """Returns the mapping from group to class names that a setting stands for.

    Args:
        groups: A mapping, the name of a grouping in ``GROUPINGS``, or a JSON file that holds a mapping.

    Raises:
        ValueError: It is none of these, or a class stands in two groups.
    """
    if isinstance(groups, Path) or (isinstance(groups, str) and groups.endswith(".json")):
        groups = read_json(groups, "groups")
    elif isinstance(groups, str):
        if groups not in GROUPINGS:
            raise ValueError(f"groups: expected one of {', '.join(GROUPINGS)}, or a .json file, got {groups!r}")
        groups = GROUPINGS[groups]
    if not isinstance(groups, Mapping) or not all(
        isinstance(names, list | tuple) and all(isinstance(name, str) for name in names) for names in groups.values()
    ):
        raise ValueError(f"groups: expected lists of class names by group, got {groups!r}")
    counts = Counter(name for members in groups.values() for name in members)
    twice = sorted(name for name, count in counts.items() if count > 1)
    if twice:
        raise ValueError(f"groups: expected every class once, got {twice} twice")
    return groups


def read_json(path: str | Path, argument: str) -> Any:  # noqa: ANN401 - any JSON
    """Returns what a JSON file holds.

    Raises:
        ValueError: It cannot be read or is not JSON; the message begins with ``argument``.
    """
    try:
        return orjson.loads(Path(path).read_bytes())
    except OSError as error:
        raise ValueError(f"{argument}: {path} cannot be read: {error.strerror}") from error
    except orjson.JSONDecodeError as error:
        raise ValueError(f"{argument}: {path} is not JSON: {error}") from None


def group_numbers(categories: Categories, groups: Groups | None, ungrouped: Ungrouped) -> list[int]:
    """Returns (K,) the number of each class's group.

    Args:
        categories: The classes.
        groups: Class names by group; None for the super-categories of the file.
        ungrouped: ``"together"`` makes one group of the classes that have none, ``"alone"`` leaves each by itself.

    Raises:
        LabelError: ``groups`` names a class that is not there, or a class has no group and ``ungrouped`` is
            ``"error"``.
    """
    if groups is None:
        named = [None if group in (None, "") else str(group) for group in categories.groups]
    else:
        check_names(categories, [name for members in groups.values() for name in members], "groups")
        group_of = {name: group for group, members in groups.items() for name in members}
        named = [group_of.get(name) for name in categories.names]
    without = [name for name, group in zip(categories.names, named, strict=True) if group is None]
    if without and ungrouped == "error":
        raise LabelError(
            f"expected a group for every class, but {len(without)} of {len(named)} have none, such as "
            f"{without[0]!r}: give the class noise `groups`, or say by `ungrouped` what becomes of them"
        )
    if ungrouped == "alone":
        keys = [(place,) if group is None else group for place, group in enumerate(named)]
    else:
        keys = named
    numbers = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    return [numbers[key] for key in keys]


def check_names(categories: Categories, names: Sequence[str], argument: str) -> None:
    """Raises LabelError unless all ``names`` are classes."""
    unknown = sorted(set(names) - set(categories.names))
    if unknown:
        raise LabelError(
            f"{argument}: expected classes of the file, got {', '.join(map(repr, unknown[:5]))}; "
            f"it has {', '.join(categories.names[:10])}{', ...' if len(categories) > 10 else ''}"
        )
