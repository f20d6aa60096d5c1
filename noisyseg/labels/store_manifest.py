"""The file that makes a version of a label store complete, and the names that may stand in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from noisyseg.labels.errors import LabelError
from noisyseg.labels.files import write_json

__all__ = ["Manifest", "check_key", "check_name", "read_manifest", "write_manifest"]

FORMAT = 1


@dataclass(frozen=True)
class Manifest:
    """What a complete version holds. Keys are listed, so that a file that goes missing later is an error.

    Attributes:
        parent: The version it builds on; 0 stands for the given labels.
        keys: For each kind, the keys that have a file.
        values: Names of the tables of numbers by key.
        info: What the writer wanted to keep.
    """

    parent: int
    keys: Mapping[str, frozenset[str]]
    values: tuple[str, ...]
    info: Mapping[str, Any]


def write_manifest(path: Path, manifest: Manifest) -> None:
    """Writes a manifest, whole or not at all."""
    keys = {kind: sorted(keys) for kind, keys in manifest.keys.items()}
    document = {
        "format": FORMAT,
        "parent": manifest.parent,
        "keys": keys,
        "values": list(manifest.values),
        "info": manifest.info,
    }
    write_json(path, document)


def read_manifest(path: Path) -> Manifest:
    """Returns a manifest.

    Raises:
        LabelError: It is missing or broken, or of another format.
    """
    try:
        document = orjson.loads(path.read_bytes())
        if document["format"] != FORMAT:
            raise LabelError(f"expected a store of format {FORMAT}, got {document['format']!r}", file=path)
        return Manifest(
            parent=int(document["parent"]),
            keys={kind: frozenset(keys) for kind, keys in document["keys"].items()},
            values=tuple(document["values"]),
            info=document["info"],
        )
    except OSError as error:
        raise LabelError("this version is not there, or was never finished", file=path) from error
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise LabelError(f"expected the manifest of a version: {error}", file=path) from error


def check_key(key: str) -> str:
    """Returns a key, or raises `LabelError` if it is no relative path inside a folder.

    Parts that begin with a dot are refused: they could lead out of the folder, or look like unfinished files.
    """
    parts = key.split("/")
    if "\\" in key or "\0" in key or any(not part or part[0] == "." for part in parts):
        raise LabelError(
            f"key: expected a path inside the image folder, without parts that begin with a dot, got {key!r}"
        )
    return key


def check_name(name: str) -> str:
    """Returns the name of a table of numbers, or raises `LabelError`."""
    if not name.isidentifier() or name == "manifest":
        raise LabelError(f"values: expected a plain name, got {name!r}")
    return name
