"""A COCO folder of two images, small enough to reason about, and trainings whose hooks write label stores."""

import importlib
import json
import multiprocessing
import os
import signal
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner

from noisyseg.labels.store import LabelStore


def square(x, y, side):
    return [[x, y, x + side, y, x + side, y + side, x, y + side]]


def annotation(id_, image_id, category_id, x, y, side, **changes):
    entry = {
        "id": id_,
        "image_id": image_id,
        "category_id": category_id,
        "bbox": [x, y, side, side],
        "area": side * side,
        "iscrowd": 0,
        "segmentation": square(x, y, side),
    }
    return entry | changes


@pytest.fixture
def coco_document():
    """Classes in an order that is not that of their ids; a crowd; an annotation that mmdet leaves out."""
    crowd = {"size": [48, 64], "counts": [480, 48, 48 * 64 - 528]}
    return {
        "images": [
            {"id": 7, "file_name": "a.png", "height": 48, "width": 64},
            {"id": 3, "file_name": "b.png", "height": 48, "width": 64},
        ],
        "annotations": [
            annotation(11, 7, 5, 4.5, 6.25, 20.5),
            annotation(12, 7, 2, 30, 10, 24),
            annotation(13, 7, 9, 10, 0, 1, segmentation=crowd, iscrowd=1, bbox=[10, 0, 1, 48], area=48),
            annotation(14, 3, 9, 8, 8, 30),
            annotation(15, 3, 5, 40, 20, 16),
            annotation(16, 3, 5, 1, 1, 0.5),
        ],
        "categories": [{"id": 9, "name": "nine"}, {"id": 2, "name": "two"}, {"id": 5, "name": "five"}],
    }


@pytest.fixture
def write_coco(tmp_path):
    """Returns a function that writes a document with its images and returns the file."""

    folder = tmp_path / "coco"  # for make_noise, a folder with "test" in its name holds an evaluation split
    folder.mkdir()

    def write(document, name="coco.json") -> Path:
        for image in document["images"]:
            pixels = np.full((image["height"], image["width"], 3), 128, np.uint8)
            cv2.imwrite(str(folder / image["file_name"]), pixels)
        (folder / name).write_text(json.dumps(document))
        return folder / name

    return write


class Killer(Hook):
    """Kills the process at one iteration, or when so many files have been written."""

    priority = 95

    def __init__(self, iteration=None, files=None):
        self.iteration, self.files = iteration, files

    def before_train(self, runner):
        if self.files is None:
            return
        put, left = LabelStore.put, [self.files]

        def counted(*args):
            left[0] -= 1
            if left[0] < 0:
                os.kill(os.getpid(), signal.SIGKILL)
            put(*args)

        LabelStore.put = counted

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.iter + 1 == self.iteration:
            os.kill(os.getpid(), signal.SIGKILL)


