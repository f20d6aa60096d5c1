"""The images that a model is trained on, as they are on disk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmengine.config import ConfigDict
from mmengine.registry import DATASETS
from torch.utils.data import Dataset

from noisyseg.integration.load_stored_labels import KEY

__all__ = ["plain_dataset"]

META_KEYS = ("img_path", "ori_shape", "img_shape", "pad_shape", "scale_factor", "flip", "flip_direction", KEY)
LOAD = "LoadStoredLabels"


def plain_dataset(config: Mapping[str, Any], **load: Any) -> Dataset:  # noqa: ANN401 - settings of a step
    """Returns the training data set without augmentation: its pipeline up to `LoadStoredLabels`, then packed.

    Args:
        config: The config of a data set; repetitions around it are taken off.
        **load: Settings of `LoadStoredLabels` that replace the config's own.

    Raises:
        ValueError: There is no such step, or the data set is one around several others.
    """
    config = ConfigDict(config).copy()
    while "dataset" in config:
        config = config["dataset"].copy()
    steps = list(config.get("pipeline", ()))
    places = [i for i, step in enumerate(steps) if step["type"].rpartition(".")[2] == LOAD]
    if len(places) != 1:
        raise ValueError(
            f"train_dataloader: expected a data set with one noisyseg.{LOAD} in its pipeline, got {len(places)}; for "
            "other structures give the hook a dataloader=dict(dataset=...) of its own"
        )
    steps = [*steps[: places[0]], {**steps[places[0]], **load}]
    config["pipeline"] = [*steps, {"type": "noisyseg.PackSegInputs", "meta_keys": META_KEYS}]
    return DATASETS.build(config)
