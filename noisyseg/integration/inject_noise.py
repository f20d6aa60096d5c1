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
from noisyseg.labels import Categories, Instances, LabelError, SemanticMap
from noisyseg.labels.rng import keyed_rng
from noisyseg.noise import NoiseConfigError, NoiseModel, build_noise
from noisyseg.registry import TRANSFORMS

__all__ = ["InjectNoise"]


@TRANSFORMS.register_module()
class InjectNoise(BaseTransform):
    """Replaces the labels of each training image by noisy ones, the same on every epoch.

    The draws are named by the seed, the image and the annotation. So they depend on no order, no number of
    loader workers and no epoch, and ``tools/make_noise.py`` with the same recipe and seed writes the same
    labels to a file.

    - Instances, with or without masks: over `noisyseg.CocoDataset`, *before* ``mmdet.LoadAnnotations``. An image is
      named by its id.
    - Label maps: *after* ``mmseg.LoadAnnotations`` and before any augmentation, with ``classes``. An image is
      named by its file's name without the ending. A recipe for instances has to stand in a `noisyseg.ByRegion`.

    Noise that looks at the image takes ``img`` as BGR bytes, so the image has to be loaded before and not yet changed.

    Args:
        noise: The recipe, as in ``configs/_base_/noise``.
        seed: Master seed, an integer >= 0.
        classes: Names of the classes 0..K-1 of label maps, because mmseg's samples do not carry them; None
            for instances.

    Raises:
        NoiseConfigError: ``noise`` does not build a noise model, is for other labels, or promises exact numbers of
            objects over the whole data set, of which a pipeline sees one image at a time.
        TypeError, ValueError: ``seed`` is not an integer >= 0.
        LabelError: A sample cannot be used; the message names its file.
    """

    def __init__(self, noise: Mapping[str, Any], seed: int = 0, classes: Sequence[str] | None = None) -> None:
        self.noise = _for_a_pipeline(build_noise(noise), SemanticMap if classes is not None else Instances)
        keyed_rng(seed)
        self.seed = seed
        self.categories = None if classes is None else Categories.from_names(classes)

    def transform(self, results: Sample) -> Sample:
        """Returns ``results`` with noisy labels."""
        rng = keyed_rng(self.seed, image_key(results))
        try:
            if self.categories is None:
                labels = instances_of(results, with_image=self.noise.needs_image)
                put_instances(results, self.noise(labels, rng))
            else:
                labels = semantic_map_of(results, self.categories, with_image=self.noise.needs_image)
                put_semantic_map(results, self.noise(labels, rng))
        except LabelError as error:
            where = f"InjectNoise, image {image_key(results)}"
            raise error.at(file=results.get("img_path"), where=where) from None
        return results

    def __repr__(self) -> str:
        return f"{type(self).__name__}(noise={self.noise!r}, seed={self.seed})"


def _for_a_pipeline(model: NoiseModel, takes: type) -> NoiseModel:
    """Returns the model if it can run on one image at a time, on the labels that there are."""
    if model.plans:
        raise NoiseConfigError(
            f"noise: {model.op} promises exact numbers over the whole data set, and a pipeline sees one image at a "
            "time; write a file with tools/make_noise.py and train on that"
        )
    if model.takes is not takes:
        ways = {
            (SemanticMap, Instances): "wrap it: dict(type='noisyseg.ByRegion', noise=...)",
            (Instances, SemanticMap): "name the classes of the label maps: classes=(...)",
        }
        way = ways.get((takes, model.takes), "no pipeline has such labels")
        raise NoiseConfigError(
            f"noise: expected noise for {takes.__name__}, but {model.op} is for {model.takes.__name__}; {way}"
        )
    return model
