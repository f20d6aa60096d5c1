"""Correction of label maps while a segmentor trains, in the manner of ADELE."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, Literal, get_args

import torch
from mmengine.dataset import pseudo_collate
from mmengine.dist import get_dist_info, get_world_size
from mmengine.registry import DATASETS
from mmengine.runner import Runner
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, Subset

from noisyseg.correction.label_changes import LabelChanges
from noisyseg.integration.initial_state import unwrapped
from noisyseg.integration.label_correction import CorrectionHook, Window
from noisyseg.integration.load_stored_labels import GIVEN_MAP, stored_label_steps
from noisyseg.integration.predicting import predicting
from noisyseg.integration.segmentation.correction_pass import CorrectionPass
from noisyseg.integration.segmentation.load_clean_map import CLEAN_MAP
from noisyseg.integration.segmentation.multi_scale_inference import Merge, MultiScaleInference
from noisyseg.integration.segmentation.plain_dataset import plain_dataset
from noisyseg.integration.segmentation.train_iou_tracker import TrainIoUTracker
from noisyseg.labels.rng import keyed_rng
from noisyseg.labels.store import LabelStore
from noisyseg.registry import HOOKS

__all__ = ["LabelCorrectionHook"]

Counting = Literal["train", "probe"]


@HOOKS.register_module()
class LabelCorrectionHook(CorrectionHook):
    """ADELE's correction (arXiv 2110.03740): replaces labels of classes that are being memorized, while training.

    The IoU of each class with its given labels is followed; where the policy sees that a class has passed its early
    learning, the training images that can have changed are predicted as they are on disk, and confident predictions
    become labels in a new version of a `LabelStore`, which `noisyseg.LoadStoredLabels` reads. See `CorrectionHook` for
    epochs, windows, checkpoints and the remaining arguments.

    Args:
        policy: Config of a policy, such as ``noisyseg.AdelePolicy``.
        counting: ``"train"``: the IoU is that of the predictions that the model is trained on, counted by the
            ``tracker`` of a `noisyseg.MultiScaleConsistency`, as in the paper; ``"probe"``: at the end of each window
            ``probe_images`` training images are predicted in evaluation mode, for models that give no dense logits
            while they train.
        probe_images: How many; drawn once.
        seed: Of that draw.
        scales: At which images are predicted for new labels.
        flip: Mirrored too.
        merge: ``"prob"`` or ``"logit"``, see `MultiScaleInference`.
        temperature: See there; None means the number of scales of a `noisyseg.MultiScaleConsistency`, whose losses saw
            the logits divided by as much in the mean, as in ADELE's code, and 1 for other models.
        **settings: Of `CorrectionHook`.

    Raises:
        ValueError: See `CorrectionHook`; or the model has no tracker.
    """

    def __init__(
        self,
        policy: Mapping[str, Any],
        counting: Counting = "train",
        probe_images: int = 64,
        seed: int = 0,
        scales: Sequence[float] = (0.75, 1.0, 1.5),
        flip: bool = True,
        merge: Merge = "prob",
        temperature: float | None = None,
        **settings: Any,  # noqa: ANN401 - of the base class
    ) -> None:
        super().__init__(policy, **settings)
        if counting not in get_args(Counting):
            raise ValueError(f"counting: expected one of {', '.join(get_args(Counting))}, not {counting!r}")
        if probe_images < 1:
            raise ValueError(f"probe_images: expected a number >= 1, got {probe_images}")
        self.inference = MultiScaleInference(tuple(scales), flip, merge, temperature or 1.0)
        self.own_temperature = temperature is None
        self.counting, self.probe_images, self.seed = counting, probe_images, seed
        self.settings += [counting, list(scales), flip, merge, temperature]

    # ---- the base class's questions

    def before_train(self, runner: Runner) -> None:
        """Finds the tracker and goes on as the base class."""
        model = unwrapped(runner.model)
        if self.counting == "train":
            self.tracker = getattr(model, "tracker", None)
            if self.tracker is None:
                raise ValueError(
                    f"LabelCorrectionHook: {type(model).__name__} counts nothing; expected a model of type "
                    "noisyseg.MultiScaleConsistency with tracker=dict() (scales=(1.0,) and weight=0 add nothing to "
                    "the loss), or counting='probe'"
                )
        else:
            self.tracker = TrainIoUTracker(len(self.class_names(runner)))
        if self.own_temperature:
            self.inference = replace(self.inference, temperature=float(len(getattr(model, "scales", (1,)))))
        self._runner = runner
        super().before_train(runner)

    def class_names(self, runner: Runner) -> Sequence[str]:
        """See the base class."""
        return runner.train_dataloader.dataset.metainfo["classes"]

    def close_window(self, runner: Runner, epoch: float) -> None:
        """See the base class."""
        if self.counting == "probe":
            self._probe(unwrapped(runner.model))
        self.tracker.close_window(epoch)

    def finished_windows(self, runner: Runner) -> list[Window]:
        """See the base class."""
        return [Window(*window) for window in self.tracker.drain()]

    def counting_state(self) -> Mapping[str, Any]:
        """See the base class."""
        return self.tracker.state()

    def load_counting_state(self, state: Mapping[str, Any]) -> None:
        """See the base class."""
        self.tracker.load_state(state)

    def collect_counts(self, runner: Runner) -> None:
        """See the base class."""
        self.tracker.collect()

    def correct(self, runner: Runner, model: nn.Module, version: int, title: str) -> LabelChanges:
        """See the base class."""
        store: LabelStore = self.versions.store
        return self._pass.run(model, self.due, store, version, title, cumulative=not self.policy.reinit)

    # ---- inside

    @cached_property
    def plain(self) -> Dataset:
        """The training images as they are on disk."""
        dataset = self.dataloader.get("dataset")
        if dataset is None:
            dataset = plain_dataset(self._runner.cfg.train_dataloader.dataset, keep_given=True)
        else:
            dataset = DATASETS.build(dataset)
        for step in stored_label_steps(dataset):
            step.bind(self.versions.store.root)
        return dataset

    @cached_property
    def _pass(self) -> CorrectionPass:
        workers = self.dataloader.get("num_workers", 0)
        return CorrectionPass(
            self.plain, self.policy, self.inference, len(self.names), num_workers=workers, progress=self.progress
        )

    @torch.no_grad()
    def _probe(self, model: nn.Module) -> None:
        """Counts the predictions of a fixed choice of images, each in one of the processes."""
        size = len(self.plain)
        chosen = keyed_rng(self.seed, "probe").permutation(size)[: self.probe_images]
        rank, _ = get_dist_info()
        own = Subset(self.plain, sorted(chosen[rank :: get_world_size()].tolist()))
        single = MultiScaleInference((1.0,), flip=False)
        with predicting(model, dropout=False):
            for batch in DataLoader(own, batch_size=1, collate_fn=pseudo_collate):
                sample = batch["data_samples"][0]
                predicted = single.probs(model, batch["inputs"][0], sample).argmax(dim=0)[None]
                clean = _on_device(sample, CLEAN_MAP, predicted) if self.tracker.clean else None
                self.tracker.update(predicted, _on_device(sample, GIVEN_MAP, predicted), clean)


def _on_device(sample: Any, name: str, predicted: Tensor) -> Tensor:  # noqa: ANN401 - a sample of mmseg
    return getattr(sample, name).data.to(predicted.device)
