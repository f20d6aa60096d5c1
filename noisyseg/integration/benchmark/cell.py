"""Run one cell of a benchmark table: one training on one thread, and the row that comes out of it."""

from __future__ import annotations

import faulthandler
import hashlib
import os
import platform
import resource
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from multiprocessing import parent_process
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import nn
from torch.nn.modules.module import register_module_forward_hook

import noisyseg
from noisyseg.integration.benchmark.score_names import ScoreName
from noisyseg.integration.benchmark.table import Cell, at_folder
from noisyseg.labels.files import write_json

__all__ = ["Job", "code_hash", "run_job", "train_cell"]


@dataclass(frozen=True)
class Job:
    """A cell with the places of its files.

    Attributes:
        cell: What to train.
        data: Folder of the prepared data.
        row: The file to write.
        log: Where everything goes that the training prints.
        work_dir: Where the host's own logs go.
    """

    cell: Cell
    data: Path
    row: Path
    log: Path
    work_dir: Path


def run_job(job: Job) -> None:
    """Runs a cell in a process of its own, which ends with status 1 if the training fails, and with its parent."""
    with job.log.open("w", encoding="utf-8") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    faulthandler.enable(sys.__stderr__)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        write_json(job.row, train_cell(job.cell, job.data, job.work_dir), indent=True)
    except Exception:
        traceback.print_exc()
        raise SystemExit(1) from None


def train_cell(cell: Cell, data: Path, work_dir: Path) -> dict[str, Any]:
    """Returns the row of a cell.

    The row but for its seconds and ``peak_mem`` is the same each time, on machines of the same kind.

    Args:
        cell: What to train.
        data: Folder of the prepared data.
        work_dir: Where the host's logs go.
    """
    start, computed = time.perf_counter(), time.process_time()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")  # the hosts' own, about things that no config of ours can change
    config = _PlainConfig(at_folder(cell.config, data))
    config.randomness = {"seed": cell.seed}
    config.work_dir = str(work_dir)
    runner = Runner.from_cfg(config)
    recorder = Recorder(cell.config["model"], cell.score)
    runner.register_hook(recorder)
    runner.train()
    recorder.close()
    cuda = torch.cuda.is_available()
    if cuda:
        peak = torch.cuda.max_memory_allocated() / 2**20
    else:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "linux" else 2**20)
    return {
        "key": cell.key,
        "data": cell.data,
        "method": cell.method,
        "seed": cell.seed,
        "iterations": runner.max_iters,
        **recorder.result(),
        **cell.flags,
        "extra_forward_passes": round(recorder.forwards / max(runner.iter, 1) - 1, 3),
        "peak_mem": round(peak, 1),
        "seconds": round(time.perf_counter() - start, 2),
        "cpu_seconds": round(time.process_time() - computed, 2),
        "device": torch.cuda.get_device_name() if cuda else f"{platform.machine()} CPU, 1 thread",
        "code": code_hash(),
        "versions": {"noisyseg": noisyseg.__version__, "torch": torch.__version__, "numpy": version("numpy")},
    }


def code_hash() -> str:
    """Returns 12 hexadecimal digits of the package's source: rows with others were made by other code."""
    root = Path(noisyseg.__file__).parent
    digest = hashlib.blake2b(digest_size=6)
    for path in sorted(path for path in root.rglob("*.py") if ".mim" not in path.parts):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


class _PlainConfig(Config):
    """A config that is written down as it is: to make it pretty takes the host seconds, twice for each cell."""

    @property
    def pretty_text(self) -> str:
        """The config as a Python file."""
        return "".join(f"{name} = {value!r}\n" for name, value in self.to_dict().items())


class Recorder(Hook):
    """Keeps the scores of each validation and counts how often the network runs while it is trained.

    Args:
        model: Config of the model; what is counted are calls of modules of the class of its backbone, so that those
            of a teacher count and those of validation do not.
        score: What the validations are about.
    """

    priority = "VERY_LOW"

    def __init__(self, model: Mapping[str, Any], score: ScoreName) -> None:
        self.score = score
        self.backbone = str(_find(model, "backbone")["type"]).rpartition(".")[2]
        self.forwards, self._validates = 0, False
        self.iterations: list[int] = []
        self.scores: list[Mapping[str, float]] = []
        self._handle = register_module_forward_hook(self._count)

    def _count(self, module: nn.Module, inputs: Any, outputs: Any) -> None:  # noqa: ANN401 - torch's types
        if type(module).__name__ == self.backbone and not self._validates:
            self.forwards += 1

    def before_val(self, runner: Runner) -> None:
        """See the base class."""
        self._validates = True

    def after_val(self, runner: Runner) -> None:
        """See the base class."""
        self._validates = False

    def after_val_epoch(self, runner: Runner, metrics: Mapping[str, float] | None = None) -> None:
        """See the base class."""
        self.iterations.append(runner.iter)
        self.scores.append(dict(metrics or {}))

    def close(self) -> None:
        """Stops counting."""
        self._handle.remove()

    def result(self) -> dict[str, Any]:
        """Returns ``best`` and ``last`` scores on clean validation labels, and the ``curve``."""
        clean = [float(scores[f"clean/{self.score.name}"]) for scores in self.scores]
        given = [float(scores[f"given/{self.score.name}"]) for scores in self.scores]
        curve = {
            "iterations": self.iterations,
            "clean": [round(score, 3) for score in clean],
            "given": [round(score, 3) for score in given],
        }
        return {"best": self._at(int(np.argmax(clean))), "last": self._at(len(clean) - 1), "curve": curve}

    def _at(self, place: int) -> dict[str, Any]:
        scores = self.scores[place]
        prefix = f"clean/{self.score.of_class}/"
        classes = {name.removeprefix(prefix): value for name, value in scores.items() if prefix in name}
        return {
            "iteration": self.iterations[place],
            self.score.key: round(float(scores[f"clean/{self.score.name}"]), 3),
            **{name.lower(): round(float(scores[f"clean/{name}"]), 3) for name in self.score.beside},
            "classes": {name: round(float(value), 2) for name, value in classes.items()},
        }


def _find(value: object, key: str) -> Mapping[str, Any]:
    """Returns the first config under a key, at any depth."""
    if isinstance(value, Mapping):
        if key in value:
            return value[key]
        for entry in value.values():
            found = _find(entry, key)
            if found:
                return found
    return {}


def _end_with_parent() -> None:
    """Ends the process when the one that started it is gone, however that ended."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
