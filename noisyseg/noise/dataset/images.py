"""The images that belong to labels, for noise that looks at them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import numpy.typing as npt
from PIL import Image

from noisyseg.labels import LabelError
from noisyseg.noise.model import NoiseModel

SUFFIXES = (".jpg", ".png", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")


@dataclass(frozen=True)
class ImageFolder:
    """A folder with the images of a data set; travels to worker processes as its path.

    Attributes:
        folder: The folder.
    """

    folder: Path

    def of_coco(self, image: Mapping[str, Any]) -> npt.NDArray[np.uint8]:
        """Returns (H, W, 3) RGB of an entry of ``images`` in a COCO or LVIS file.

        ``file_name`` says where it stands. LVIS has none: there the last two parts of ``coco_url`` do, such as
        ``train2017/000000000009.jpg``, or the last one.

        Raises:
            LabelError: There is no such image, it cannot be read, or it has not the size that the entry states.
        """
        where = f"image {image.get('id')}"
        names = [image["file_name"]] if isinstance(image.get("file_name"), str) else []
        if not names and isinstance(image.get("coco_url"), str):
            parts = PurePosixPath(urlsplit(image["coco_url"]).path).parts
            names = ["/".join(parts[-2:]), parts[-1]] if len(parts) > 1 else []
        if not names:
            raise LabelError("expected a file_name or a coco_url, to find the image", where=where)
        try:
            return self._read(names, (image.get("height"), image.get("width")))
        except LabelError as error:
            raise error.at(where=where) from None

    def of_label(self, name: str, size_hw: tuple[int, int]) -> npt.NDArray[np.uint8]:
        """Returns (H, W, 3) RGB of the image ``name``, a path relative to the folder without its ending.

        Raises:
            LabelError: There is no such image, it cannot be read, or it has not the size of the labels.
        """
        last = PurePosixPath(name).name
        names = [name + suffix for suffix in SUFFIXES] + [last + suffix for suffix in SUFFIXES]
        return self._read(names, size_hw)

    def _read(self, names: list[str], size_hw: tuple[Any, Any]) -> npt.NDArray[np.uint8]:
        path = next((path for name in names if (path := self.folder / name).is_file()), None)
        if path is None:
            raise LabelError(f"expected its image at {self.folder / names[0]}, but there is no such file")
        try:
            with Image.open(path) as image:
                pixels = np.asarray(image.convert("RGB"))
        except (OSError, SyntaxError, ValueError) as error:
            raise LabelError(f"the image {path} cannot be read: {error}") from error
        if pixels.shape[:2] != tuple(size_hw):
            raise LabelError(
                f"the image {path}: expected {size_hw[0]} x {size_hw[1]} pixels (rows x columns) as the labels have, "
                f"got {pixels.shape[0]} x {pixels.shape[1]}"
            )
        return pixels


def images_for(model: NoiseModel, folder: str | Path | None) -> ImageFolder | None:
    """Returns the folder of images for a model that looks at them, None for any other.

    Raises:
        ValueError: The model needs images and no folder is given.
        NotADirectoryError: The folder does not exist.
    """
    if folder is not None and not Path(folder).is_dir():
        raise NotADirectoryError(f"{folder}: expected the folder of images, but there is none")
    if not model.needs_image:
        return None
    if folder is None:
        raise ValueError(f"images: expected the folder of the images, because {model.op} looks at them, got none")
    return ImageFolder(Path(folder).absolute())
