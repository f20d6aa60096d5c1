"""From the arguments of ``tools/train.py`` and ``tools/test.py`` to a configured mmengine runner.

Every function changes the config in place, or raises `ConfigError` with a sentence for the user.
"""

import os
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from mmengine.config import Config, ConfigDict
from mmengine.registry import RUNNERS
from mmengine.runner import Runner

__all__ = [
    "ConfigError",
    "build_runner",
    "draw_predictions",
    "enable_amp",
    "enable_lr_scaling",
    "enable_tta",
    "load_config",
    "resume_from",
    "save_predictions",
]


class ConfigError(ValueError):
    """A config, or an argument of a tool about it, that cannot be used as it is."""


def load_config(
    path: str,
    *,
    work_dir: str | None = None,
    options: Mapping[str, Any] | None = None,
    launcher: str = "none",
) -> Config:
    """Return the config at `path` with the overrides of the command line merged in.

    Args:
        path: a config file.
        work_dir: where logs and checkpoints go; by default what the config says, else ``work_dirs/<name of
            the config>``.
        options: dotted keys and their values, as ``--cfg-options`` gives them.
        launcher: how the processes of a distributed run were started; "none" for a single process.

    Raises:
        ConfigError: if `path` is no file, or the host that its ``default_scope`` names is not installed.
    """
    if not Path(path).is_file():
        raise ConfigError(f"config {path}: no such file")
    config = Config.fromfile(path)
    config.launcher = launcher
    if options:
        config.merge_from_dict(dict(options))
    if work_dir is not None:
        config.work_dir = work_dir
    elif config.get("work_dir") is None:
        config.work_dir = str(Path("work_dirs") / Path(path).stem)
    _require_host(config, path)
    return config


def _require_host(config: Config, path: str) -> None:
    """Raise unless the package of the config's scope is installed; mmengine would go on in another scope."""
    scope = config.get("default_scope")
    if scope is None:
        raise ConfigError(f"config {path}: has no default_scope; expected 'mmdet' or 'mmseg'")
    if find_spec(scope) is None:
        raise ConfigError(f"config {path}: default_scope is {scope!r}, and no package of that name is installed")


def enable_amp(config: Config) -> None:
    """Train in mixed precision with a dynamic loss scale.

    Raises:
        ConfigError: if the config already has an optimizer wrapper other than the plain one.
    """
    kind = config.optim_wrapper.get("type", "OptimWrapper")
    if kind.removeprefix("mmengine.") not in ("OptimWrapper", "AmpOptimWrapper"):
        raise ConfigError(f"--amp: expected optim_wrapper.type 'OptimWrapper', got {kind!r}")
    config.optim_wrapper.type = "mmengine.AmpOptimWrapper"
    config.optim_wrapper.loss_scale = "dynamic"


def enable_lr_scaling(config: Config) -> None:
    """Scale the learning rate by the batch size in use over the one that the config was written for.

    Raises:
        ConfigError: if the config does not say for which batch size it was written.
    """
    if "base_batch_size" not in config.get("auto_scale_lr", {}):
        raise ConfigError("--auto-scale-lr: the config has no auto_scale_lr.base_batch_size")
    config.auto_scale_lr.enable = True


def resume_from(config: Config, checkpoint: str) -> None:
    """Go on from `checkpoint`, or from the latest one in the work directory if it is "auto".

    Raises:
        ConfigError: if `checkpoint` is no file.
    """
    config.resume = True
    config.load_from = None if checkpoint == "auto" else _existing(checkpoint, "--resume")


def enable_tta(config: Config) -> None:
    """Test on augmented copies of each image, with the ``tta_model`` and ``tta_pipeline`` of the config.

    Raises:
        ConfigError: if the config lacks one of them.
    """
    for key in ("tta_model", "tta_pipeline"):
        if key not in config:
            raise ConfigError(f"--tta: the config has no {key}")
    dataset = config.test_dataloader.dataset
    while "dataset" in dataset:
        dataset = dataset.dataset
    dataset.pipeline = config.tta_pipeline
    config.model = ConfigDict(**config.tta_model, module=config.model)


def draw_predictions(config: Config, folder: str) -> None:
    """Paint every prediction of the test into `folder`.

    Raises:
        ConfigError: if the config has no visualization hook.
    """
    if "visualization" not in config.get("default_hooks", {}):
        raise ConfigError("--show-dir: the config has no default_hooks.visualization")
    config.default_hooks.visualization.draw = True
    if config.default_scope == "mmdet":
        config.default_hooks.visualization.test_out_dir = folder
    else:
        config.default_hooks.visualization.interval = 1  # mmsegmentation paints every 50th image otherwise
        config.visualizer.save_dir = folder


def save_predictions(config: Config, target: str) -> None:
    """Write the predictions of the test to `target`, in the way of the host.

    With mmdet, `target` is a pickle file of all of them; with mmseg, a folder with one PNG label map an
    image.

    Raises:
        ConfigError: if `target` does not fit the host.
    """
    evaluators = config.test_evaluator if isinstance(config.test_evaluator, list) else [config.test_evaluator]
    if config.default_scope == "mmdet":
        if Path(target).suffix not in (".pkl", ".pickle"):
            raise ConfigError(f"--out: expected a .pkl file for a detection config, got {target}")
        dump = ConfigDict(type="mmdet.DumpDetResults", out_file_path=target)
        config.test_evaluator = [*evaluators, dump]
        return
    writers = [item for item in evaluators if item.type in ("IoUMetric", "mmseg.IoUMetric")]
    if not writers:
        raise ConfigError("--out: no IoUMetric in test_evaluator, which is what writes label maps")
    writers[0].output_dir = target
    writers[0].keep_results = True


def build_runner(config: Config, checkpoint: str | None = None) -> Runner:
    """Return the runner that `config` describes, with the weights of `checkpoint` if given.

    Raises:
        ConfigError: if `checkpoint` is no file.
    """
    if checkpoint is not None:
        config.load_from = _existing(checkpoint, "checkpoint")
    # mmengine pickles its log into checkpoints, which torch >= 2.6 loads only when asked to. The OneDL build
    # asks; the original one does not, and could neither resume nor test.
    os.environ.setdefault("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    return RUNNERS.build(config) if "runner_type" in config else Runner.from_cfg(config)


def _existing(checkpoint: str, argument: str) -> str:
    """Return `checkpoint` unless it is a path to nothing; addresses are left to mmengine."""
    if "://" not in checkpoint and not Path(checkpoint).is_file():
        raise ConfigError(f"{argument}: no such file: {checkpoint}")
    return checkpoint
