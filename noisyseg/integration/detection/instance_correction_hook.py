"""Correction of the masks of objects while a detector trains, in the manner of ADELE."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from mmengine.registry import DATASETS
from mmengine.runner import Runner
from torch import nn

from noisyseg.correction.instance_policy import InstancePolicy
from noisyseg.correction.label_changes import LabelChanges
from noisyseg.integration.detection.instance_pass import InstancePass
from noisyseg.integration.detection.load_stored_instances import LoadStoredInstances
from noisyseg.integration.detection.plain_images import plain_images
from noisyseg.integration.initial_state import unwrapped
from noisyseg.integration.label_correction import CorrectionHook, Window
from noisyseg.integration.load_stored_labels import stored_label_steps
from noisyseg.labels import Categories
from noisyseg.labels.rng import keyed_rng
from noisyseg.labels.store import GIVEN
from noisyseg.registry import HOOKS

__all__ = ["InstanceCorrectionHook"]


@HOOKS.register_module()
class InstanceCorrectionHook(CorrectionHook):
    """ADELE (arXiv 2110.03740) for objects: replaces masks of classes that are being memorized, while training.

    The paper is about label maps; what is different here is ours. For any model of mmdet that predicts masks:

    - Detectors make no dense predictions while they train. So at the end of each window some training images are
      predicted in evaluation mode, and the IoU of a class is that of its given objects with the predictions that belong
      to them, see `noisyseg.correction.instances.instance_counts`.
    - At the end of an epoch in which classes are due, images with an object of theirs are predicted as they are on
      disk, and confident predictions become the masks of the objects that they belong to, in a new version of a
      `LabelStore`, which `noisyseg.LoadStoredInstances` reads. No object comes, goes or changes its class.

    See `CorrectionHook` for epochs, windows, checkpoints and the remaining arguments.

    Args:
        policy: Config of a `noisyseg.InstancePolicy`.
        steps: What brings an image to the size at which the model is tested, as in the test pipeline between loading
            and packing; ``[dict(type="mmdet.Resize", scale_factor=1.0)]`` for the size on disk.
        probe_images: How many images are predicted at the end of a window, drawn once; None takes all.
        seed: Of that draw.
        **settings: Of `CorrectionHook`.

    Raises:
        ValueError: See `CorrectionHook`; or the policy is not one for objects.
    """

    def __init__(
        self,
        policy: Mapping[str, Any],
        steps: Sequence[Mapping[str, Any]],
        probe_images: int | None = 64,
        seed: int = 0,
        **settings: Any,  # noqa: ANN401 - of the base class
    ) -> None:
        super().__init__(policy, **settings)
        if not isinstance(self.policy, InstancePolicy):
            raise ValueError(
                f"policy: expected one for objects, noisyseg.InstancePolicy, got {type(self.policy).__name__}"
            )
        if probe_images is not None and probe_images < 1:
            raise ValueError(f"probe_images: expected a number >= 1, or None for all, got {probe_images}")
        self.steps, self.probe_images, self.seed = list(steps), probe_images, seed
        self.settings += [self.steps, probe_images, seed]
        self._windows: list[Window] = []

    # ---- the base class's questions

    def before_train(self, runner: Runner) -> None:
        """Finds the step that reads the store, and goes on as the base class."""
        steps = stored_label_steps(runner.train_dataloader.dataset)
        self._reader = next((step for step in steps if isinstance(step, LoadStoredInstances)), None)
        if self._reader is None:
            raise ValueError(
                "InstanceCorrectionHook: the training pipeline has no noisyseg.LoadStoredInstances, so that nothing "
                "would be corrected"
            )
        self._runner = runner
        super().before_train(runner)

    def class_names(self, runner: Runner) -> Sequence[str]:
        """See the base class."""
        return runner.train_dataloader.dataset.metainfo["classes"]

    def close_window(self, runner: Runner, epoch: float) -> None:
        """See the base class."""
        counts = self._pass.counts(unwrapped(runner.model), self._probed, f"window around epoch {epoch:.4g}")
        self._windows.append(Window(epoch, counts))

    def finished_windows(self, runner: Runner) -> list[Window]:
        """See the base class."""
        windows, self._windows = self._windows, []
        return windows

    def counting_state(self) -> Mapping[str, Any]:
        """See the base class."""
        return {"windows": [(window.epoch, window.counts.tolist()) for window in self._windows]}

    def load_counting_state(self, state: Mapping[str, Any]) -> None:
        """See the base class."""
        self._windows = [Window(epoch, np.array(counts, np.int64)) for epoch, counts in state["windows"]]

    def correct(self, runner: Runner, model: nn.Module, version: int, title: str) -> LabelChanges:
        """See the base class."""
        parent = GIVEN if self.policy.reinit else self.versions.version
        return self._pass.run(model, self.due, self.versions.store, version, title, parent)

    # ---- inside

    @cached_property
    def _pass(self) -> InstancePass:
        config = self.dataloader.get("dataset")
        if config is None:
            dataset = plain_images(self._runner.cfg.train_dataloader.dataset, self.steps)
        else:
            dataset = DATASETS.build(config)
        return InstancePass(
            dataset,
            self.policy,
            self._reader.key,
            Categories.from_names(self.names),
            num_workers=self.dataloader.get("num_workers", 0),
            progress=self.progress,
        )

    @cached_property
    def _probed(self) -> list[int]:
        order = keyed_rng(self.seed, "probe").permutation(len(self._pass.dataset))
        return sorted(order[: self.probe_images].tolist())
