"""The versions that a hook makes of the labels while a model trains, resumes, and trains in several processes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import torch
from mmengine.dist import barrier, broadcast, broadcast_object_list, is_main_process
from mmengine.logging import MMLogger
from mmengine.runner import Runner
from torch import nn

from noisyseg.integration.load_stored_labels import stored_label_steps
from noisyseg.labels.store import GIVEN, LabelStore

__all__ = ["LabelVersions", "Written", "shared"]


class Written(NamedTuple):
    """What is known of a version when all its files are written.

    Attributes:
        values: Numbers by key, by name.
        info: JSON that is kept with it.
    """

    values: Mapping[str, Mapping[str, float]]
    info: Mapping[str, Any]


class LabelVersions:
    """Versions in a store, made at most once: each is named by its parent, what made it, and the model's weights.

    Where a resumed training comes to a version that exists, that one is taken; one that was not finished is removed and
    made again. Call every method in all processes.

    Args:
        store: Where they are.
        settings: Bytes that say how versions are made.

    Attributes:
        version: The one in force in this training.
    """

    def __init__(self, store: LabelStore, settings: bytes) -> None:
        self.store, self.settings, self.version = store, settings, GIVEN

    def bind(self, runner: Runner, who: str) -> None:
        """Tells the training pipeline where the store is.

        Args:
            runner: With the data that the model is trained on.
            who: Name of the hook, for errors.

        Raises:
            ValueError: Nothing in the pipeline reads a store, or workers were started that cannot be told any more.
        """
        steps = list(stored_label_steps(runner.train_dataloader.dataset))
        if not steps:
            raise ValueError(
                f"{who}: the training pipeline has no step that reads the store, such as noisyseg.LoadStoredLabels, so "
                "that nothing would be weighted or corrected"
            )
        started = getattr(getattr(runner.train_loop, "dataloader_iterator", None), "_iterator", None) is not None
        if started and runner.train_dataloader.num_workers and any(step.store is None for step in steps):
            raise ValueError(
                "loader workers have been started already, as mmengine 0.10.7 does in a loop of iterations; name the "
                f"same folder as store=... in {who} and {type(steps[0]).__name__}"
            )
        for step in steps:
            step.bind(self.store.root)

    def begin(self, version: int) -> None:
        """Puts a version in force, at the start of a training.

        Raises:
            LabelError: It is not in the store.
        """
        self.version = version
        if is_main_process():
            if self.store.current != version:
                MMLogger.get_current_instance().info(
                    f"labels: version {self.store.current} was in force; {version} is from now on"
                )
            self.store.set_current(version)
        barrier()

    def make(self, model: nn.Module, name: object, parent: int, write: Callable[[int], Written]) -> None:
        """Makes a version, or finds that it was made before, and puts it in force.

        Args:
            model: Whose predictions it is made of; its buffers become those of the first process everywhere.
            name: JSON that names this version among those made with the same settings and weights.
            parent: The version that it builds on.
            write: Writes all files of the version it is given, in all processes; what the first process gets back is
                kept.
        """
        _align_buffers(model)
        origin = shared(self._origin(model, [self.version, parent, name]) if is_main_process() else None)
        version = shared(self._found(origin) if is_main_process() else None)
        if version is None:
            if is_main_process():
                self.store.discard_incomplete()
            version = shared(self.store.begin() if is_main_process() else None)
            written = write(version)
            barrier()  # the version may be finished when all files are written
            if is_main_process():
                info = {"origin": origin, **written.info}
                self.store.finish(version, parent=parent, values=written.values, info=info)
        else:
            MMLogger.get_current_instance().info(f"labels: version {version} of this very moment exists and is taken")
        if is_main_process():
            self.store.set_current(version)
        barrier()
        self.version = version

    @property
    def settings_hash(self) -> str:
        """Of the settings, for checkpoints."""
        return hashlib.sha256(self.settings).hexdigest()

    @classmethod
    def in_folder(cls, store: str | None, runner: Runner, settings: object) -> LabelVersions:
        """Returns versions in a folder, or in ``label_store`` in the work directory; the settings are JSON."""
        text = orjson.dumps(settings, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS, default=dict)
        return cls(LabelStore(store or Path(runner.work_dir) / "label_store"), text)

    def _origin(self, model: nn.Module, name: object) -> str:
        digest = hashlib.sha256(self.settings + orjson.dumps(name))
        for entry, tensor in sorted(model.state_dict().items()):
            digest.update(entry.encode() + tensor.detach().cpu().reshape(-1).view(torch.uint8).numpy().tobytes())
        return digest.hexdigest()

    def _found(self, origin: str) -> int | None:
        return next((v for v in self.store.versions() if self.store.info(v).get("origin") == origin), None)


def shared(value: Any) -> Any:  # noqa: ANN401 - whatever the first process has
    """Returns the first process's value in all of them."""
    values = [value]
    broadcast_object_list(values)
    return values[0]


def _align_buffers(model: nn.Module) -> None:
    """Gives all processes the first one's running statistics: those that a checkpoint holds."""
    for buffer in model.buffers():
        broadcast(buffer)
