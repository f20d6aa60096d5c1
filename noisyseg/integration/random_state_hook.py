"""Random states in checkpoints, so that a resumed training draws what the uninterrupted one would have drawn."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from mmengine.dist import get_world_size
from mmengine.hooks import Hook
from mmengine.runner import IterBasedTrainLoop, Runner

from noisyseg.registry import HOOKS

__all__ = ["RandomStateHook"]

ENTRY = "noisyseg_random_state"


@HOOKS.register_module()
class RandomStateHook(Hook):
    """Saves the random states of numpy and torch in each checkpoint, and puts them back when a training is resumed.

    mmengine saves none. With this hook, one process, ``num_workers=0`` and deterministic operators, a training that was
    killed and resumed from a checkpoint at the end of an epoch, or at any iteration of a loop of iterations, ends with
    the same weights as one that ran through, with random flips and dropout.

    What it cannot do: workers have random states of their own, which nobody saves; Python's own `random` is left out;
    with several processes nothing is saved, because mmengine writes checkpoints in the first one alone; the original
    mmengine 0.10.7 loads and drops all batches before the resumed iteration, and so draws for them, in a loop of
    iterations.
    """

    priority = "VERY_HIGH"

    def __init__(self) -> None:
        self._held: dict[str, Any] | None = None

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Adds the random states."""
        if get_world_size() > 1:
            return
        name, keys, *rest = np.random.get_state()  # noqa: NPY002 - the state that mmcv's transforms draw from
        checkpoint[ENTRY] = {
            "numpy": (name, torch.from_numpy(keys.astype(np.int64)), *rest),
            "torch": torch.get_rng_state(),
            "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        }

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Remembers the random states, if this is a training that goes on."""
        if runner._resume and get_world_size() == 1:
            self._held = checkpoint.get(ENTRY)
            if self._held is None:
                runner.logger.warning("RandomStateHook: the checkpoint has no random states; draws will differ")

    def before_train_epoch(self, runner: Runner) -> None:
        """Puts numpy's state back, and torch's if a new iterator over the data will be drawn for as in any epoch."""
        if self._held is None:
            return
        name, keys, *rest = self._held["numpy"]
        np.random.set_state((name, keys.numpy().astype(np.uint32), *rest))  # noqa: NPY002
        if not isinstance(runner.train_loop, IterBasedTrainLoop):
            self._restore_torch()

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: object = None) -> None:
        """Puts torch's state back before the first iteration, in a loop that makes its iterator only once."""
        if self._held is not None:
            self._restore_torch()

    def _restore_torch(self) -> None:
        torch.set_rng_state(self._held["torch"].cpu())
        if self._held["cuda"]:
            torch.cuda.set_rng_state_all([state.cpu() for state in self._held["cuda"]])
        self._held = None
