"""Which pixel of the image on disk each pixel of an augmented view was."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from mmcv.transforms import BaseTransform
from torch import Tensor

from noisyseg.integration.samples import Sample
from noisyseg.labels import LabelError
from noisyseg.ops.checks import require
from noisyseg.registry import TRANSFORMS

__all__ = ["ORIGIN", "ORIGIN_WITNESS", "RecordPixelOrigin", "origin_index", "origin_key", "origin_map"]

ORIGIN = "pixel_origin"
ORIGIN_WITNESS = "pixel_origin_witness"
"""A copy of the labels that travels with the origins: where it ends unlike the labels, the origins went wrong."""

FIRST = 256
"""Numbers below are no pixel: what transforms fill label maps with (255, as a rule) stays apart from the numbers."""


def origin_key(img_path: str | Path) -> str:
    """Returns the name of an image in a bank: its folder's name and its file's, without the ending."""
    return "/".join(Path(img_path).with_suffix("").parts[-2:])


def origin_map(key: str, size_hw: tuple[int, int]) -> npt.NDArray[np.int32]:
    """Returns the numbers of an image's pixels, row by row, from a start that depends on its name.

    So numbers of two images are next to never taken for one another.

    Args:
        key: Name of the image.
        size_hw: Its height and width, less than 2**31 - 256 pixels in all.

    Raises:
        ValueError: The image is too large.
    """
    rows, columns = size_hw
    return (_start(key, rows * columns) + np.arange(rows * columns, dtype=np.int64)).astype(np.int32).reshape(size_hw)


def origin_index(numbers: Tensor, key: str, size_hw: tuple[int, int]) -> Tensor:
    """Returns the place ``row * width + column`` of each pixel in the image on disk, -1 where there is none.

    Args:
        numbers: What became of `origin_map`: int32, of any shape.
        key: Name of the image.
        size_hw: Its size on disk.

    Returns:
        int64, of the shape of ``numbers``.

    Raises:
        ValueError: A number is of another image (on CUDA: a device-side assertion).
    """
    index = numbers.long() - _start(key, size_hw[0] * size_hw[1])
    real = numbers >= FIRST
    require(
        (~real | ((index >= 0) & (index < size_hw[0] * size_hw[1]))).all(),
        lambda: (
            f"{ORIGIN}: expected pixels of {key} alone; transforms that mix images, such as RandomMosaic, cannot be "
            "used with a bank"
        ),
    )
    return torch.where(real, index, -1)


def _start(key: str, pixels: int) -> int:
    room = 2**31 - FIRST - pixels
    if room <= 0:
        raise ValueError(f"{key}: expected an image of less than {2**31 - FIRST} pixels, not {pixels}")
    return FIRST + zlib.crc32(key.encode()) % room


@TRANSFORMS.register_module()
class RecordPixelOrigin(BaseTransform):
    """Puts a map of pixel numbers beside the label map, so that mmseg's own transforms carry it along.

    After any crop, flip, resize, rotation or cut-out it says of each pixel which one it was, exactly, because a number
    is moved like a label. `noisyseg.TargetBank` reads and writes with it. Stands after ``mmseg.LoadAnnotations`` and
    whatever changes labels (`noisyseg.InjectNoise`), before all that moves pixels; `noisyseg.PackSegInputs` packs it.

    A copy of the labels travels with it, which the bank compares with the labels in the end: a transform that moves
    the labels alone (``mmseg.Albu``, or ``mmengine.RandomFlip`` in place of mmseg's) is an error there. What it cannot
    notice is ``mmseg.RandomRotFlip``, which interpolates label maps when it rotates.

    Adds ``pixel_origin``, (H, W) int32, and ``pixel_origin_witness``, and their keys to ``seg_fields``.

    Raises:
        LabelError: The labels are not loaded yet, or pixels have moved already.
    """

    def transform(self, results: Sample) -> Sample:
        """Returns ``results`` with the numbers."""
        path = results.get("img_path")
        if "gt_seg_map" not in results:
            raise LabelError("RecordPixelOrigin: expected a place after LoadAnnotations: no labels yet", file=path)
        labels, size = results["gt_seg_map"], tuple(results["ori_shape"][:2])
        if labels.shape != size or tuple(results["img_shape"][:2]) != size or results.get("flip"):
            raise LabelError(
                f"RecordPixelOrigin: expected a place before all that moves pixels: the image on disk is {size}, the "
                f"labels are {labels.shape}",
                file=path,
            )
        results[ORIGIN], results[ORIGIN_WITNESS] = origin_map(origin_key(path), size), labels.copy()
        results.setdefault("seg_fields", []).extend([ORIGIN, ORIGIN_WITNESS])
        return results

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"
