"""Which of the given labels a key of a label store belongs to."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

from noisyseg.labels.errors import LabelError

__all__ = ["match_keys"]

LISTED = 3


def match_keys(
    keys: Iterable[str], names: Collection[str], *, image_ending: str = "", file: str | Path | None = None
) -> dict[str, str]:
    """Returns the key of each of the given labels for which there is one.

    The key of an image is its path below the image folder, or its name alone where `noisyseg.LoadStoredLabels` was told
    no ``img_dir``. It has the ending that distinguishes images from label maps, such as ``_leftImg8bit``, unless
    ``img_suffix`` took it off. Each of these is found.

    Args:
        keys: Keys of a store.
        names: Paths of the given labels below their folder, without what follows the image's name.
        image_ending: What images have behind that name, without the file type.
        file: The given labels, for messages.

    Raises:
        LabelError: A key belongs to none of the names or to several, or two keys belong to one.
    """
    exact = {name + image_ending: name for name in names} | {name: name for name in names}
    alone: dict[str, list[str]] = {}
    for path, name in exact.items():
        alone.setdefault(path.rpartition("/")[2], []).append(name)
    found: dict[str, str] = {}
    unknown = []
    for key in sorted(keys):
        candidates = [exact[key]] if key in exact else alone.get(key, [])
        if not candidates:
            unknown.append(key)
            continue
        if len(candidates) > 1:
            raise LabelError(
                f"expected one label of this name, got {_listed(candidates)}; LoadStoredLabels needs img_dir to tell "
                "them apart",
                file=file,
                where=f"key {key!r}",
            )
        if candidates[0] in found:
            raise LabelError(
                f"expected one key of the store for {candidates[0]!r}, got {found[candidates[0]]!r} and {key!r}",
                file=file,
            )
        found[candidates[0]] = key
    if unknown:
        raise LabelError(
            f"expected labels for each key of the store, got none for {_listed(unknown)}; the names here are such as "
            f"{_listed(sorted(names))}",
            file=file,
        )
    return found


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return ", ".join(map(repr, names[:LISTED])) + more
