"""What versions a label store holds, and which of them nothing in force needs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from noisyseg.labels.errors import LabelError
from noisyseg.labels.store import GIVEN, LabelStore

__all__ = ["Version", "existing_store", "existing_version", "history", "unneeded"]


@dataclass(frozen=True)
class Version:
    """One version of a store.

    Attributes:
        number: Its number.
        parent: The version it builds on; None of an incomplete one.
        in_force: Whether it is the current one.
        made: When it was finished, or begun if it never was.
        files: Number of files of each kind that it holds itself.
        size: Bytes on disk.
        changed: Pixels that it changed, as far as its writer said; None where it did not.
        fates: How many of them are right and wrong, where its writer knew clean labels.
        info: What its writer kept with it.
    """

    number: int
    parent: int | None
    in_force: bool
    made: datetime
    files: Mapping[str, int]
    size: int
    changed: int | None
    fates: Mapping[str, int]
    info: Mapping[str, Any]

    @property
    def is_complete(self) -> bool:
        """Whether it was finished."""
        return self.parent is not None


def existing_store(root: str | Path) -> LabelStore:
    """Returns the store in a folder.

    Raises:
        LabelError: There is none.
    """
    root = Path(root)
    store = LabelStore(root)
    if not root.is_dir():
        raise LabelError("expected the folder of a label store, got none", file=root)
    if not (store.versions() or store.incomplete() or (root / "current.json").is_file()):
        below = root / "label_store"
        hint = f"; {below} may be meant" if below.is_dir() else ""
        problem = f"expected a label store, with current.json or folders v0001, ..., got neither{hint}"
        raise LabelError(problem, file=root)
    return store


def existing_version(store: LabelStore, text: str | int) -> int:
    """Returns the number of a complete version that is named by its number, or by ``"current"``.

    Raises:
        LabelError: There is none; the message names those there are.
    """
    there = [GIVEN, *store.versions()]
    if text == "current":
        number = store.current
    else:
        try:
            number = int(text)
        except ValueError:
            number = -1
    if number not in there:
        got = f"{number}, which is in force" if text == "current" else repr(text)
        numbers = ", ".join(map(str, there))
        raise LabelError(f"expected one of the versions {numbers} (0: as given), got {got}", file=store.root)
    store.lineage(number)
    return number


def history(store: LabelStore) -> list[Version]:
    """Returns all versions, complete or not, by number.

    Raises:
        LabelError: A manifest is broken.
    """
    current, complete = store.current, set(store.versions())
    found = []
    for number in sorted({*complete, *store.incomplete()}):
        is_complete, folder = number in complete, store.folder(number)
        info = store.info(number) if is_complete else {}
        sums = _sums(info)
        written = [path for path in folder.rglob("*") if path.is_file()]
        found.append(
            Version(
                number=number,
                parent=store.parent(number) if is_complete else None,
                in_force=number == current,
                made=datetime.fromtimestamp((folder / "manifest.json" if is_complete else folder).stat().st_mtime),
                files={kind: len(store.keys(kind, number)) for kind in store.kinds} if is_complete else {},
                size=sum(path.stat().st_size for path in written),
                changed=max(sums["gained"], sums["lost"]) if sums else None,
                fates={fate: sums[fate] for fate in ("right", "wrong") if fate in sums},
                info=info,
            )
        )
    return found


def unneeded(store: LabelStore, keep: Iterable[int] = ()) -> list[int]:
    """Returns the complete versions that can go, in an order in which they can: children before parents.

    Those stay that the current version or one of ``keep`` builds on, and the newest, whose number must not be used
    again, with those it builds on. A checkpoint of a training names a version, too: only its owner knows.

    Raises:
        LabelError: One of ``keep`` is not there.
    """
    versions = store.versions()
    needed: set[int] = set()
    for number in (store.current, *keep, *versions[-1:]):
        needed |= set(store.lineage(existing_version(store, number)))
    return sorted(set(versions) - needed, reverse=True)


def _sums(info: Mapping[str, Any]) -> dict[str, int]:
    """Returns the pixels gained and lost over all classes, where its writer noted them by class."""
    rows = info.get("changed")
    if not isinstance(rows, Mapping) or not all(isinstance(row, Mapping) for row in rows.values()):
        return {}
    sums: Counter[str] = Counter(gained=0, lost=0)
    for row in rows.values():
        sums.update({name: count for name, count in row.items() if isinstance(count, int)})
    return dict(sums)
