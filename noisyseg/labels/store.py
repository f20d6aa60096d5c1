"""Labels that change while a model trains: numbered versions on disk, beside given labels that are never touched."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from noisyseg.labels.errors import LabelError
from noisyseg.labels.files import write_json
from noisyseg.labels.store_kinds import KINDS, FileKind
from noisyseg.labels.store_manifest import Manifest, check_key, check_name, read_manifest, write_manifest
from noisyseg.labels.weight_maps import read_key_weights, write_key_weights

__all__ = ["GIVEN", "LabelStore"]

GIVEN = 0
"""The version that stands for the given labels."""


class LabelStore:
    """Versions of the labels and weights of a data set, one file a sample and kind.

    ::

        ROOT/current.json                     the version in force
        ROOT/v0001/labels/town/a.png          (H, W) uint8 classes or 255
        ROOT/v0001/weights/town/a.png         (H, W) uint8, 255 times the weight
        ROOT/v0001/instances/town/a.json      run lengths by annotation id, of the masks that differ
        ROOT/v0001/image_weight.json          a number for each key
        ROOT/v0001/manifest.json              written last: only with it the version is complete

    Version 0 is the given labels, of which the store holds nothing. Each other version names its parent and holds only
    what differs: a reader goes from parent to parent, and what no version holds is as it was given. Numbers are never
    used twice, so a checkpoint that names a version finds it as it was, also when a later training went on from an
    earlier one.

    Files appear whole or not at all; a process that is killed leaves an incomplete version, which readers do not see
    and `discard_incomplete` removes. Any number of threads and processes can read, and write different keys.

    Keys are paths relative to the image folder without ending, with ``/`` between folders.

    Args:
        root: The folder; made when something is written.
        kinds: What kinds of files there are, by name.
    """

    def __init__(self, root: str | Path, kinds: Mapping[str, FileKind] = KINDS) -> None:
        self.root = Path(root)
        self.kinds = dict(kinds)
        self._manifests: dict[int, Manifest] = {}
        self._values: dict[str, tuple[int, dict[str, float]]] = {}

    # ---- reading

    def versions(self) -> list[int]:
        """Returns the numbers of the complete versions, ascending, without 0."""
        return [version for version in self._folders() if self._manifest_path(version).is_file()]

    @property
    def current(self) -> int:
        """The version in force; 0 where none has been set. The file is read each time, so that workers see a change.

        Raises:
            LabelError: The file is broken.
        """
        path = self.root / "current.json"
        try:
            version = orjson.loads(path.read_bytes())["version"]
        except FileNotFoundError:
            return GIVEN
        except (orjson.JSONDecodeError, KeyError, TypeError) as error:
            raise LabelError('expected {"version": number}', file=path) from error
        if not isinstance(version, int):
            raise LabelError(f'expected {{"version": number}}, got {version!r}', file=path)
        return version

    def get(self, key: str, kind: str, version: int | None = None) -> Any | None:  # noqa: ANN401 - the kind decides
        """Returns what is in force for a sample, or None where that is as it was given.

        Args:
            key: The sample.
            kind: ``"labels"``, ``"weights"``, or what else the store was built with.
            version: A complete version; None means the current one.

        Raises:
            LabelError: The version is not there or not complete, or a file of it is missing or broken.
        """
        check_key(key)
        for number in self.lineage(self.current if version is None else version):
            if key in self._manifest(number).keys.get(kind, ()):
                return self._kind(kind).read(self._path(number, kind, key))
        return None

    def values(self, name: str, version: int | None = None) -> Mapping[str, float]:
        """Returns the numbers by key that a version has under a name, such as ``image_weight``; empty if none has.

        Raises:
            LabelError: The version is not there or not complete, or its file is missing or broken.
        """
        for number in self.lineage(self.current if version is None else version):
            if name in self._manifest(number).values:
                held = self._values.get(name)
                if held is None or held[0] != number:
                    held = self._values[name] = number, read_key_weights(self._folder(number) / f"{name}.json")
                return held[1]
        return {}

    def lineage(self, version: int) -> list[int]:
        """Returns the version, its parent, and so on, without 0.

        Raises:
            LabelError: One of them is not there or not complete.
        """
        numbers = []
        while version != GIVEN:
            numbers.append(version)
            version = self.parent(version)
        return numbers

    def info(self, version: int) -> Mapping[str, Any]:
        """Returns what was given to `finish` about a version."""
        return self._manifest(version).info

    def parent(self, version: int) -> int:
        """Returns the version that a complete one builds on; 0 for the given labels."""
        return self._manifest(version).parent

    def keys(self, kind: str, version: int) -> frozenset[str]:
        """Returns the keys of which this version itself holds a file."""
        return self._manifest(version).keys.get(kind, frozenset())

    def holders(self, kind: str, version: int) -> dict[str, int]:
        """Returns, for each key that is not as it was given, the version whose file is in force.

        Raises:
            LabelError: The version or one before it is not there or not complete.
        """
        found: dict[str, int] = {}
        for number in reversed(self.lineage(version)):
            found |= dict.fromkeys(self.keys(kind, number), number)
        return found

    def incomplete(self) -> list[int]:
        """Returns the numbers of the versions that are being written, or that nobody finished."""
        return [version for version in self._folders() if not self._manifest_path(version).exists()]

    def folder(self, version: int) -> Path:
        """Returns the folder of a version, whether it is there or not."""
        return self._folder(version)

    def path(self, key: str, kind: str, version: int) -> Path:
        """Returns the file that a version has, or would have, for a key."""
        return self._path(version, kind, key)

    # ---- writing

    def begin(self) -> int:
        """Returns the number of a new, incomplete version; of several callers each gets its own."""
        number = max(self._folders(), default=GIVEN) + 1
        while True:
            try:
                self._folder(number).mkdir(parents=True)
            except FileExistsError:
                number += 1
            else:
                return number

    def put(self, key: str, kind: str, value: Any, version: int) -> None:  # noqa: ANN401 - the kind decides
        """Writes one file of an incomplete version, whole or not at all; one that is there is replaced.

        Raises:
            LabelError: The version is complete or was not begun, or the value is not of its kind.
        """
        self._require_incomplete(version)
        path = self._path(version, kind, key)
        try:
            self._kind(kind).write(path, value)
        except LabelError as error:
            raise error.at(file=path) from None

    def get_written(self, key: str, kind: str, version: int) -> Any | None:  # noqa: ANN401 - the kind decides
        """Returns what an incomplete version itself holds, or None."""
        path = self._path(version, kind, key)
        return self._kind(kind).read(path) if path.exists() else None

    def finish(
        self,
        version: int,
        *,
        parent: int,
        values: Mapping[str, Mapping[str, float]] | None = None,
        info: Mapping[str, Any] | None = None,
    ) -> None:
        """Makes a version complete; nothing in it changes from then on.

        Args:
            version: What `begin` returned.
            parent: The complete version it builds on, or 0.
            values: Numbers >= 0 by key, by name.
            info: JSON that is kept with it.

        Raises:
            LabelError: The version is complete already or was not begun, or the parent is not complete.
        """
        self._require_incomplete(version)
        self.lineage(parent)
        folder = self._folder(version)
        for name, numbers in (values or {}).items():
            write_key_weights(folder / f"{check_name(name)}.json", numbers)
        keys = {name: frozenset(self._written(version, name)) for name in self.kinds}
        manifest = Manifest(parent, keys, tuple(sorted(values or {})), info or {})
        write_manifest(self._manifest_path(version), manifest)

    def set_current(self, version: int) -> None:
        """Puts a complete version, or 0, in force.

        Raises:
            LabelError: It is not complete.
        """
        self.lineage(version)
        write_json(self.root / "current.json", {"version": version})

    def discard_incomplete(self) -> list[int]:
        """Removes the versions that nobody finished, and returns their numbers; nobody may be writing one."""
        numbers = self.incomplete()
        for number in numbers:
            shutil.rmtree(self._folder(number))
        return numbers

    def remove(self, version: int) -> None:
        """Removes a complete version for good; a process that is killed meanwhile leaves an incomplete one.

        Raises:
            LabelError: It is not complete, is in force, is the parent of another one, or has the highest number, which
                would be used again.
        """
        self.lineage(version)
        children = [number for number in self.versions() if self.parent(number) == version]
        for reason, holds in (
            ("a version that is not in force", version == self.current),
            (f"no version that builds on it, got {', '.join(map(str, children))}", bool(children)),
            ("a version before the newest, whose number would be used again", version == max(self._folders())),
        ):
            if holds:
                raise LabelError(f"cannot be removed: expected {reason}", file=self._folder(version))
        self._manifest_path(version).unlink()
        del self._manifests[version]
        shutil.rmtree(self._folder(version))

    # ---- inside

    def _manifest(self, version: int) -> Manifest:
        held = self._manifests.get(version)
        if held is None:
            held = self._manifests[version] = read_manifest(self._manifest_path(version))
        return held

    def _kind(self, kind: str) -> FileKind:
        if kind not in self.kinds:
            raise LabelError(f"kind: expected one of {', '.join(sorted(self.kinds))}, not {kind!r}")
        return self.kinds[kind]

    def _require_incomplete(self, version: int) -> None:
        if not self._folder(version).is_dir():
            raise LabelError("expected a version that was begun", file=self._folder(version))
        if self._manifest_path(version).exists():
            raise LabelError("this version is complete and does not change any more", file=self._folder(version))

    def _written(self, version: int, kind: str) -> list[str]:
        folder, suffix = self._folder(version) / kind, self.kinds[kind].suffix
        paths = (path.relative_to(folder).as_posix() for path in folder.rglob(f"*{suffix}") if path.name[0] != ".")
        return [path.removesuffix(suffix) for path in paths]

    def _path(self, version: int, kind: str, key: str) -> Path:
        return self._folder(version) / kind / (check_key(key) + self._kind(kind).suffix)

    def _folder(self, version: int) -> Path:
        return self.root / f"v{version:04d}"

    def _manifest_path(self, version: int) -> Path:
        return self._folder(version) / "manifest.json"

    def _folders(self) -> list[int]:
        names = (path.name for path in self.root.glob("v*") if path.is_dir())
        return sorted(int(name[1:]) for name in names if name[1:].isdigit())
