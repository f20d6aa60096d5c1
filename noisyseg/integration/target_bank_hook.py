"""Ties banks of soft targets to the iterations and checkpoints of a training."""

from __future__ import annotations

import socket

from mmengine.dist import all_gather_object, barrier, is_main_process
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from noisyseg.integration.target_bank import TargetBank
from noisyseg.losses import PixelELR
from noisyseg.registry import HOOKS

__all__ = ["TargetBankHook"]


@HOOKS.register_module()
class TargetBankHook(Hook):
    """Opens each `noisyseg.TargetBank` of the model, and makes its state part of the checkpoints.

    A resumed training finds the targets as they were when its checkpoint was made, also after a ``kill -9``; a new
    training in a folder with the targets of another one is an error.

    Raises:
        ValueError: When a training begins: the model has no bank, processes run on several machines, or the folder of
            the bank has no targets that fit to the training.
    """

    priority = "VERY_HIGH"

    def __init__(self) -> None:
        self._banks: dict[str, TargetBank] = {}

    def before_train(self, runner: Runner) -> None:
        """Opens the banks at the iteration that the training begins with."""
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        self._banks = {
            name: module.targets
            for name, module in model.named_modules()
            if isinstance(module, PixelELR) and isinstance(module.targets, TargetBank)
        }
        if not self._banks:
            raise ValueError("TargetBankHook: the model has no noisyseg.PixelELR with targets of noisyseg.TargetBank")
        machines = set(all_gather_object(socket.gethostname()))
        if len(machines) > 1:
            raise ValueError(f"TargetBankHook: expected processes on one machine, not on {', '.join(sorted(machines))}")
        for name, bank in self._banks.items():
            bank.open(runner.work_dir, name)
            if is_main_process():
                bank.files.start(runner.iter)
        barrier()

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: dict | None = None) -> None:
        """Tells the banks how many iterations are done."""
        for bank in self._banks.values():
            bank.iteration = runner.iter

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Keeps the state that belongs to a checkpoint that can be resumed from; mmengine's best ones cannot."""
        if "optimizer" not in checkpoint:
            return
        for bank in self._banks.values():
            bank.files.pin(checkpoint["meta"]["iter"])
