"""Train the demo's segmenter on each version of the labels, side by side, and keep what validation said."""

from __future__ import annotations

import importlib
import multiprocessing
import warnings
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner
from tqdm import tqdm

from noisyseg.integration.demo.data import CONFIGS

__all__ = ["Curve", "Training", "train_segmenters"]

SPLITS = ("clean", "clean_train", "given")


@dataclass(frozen=True)
class Curve:
    """A score while training.

    Attributes:
        iterations: (T,) at which it was taken.
        scores: (T,) mean IoU in percent.
    """

    iterations: Sequence[int]
    scores: Sequence[float]

    @property
    def best(self) -> tuple[int, float]:
        """The first iteration with the highest score, and that score."""
        place = int(np.argmax(self.scores))
        return self.iterations[place], self.scores[place]

    def at(self, iteration: int) -> float:
        """Returns the score at one of the iterations."""
        return self.scores[list(self.iterations).index(iteration)]

    @property
    def last(self) -> float:
        """The score at the end."""
        return self.scores[-1]


@dataclass(frozen=True)
class Training:
    """What one training left.

    Attributes:
        clean_val: Score of validation images against clean labels.
        clean_train: Score of training images against clean labels.
        noisy_train: Agreement of training images with the noisy labels, whether trained on them or not.
        predictions: The classes that the final model sees in the first training images, by file name.
    """

    clean_val: Curve
    clean_train: Curve
    noisy_train: Curve
    predictions: dict[str, npt.NDArray[np.uint8]]


def train_segmenters(
    scenes: Path, labels: Mapping[str, str], out: Path, *, iterations: int, seed: int
) -> dict[str, Training]:
    """Trains the small U-Net on each version of the labels and returns what came out, by the name of the version.

    Each training is a process with one thread, so that they share a small machine evenly and their sums are
    rounded alike wherever they run.

    Args:
        scenes: The data set.
        labels: Folder of the label maps inside ``scenes``, by name of the version.
        out: Where checkpoints and logs go, in folders ``trained_on_<name>``.
        iterations: How long to train; validation takes place ten times.
        seed: Seed of the weights and of the order of the images.
    """
    # mmengine prints configs with yapf, whose first import on a machine writes a cache that another process can read
    # while it is still empty. So it is imported here, before there are others.
    importlib.import_module("yapf")
    with ProcessPoolExecutor(len(labels), mp_context=multiprocessing.get_context("spawn")) as pool:
        jobs = {
            name: pool.submit(_train, scenes, folder, out / f"trained_on_{name}", place, iterations, seed)
            for place, (name, folder) in enumerate(labels.items())
        }
        return {name: job.result() for name, job in jobs.items()}


def _train(scenes: Path, labels: str, work_dir: Path, place: int, iterations: int, seed: int) -> Training:
    torch.set_num_threads(1)
    work_dir.mkdir(parents=True, exist_ok=True)
    with (work_dir / "console.log").open("w", encoding="utf-8") as console, redirect_stdout(console):
        warnings.simplefilter("ignore")  # the hosts' own, about things that no user of the demo can change
        runner = Runner.from_cfg(_config(scenes, labels, work_dir, iterations, seed))
        recorder = _Recorder(work_dir.name.replace("_", " "), place)
        runner.register_hook(recorder)
        runner.train()
        return Training(*(recorder.curve(f"{split}/mIoU") for split in SPLITS), _predict(runner))


class _Recorder(Hook):
    """Keeps the scores of each validation, and draws a bar while training."""

    priority = "VERY_LOW"

    def __init__(self, name: str, place: int) -> None:
        self.name, self.place = name, place
        self.scores: list[tuple[int, Mapping[str, float]]] = []

    def before_train(self, runner: Runner) -> None:
        """See the base class."""
        self.bar = tqdm(total=runner.max_iters, desc=self.name, unit="it", position=self.place)

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,  # noqa: ANN401 - the host's type
        outputs: dict | None = None,
    ) -> None:
        """See the base class."""
        self.bar.update()

    def after_val_epoch(self, runner: Runner, metrics: Mapping[str, float] | None = None) -> None:
        """See the base class."""
        self.scores.append((runner.iter, metrics))

    def after_train(self, runner: Runner) -> None:
        """See the base class."""
        self.bar.close()

    def curve(self, score: str) -> Curve:
        """Returns how a score went."""
        return Curve([step for step, _ in self.scores], [float(metrics[score]) for _, metrics in self.scores])


def _config(scenes: Path, labels: str, work_dir: Path, iterations: int, seed: int) -> Config:
    """Returns the noisy baseline's config, pointed at the demo's files."""
    config = Config.fromfile(CONFIGS / "baseline" / "baseline_unet-small_2k_scenes-coco-n-hard.py")
    probes = config.val_dataloader.dataset.datasets
    for dataset in (config.train_dataloader.dataset, *probes, config.test_dataloader.dataset):
        dataset.data_root = str(scenes)
    config.train_dataloader.dataset.data_prefix.seg_map_path = f"{labels}/train"
    for dataloader in (config.train_dataloader, config.val_dataloader, config.test_dataloader):
        dataloader.num_workers, dataloader.persistent_workers = 0, False
    config.train_cfg.max_iters = iterations
    config.train_cfg.val_interval = max(iterations // 10, 1)
    warmup, decay = config.param_scheduler
    warmup.end = decay.begin = min(warmup.end, iterations // 4)
    decay.end = iterations
    config.randomness = {"seed": seed}
    config.work_dir = str(work_dir)
    config.log_level = "WARNING"
    return config


def _predict(runner: Runner) -> dict[str, npt.NDArray[np.uint8]]:
    """Returns the predicted label maps of the validation loader's training images."""
    runner.model.eval()
    predictions = {}
    for batch in runner.val_dataloader:
        for sample in runner.model.test_step(batch):
            if sample.split == "given":
                classes = sample.pred_sem_seg.data.squeeze().cpu().numpy().astype(np.uint8)
                predictions[Path(sample.img_path).name] = classes
    return predictions
