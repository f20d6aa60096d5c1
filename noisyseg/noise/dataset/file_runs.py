"""From a folder of files to a folder of noisy files of the same names; a run that was killed goes on where it was."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import orjson
from tqdm import tqdm

from noisyseg.labels.files import atomic_path, check_writable, sha256
from noisyseg.noise.dataset.backends import run_tasks
from noisyseg.noise.dataset.journal import Journal, difference
from noisyseg.noise.dataset.layouts import LabelFile
from noisyseg.noise.dataset.manifest import FOLDER_MANIFEST

Json = dict[str, Any]
JOURNAL = ".noise.journal"


class FileNoise(Protocol):
    """Makes one noisy file; travels to worker processes."""

    def write(self, file: LabelFile, source: Path, path: Path, target: Path) -> Json:
        """Writes the noisy version of ``source`` to ``path``, which will become ``target``; returns what to record."""


class Files(NamedTuple):
    """What a run made.

    Attributes:
        entries: What is recorded of each file, by name: SHA-256 of ``clean`` and ``noisy``, and what the noise says.
        complete: The manifest, where an earlier run had finished already.
        journal: What :func:`finish` closes.
    """

    entries: dict[str, Json]
    complete: Json | None
    journal: Journal | None


def noisy_files(
    noise: FileNoise,
    files: Sequence[LabelFile],
    source: Path,
    target: Path,
    run: Json,
    *,
    workers: int,
    backend: str,
    chunk: int,
    force: bool,
    progress: bool,
) -> Files:
    """Writes a noisy version of each file, and returns what is to be recorded of them.

    A file appears when it is complete. Each finished one is entered into a journal in ``target`` with the SHA-256 of
    input and output, so that the same run, started again, goes on where it was. A file that is there without an entry
    has to come out the same.

    Args:
        noise: What is done to a file.
        files: The files, by their names below ``source``.
        source: The folder of clean files.
        target: The folder of noisy files, made where it is missing.
        run: What makes two runs the same: recipe, seed, versions and the like.
        workers: Number of processes.
        backend: Where they are, see :func:`~noisyseg.noise.dataset.backends.run_tasks`.
        chunk: Files in one task.
        force: Whether to start over where there is another run's output, or this one's.
        progress: Whether to draw a progress bar on stderr.

    Raises:
        FileExistsError: There is something in ``target`` that this run has not made; or a file was changed since.
        OSError: ``target`` cannot be written.
        ValueError: One of the folders contains the other.
    """
    source, target = source.absolute(), target.absolute()
    _check_apart(source, target)
    # As it comes back from a file: tuples are lists there.
    run = orjson.loads(orjson.dumps(run, option=orjson.OPT_SERIALIZE_NUMPY))
    names = [file.name for file in files]
    known, complete = _known(target, run, names, force)
    check_writable(target / JOURNAL)
    journal = None
    if complete is None:
        journal = Journal(target / JOURNAL, run)
        known = {entry["file"]: entry for entry in journal.entries}
        _check_names(target / JOURNAL, known.keys() - set(names))
        _remove_unfinished(target, set(names))
    try:
        entries = dict(
            _run(noise, files, source, target, known, journal, workers, backend, chunk, force=force, progress=progress)
        )
    except BaseException:
        if journal:
            journal.close()
        raise
    return Files(entries, complete, journal)


def _run(
    noise: FileNoise,
    files: Sequence[LabelFile],
    source: Path,
    target: Path,
    known: Mapping[str, Json],
    journal: Journal | None,
    workers: int,
    backend: str,
    chunk: int,
    *,
    force: bool,
    progress: bool,
) -> Iterator[tuple[str, Json]]:
    """Yields the name of each file and what is recorded of it, in order, and enters what is new into the journal."""
    pickled = pickle.dumps(noise)
    chunks = [files[first : first + chunk] for first in range(0, len(files), chunk)]
    jobs = ((pickled, source, target, some, [known.get(file.name) for file in some], force) for some in chunks)
    with tqdm(total=len(files), unit="file", disable=not progress) as bar:
        for made in run_tasks(_make, jobs, workers, backend):
            for entry in made:
                if journal and entry["file"] not in known:
                    journal.add(entry)
                yield entry["file"], entry
            bar.update(len(made))


def finish(target: Path, files: Files, manifest: Json) -> None:
    """Writes the manifest, after which the journal is no longer needed."""
    with atomic_path(target / FOLDER_MANIFEST) as path:
        option = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_INDENT_2
        path.write_bytes(orjson.dumps(manifest, option=option) + b"\n")
    if files.journal:
        files.journal.close(remove=True)


def _make(
    pickled: bytes, source: Path, target: Path, files: Sequence[LabelFile], known: Sequence[Json | None], force: bool
) -> list[Json]:
    """Returns what is to be recorded of each file, after writing it where it is not there."""
    noise = _noise(pickled)
    return [
        _made(noise, file, source / file.name, target / file.name, entry, force)
        for file, entry in zip(files, known, strict=True)
    ]


def _made(noise: FileNoise, file: LabelFile, source: Path, target: Path, entry: Json | None, force: bool) -> Json:
    clean = sha256(source)
    if entry is not None:
        if entry["clean"] != clean:
            raise FileExistsError(f"{source}: has changed since {target} was made from it; force starts over")
        if target.exists():
            if sha256(target) != entry["noisy"]:
                raise FileExistsError(f"{target}: has changed since it was made; force starts over")
            return entry
    if target.exists() and target.samefile(source):
        raise FileExistsError(f"{target}: is the clean file itself")
    with atomic_path(target) as path:
        recorded = noise.write(file, source, path, target)
        noisy = sha256(path)
        if target.exists() and not force and sha256(target) != noisy:
            raise FileExistsError(f"{target}: is there already, and is not what this run makes; force replaces it")
    return {"file": file.name, "clean": clean, "noisy": noisy, **recorded}


@lru_cache(maxsize=1)
def _noise(pickled: bytes) -> FileNoise:
    return pickle.loads(pickled)


def _check_apart(source: Path, target: Path) -> None:
    inner, outer = target.resolve(), source.resolve()
    if inner == outer:
        raise ValueError(f"{target}: is the folder of the clean labels itself")
    if outer in inner.parents or inner in outer.parents:
        raise ValueError(f"{target}: expected a folder apart from {source}, but one of them contains the other")


def _known(target: Path, run: Json, names: Sequence[str], force: bool) -> tuple[dict[str, Json], Json | None]:
    """Returns what is recorded of files by a finished run, and its manifest; checks that ``target`` may be used."""
    manifest, journal = target / FOLDER_MANIFEST, target / JOURNAL
    if not target.exists() or (target.is_dir() and not any(target.iterdir())):
        return {}, None
    if not (manifest.is_file() or journal.is_file()):
        raise FileExistsError(
            f"{target}: is there already and has no {FOLDER_MANIFEST}, so it is something else; nothing was written"
        )
    if force:
        _forget(target, set(names))
    elif manifest.is_file():
        complete = orjson.loads(manifest.read_bytes())
        other = {name: complete.get(name) for name in run}
        if other != run:
            raise FileExistsError(f"{manifest}: belongs to a run with another {difference(other, run)}; force replaces")
        _check_names(manifest, complete["files"].keys() ^ set(names))
        return {name: {"file": name, **entry} for name, entry in complete["files"].items()}, complete
    return {}, None


def _forget(target: Path, names: set[str]) -> None:
    """Removes the records of an earlier run, and the files that it made and this one will not."""
    made = set()
    if (target / FOLDER_MANIFEST).is_file():
        made |= orjson.loads((target / FOLDER_MANIFEST).read_bytes())["files"].keys()
    if (target / JOURNAL).is_file():
        made |= {entry["file"] for entry in Journal.read(target / JOURNAL)[1]}
    for name in made - names:
        if ".." not in Path(name).parts:
            (target / name).unlink(missing_ok=True)
    (target / JOURNAL).unlink(missing_ok=True)
    (target / FOLDER_MANIFEST).unlink(missing_ok=True)


def _check_names(path: Path, wrong: set[str]) -> None:
    if wrong:
        some = ", ".join(sorted(wrong)[:3]) + (", ..." if len(wrong) > 3 else "")
        raise FileExistsError(f"{path}: belongs to a run over other files ({some}); force starts over")


def _remove_unfinished(target: Path, names: set[str]) -> None:
    """Removes what a killed run left behind of the files that it was writing."""
    for folder in {(target / name).parent for name in names} | {target}:
        for path in list(folder.glob(".*.partial")):
            name = path.name
            while name.startswith(".") and name.endswith(".partial"):
                name = name[1:].rsplit(".", 2)[0]
            if (folder / name).relative_to(target).as_posix() in names | {FOLDER_MANIFEST}:
                path.unlink(missing_ok=True)
