"""Write files whole or not at all."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yields a temporary path beside ``path`` that takes its place when the block ends without an error.

    Until then ``path`` stays as it was, also when the process is killed; what is left behind then is a hidden
    file ``.<name>.*.partial``.

    Raises:
        OSError: The folder cannot be written to.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".partial", dir=path.parent)
    os.close(handle)
    partial = Path(name)
    try:
        yield partial
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
        partial.chmod(0o666 & ~_umask())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def check_writable(path: str | Path) -> None:
    """Raises OSError unless a file can be made in the folder of ``path``, which is made where it is missing.

    For work that takes long: better to fail before it than after.
    """
    folder = Path(path).parent
    folder.mkdir(parents=True, exist_ok=True)
    tempfile.TemporaryFile(dir=folder).close()


def write_json(path: str | Path, document: Any, *, indent: bool = False) -> None:  # noqa: ANN401 - any JSON
    """Writes ``document`` as JSON, whole or not at all."""
    option = orjson.OPT_SERIALIZE_NUMPY | (orjson.OPT_INDENT_2 if indent else 0)
    with atomic_path(path) as partial:
        partial.write_bytes(orjson.dumps(document, option=option) + b"\n")


def sha256(path: str | Path) -> str:
    """Returns the SHA-256 of a file's bytes as 64 hexadecimal digits."""
    digest = hashlib.sha256()
    with Path(path).open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _umask() -> int:
    """Returns the process's umask; reading it means setting it for a moment."""
    umask = os.umask(0)
    os.umask(umask)
    return umask
