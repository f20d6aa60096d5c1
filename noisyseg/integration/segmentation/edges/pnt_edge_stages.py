"""Takes PNT-Edge through its stages in one training."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import torch
from mmengine.dist import master_only
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import IterBasedTrainLoop, Runner

from noisyseg.integration.segmentation.edges.pnt_edge import PNTEdge, Stage
from noisyseg.labels.files import atomic_path
from noisyseg.registry import HOOKS

__all__ = ["PNTEdgeStages"]

ENTRY = "pnt_edge"
EARLY = 20
"""After so many iterations in which the field learns it is clear whether the detector has learned enough before."""


@HOOKS.register_module()
class PNTEdgeStages(Hook):
    """Sets the stage of a `noisyseg.PNTEdge` from the iteration (or epoch), and notes it in each checkpoint.

    The optimizer holds all parameters; those that do not learn in a stage have no gradient, and it leaves them alone,
    weight decay and averages included. A training may be resumed anywhere; the stage then follows from the iteration,
    and must be the one, begun at the same place, that the checkpoint was in. When the training ends, the detector
    alone is written to the work directory.

    Distributed trainings need ``find_unused_parameters=True``, because which parameters get a gradient changes.

    Args:
        warmup: Length of the stage that trains the detector on the labels as they are, in iterations; 0 for none, where
            ``load_from`` names a detector.
        shift: Length of the stage that trains the field.
        edge: Length of the stage that trains the detector with the field.
        joint: Length of the stage that trains both at once; it is not of the paper, and may take the place of both.
        by_epoch: Lengths are epochs.
        export: Name of the detector's file in the work directory, a checkpoint of a plain `noisyseg.EdgeDetector`;
            None for none. It has the weights that are trained, not averages of them that a hook keeps.

    Raises:
        ValueError: A length is negative or no whole number. When a training begins: it is longer than all stages (if it
            is shorter, the log warns), or counts in the other unit; the model is no `PNTEdge`; a distributed one would
            wait for gradients that never come. When it is resumed: the checkpoint is of another stage, or of none.
    """

    priority = "NORMAL"  # after the scalars of an iteration are noted, before checkpoints are written

    def __init__(
        self,
        warmup: int,
        shift: int = 0,
        edge: int = 0,
        joint: int = 0,
        by_epoch: bool = False,
        export: str | None = "edge_detector.pth",
    ) -> None:
        lengths = dict(zip(get_args(Stage), (warmup, shift, edge, joint), strict=True))
        for name, length in lengths.items():
            if isinstance(length, bool) or not isinstance(length, int) or length < 0:
                raise ValueError(f"{name}: expected a whole number of iterations or epochs >= 0, got {length!r}")
        if not any(lengths.values()):
            raise ValueError("PNTEdgeStages: expected a stage that is longer than 0")
        self.lengths, self.by_epoch, self.export = lengths, by_epoch, export
        self._iterations = 0

    def stage_at(self, done: int) -> tuple[Stage, int]:
        """Returns the stage after so many iterations (or epochs), and where it began; the last one has no end."""
        begin = 0
        present = [(stage, length) for stage, length in self.lengths.items() if length]
        for stage, length in present[:-1]:
            if done < begin + length:
                return stage, begin
            begin += length
        return present[-1][0], begin

    def before_train(self, runner: Runner) -> None:
        """Checks that lengths, loop and model fit together."""
        loop = runner.train_loop
        if isinstance(loop, IterBasedTrainLoop) == self.by_epoch:
            raise ValueError(
                f"PNTEdgeStages: by_epoch={self.by_epoch} does not fit to a {type(loop).__name__}, which counts "
                f"{'iterations' if self.by_epoch else 'epochs'}"
            )
        total, asked = sum(self.lengths.values()), loop.max_epochs if self.by_epoch else loop.max_iters
        if asked > total:
            raise ValueError(f"PNTEdgeStages: the stages {self.lengths} are {total} together, the training is {asked}")
        if asked < total:
            runner.logger.warning(
                f"PNTEdgeStages: the stages {self.lengths} are {total} together, but the training is {asked}: it ends "
                f"in {self.stage_at(asked - 1)[0]}"
            )
        self._model(runner)
        if is_model_wrapper(runner.model) and not getattr(runner.model, "find_unused_parameters", True):
            raise ValueError("PNTEdgeStages: expected find_unused_parameters=True in the config of this training")

    def before_train_epoch(self, runner: Runner) -> None:
        """Sets the stage where epochs count."""
        if self.by_epoch:
            self._follow(runner, runner.epoch)

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: object = None) -> None:
        """Sets the stage where iterations count."""
        if not self.by_epoch:
            self._follow(runner, runner.iter)

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: object = None, outputs: dict | None = None
    ) -> None:
        """Warns early in ``shift`` and ``joint`` where the field gets nothing to learn from."""
        self._iterations += 1
        model = self._model(runner)
        seeks = model.weights["target"] or model.weights["complexity"]
        if self._iterations == EARLY and seeks and model.stage in ("shift", "joint"):
            share = float(runner.message_hub.get_scalar("train/unsure_images").mean(EARLY))
            if share > 0.5:
                runner.logger.warning(
                    f"PNTEdgeStages: in {share:.0%} of the images the detector is confident of no edge, so their "
                    "labels get no target to be shifted to; warm up longer, or lower the threshold"
                )

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Notes the stage in ``meta``."""
        done = checkpoint["meta"]["epoch" if self.by_epoch else "iter"]
        stage, begin = self.stage_at(max(done - 1, 0))
        checkpoint["meta"][ENTRY] = {"stage": stage, "begin": begin, "by_epoch": self.by_epoch}

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Compares the stage of a checkpoint that a training goes on from with where the settings put it."""
        if not runner._resume:
            return
        meta = checkpoint.get("meta", {})
        noted = meta.get(ENTRY)
        if noted is None:
            raise ValueError("PNTEdgeStages: cannot resume from a checkpoint without a stage; use load_from")
        stage, begin = self.stage_at(max(meta["epoch" if self.by_epoch else "iter"] - 1, 0))
        expected = {"stage": stage, "begin": begin, "by_epoch": self.by_epoch}
        if noted != expected:
            raise ValueError(f"PNTEdgeStages: the checkpoint is at {noted}, but the lengths here say {expected}")

    def after_train(self, runner: Runner) -> None:
        """Writes the detector."""
        if self.export is not None:
            _write_detector(self._model(runner), Path(runner.work_dir) / self.export)

    def _follow(self, runner: Runner, done: int) -> None:
        """Sets the stage if it is another one."""
        model = self._model(runner)
        stage, begin = self.stage_at(done)
        if model.stage == stage:
            return
        runner.logger.info(f"PNTEdge: stage {stage} from {'epoch' if self.by_epoch else 'iteration'} {begin} on")
        model.set_stage(stage)
        self._iterations = 0
        # What the other stage has logged would be repeated in each line of this one.
        scalars = runner.message_hub.log_scalars
        for key in [key for key in scalars if key.startswith("train/") and "loss" in key]:
            del scalars[key]

    @staticmethod
    def _model(runner: Runner) -> PNTEdge:
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        if not isinstance(model, PNTEdge):
            raise ValueError(f"PNTEdgeStages: expected a model of type noisyseg.PNTEdge, not {type(model).__name__}")
        return model


@master_only
def _write_detector(model: PNTEdge, path: Path) -> None:
    with atomic_path(path) as partial:
        torch.save({"state_dict": model.detector.state_dict(), "meta": {}}, partial)
