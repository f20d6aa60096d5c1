"""The kinds of files that a label store holds: how each is written and read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from noisyseg.labels.errors import LabelError
from noisyseg.labels.files import atomic_path
from noisyseg.labels.label_pngs import GREY, read_label_png

__all__ = ["KINDS", "FileKind", "read_byte_map", "write_byte_map"]


@dataclass(frozen=True)
class FileKind:
    """How values of one kind become files.

    Attributes:
        suffix: Ending of the files.
        write: Writes a value to a path, whole or not at all; the same value gives the same bytes.
        read: Returns the value in a file; raises `LabelError` with the file if it is missing or broken.
    """

    suffix: str
    write: Callable[[Path, Any], None]
    read: Callable[[Path], Any]


def write_byte_map(path: Path, pixels: npt.NDArray[np.uint8]) -> None:
    """Writes (H, W) bytes as a grey PNG.

    Raises:
        LabelError: The array is no map of bytes.
    """
    if pixels.ndim != 2 or pixels.dtype != np.uint8 or not pixels.size:
        raise LabelError(f"expected (H, W) uint8, got {pixels.shape} of {pixels.dtype}", file=path)
    with atomic_path(path) as partial:
        Image.fromarray(pixels).save(partial, format="PNG")


def read_byte_map(path: Path) -> npt.NDArray[np.uint8]:
    """Returns the (H, W) bytes of a grey PNG.

    Raises:
        LabelError: The file is missing, broken, or another kind of image.
    """
    png = read_label_png(path)
    if png.bits != 8 or png.before[0][1][9] != GREY:
        raise LabelError(f"expected a grey PNG of 8 bits, got one of {png.bits} bits or with a palette", file=path)
    return png.pixels


KINDS: Mapping[str, FileKind] = MappingProxyType(
    {kind: FileKind(".png", write_byte_map, read_byte_map) for kind in ("labels", "weights")}
)
