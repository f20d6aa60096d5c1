"""The classes of a data set: file ids, names and groups, in one order that no file can shuffle."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from noisyseg.labels.errors import LabelError


@dataclass(frozen=True)
class Categories:
    """Classes 0..K-1, ordered by file id, so that the order in which a file lists them changes nothing.

    Attributes:
        ids: (K,) ids as in the file, ascending.
        names: (K,) names.
        groups: (K,) names of the super-categories; None where the file has none.
    """

    ids: tuple[int, ...]
    names: tuple[str, ...]
    groups: tuple[str | None, ...]
    index: Mapping[int, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not len(self.ids) == len(self.names) == len(self.groups):
            raise LabelError("categories: expected as many names and groups as ids")
        if any(a >= b for a, b in zip(self.ids, self.ids[1:], strict=False)):
            raise LabelError(f"categories: expected ascending ids without duplicates, got {list(self.ids)}")
        object.__setattr__(self, "index", {id_: k for k, id_ in enumerate(self.ids)})

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def from_names(cls, names: Iterable[str]) -> Categories:
        """Returns categories with ids 0..K-1, for data that has names only."""
        names = tuple(names)
        return cls(tuple(range(len(names))), names, (None,) * len(names))

    @classmethod
    def from_coco(cls, categories: Iterable[Mapping[str, Any]]) -> Categories:
        """Returns the ``categories`` of a COCO document.

        Raises:
            LabelError: An entry lacks ``id`` or ``name``, or an id is not a whole number or not unique.
        """
        entries = list(categories)
        for place, entry in enumerate(entries):
            if not isinstance(entry, Mapping) or type(entry.get("id")) is not int or "name" not in entry:
                raise LabelError(f"expected an id (whole number) and a name, got {entry}", where=f"categories[{place}]")
        entries.sort(key=lambda entry: entry["id"])
        return cls(
            tuple(entry["id"] for entry in entries),
            tuple(str(entry["name"]) for entry in entries),
            tuple(entry.get("supercategory") for entry in entries),
        )
