"""Weights of pixels and of images as data: loaded beside the labels, moved with them."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, get_args

import numpy as np
from mmcv.transforms import BaseTransform

from noisyseg.integration.samples import Sample
from noisyseg.labels import LabelError
from noisyseg.labels.weight_maps import LEVELS, read_key_weights, read_weight_map
from noisyseg.registry import TRANSFORMS

__all__ = [
    "WEIGHT_MAP",
    "WITNESS",
    "KeyWeights",
    "LoadImageWeight",
    "LoadWeightMap",
    "Missing",
    "WeightKey",
    "check_missing",
]

WEIGHT_MAP = "gt_weight_map"
WITNESS = "gt_weight_witness"
"""A copy of the labels that travels with the weights: where it ends unlike the labels, the weights went wrong."""

Missing = Literal["error", "ones"]


class WeightKey:
    """What names the weights of an image: its path, relative to a folder, without the ending.

    Args:
        img_dir: The folder; None takes the file's name alone.
        img_suffix: The ending to take off, such as ``_leftImg8bit.png``; None takes off what follows the last dot.
    """

    def __init__(self, img_dir: str | Path | None = None, img_suffix: str | None = None) -> None:
        self.img_dir = None if img_dir is None else Path(img_dir)
        self.img_suffix = img_suffix

    def of(self, img_path: str | Path) -> str:
        """Returns the key of an image, with ``/`` between folders.

        Raises:
            LabelError: The image is not in ``img_dir``, or its name has another ending.
        """
        path = Path(img_path)
        if self.img_dir is not None and not path.is_relative_to(self.img_dir):
            raise LabelError(f"expected an image in img_dir {self.img_dir}", file=path)
        path = Path(path.name) if self.img_dir is None else path.relative_to(self.img_dir)
        if self.img_suffix is None:
            return path.with_suffix("").as_posix()
        if not path.name.endswith(self.img_suffix):
            raise LabelError(f"expected a name that ends with img_suffix {self.img_suffix!r}", file=img_path)
        return path.as_posix().removesuffix(self.img_suffix)


class KeyWeights:
    """The weights in a JSON file; read again when the file has been replaced, also in workers that live on.

    Args:
        path: The file, one object of key: weight.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._state: tuple[int, int, int] | None = None
        self._weights: dict[str, float] = {}

    def get(self, key: str) -> float | None:
        """Returns the weight of a key, or None where the file has none.

        Raises:
            LabelError: The file cannot be used.
        """
        try:
            found = self.path.stat()
        except FileNotFoundError:
            raise LabelError("this file of weights does not exist", file=self.path) from None
        state = (found.st_mtime_ns, found.st_size, found.st_ino)
        if state != self._state:
            self._weights, self._state = read_key_weights(self.path), state
        return self._weights.get(key)


@TRANSFORMS.register_module()
class LoadWeightMap(BaseTransform):
    """Puts the weights of an image's pixels beside its label map, so that mmseg's transforms move both alike.

    Stands after ``mmseg.LoadAnnotations`` and whatever changes labels (`noisyseg.InjectNoise`), and before all that
    moves pixels. The map of ``IMG_DIR/a/b.jpg`` is ``WEIGHT_DIR/a/b.png``, as ``tools/make_weights.py`` writes it; the
    numbers 0..255 in it are weights times 255. It is read at every call, so a new file counts from then on.

    A copy of the labels travels with the weights, and `noisyseg.PackSegInputs` compares it with the labels in the end.
    So a transform that moves the labels alone (``mmseg.Albu``, or ``mmengine.RandomFlip`` in place of mmseg's) is an
    error, not a wrong weight.

    Adds ``gt_weight_map``, (H, W) uint8, and its key to ``seg_fields``.

    Args:
        weight_dir: Folder of the maps.
        img_dir: Folder that the images' paths are relative to; None looks for ``WEIGHT_DIR/<file name>``.
        img_suffix: Ending of the images' names, such as ``_leftImg8bit.png``; None means what follows the last dot.
        suffix: Ending of the maps' names.
        missing: What an image without a map means: an error, or weight 1 everywhere.

    Raises:
        LabelError: The map is missing, unreadable, or of another size than the labels; the message names its file.
    """

    def __init__(
        self,
        weight_dir: str,
        img_dir: str | None = None,
        img_suffix: str | None = None,
        suffix: str = ".png",
        missing: Missing = "error",
    ) -> None:
        self.weight_dir = Path(weight_dir)
        self.key = WeightKey(img_dir, img_suffix)
        self.suffix = suffix
        self.missing = check_missing(missing)

    def transform(self, results: Sample) -> Sample:
        """Returns ``results`` with the weights."""
        if "gt_seg_map" not in results:
            raise LabelError(
                "LoadWeightMap: the label map is not loaded yet; expected a place after LoadAnnotations",
                file=results.get("img_path"),
            )
        labels = results["gt_seg_map"]
        path = self.weight_dir / (self.key.of(results["img_path"]) + self.suffix)
        if self.missing == "ones" and not path.exists():
            weights = np.full(labels.shape, LEVELS, np.uint8)
        else:
            weights = read_weight_map(path)
        if weights.shape != labels.shape:
            raise LabelError(f"expected weights of the labels' size {labels.shape}, got {weights.shape}", file=path)
        results[WEIGHT_MAP], results[WITNESS] = weights, labels.copy()
        results.setdefault("seg_fields", []).extend([WEIGHT_MAP, WITNESS])
        return results

    def __repr__(self) -> str:
        return f"{type(self).__name__}(weight_dir='{self.weight_dir}', missing='{self.missing}')"


@TRANSFORMS.register_module()
class LoadImageWeight(BaseTransform):
    """Puts the weight of the whole image into a sample, under ``image_weight``.

    Args:
        file: JSON object of image key: weight >= 0, such as ``{"a/b": 0.75}`` for ``IMG_DIR/a/b.jpg``. Read again
            when it is replaced.
        img_dir: Folder that the images' paths are relative to; None takes a file's name alone as key.
        img_suffix: Ending of the images' names; None means what follows the last dot.
        missing: What an image that the file lacks means: an error, or weight 1.

    Raises:
        LabelError: The file cannot be used, or lacks the image.
    """

    def __init__(
        self, file: str, img_dir: str | None = None, img_suffix: str | None = None, missing: Missing = "error"
    ) -> None:
        self.weights = KeyWeights(file)
        self.key = WeightKey(img_dir, img_suffix)
        self.missing = check_missing(missing)

    def transform(self, results: Sample) -> Sample:
        """Returns ``results`` with the weight."""
        key = self.key.of(results["img_path"])
        weight = self.weights.get(key)
        if weight is None and self.missing == "error":
            raise LabelError(
                "expected a weight for this image; missing='ones' would mean 1", file=self.weights.path, where=key
            )
        results["image_weight"] = 1.0 if weight is None else weight
        return results

    def __repr__(self) -> str:
        return f"{type(self).__name__}(file='{self.weights.path}', missing='{self.missing}')"


def check_missing(missing: Missing) -> Missing:
    """Returns ``missing``, or raises ``ValueError`` if it is no answer to the question what a lacking weight means."""
    if missing not in get_args(Missing):
        raise ValueError(f"missing: expected one of {', '.join(get_args(Missing))}, not {missing!r}")
    return missing
