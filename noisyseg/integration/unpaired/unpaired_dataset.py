"""Images of some scenes and masks of others, drawn apart from each other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import Dataset

from noisyseg.labels.errors import LabelError
from noisyseg.labels.instances import IGNORE
from noisyseg.labels.label_pngs import read_label_png
from noisyseg.labels.rng import keyed_rng
from noisyseg.registry import DATASETS

__all__ = ["UnpairedDataset", "foreground", "image_tensor", "read_image", "sorted_names"]


def foreground(classes: npt.NDArray[np.integer]) -> npt.NDArray[np.uint8]:
    """Returns 1 where a label map has an object, 0 for class 0, and 255 where it is ignored.

    Args:
        classes: (H, W) classes 0..K-1 or 255.
    """
    return np.where(classes == IGNORE, IGNORE, classes != 0).astype(np.uint8)


def sorted_names(folder: str | Path) -> list[str]:
    """Returns the names of the PNG files in a folder, sorted.

    Raises:
        FileNotFoundError: There is none.
    """
    names = sorted(path.name for path in Path(folder).glob("*.png"))
    if not names:
        raise FileNotFoundError(f"{folder}: expected PNG files, found none")
    return names


def read_image(path: str | Path) -> npt.NDArray[np.uint8]:
    """Returns (H, W, 3) red, green, blue.

    Raises:
        ValueError: The file is no image.
    """
    pixels = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if pixels is None:
        raise ValueError(f"{path}: expected an image, and it cannot be read as one")
    return pixels[..., ::-1]


def image_tensor(pixels: npt.NDArray[np.uint8], size: int) -> Tensor:
    """Returns (3, size, size) float32 in [0, 1] of (H, W, 3) pixels, averaged where it gets smaller."""
    resized = cv2.resize(np.ascontiguousarray(pixels), (size, size), interpolation=cv2.INTER_AREA)
    return torch.from_numpy(resized).permute(2, 0, 1).contiguous().float() / 255


@DATASETS.register_module()
class UnpairedDataset(Dataset):
    """Pairs of an image and a mask that are drawn independently, from scenes that are disjoint.

    The sorted names of the images are cut in two: images are read of the first part, masks of the second, so no mask
    is ever read whose image is. Sample i depends on the seed and i alone; read one after the other, not shuffled,
    a resumed run goes on with the samples it would have had. Images and masks are flipped, each by its own draw.

    Args:
        image_dir: Folder with the images, PNG files.
        mask_dir: Folder with label maps of the same names; whatever is not class 0 is foreground.
        share: Share of the names whose images are read, between 0 and 1; each part gets at least one.
        size: Height and width of the samples, pixels, a multiple of 8.
        length: Number of samples.
        seed: Seed of the draws, >= 0.

    Raises:
        ValueError: ``share``, ``size`` or ``length`` cannot be used, or an image has no mask.
        FileNotFoundError: A folder has no PNG file.
        LabelError: A mask is no label map, or has ignored pixels.
    """

    def __init__(
        self,
        image_dir: str,
        mask_dir: str,
        share: float = 0.5,
        size: int = 64,
        length: int = 2**20,
        seed: int = 0,
    ) -> None:
        if not 0 < share < 1:
            raise ValueError(f"share: expected a number between 0 and 1, got {share}")
        if size < 8 or size % 8:
            raise ValueError(f"size: expected a multiple of 8, got {size}")
        if length < 1:
            raise ValueError(f"length: expected at least 1, got {length}")
        keyed_rng(seed)
        names = sorted_names(image_dir)
        if len(names) < 2:
            raise ValueError(f"{image_dir}: expected at least two images, to have masks of other scenes, got one")
        cut = min(max(round(share * len(names)), 1), len(names) - 1)
        self.image_names, self.mask_names = names[:cut], names[cut:]
        self.size, self.length, self.seed = size, length, seed
        self.images = [image_tensor(read_image(Path(image_dir) / name), size) for name in self.image_names]
        self.masks = [self._mask(Path(mask_dir) / name) for name in self.mask_names]

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> dict[str, Any]:
        """Returns ``image`` (3, size, size) in [0, 1], ``mask`` (1, size, size) in {0, 1}, and ``index``.

        Raises:
            IndexError: There is no such sample.
        """
        if not 0 <= index < self.length:
            raise IndexError(f"index: expected 0 to {self.length - 1}, got {index}")
        return {
            "image": self._drawn("image", self.images, index),
            "mask": self._drawn("mask", self.masks, index),
            "index": index,
        }

    def _drawn(self, kind: str, tensors: list[Tensor], index: int) -> Tensor:
        rng = keyed_rng(self.seed, "unpaired", kind, index)
        drawn = tensors[int(rng.integers(len(tensors)))]
        axes = [axis for axis in (1, 2) if rng.random() < 0.5]
        return drawn.flip(axes)

    def _mask(self, path: Path) -> Tensor:
        classes = foreground(read_label_png(path).pixels)
        if (classes == IGNORE).any():
            raise LabelError("expected a mask without ignored pixels, as a shape has none", file=path)
        resized = cv2.resize(classes, (self.size, self.size), interpolation=cv2.INTER_NEAREST)
        return torch.from_numpy(resized)[None].float()
