"""Predictions in the middle of a training, which leave no trace in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn
from torch.nn.modules.dropout import _DropoutNd

__all__ = ["has_dropout", "predicting"]


@contextmanager
def predicting(model: nn.Module, *, dropout: bool) -> Iterator[None]:
    """Puts a model into evaluation mode, dropout as asked for, and everything back in the end.

    Random states of torch and numpy come back too, so that a training goes on as if nothing had been predicted.
    """
    modes = {module: module.training for module in model.modules()}
    numpy_state = np.random.get_state()  # noqa: NPY002 - a user's loading steps may draw from it
    devices = sorted({p.device.index or 0 for p in model.parameters() if p.device.type == "cuda"})
    try:
        model.eval()
        for module in modes if dropout else ():
            if _drops(module):
                module.train()
        with torch.no_grad(), torch.random.fork_rng(devices):
            yield
    finally:
        np.random.set_state(numpy_state)  # noqa: NPY002
        for module, mode in modes.items():
            module.training = mode


def has_dropout(model: nn.Module) -> bool:
    """Returns whether predictions with dropout can differ from each other."""
    return any(_drops(module) for module in model.modules())


def _drops(module: nn.Module) -> bool:
    return isinstance(module, _DropoutNd) and module.p > 0
