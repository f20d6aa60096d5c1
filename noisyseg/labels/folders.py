"""Write folders whole or not at all."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_folder(folder: str | Path, *, marker: str, force: bool = False) -> Iterator[Path]:
    """Yields an empty temporary folder beside ``folder`` that takes its place when the block ends without an error.

    Until then ``folder`` stays as it was, also when the process is killed; what is left behind then is a hidden
    folder ``.<name>.*.partial``.

    Args:
        folder: Where the result goes: a folder that does not exist or is empty, unless ``force`` is given.
        marker: Name of a file that only the caller's folders have; nothing else is ever replaced.
        force: Replace a folder that has the marker.

    Raises:
        FileExistsError: ``folder`` may not be replaced.
        OSError: The folder above it cannot be written to.
    """
    folder = Path(folder).absolute()
    check_replaceable(folder, marker=marker, force=force)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", suffix=".partial", dir=folder.parent) as scratch:
        new = Path(scratch) / "new"
        new.mkdir()
        yield new
        _swap_in(new, folder, Path(scratch) / "old")


def check_replaceable(folder: str | Path, *, marker: str, force: bool = False) -> None:
    """Raises FileExistsError where `atomic_folder` would; for work that takes long, better before it than after."""
    folder = Path(folder)
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not (folder / marker).is_file():
        raise FileExistsError(f"{folder}: exists and has no {marker}, so it is something else; nothing was written")
    if not force:
        raise FileExistsError(f"{folder}: is there already; force is needed to replace it; nothing was written")


def _swap_in(new: Path, folder: Path, old: Path) -> None:
    """Puts the new folder in its place; what stood there comes back if that fails."""
    if not folder.exists():
        new.rename(folder)
        return
    folder.rename(old)
    try:
        new.rename(folder)
    except OSError:
        old.rename(folder)
        raise
