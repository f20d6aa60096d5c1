"""Arrays on disk, one file an image and version, so that a training can go back to the state of a checkpoint."""

from __future__ import annotations

import json
import os
from pathlib import Path
from urllib.parse import quote

import numpy as np
import numpy.typing as npt

from noisyseg.labels.files import write_json

__all__ = ["TargetFiles"]

PINS = "pins.json"
PARTIAL = ".partial"


class TargetFiles:
    """A folder of arrays. The version of a file is the number of iterations that were done when it was written.

    A file never changes: a new version is a new file, moved into place whole, and an old one is removed when neither
    the training nor a checkpoint can ask for it. So the state after n iterations is the newest version <= n of each
    image, whatever was killed later. (A crash of the machine may lose what the system had not yet written out.)

    Processes on one machine can share the folder, if each of them has seen the others' files of the iteration before:
    gradient synchronisation takes care of that.

    Args:
        folder: Where the files are; made where it is missing.
        keep: How many of the newest checkpoints can be resumed from.
    """

    def __init__(self, folder: str | Path, keep: int = 2) -> None:
        self.folder, self.keep = Path(folder), keep
        self.folder.mkdir(parents=True, exist_ok=True)

    def read(self, key: str, iteration: int) -> npt.NDArray[np.uint8] | None:
        """Returns the array of an image as it was after so many iterations, or None."""
        versions = [version for version in self._versions(self._place(key)) if version <= iteration]
        return np.load(self._file(key, max(versions))) if versions else None

    def write(self, key: str, iteration: int, array: npt.NDArray[np.uint8]) -> None:
        """Writes the array of an image as of after so many iterations, and removes versions that are not needed.

        Besides those of checkpoints the newest one of the iterations before stays, because another process may be
        about to write a checkpoint.
        """
        place = self._place(key)
        place.mkdir(exist_ok=True)
        partial = place / f"{os.getpid()}{PARTIAL}"
        with partial.open("wb") as file:
            np.save(file, array)
        partial.replace(self._file(key, iteration))
        self._remove_all_but(place, [*self.pins(), iteration - 1, iteration])

    def pins(self) -> list[int]:
        """Returns the iterations of the checkpoints that can be resumed from, in rising order."""
        try:
            return json.loads((self.folder / PINS).read_text())
        except FileNotFoundError:
            return []

    def pin(self, iteration: int) -> None:
        """Remembers that a checkpoint is made after so many iterations."""
        write_json(self.folder / PINS, sorted({*self.pins(), iteration})[-self.keep :])

    def start(self, iteration: int) -> None:
        """Forgets all that was written after so many iterations; called once, by one process, before a training.

        Raises:
            ValueError: The folder is not as it was after so many iterations, or has what another training needs.
        """
        pins = self.pins()
        if iteration and iteration not in pins:
            raise ValueError(
                f"{self.folder}: expected targets of iteration {iteration}, from which the training goes on, and there "
                f"are those of {pins or 'none'}; the last {self.keep} checkpoints are kept"
            )
        if not iteration and pins:
            raise ValueError(
                f"{self.folder}: expected no targets at the start of a training, and there are those of another one, "
                f"with checkpoints of iterations {pins}; resume it, or delete the folder"
            )
        pins = [pin for pin in pins if pin <= iteration]
        if iteration:
            write_json(self.folder / PINS, pins)
        for place in self.folder.iterdir():
            if place.is_dir():
                for partial in place.glob(f"*{PARTIAL}"):
                    partial.unlink()
                for version in self._versions(place):
                    if version > iteration:
                        (place / f"{version}.npy").unlink()
                self._remove_all_but(place, pins)

    def _remove_all_but(self, place: Path, iterations: list[int]) -> None:
        """Removes the versions that are not the newest one up to one of the iterations."""
        versions = self._versions(place)
        needed = {max((v for v in versions if v <= iteration), default=None) for iteration in iterations}
        for version in versions:
            if version not in needed:
                (place / f"{version}.npy").unlink(missing_ok=True)  # another process may have been faster

    def _place(self, key: str) -> Path:
        return self.folder / quote(key, safe="")

    def _file(self, key: str, version: int) -> Path:
        return self._place(key) / f"{version}.npy"

    def _versions(self, place: Path) -> list[int]:
        return [int(path.stem) for path in place.glob("*.npy")]
