"""Noise-robust iterative learning: train, judge the labels, go on with weights, as one training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

from mmengine.dist import barrier, get_world_size, is_main_process
from mmengine.hooks import Hook
from mmengine.runner import IterBasedTrainLoop, Runner
from torch import nn

from noisyseg.correction import Judge
from noisyseg.integration.initial_state import ema_hook, restore_initial_state, save_initial_state, unwrapped
from noisyseg.integration.label_versions import LabelVersions, Written
from noisyseg.integration.load_stored_labels import stored_label_steps
from noisyseg.integration.round_schedule import RoundSchedule
from noisyseg.integration.segmentation.judging_pass import JudgingPass
from noisyseg.integration.segmentation.passes import Flip, Passes
from noisyseg.integration.segmentation.plain_dataset import plain_dataset
from noisyseg.labels.store import GIVEN
from noisyseg.registry import DATASETS, HOOKS, TASK_UTILS

__all__ = ["IterativeWeightHook"]

Source = Literal["self", "ema"]
ENTRY = "noisyseg_rounds"
OFF_LINE = {
    "crossfit": "it needs one model for each fold, and a training has one; judge with held-out predictions off-line",
    "peer": "it needs a second model, and a training has one; judge with its predictions off-line",
}


@HOOKS.register_module()
class IterativeWeightHook(Hook):
    """Trains in rounds; at the end of each but the last, predicts every training image and weighs its labels.

    At the end of a round the model predicts every training image as it is on disk. From predictions and labels in force
    come a weight for each pixel, a weight for each image, and, with ``refresh``, new labels; they are a new version in
    a `LabelStore`, which `noisyseg.LoadStoredLabels` reads from the next iteration or epoch on. The first round trains
    with the given labels and weight 1.

    The version in force is a part of each checkpoint, and resuming puts it back in force, whatever versions came later.
    A version is named by its parent, the round, these settings and the weights of the model; where a resumed training
    comes to a version that exists, that one is taken; one that was not finished is removed and made again.

    In a loop of iterations, ``round_epochs`` counts ``ceil(images / (batch size * processes))`` iterations as an epoch.

    In the spirit of Wang et al., IEEE TMI 2021 (arXiv 2012.14584), whose formulas could not be read; rounds, estimators
    and their defaults are ours, some after FPL+ (HiLab-git/FPL-plus).

    Args:
        rounds: Number of rounds of training, at least 2; there are one fewer judgements.
        round_epochs: Length of a round in epochs; or
        round_iters: in iterations, for a loop of iterations.
        first_round: Length of the first round, in the same unit; None means as the others.
        store: Folder of the store; None means ``WORK_DIR/label_store``.
        source: Whose predictions: of the model (``"self"``) or of its averaged weights, kept by mmengine's `EMAHook`
            (``"ema"``).
        pixel: Config of an estimator of pixel weights, or None for weight 1.
        image: Config of an estimator of image weights, `LossRank` for a selection, or None for weight 1.
        refresh: Config of a `Refresh`, or None to keep all labels.
        flips: Flipped copies that are predicted besides each image; the mean counts.
        dropout_passes: How often each is predicted with dropout on; 0 for once, without.
        seed: Of the dropout.
        restart: Go back to the initial weights, optimizer and schedules at the start of each round.
        stop_below: Where less than this share of the pixels changes sides (weight above .51 or not) or label, no
            further round is judged; training goes on to its end with the weights in force. 0 never stops.
        class_floor: Classes whose mean weight in the data set is below the first number get at least the second one
            everywhere; else a class that the model does not know yet would never be learned. The first has to be above
            the floor of the estimator to mean anything.
        dataloader: ``dict(dataset=..., num_workers=...)`` for the predictions, where the training's own data set up to
            `LoadStoredLabels` is not the right one.
        progress: Draw a progress bar.

    Raises:
        ValueError: A setting cannot be used; when the training starts: the model has no dropout or there is no
            `EMAHook` though it is needed, or the pipeline does not load from the store. A training that is too short
            for the rounds is warned of.
        LabelError: The version of a resumed checkpoint is not in the store.
    """

    # After the schedulers have stepped (LOW, 70), before CheckpointHook saves (VERY_LOW, 90): the checkpoint of a
    # round's last step names the new version.
    priority = 80

    def __init__(
        self,
        rounds: int = 3,
        round_epochs: int | None = None,
        round_iters: int | None = None,
        first_round: int | None = None,
        store: str | None = None,
        source: Source = "self",
        pixel: Mapping[str, Any] | None = None,
        image: Mapping[str, Any] | None = None,
        refresh: Mapping[str, Any] | None = None,
        flips: Sequence[Flip] = (),
        dropout_passes: int = 0,
        seed: int = 0,
        restart: bool = False,
        stop_below: float = 0.001,
        class_floor: tuple[float, float] = (0.01, 0.25),
        dataloader: Mapping[str, Any] | None = None,
        progress: bool = True,
    ) -> None:
        if (round_epochs is None) == (round_iters is None):
            raise ValueError(f"expected either round_epochs or round_iters, got {round_epochs} and {round_iters}")
        if source in OFF_LINE:
            raise ValueError(f"source: {source!r} is not available while training: {OFF_LINE[source]}")
        if source not in get_args(Source):
            raise ValueError(f"source: expected one of {', '.join(get_args(Source))}, not {source!r}")
        if not 0 <= stop_below < 1:
            raise ValueError(f"stop_below: expected a share in [0, 1), got {stop_below}")
        if len(class_floor) != 2 or not all(0 <= number <= 1 for number in class_floor):
            raise ValueError(f"class_floor: expected two numbers in [0, 1], got {class_floor}")
        if dataloader is not None and not set(dataloader) <= {"dataset", "num_workers"}:
            raise ValueError(f"dataloader: expected dataset and num_workers alone, got {', '.join(sorted(dataloader))}")
        self.by_iteration = round_epochs is None
        length = round_iters if self.by_iteration else round_epochs
        self.schedule = RoundSchedule(rounds, first_round or length, length)
        parts = [None if part is None else TASK_UTILS.build(dict(part)) for part in (pixel, image, refresh)]
        self.judge = Judge(*parts)
        self.passes = Passes(tuple(flips), dropout_passes, seed)
        if self.passes.number < self.judge.min_passes:
            raise ValueError(
                f"the estimators need at least {self.judge.min_passes} passes over an image, got {self.passes.number}; "
                "ask for flips or dropout_passes"
            )
        self.root, self.source, self.restart, self.stop_below = store, source, restart, stop_below
        self.class_floor = tuple(class_floor)
        self.dataloader, self.progress = dict(dataloader or {}), progress
        self.settings = [source, pixel, image, refresh, list(flips), dropout_passes, seed, list(class_floor)]
        self.settled = False
        self._resumed: Mapping[str, Any] | None = None

    # ---- when: the hook's events

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Remembers the version in force, if this is a training that goes on."""
        if not runner._resume:
            return
        if ENTRY not in checkpoint:
            raise ValueError("the checkpoint was saved without IterativeWeightHook; start from it with load_from")
        self._resumed = checkpoint[ENTRY]

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Adds the version in force."""
        checkpoint[ENTRY] = {
            "version": self.version,
            "settled": self.settled,
            "settings": self.versions.settings_hash,
        }

    def before_train(self, runner: Runner) -> None:
        """Checks that model, data and schedule go with the rounds, and puts the version in force."""
        self.schedule = self._in_steps_of(runner)
        self.passes.check_model(unwrapped(runner.model))
        if self.source == "ema" and ema_hook(runner) is None:
            raise ValueError("source='ema' needs mmengine.EMAHook among the custom_hooks")
        self.versions = LabelVersions.in_folder(self.root, runner, self.settings)
        self.versions.bind(runner, type(self).__name__)
        version = GIVEN
        if self._resumed is not None:
            version, self.settled = self._resumed["version"], self._resumed["settled"]
            if self._resumed["settings"] != self.versions.settings_hash:
                runner.logger.warning(
                    "IterativeWeightHook: its settings are not those that the checkpoint was made with"
                )
        self.versions.begin(version)
        if is_main_process() and self.restart and self._resumed is None:
            save_initial_state(runner, self._initial)
        barrier()

    @property
    def version(self) -> int:
        """The version in force."""
        return self.versions.version

    def after_train_epoch(self, runner: Runner) -> None:
        """Ends a round, in a loop of epochs."""
        if not isinstance(runner.train_loop, IterBasedTrainLoop):
            self._step(runner, runner.epoch + 1)

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: object = None, outputs: object = None
    ) -> None:
        """Ends a round, in a loop of iterations."""
        if isinstance(runner.train_loop, IterBasedTrainLoop):
            self._step(runner, runner.iter + 1)

    # ---- what

    def _step(self, runner: Runner, steps: int) -> None:
        number = self.schedule.ended(steps)
        if number is None or self.settled:
            return
        self._end_round(runner, number)
        if self.restart:
            restore_initial_state(runner, self._initial)

    def _end_round(self, runner: Runner, number: int) -> None:
        model = unwrapped(runner.model) if self.source == "self" else ema_hook(runner).ema_model.module
        self.versions.make(model, number, self.version, lambda version: self._judged(model, runner, number, version))
        self._report(runner, number)

    def _judged(self, model: nn.Module, runner: Runner, number: int, version: int) -> Written:
        dataset = self.dataloader.get("dataset")
        dataset = plain_dataset(runner.cfg.train_dataloader.dataset) if dataset is None else DATASETS.build(dataset)
        for step in stored_label_steps(dataset):
            step.bind(self.versions.store.root)
        judging = JudgingPass(
            model,
            dataset,
            self.versions.store,
            self.judge,
            self.passes,
            class_floor=self.class_floor,
            num_workers=self.dataloader.get("num_workers", 0),
            progress=self.progress,
        )
        records, summary = judging.run(number, version)
        info = {"round": number, "images": len(records), **summary.document()}
        return Written({"image_weight": self.judge.image_weights(records)}, info)

    @property
    def _initial(self) -> Path:
        return self.versions.store.root / "initial_state.pth"

    def _report(self, runner: Runner, number: int) -> None:
        info = self.versions.store.info(self.version)
        self.settled = info["moved_share"] < self.stop_below
        means = ", ".join("-" if mean is None else f"{mean:.3f}" for mean in info["mean_weights"])
        runner.logger.info(
            f"labels: round {number + 1} of {self.schedule.rounds} has ended, version {self.version} is in force; "
            f"{info['moved_share']:.3%} of the pixels changed sides, {info['relabelled_share']:.3%} label; mean weight "
            f"of the classes: {means}" + (f"; raised: {info['faded']}" if info["faded"] else "")
        )
        if self.settled:
            runner.logger.info(f"labels: less than {self.stop_below:.3%} changed, so no further round is judged")
        scalars = {f"rounds/{name}": info[name] for name in ("moved_share", "relabelled_share")}
        # The host counts an iteration behind the hooks of its end, but before those of its epoch's end.
        in_iteration = isinstance(runner.train_loop, IterBasedTrainLoop)
        runner.visualizer.add_scalars(scalars, step=runner.iter + in_iteration)

    def _in_steps_of(self, runner: Runner) -> RoundSchedule:
        loop, schedule = runner.train_loop, self.schedule
        by_iteration = isinstance(loop, IterBasedTrainLoop)
        if self.by_iteration and not by_iteration:
            raise ValueError("round_iters: this training counts epochs; expected round_epochs")
        if by_iteration and not self.by_iteration:
            loader = runner.train_dataloader
            batch = loader.batch_size or loader.batch_sampler.batch_size
            schedule = schedule.times(
                RoundSchedule.iterations_of_an_epoch(len(loader.dataset), batch, get_world_size())
            )
        shortfall = schedule.shortfall(loop.max_iters if by_iteration else loop.max_epochs)
        if shortfall is not None:
            runner.logger.warning(f"IterativeWeightHook: {shortfall}")
        return schedule
