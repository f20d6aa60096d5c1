"""The kinds of files that a label store holds: how each is written and read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
from PIL import Image

from noisyseg.labels.errors import LabelError
from noisyseg.labels.files import atomic_path, write_json
from noisyseg.labels.label_pngs import GREY, read_label_png

__all__ = ["KINDS", "FileKind", "read_byte_map", "read_run_lengths", "write_byte_map", "write_run_lengths"]


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


def write_run_lengths(path: Path, masks: Mapping[int, Mapping[str, Any]]) -> None:
    """Writes masks as JSON: run lengths by annotation id, in the order of the ids.

    Args:
        path: The file.
        masks: ``{"size": [H, W], "counts": text}`` each, as pycocotools compresses them.

    Raises:
        LabelError: A mask is none, or has another size than the others.
    """
    write_json(path, {str(key): _checked(path, key, masks[key]) for key in sorted(masks)})


def read_run_lengths(path: Path) -> dict[int, dict[str, Any]]:
    """Returns the masks in a file, by annotation id.

    Raises:
        LabelError: The file is missing or broken.
    """
    try:
        document = orjson.loads(path.read_bytes())
        return {int(key): _checked(path, key, mask) for key, mask in document.items()}
    except OSError as error:
        raise LabelError("expected a file of masks, got none", file=path) from error
    except (orjson.JSONDecodeError, AttributeError, ValueError) as error:
        raise LabelError(f"expected run lengths by annotation id: {error}", file=path) from error


def _checked(path: Path, key: object, mask: Mapping[str, Any]) -> dict[str, Any]:
    try:
        height, width = (int(side) for side in mask["size"])
        counts = mask["counts"].decode("ascii") if isinstance(mask["counts"], bytes) else mask["counts"]
    except (KeyError, TypeError, ValueError) as error:
        raise LabelError(f"expected size and counts, got {mask!r}", file=path, where=f"id {key}") from error
    if not isinstance(counts, str) or height < 1 or width < 1:
        raise LabelError(f"expected compressed run lengths, got {mask!r}", file=path, where=f"id {key}")
    return {"size": [height, width], "counts": counts}


KINDS: Mapping[str, FileKind] = MappingProxyType(
    {
        "labels": FileKind(".png", write_byte_map, read_byte_map),
        "weights": FileKind(".png", write_byte_map, read_byte_map),
        "instances": FileKind(".json", write_run_lengths, read_run_lengths),
    }
)