class Runs:
    """Trainings whose hook writes a label store in their work directory, and what they leave there."""

    @staticmethod
    def config(
        work_dir, *, scope, model, dataset, hooks, loop="epoch", steps=4, workers=0, checkpoints=-1, lr=0.1
    ) -> Config:
        """Return the config of a training on batches of two, of so many epochs or iterations."""
        by_epoch = loop == "epoch"
        return Config(
            dict(
                default_scope=scope,
                model=model,
                work_dir=str(work_dir),
                train_dataloader=dict(
                    batch_size=2,
                    num_workers=workers,
                    persistent_workers=workers > 0,
                    sampler=dict(type=f"mmengine.{'DefaultSampler' if by_epoch else 'InfiniteSampler'}", shuffle=True),
                    dataset=dict(dataset, serialize_data=False),  # to serialize takes a collection of all garbage
                ),
                train_cfg=dict(type="mmengine.EpochBasedTrainLoop", max_epochs=steps)
                if by_epoch
                else dict(type="mmengine.IterBasedTrainLoop", max_iters=steps),
                optim_wrapper=dict(type="mmengine.OptimWrapper", optimizer=dict(type="SGD", lr=lr, momentum=0.9)),
                default_hooks=dict(
                    logger=dict(type="mmengine.LoggerHook", interval=1000),
                    checkpoint=dict(
                        type="mmengine.CheckpointHook", by_epoch=by_epoch, interval=checkpoints, save_last=False
                    ),
                ),
                custom_hooks=hooks,
                randomness=dict(seed=0, deterministic=True),
                log_level="WARNING",
            )
        )

    @staticmethod
    def train(config, resume=None) -> Runner:
        """Return the runner of a finished training; ``resume`` is a checkpoint, or empty for the last one."""
        config = config.copy()
        if resume is not None:
            config.resume, config.load_from = True, resume or None
        config.experiment_name = f"{os.getpid()}_{np.random.default_rng().integers(2**60)}"
        runner = Runner.from_cfg(config)
        runner.train()
        return runner

    @staticmethod
    def store_of(config) -> LabelStore:
        return LabelStore(f"{config.work_dir}/label_store")

    @staticmethod
    def files(store) -> dict[str, bytes]:
        """Return all files in versions, by name."""
        return {str(path.relative_to(store.root)): path.read_bytes() for path in sorted(store.root.glob("v*/**/*.*"))}

    @staticmethod
    def killed(config, **settings) -> None:
        """Train in a process that dies by SIGKILL; ``settings`` of `Killer` say when."""
        process = _process(_train_until_killed, config, settings)
        process.start()
        process.join(120)
        assert process.exitcode == -signal.SIGKILL

    @staticmethod
    def in_two_processes(config, meeting, report=None) -> list[list[str]]:
        """Return which files each process wrote; in each, ``report`` gets the runner and the rank at the end."""
        config = config.copy()
        config.launcher = "pytorch"
        config.model_wrapper_cfg = dict(type="mmengine.MMDistributedDataParallel", device_ids=None)  # the CPU
        processes = [_process(_train_one_of_two, config, rank, meeting, report) for rank in range(2)]
        for process in processes:
            process.start()
        for process in processes:
            process.join(120)
        assert [process.exitcode for process in processes] == [0, 0]
        return [Path(f"{meeting}_puts{rank}.txt").read_text().splitlines() for rank in range(2)]


def _process(target, *args) -> multiprocessing.Process:
    """Return a process that knows what the tests have registered.

    It is forked from one without threads: where this one has held a lock of theirs, a fork of it would hang.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["noisyseg.integration.benchmark.warm"])
    ours = [name for name in sys.modules if name.startswith(f"{__name__.split('.')[0]}.")]
    return context.Process(target=_call, args=(ours, target, args))


def _call(modules, target, args):
    for name in modules:
        importlib.import_module(name)
    _leave_out(setattr)
    target(*args)


def _leave_out(setattr_) -> None:
    """Leave out what mmengine asks compilers and git, and the config's text in each checkpoint: seconds a test."""
    runner = importlib.import_module("mmengine.runner.runner")
    setattr_(runner, "collect_env", dict)
    setattr_(runner, "get_git_hash", str)
    setattr_(Config, "pretty_text", "")


def _train_until_killed(config, settings):
    config.experiment_name = f"killed_{os.getpid()}"
    runner = Runner.from_cfg(config)
    runner.register_hook(Killer(**settings))
    runner.train()


def _train_one_of_two(config, rank, meeting, report):
    torch.set_num_threads(1)
    os.environ["LOCAL_RANK"] = str(rank)
    torch.distributed.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=2)
    puts, put = [], LabelStore.put

    def counted(store, key, kind, value, version):
        puts.append(f"{version} {kind} {key}")
        put(store, key, kind, value, version)

    LabelStore.put = counted
    config.experiment_name = f"two_{meeting.parent.name}"
    runner = Runner.from_cfg(config)
    runner.train()
    Path(f"{meeting}_puts{rank}.txt").write_text("\n".join(puts))
    if report is not None:
        report(runner, rank)


@pytest.fixture
def runs(monkeypatch) -> type[Runs]:
    _leave_out(monkeypatch.setattr)
    return Runs
