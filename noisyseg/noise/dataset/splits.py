"""Which split of a data set labels belong to, by their names: models are to be evaluated on clean labels."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePath
from typing import Literal, TypeVar

Split = Literal["train", "val", "test"]
T = TypeVar("T")
SPLITS: dict[Split, str] = {
    "train": "train.*",
    "val": "(mini)?val(id|idation)?",
    "test": "test(ing|dev)?",
}


def split_of(path: str | Path) -> Split | None:
    """Returns what the name of a file, or else of its folder, says that it is for; None where it says nothing."""
    path = Path(path)
    words = re.findall(r"[a-z]+", path.stem.lower())
    return _named(words) or _named([path.parent.name.lower().rstrip("0123456789")])


def is_evaluation_split(path: str | Path) -> bool:
    """Returns whether the name of a file, or else of its folder, says that it is for validation or test."""
    return split_of(path) in ("val", "test")


def split_of_folder(path: PurePath) -> Split | None:
    """Returns the split that the nearest folder with the name of one says, such as ``gtFine/train`` or ``valannot``."""
    for part in reversed(path.parts):
        word = part.lower().rstrip("0123456789").removesuffix("annot")
        split = _named([word])
        if split in ("val", "test") or word in ("train", "training", "trainval"):
            return split
    return None


def chosen(splits: Mapping[T, Split | None], wanted: Split | None) -> tuple[list[T], dict[str, int]]:
    """Returns which files are to be noisy, and how many of each other split are left out.

    Args:
        splits: What each file is for, as far as its name says.
        wanted: The split that the user names. Without, everything that does not look like validation or test.

    Raises:
        ValueError: Nothing is left.
    """
    if wanted is None:
        taken = [item for item, split in splits.items() if split in (None, "train")]
    else:
        taken = [item for item, split in splits.items() if split == wanted]
        if wanted == "train" or not any(splits.values()):
            taken = [item for item, split in splits.items() if split in (None, wanted)]
    if not taken:
        found = ", ".join(sorted({split for split in splits.values() if split}))
        if wanted is None:
            raise ValueError(
                f"looks like validation or test labels ({found}), and models are to be evaluated on clean labels; "
                "name the split if it is to be noisy all the same"
            )
        raise ValueError(f"split: expected {found}, which are there, got {wanted}")
    left = [split or "unnamed" for item, split in splits.items() if item not in set(taken)]
    return taken, {split: left.count(split) for split in sorted(set(left))}


def listed(folders: Iterable[Path]) -> dict[str, Split]:
    """Returns the split of each name in the ``train.txt``, ``val.txt`` and ``test.txt`` of the first folder with any.

    A name is the last part of a line's first word, without its ending.
    """
    for folder in folders:
        files: Sequence[tuple[Split, Path]] = [(split, folder / f"{split}.txt") for split in SPLITS]
        if any(path.is_file() for _, path in files):
            return {
                PurePath(line.split()[0]).stem: split
                for split, path in files
                if path.is_file()
                for line in path.read_text(encoding="utf-8").splitlines()
                if line.strip()
            }
    return {}


def _named(words: Sequence[str]) -> Split | None:
    """Returns the split that one of the words says; training goes before the others."""
    return next((split for split, form in SPLITS.items() if any(re.fullmatch(form, word) for word in words)), None)
