"""When labels are corrected while a model trains: windows, epochs, decisions, versions, and what a checkpoint keeps."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt
from mmengine.dist import get_world_size, is_main_process
from mmengine.hooks import CheckpointHook, Hook
from mmengine.runner import IterBasedTrainLoop, Runner
from PIL import Image
from torch import nn

from noisyseg.correction.class_history import ClassHistory
from noisyseg.correction.label_changes import LabelChanges
from noisyseg.correction.triggers import ClassVerdict
from noisyseg.integration.correction_curves import curves_picture
from noisyseg.integration.given_labels import require_same_given_labels
from noisyseg.integration.initial_state import ema_hook, unwrapped
from noisyseg.integration.label_versions import LabelVersions, Written, shared
from noisyseg.labels.files import atomic_path, write_json
from noisyseg.labels.store import GIVEN
from noisyseg.registry import TASK_UTILS

__all__ = ["CorrectionHook", "Source", "Window"]

Source = Literal["self", "ema"]
ENTRY = "noisyseg_label_correction"


class Window(NamedTuple):
    """What was counted over a few iterations; see `noisyseg.correction.ClassHistory.append`."""

    epoch: float
    counts: npt.NDArray[np.int64]
    clean_counts: npt.NDArray[np.int64] | None = None
    fates: npt.NDArray[np.int64] | None = None


class CorrectionHook(Hook):
    """Decides class by class when labels are being memorized, and lets a correction write a new version of them.

    What is counted and how labels are corrected is the host's: a subclass says it.

    Epochs are those of the loop; in a loop of iterations there are virtual ones, of ``epoch_iters`` iterations. Windows
    are counted in iterations in both. At the end of an epoch the finished windows go into a `ClassHistory`, the policy
    decides about the classes that are not due yet, and, where some are, a new version is made: from the next epoch on,
    that is what is learned from. In a loop of iterations, loader workers have read a few batches ahead.

    History, decisions, windows in progress and the version in force are a part of each checkpoint; resuming from one
    goes on as if nothing had happened, whatever versions came later.

    Args:
        policy: Config of a policy, such as ``noisyseg.AdelePolicy``.
        store: Folder of the store; None means ``WORK_DIR/label_store``.
        epoch_iters: Length of a virtual epoch; None means ``ceil(images / (batch size * processes))``.
        window_iters: Length of a window of the history; None means a tenth of an epoch, about as in ADELE's code for
            VOC. Long windows give the fit of a curve few points, and a noisy time.
        every: Correct at the end of each so many epochs.
        only_when_grown: Correct only at the end of epochs where another class has become due: cheap, not published.
        source: Whose predictions: of the model (``"self"``) or of its averaged weights, kept by mmengine's `EMAHook`
            (``"ema"``).
        dataloader: ``dict(dataset=..., num_workers=...)`` for the predictions, where the training's own data set is not
            the right one.
        progress: Draw a progress bar.

    Raises:
        ValueError: A setting cannot be used; when the training starts: the pipeline does not read from the store, or
            there is no `EMAHook` though it is needed.
        LabelError: The version of a resumed checkpoint is not in the store, or the store was made for other given
            labels.
    """

    # After the schedulers have stepped (LOW, 70), before CheckpointHook saves (VERY_LOW, 90): the checkpoint of an
    # epoch's last step names the new version.
    priority = 80

    def __init__(
        self,
        policy: Mapping[str, Any],
        store: str | None = None,
        epoch_iters: int | None = None,
        window_iters: int | None = None,
        every: int = 1,
        only_when_grown: bool = False,
        source: Source = "self",
        dataloader: Mapping[str, Any] | None = None,
        progress: bool = True,
    ) -> None:
        for name, value in (("epoch_iters", epoch_iters), ("window_iters", window_iters), ("every", every)):
            if value is not None and value < 1:
                raise ValueError(f"{name}: expected a number >= 1, got {value}")
        if source not in get_args(Source):
            raise ValueError(f"source: expected one of {', '.join(get_args(Source))}, not {source!r}")
        if dataloader is not None and not set(dataloader) <= {"dataset", "num_workers"}:
            raise ValueError(f"dataloader: expected dataset and num_workers alone, got {', '.join(sorted(dataloader))}")
        self.policy = TASK_UTILS.build(dict(policy))
        self.root, self.epoch_iters, self.window_iters = store, epoch_iters, window_iters
        self.every, self.only_when_grown, self.source = every, only_when_grown, source
        self.dataloader, self.progress = dict(dataloader or {}), progress
        self.settings: list[Any] = [policy, every, only_when_grown, source]
        self._resumed: Mapping[str, Any] | None = None

    # ---- what the host's subclass says

    @abstractmethod
    def class_names(self, runner: Runner) -> Sequence[str]:
        """Returns the names of the classes."""

    @abstractmethod
    def finished_windows(self, runner: Runner) -> list[Window]:
        """Returns the windows that were closed since the last call, counted over all processes, in all of them."""

    @abstractmethod
    def close_window(self, runner: Runner, epoch: float) -> None:
        """Ends a window whose centre is at ``epoch``."""

    @abstractmethod
    def correct(self, runner: Runner, model: nn.Module, version: int, title: str) -> LabelChanges:
        """Writes the files of an incomplete version, in all processes, and returns what it changes in all together."""

    def counting_state(self) -> Mapping[str, Any]:
        """Returns what is counted of windows in progress, for a checkpoint."""
        return {}

    def load_counting_state(self, state: Mapping[str, Any]) -> None:
        """Takes what `counting_state` returned."""

    def collect_counts(self, runner: Runner) -> None:
        """Brings what all processes have counted into the first one, which writes a checkpoint."""

    # ---- the hook's events

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Remembers the state, if this is a training that goes on."""
        if not runner._resume:
            return
        if ENTRY not in checkpoint:
            raise ValueError(f"the checkpoint was saved without {type(self).__name__}; start from it with load_from")
        self._resumed = checkpoint[ENTRY]

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Adds the state."""
        checkpoint[ENTRY] = {
            "version": self.versions.version,
            "settings": self.versions.settings_hash,
            "due": self.due.tolist(),
            "due_epochs": dict(self.due_epochs),
            "history": self.history.state(),
            "counting": self.counting_state(),
            "epoch_iters": self.epoch_length,
        }

    def before_train(self, runner: Runner) -> None:
        """Checks that data and schedule go with the correction, and puts the version in force."""
        if self.source == "ema" and ema_hook(runner) is None:
            raise ValueError("source='ema' needs mmengine.EMAHook among the custom_hooks")
        self.names = tuple(self.class_names(runner))
        self.epoch_length, self.epochs = self._epochs_of(runner)
        self.window_length = self.window_iters or max(1, round(self.epoch_length / 10))
        self.versions = LabelVersions.in_folder(self.root, runner, self.settings)
        self.versions.bind(runner, type(self).__name__)
        require_same_given_labels(self.versions.store, runner.train_dataloader.dataset, self.names)
        self.history = ClassHistory(len(self.names))
        self.due = np.zeros(len(self.names), bool)
        self.due_epochs: dict[int, int] = {}
        self.verdicts: dict[int, ClassVerdict] = {}
        version = GIVEN
        if self._resumed is not None:
            version = self._take_up(runner, self._resumed)
        self.versions.begin(version)

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: object = None, outputs: object = None
    ) -> None:
        """Ends a window, and a virtual epoch."""
        steps = runner.iter + 1
        if steps % self.window_length == 0:
            self.close_window(runner, (steps - self.window_length / 2) / self.epoch_length)
        if isinstance(runner.train_loop, IterBasedTrainLoop):
            if steps % self.epoch_length == 0:
                self._end_epoch(runner, steps // self.epoch_length - 1, steps)
            if get_world_size() > 1 and _saves_now(runner):
                self.collect_counts(runner)

    def after_train_epoch(self, runner: Runner) -> None:
        """Ends an epoch of the loop."""
        if not isinstance(runner.train_loop, IterBasedTrainLoop):
            self._end_epoch(runner, runner.epoch, runner.iter)
            if get_world_size() > 1:
                self.collect_counts(runner)

    def after_train(self, runner: Runner) -> None:
        """Draws the whole history, and says of classes that were never due why."""
        if is_main_process() and len(self.history):
            self._show(runner, runner.iter, picture=True)
            for c, verdict in self.verdicts.items():
                if not self.due[c]:
                    runner.logger.info(f"labels: {self.names[c]} was never due: {verdict.reason}")

    # ---- what happens

    def _end_epoch(self, runner: Runner, epoch: int, steps: int) -> None:
        for window in self.finished_windows(runner):
            self.history.append(*window)
        verdicts = shared(self.policy.decide(self.history, epoch, self.epochs, self.due))
        self.verdicts |= verdicts
        new = [c for c, verdict in verdicts.items() if verdict.due]
        self.due[new] = True
        self.due_epochs |= dict.fromkeys(new, epoch)
        if new:
            reasons = "; ".join(f"{self.names[c]} ({verdicts[c].reason})" for c in new)
            runner.logger.info(f"labels: due from the end of epoch {epoch} on: {reasons}")
        wanted = bool(new) or not self.only_when_grown
        if self.due.any() and (epoch + 1) % self.every == 0 and wanted:
            self._make_version(runner, epoch)
        if is_main_process() and len(self.history):
            runner.visualizer.add_scalars(self._scalars(), step=steps)
            self._show(runner, steps, picture=bool(new))

    def _make_version(self, runner: Runner, epoch: int) -> None:
        model = unwrapped(runner.model) if self.source == "self" else ema_hook(runner).ema_model.module
        title = f"epoch {epoch}: labels corrected"

        def write(version: int) -> Written:
            changes = self.correct(runner, model, version, title)
            due = [self.names[c] for c in np.flatnonzero(self.due)]
            return Written({}, {"epoch": epoch, "due": due, **changes.document(self.names)})

        parent = GIVEN if self.policy.reinit else self.versions.version
        name = [epoch, self.due.tolist()]
        self.versions.make(model, name, parent, write)
        info = self.versions.store.info(self.versions.version)
        gained = ", ".join(
            f"{name} +{n['gained']} -{n['lost']}" for name, n in info["changed"].items() if any(n.values())
        )
        runner.logger.info(
            f"labels: version {self.versions.version} is in force after epoch {epoch}; {info['images']} images "
            f"predicted, {info['changed_images']} changed; pixels: {gained or 'none'}"
        )

    def _show(self, runner: Runner, steps: int, *, picture: bool) -> None:
        """Writes the history as a file and as a picture, this one for TensorBoard and the like too."""
        due = {self.names[c]: epoch for c, epoch in self.due_epochs.items()}
        document = {"classes": self.names, "due_epochs": due, "history": self.history.state()}
        write_json(Path(runner.work_dir) / "label_correction.json", document)
        if picture:
            png = curves_picture(self.history, self.names, self.verdicts, self.due_epochs)
            with atomic_path(Path(runner.work_dir) / "label_correction.png") as partial:
                partial.write_bytes(png)
            pixels = np.array(Image.open(BytesIO(png)).convert("RGB"))
            runner.visualizer.add_image("label_correction", pixels, step=steps)

    def _scalars(self) -> dict[str, float]:
        """Returns numbers for TensorBoard and the like."""
        history = self.history
        columns = {"iou_given": history.iou("given")}
        if history.has_clean:
            columns |= {"iou_clean": history.iou("clean")}
            columns |= {"memorized": history.memorized(), "corrected": history.corrected()}
        scalars = {"labels/version": float(self.versions.version), "labels/due_classes": float(self.due.sum())}
        for title, windows in columns.items():
            for row in windows[-1:]:
                named = zip(self.names, row, strict=True)
                scalars |= {f"{title}/{name}": float(value) for name, value in named if not np.isnan(value)}
        return scalars

    def _take_up(self, runner: Runner, state: Mapping[str, Any]) -> int:
        """Goes on from the state of a checkpoint and returns its version."""
        if state["settings"] != self.versions.settings_hash:
            runner.logger.warning(
                f"{type(self).__name__}: its settings are not those that the checkpoint was made with"
            )
        if state["epoch_iters"] != self.epoch_length:
            raise ValueError(
                f"expected epochs of {state['epoch_iters']} iterations, as in the checkpoint, got {self.epoch_length}: "
                "batch size, processes or data have changed; give epoch_iters"
            )
        self.history = ClassHistory.from_state(state["history"])
        if self.history.num_classes != len(self.names):
            raise ValueError(
                f"the checkpoint has a history of {self.history.num_classes} classes, the data {len(self.names)}"
            )
        self.due = np.array(state["due"], bool)
        self.due_epochs = {int(c): int(epoch) for c, epoch in state["due_epochs"].items()}
        self.load_counting_state(state["counting"])
        return int(state["version"])

    def _epochs_of(self, runner: Runner) -> tuple[int, int]:
        """Returns the length of an epoch in iterations, and how many there are."""
        loop = runner.train_loop
        if isinstance(loop, IterBasedTrainLoop):
            loader = runner.train_dataloader
            batch = loader.batch_size or loader.batch_sampler.batch_size
            length = self.epoch_iters or math.ceil(len(loader.dataset) / (batch * get_world_size()))
            return length, math.ceil(loop.max_iters / length)
        if self.epoch_iters is not None:
            raise ValueError("epoch_iters: expected None, because this training counts epochs")
        return len(runner.train_dataloader), loop.max_epochs


def _saves_now(runner: Runner) -> bool:
    """Returns whether a checkpoint is written at the end of this iteration."""
    return any(
        not hook.by_epoch
        and (
            hook.every_n_train_iters(runner, hook.interval, hook.save_begin)
            or (hook.save_last and hook.is_last_train_iter(runner))
        )
        for hook in runner.hooks
        if isinstance(hook, CheckpointHook)
    )
