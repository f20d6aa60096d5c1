"""The pictures that labels are drawn on."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from noisyseg.labels import LabelError
from noisyseg.noise.browse.drawing import Picture

GREY = 104


def grey_picture(size_hw: tuple[int, int]) -> Picture:
    """Returns an empty picture."""
    return np.full((*size_hw, 3), GREY, np.uint8)


def read_picture(folder: str | Path, entry: Mapping[str, Any], file: Path | None = None) -> Picture:
    """Returns an image as (H, W, 3) RGB uint8, turned as its EXIF says, which is what mmcv does.

    Pixels of more than 8 bits are stretched from their smallest to their largest value.

    Args:
        folder: The image folder.
        entry: Entry of ``images``, with ``id``, ``file_name``, ``height`` and ``width``.
        file: The COCO file, for messages.

    Raises:
        LabelError: The entry has no file name, or the file is absent, cut off, no image, or of another size.
    """
    name = entry.get("file_name")
    if not isinstance(name, str) or not name:
        raise LabelError(f"file_name: expected a name, got {name!r}", file=file, where=f"image {entry['id']}")
    path = Path(folder) / name
    if not path.is_file():
        raise LabelError("expected an image, got no such file", file=path, where=f"image {entry['id']}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of large images and odd metadata
            with Image.open(path) as image:
                picture = _eight_bits(ImageOps.exif_transpose(image))
    except Exception as error:  # Pillow's decoders raise anything on a broken file
        raise LabelError(f"cannot be read as an image: {error}", file=path, where=f"image {entry['id']}") from None
    expected = entry["height"], entry["width"]
    if picture.shape[:2] != expected:
        raise LabelError(
            f"expected {expected[1]} x {expected[0]} pixels as in the label file, "
            f"got {picture.shape[1]} x {picture.shape[0]}",
            file=path,
            where=f"image {entry['id']}",
        )
    return picture


def _eight_bits(image: Image.Image) -> Picture:
    if image.mode[0] not in "IF":
        return np.asarray(image.convert("RGB"))
    values = np.asarray(image, np.float64)
    low, high = values.min(), values.max()
    grey = ((values - low) * (255 / max(high - low, 1e-9))).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)
