"""The state of a training before its first step, on disk, to begin again from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from mmengine.hooks import EMAHook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from torch import nn

from noisyseg.labels.files import atomic_path

__all__ = ["ema_hook", "restore_initial_state", "save_initial_state", "unwrapped"]


def unwrapped(model: nn.Module) -> nn.Module:
    """Returns the model inside a wrapper for distributed training."""
    return model.module if is_model_wrapper(model) else model


def ema_hook(runner: Runner) -> EMAHook | None:
    """Returns the hook that keeps averaged weights, if there is one."""
    return next((hook for hook in runner.hooks if isinstance(hook, EMAHook)), None)


def save_initial_state(runner: Runner, path: Path) -> None:
    """Writes weights, optimizer, learning rate schedules and averaged weights of a runner, whole or not at all."""
    ema = ema_hook(runner)
    state = {
        "model": unwrapped(runner.model).state_dict(),
        "optimizer": runner.optim_wrapper.state_dict(),
        "schedulers": [scheduler.state_dict() for scheduler in _schedulers(runner)],
        "ema": None if ema is None else ema.ema_model.state_dict(),
    }
    with atomic_path(path) as partial:
        torch.save(state, partial)


def restore_initial_state(runner: Runner, path: Path) -> None:
    """Puts a runner back to where `save_initial_state` found it; its counters of epochs and iterations go on.

    So a schedule of learning rates begins again, as its own counter does, and one that ends before the round does
    stays at its end.

    Raises:
        FileNotFoundError: The file is not there.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path}: the initial weights, which restart=True goes back to, are not there")
    state = torch.load(path, map_location="cpu", weights_only=False)
    unwrapped(runner.model).load_state_dict(state["model"])
    runner.optim_wrapper.zero_grad()
    runner.optim_wrapper.load_state_dict(state["optimizer"])
    for scheduler, held in zip(_schedulers(runner), state["schedulers"], strict=True):
        scheduler.load_state_dict(held)
    ema = ema_hook(runner)
    if ema is not None and state["ema"] is not None:
        ema.ema_model.load_state_dict(state["ema"])


def _schedulers(runner: Runner) -> list[Any]:
    schedulers = runner.param_schedulers or []
    if isinstance(schedulers, dict):
        return [scheduler for group in schedulers.values() for scheduler in group]
    return schedulers
