"""What a run has finished, line by line in a file, so that a run that was killed goes on where it was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

Json = dict[str, Any]
Task = dict[int, npt.NDArray[np.int64]]
Outcome = tuple[bytes, list[list[bytes]], Counter[str]]


class Journal:
    """Lines of JSON behind a first one that says which run it is.

    A line is whole or, where the run was killed while writing it, the last and not counted.

    Args:
        path: The file; read where it exists, else made with the first line.
        run: What makes two runs the same: recipe, seed, versions and the like.

    Attributes:
        path: The file.
        entries: What earlier runs have written, in order.

    Raises:
        FileExistsError: The file is the journal of another run.
        OSError: The file cannot be written.
    """

    def __init__(self, path: Path, run: Json) -> None:
        self.path = path
        first, self.entries, size = self.read(path)
        # As it comes back from a file: tuples are lists there.
        run = orjson.loads(orjson.dumps(run))
        if first is not None and first != run:
            raise FileExistsError(f"{path}: belongs to a run with another {difference(first, run)}; force starts over")
        self._file = path.open("r+b" if path.exists() else "xb")
        self._file.truncate(size)
        self._file.seek(size)
        if first is None:
            self.add(run)

    def add(self, entry: Json) -> None:
        """Writes an entry; it is there when this returns, also if the process is killed right after."""
        self._file.write(orjson.dumps(entry) + b"\n")
        self._file.flush()

    def close(self, *, remove: bool = False) -> None:
        """Closes the file, and removes it where it is no longer needed."""
        self._file.close()
        if remove:
            self.path.unlink(missing_ok=True)

    @staticmethod
    def read(path: Path) -> tuple[Json | None, list[Json], int]:
        """Returns the first line, the others, and how many bytes they take up; None and nothing without a file."""
        if not path.exists():
            return None, [], 0
        entries, size = [], 0
        for line in path.read_bytes().splitlines(keepends=True):
            if not line.endswith(b"\n"):
                break
            entries.append(orjson.loads(line))
            size += len(line)
        return (entries[0], entries[1:], size) if entries else (None, [], 0)


class ImageJournal:
    """Keeps what became of each image of a COCO file, for models that take long.

    Args:
        path: The file.
        run: What makes two runs the same.
    """

    def __init__(self, path: Path, run: Json) -> None:
        self._journal = Journal(path, run)
        self._done = {entry["image"]: entry for entry in self._journal.entries}

    def continued(
        self,
        tasks: Sequence[Task],
        taken: Callable[[Task], Any],
        run: Callable[[Iterator[Any]], Iterator[Outcome]],
    ) -> Iterator[Outcome]:
        """Yields what becomes of each task, in order; only what is not kept is run, and then kept.

        Args:
            tasks: Positions of annotations by image, one image each.
            taken: Makes of a task what ``run`` takes.
            run: Yields what becomes of each task that it is given.
        """
        done = self._done
        fresh = run(taken(task) for task in tasks if not done.keys() & task.keys())
        for task in tasks:
            (image_id,) = task
            entry = done.get(image_id)
            if entry is None:
                block, added, counts = next(fresh)
                lines = [line.decode() for line in added[0]]
                self._journal.add({"image": image_id, "block": block.decode(), "added": lines, "counts": counts})
                yield block, added, counts
            else:
                yield entry["block"].encode(), [[line.encode() for line in entry["added"]]], Counter(entry["counts"])

    def close(self, *, remove: bool = False) -> None:
        """Closes the file, and removes it where it is no longer needed."""
        self._journal.close(remove=remove)


def difference(first: Json, other: Json) -> str:
    """Returns the names of the settings in which two runs differ."""
    return ", ".join(sorted(name for name in first.keys() | other.keys() if first.get(name) != other.get(name)))
