"""Label maps of a version: those of the store where it has one, else the given PNG files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from noisyseg.labels.errors import LabelError
from noisyseg.labels.instances import IGNORE
from noisyseg.labels.label_pngs import ClassCodes, LabelPng, read_label_png
from noisyseg.labels.store import LabelStore
from noisyseg.labels.versions.matching import match_keys

__all__ = ["ClassMap", "GivenMaps", "VersionMaps", "codes_of_files"]

ClassMap = npt.NDArray[np.uint8]
NOT_TAKEN_BACK = (
    "label maps are read as they are, or with reduce_zero_label; what a label_map of the data set made of them cannot "
    "be taken back"
)


def codes_of_files(names: Sequence[str] = (), *, reduce_zero_label: bool = False) -> ClassCodes:
    """Returns which number in a file stands for which class in training.

    Args:
        names: Names of the classes; without them every number is one of its own.
        reduce_zero_label: Whether 0 is ignored and class k is k + 1 in the files, as mmseg's option of this name says.

    Raises:
        LabelError: There are too many classes.
    """
    first = int(reduce_zero_label)
    names = tuple(names) or tuple(f"class {k}" for k in range(IGNORE - first))
    ignored = (0, IGNORE) if reduce_zero_label else (IGNORE,)
    return ClassCodes(names, tuple(range(first, first + len(names))), ignored, ignored[0])


class GivenMaps:
    """The label maps in a folder, by name: the path below the folder without the suffix.

    Args:
        folder: The folder.
        suffix: Ending of the files, such as ``_gtFine_labelTrainIds.png``.
        image_ending: What images have in its place, without the file type, such as ``_leftImg8bit``.
        classes: Names of the classes; without them every number is one of its own.
        reduce_zero_label: Whether training ignored 0 and counted classes from 1; None means that it did not, and
            `VersionMaps.check` says where that cannot be.

    Attributes:
        names: All names, sorted.
        codes: What the numbers in the files mean.

    Raises:
        LabelError: There is no such folder, no such file in it, or there are too many classes.
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        suffix: str = ".png",
        image_ending: str = "",
        classes: Sequence[str] = (),
        reduce_zero_label: bool | None = None,
    ) -> None:
        self.folder, self.suffix, self.image_ending = Path(folder), suffix, image_ending
        self.is_sure, self.codes = reduce_zero_label is not None, codes_of_files(classes)
        if reduce_zero_label:
            self.codes = codes_of_files(classes, reduce_zero_label=True)
        if not self.folder.is_dir():
            raise LabelError("expected a folder of label maps, got none", file=self.folder)
        paths = (path.relative_to(self.folder) for path in self.folder.rglob(f"*{suffix}"))
        kept = (path.as_posix() for path in paths if not any(part.startswith(".") for part in path.parts))
        self.names = sorted(path.removesuffix(suffix) for path in kept)
        if not self.names:
            raise LabelError(f"expected label maps *{suffix} in it, got none", file=self.folder)

    def path(self, name: str) -> Path:
        """Returns the file of a map."""
        return self.folder / f"{name}{self.suffix}"

    def png(self, name: str) -> LabelPng:
        """Returns a map as its file has it.

        Raises:
            LabelError: The file is missing or broken.
        """
        return read_label_png(self.path(name))

    def classes(self, name: str, png: LabelPng | None = None) -> ClassMap:
        """Returns (H, W) classes as training sees them, 255 where ignored.

        Args:
            name: The map.
            png: What `png` returned for it, where it has been read already.

        Raises:
            LabelError: The file is missing or broken, or holds a number that stands for no class.
        """
        try:
            return self.codes.classes((png or self.png(name)).pixels)
        except LabelError as error:
            if error.file is not None:
                raise
            raise LabelError(f"{error.problem}; {NOT_TAKEN_BACK}", file=self.path(name)) from None


class VersionMaps:
    """The label maps of one version.

    Args:
        store: The store.
        version: A complete version, or 0.
        given: The given maps.

    Attributes:
        keys: The key of each map, by name, of which the version does not have the given one.

    Raises:
        LabelError: The version is not there, holds masks of instances, or has a key that the given labels lack.
    """

    def __init__(self, store: LabelStore, version: int, given: GivenMaps) -> None:
        self.store, self.version, self.given = store, version, given
        self.holders = store.holders("labels", version)
        if not self.holders and store.holders("instances", version):
            raise LabelError(
                f"version {version} holds masks of instances; expected a COCO file as the given labels, got a folder",
                file=given.folder,
            )
        self.keys = match_keys(self.holders, given.names, image_ending=given.image_ending, file=given.folder)
        self._as_is = self._shifted = 0

    def source(self, name: str) -> int:
        """Returns the version whose file is in force for a map; 0 where it is the given one."""
        return self.holders[self.keys[name]] if name in self.keys else 0

    def classes(self, name: str, given: ClassMap) -> ClassMap:
        """Returns (H, W) classes of a map, 255 where ignored.

        Args:
            name: The map.
            given: The given classes.

        Raises:
            LabelError: The file in the store is missing or broken, of another size, or holds no classes.
        """
        if name not in self.keys:
            return given
        key, holder = self.keys[name], self.source(name)
        stored, file = self.store.get(key, "labels", holder), self.store.path(key, "labels", holder)
        if stored.shape != given.shape:
            raise LabelError(
                f"expected the size of the given labels {self.given.path(name)}, {given.shape}, got {stored.shape}",
                file=file,
            )
        classes = len(self.given.codes.names)
        if (strange := stored[(stored >= classes) & (stored != IGNORE)]).size:
            raise LabelError(
                f"expected classes 0..{classes - 1}, or {IGNORE}, got {strange.min()}; {NOT_TAKEN_BACK}", file=file
            )
        if not self.given.is_sure:
            valid = stored != IGNORE
            self._as_is += int(np.count_nonzero((stored == given) & valid))
            self._shifted += int(np.count_nonzero((stored == given - np.uint8(1)) & valid & (given != 0)))
        return stored

    def check(self) -> None:
        """Raises LabelError where the maps read so far agree better with given numbers that are one lower.

        Then training had ``reduce_zero_label`` and nobody said so; labels written back would be wrong everywhere.
        """
        if self._shifted > self._as_is:
            raise LabelError(
                f"stored maps agree with the given ones in {self._as_is} pixels, and in {self._shifted} if classes are "
                "counted from 1 in these: expected to be told that reduce_zero_label was on, or that it was not",
                file=self.given.folder,
            )
