"""Label noise as a transform of albumentations, for training loops outside OpenMMLab."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from noisyseg.integration.albumentations_samples import CallSample
from noisyseg.labels import Categories, Instances, LabelError, SemanticMap
from noisyseg.labels.rng import keyed_rng
from noisyseg.noise import NoiseConfigError, build_noise

__all__ = ["LabelNoise"]

Data = dict[str, Any]


@contextmanager
def _no_update_check() -> Iterator[None]:
    """Keeps albumentations from asking the network for a newer version at its first import; what is set stays."""
    name = "NO_ALBUMENTATIONS_UPDATE"
    ours = name not in os.environ and "albumentations" not in sys.modules
    if ours:
        os.environ[name] = "1"
    try:
        yield
    finally:
        if ours:
            del os.environ[name]


try:
    with _no_update_check():
        from albumentations import DualTransform
        from albumentations.core.type_definitions import Targets
except ImportError as error:
    raise ImportError(
        "noisyseg.integration.label_transforms needs albumentations 2: pip install 'noisyseg[albumentations]'"
    ) from error


class LabelNoise(DualTransform):
    """Replaces the labels of an image by noisy ones, the same at every call; pixels of the image stay as they are.

    The draws are named by the seed, the image and the object, as in `noisyseg.InjectNoise` and
    ``tools/make_noise.py``: with the same names all three make the same labels. So the transform stands first, before
    anything is augmented, and random generators of albumentations have no part in it.

    A recipe for semantic maps works on ``mask``, (H, W) integers 0..K-1 or 255. A recipe for instances works on
    ``masks`` ((N, H, W) or a list), or ``bboxes``, or both, and on the fields with classes and ids, all in the same
    order. Objects can go, and new ones come; each of these fields then has its new length, and other fields of objects
    do not follow. ``bboxes`` have to run through ``A.Compose(bbox_params=...)``; its ``label_fields`` may hold any
    of the fields, and ids below 2**24, as albumentations rounds larger ones.

    Args:
        noise: The recipe, as in ``configs/_base_/noise``.
        classes: Names of the classes 0..K-1; of a COCO file in the order of the category ids.
        noise_seed: Master seed, an integer >= 0.
        image_field: The field of a call that names the image: the COCO id, or the file's name without the ending.
        class_field: The field with the N class numbers.
        id_field: The field with the N annotation ids, positive whole numbers; None counts objects from 1, which is
            only safe where every call has the same objects in the same order. New objects have negative ids.
        crowd_field: The field that says which of the N objects are crowds; None where none is.
        p: Always 1: noise that comes and goes would be augmentation.

    Raises:
        NoiseConfigError: ``noise`` does not build a noise model, or promises exact numbers over the whole data set.
        LabelError: A call lacks a field, or labels cannot be used; the message names the image.
        ValueError: A call has no ``image_field``, or another argument cannot be used.
    """

    _targets = (Targets.IMAGE, Targets.MASK, Targets.BBOXES)

    def __init__(
        self,
        noise: Mapping[str, Any],
        classes: Sequence[str],
        noise_seed: int = 0,
        image_field: str = "image_id",
        class_field: str = "class_labels",
        id_field: str | None = "ann_ids",
        crowd_field: str | None = None,
        p: float = 1.0,
    ) -> None:
        if p != 1:
            raise ValueError(f"p: expected 1, as noise that comes and goes would be augmentation, got {p}")
        super().__init__(p=1.0)
        self._model = build_noise(noise)
        if self._model.plans:
            raise NoiseConfigError(
                f"noise: {self._model.op} promises exact numbers over the whole data set, and a transform sees one "
                "image at a time; write a file with tools/make_noise.py and train on that"
            )
        if self._model.takes not in (Instances, SemanticMap):
            raise NoiseConfigError(
                f"noise: expected noise for Instances or SemanticMap, but {self._model.op} is for "
                f"{self._model.takes.__name__}"
            )
        keyed_rng(noise_seed)
        self._categories = Categories.from_names(classes)
        self.noise, self.classes, self.noise_seed = dict(noise), list(classes), noise_seed
        self.image_field, self.class_field = image_field, class_field
        self.id_field, self.crowd_field = id_field, crowd_field
        self._available_keys |= {field for field in (class_field, id_field, crowd_field) if field is not None}

    @property
    def targets_as_params(self) -> list[str]:
        """The fields that every call needs."""
        return [self.image_field]

    def get_params_dependent_on_data(self, params: Data, data: Data) -> Data:
        """Returns what takes the place of the labels in ``data``."""
        key = data[self.image_field]
        try:
            if isinstance(key, bool) or not isinstance(key, str | int | np.integer):
                raise LabelError(f"{self.image_field}: expected a number or a name, got {key!r}")
            rng = keyed_rng(self.noise_seed, key if isinstance(key, str) else int(key))
            pixels = data["image"] if self._model.needs_image else None
            if self._model.takes is SemanticMap:
                return {"noisy": self._noisy_map(data, pixels, rng)}
            fields = self.class_field, self.id_field, self.crowd_field
            sample = CallSample(data, tuple(params["shape"][:2]), self.get_processor("bboxes"), *fields)
            clean = sample.instances(self._categories, pixels)
            return {"noisy": sample.replaced(clean, self._model(clean, rng))}
        except LabelError as error:
            raise error.at(where=f"LabelNoise, image {key}") from None

    def apply_with_params(self, params: Data, *args: object, **kwargs: object) -> Data:
        """Returns the data of a call with the noisy labels in it."""
        return kwargs | params["noisy"]

    def _noisy_map(self, data: Data, pixels: npt.NDArray[np.uint8] | None, rng: np.random.Generator) -> Data:
        if "mask" not in data or not {"masks", "bboxes"}.isdisjoint(data):
            raise LabelError(f"expected a label map under 'mask' and no objects, got {', '.join(sorted(data))}")
        mask = data["mask"]
        labels = SemanticMap(mask, self._categories, pixels)
        return {"mask": np.ascontiguousarray(self._model(labels, rng).classes, mask.dtype)}
