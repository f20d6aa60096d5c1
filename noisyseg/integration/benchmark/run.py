"""Run the cells of a table, some at a time, each in a process of its own; what is finished is not run again."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from noisyseg.integration.benchmark.table import Cell

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Outcome", "processes_by_default", "read_row", "row_path", "run_cells"]

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")


@dataclass
class Outcome:
    """What a run of cells came to.

    Attributes:
        finished: Number of cells that have a row now, those from earlier runs included.
        failed: The cells that ended without one, and their logs.
    """

    finished: int = 0
    failed: list[tuple[Cell, Path]] = field(default_factory=list)


def processes_by_default() -> int:
    """Returns the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def row_path(out: Path, cell: Cell) -> Path:
    """Returns the file of a cell's row."""
    return out / "rows" / f"{cell.name}.json"


def read_row(out: Path, cell: Cell) -> dict[str, Any] | None:
    """Returns the row of a cell, or None where there is none yet.

    Raises:
        ValueError: The file is no row of this cell.
    """
    path = row_path(out, cell)
    if not path.is_file():
        return None
    row = orjson.loads(path.read_bytes())
    if row.get("key") != cell.key:
        raise ValueError(f"{path}: expected the key {cell.key}, got {row.get('key')!r}")
    return row


def run_cells(
    cells: Sequence[Cell],
    folders: dict[str, Path],
    out: Path,
    *,
    processes: int,
    limit_seconds: float = 900.0,
    say: Callable[[str], None] = print,
) -> Outcome:
    """Runs the cells that have no row yet and returns what became of all of them.

    A process holds torch and the hosts and forks for each cell, so that a cell starts at once, computes on one thread
    and takes no other one with it when it crashes or is killed. Rows appear whole; the same call goes on after any
    kind of end.

    Args:
        cells: What to run, in this order.
        folders: Folders of the prepared data, by name.
        out: Where rows, logs and work directories go.
        processes: How many cells at a time.
        limit_seconds: A cell that takes longer is ended and counts as failed.
        say: Called with a line for the user after each cell.
    """
    outcome = Outcome()
    waiting: deque[Cell] = deque()
    for cell in cells:
        if read_row(out, cell) is None:
            waiting.append(cell)
        else:
            outcome.finished += 1
    say(f"{len(cells)} cells, {outcome.finished} finished already, {processes} at a time")
    if not waiting:
        return outcome
    pool = _Pool(folders, out, limit_seconds)
    start, before, total = time.monotonic(), outcome.finished, len(cells)
    try:
        while waiting or pool.running:
            while waiting and len(pool.running) < processes:
                pool.start(waiting.popleft())
            for cell, log in pool.ended():
                row = read_row(out, cell)
                if row is None:
                    outcome.failed.append((cell, log))
                    text = f"FAILED, see {log}"
                else:
                    outcome.finished += 1
                    best, last = (row[when][cell.score.key] for when in ("best", "last"))
                    text = f"best {best:5.1f}  last {last:5.1f}  {row['seconds']:5.1f} s"
                done = outcome.finished - before + len(outcome.failed)
                left = (time.monotonic() - start) / done * (total - before - done)
                place = f"{outcome.finished + len(outcome.failed)}/{total}"
                say(f"{place:>8}  {f'{cell.data} {cell.method} {cell.seed}':<44} {text}  {left / 60:.0f} min left")
    finally:
        pool.end()
    return outcome


class _Pool:
    """The processes that are running."""

    def __init__(self, folders: dict[str, Path], out: Path, limit_seconds: float) -> None:
        self.folders, self.out, self.limit = folders, out, limit_seconds
        self.running: dict[BaseProcess, tuple[Cell, Path, float]] = {}
        self.context = multiprocessing.get_context("forkserver")
        self.context.set_forkserver_preload(["noisyseg.integration.benchmark.warm"])

    def start(self, cell: Cell) -> None:
        """Starts the process of a cell."""
        from noisyseg.integration.benchmark.cell import Job, run_job

        log = self.out / "logs" / f"{cell.name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)  # the process may be ended before it does anything
        job = Job(cell, self.folders[cell.data], row_path(self.out, cell), log, self.out / "work" / cell.name)
        process = self.context.Process(target=run_job, args=(job,), name=cell.name)
        with _one_thread():
            process.start()
        self.running[process] = (cell, log, time.monotonic())

    def ended(self) -> list[tuple[Cell, Path]]:
        """Waits a moment for processes to end, or for one to be out of time, and returns their cells and logs."""
        first = min(start for _, _, start in self.running.values())
        patience = min(1.0, max(0.0, first + self.limit - time.monotonic()))
        wait([process.sentinel for process in self.running], timeout=patience)
        found = []
        for process, (cell, log, start) in list(self.running.items()):
            if process.is_alive() and time.monotonic() - start > self.limit:
                process.kill()
                process.join()
                with log.open("a", encoding="utf-8") as file:
                    file.write(f"ended after {self.limit:.0f} s\n")
            if not process.is_alive():
                process.join()
                del self.running[process]
                found.append((cell, log))
        return found

    def end(self) -> None:
        """Ends what is still running."""
        for process in self.running:
            process.kill()
        for process in self.running:
            process.join()


@contextmanager
def _one_thread() -> Iterator[None]:
    """Lets the process that is started see that it has one thread; libraries read that when they are loaded."""
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
