"""A recipe of label noise as one step of a training pipeline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mmcv.transforms import BaseTransform

from noisyseg.integration.samples import (
    Sample,
    image_key,
    instances_of,
    put_instances,
    put_semantic_map,
    semantic_map_of,
)
from noisyseg.labels import Categories, LabelError
from noisyseg.labels.rng import keyed_rng
from noisyseg.noise import build_noise
from noisyseg.registry import TRANSFORMS

__all__ = ["InjectNoise"]


@TRANSFORMS.register_module()
class InjectNoise(BaseTransform):
    """Replaces the labels of each training image by noisy ones, the same on every epoch.

    The draws are named by the seed, the image and the annotation. So they depend on no order, no number of
    loader workers and no epoch, and ``tools/make_noise.py`` with the same recipe and seed writes the same
    labels to a file.

    - Instances: over `noisyseg.CocoDataset`, *before* ``mmdet.LoadAnnotations``. An image is named by its id.
    - Label maps: *after* ``mmseg.LoadAnnotations`` and before any augmentation, with ``classes``. An image is
      named by its file's name without the ending; pixels of 255 stay what they are.

    Args:
        noise: The recipe, as in ``configs/_base_/noise``.
        seed: Master seed, an integer >= 0.
        classes: Names of the classes 0..K-1 of label maps, because mmseg's samples do not carry them; None
            for instances.

    Raises:
        NoiseConfigError: ``noise`` does not build a noise model.
        LabelError: A sample cannot be used; the message names its file.
    """

    def __init__(self, noise: Mapping[str, Any], seed: int = 0, classes: Sequence[str] | None = None) -> None:
        self.noise = build_noise(noise)
        self.seed = seed
        self.categories = None if classes is None else Categories.from_names(classes)

    def transform(self, results: Sample) -> Sample:
        """Returns ``results`` with noisy labels."""
        rng = keyed_rng(self.seed, image_key(results))
        try:
            if self.categories is None:
                put_instances(results, self.noise(instances_of(results), rng))
            else:
                put_semantic_map(results, self.noise(semantic_map_of(results, self.categories), rng))
        except LabelError as error:
            where = f"InjectNoise, image {image_key(results)}"
            raise error.at(file=results.get("img_path"), where=where) from None
        return results

    def __repr__(self) -> str:
        return f"{type(self).__name__}(noise={self.noise!r}, seed={self.seed})"
