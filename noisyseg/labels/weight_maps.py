"""Weights of labels on disk: one grey PNG an image for its pixels, one JSON file for whole images or annotations."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import orjson
from PIL import Image, UnidentifiedImageError

from noisyseg.labels.errors import LabelError
from noisyseg.labels.files import atomic_path, write_json

__all__ = [
    "LEVELS",
    "checked_weight",
    "quantise_weights",
    "read_key_weights",
    "read_weight_map",
    "write_key_weights",
    "write_weight_map",
]

LEVELS = 255


def quantise_weights(weights: npt.NDArray[np.floating]) -> npt.NDArray[np.uint8]:
    """Returns ``round(255 * weights)``; divided by 255 it differs from the weights by 1/510 at most.

    Args:
        weights: Of any shape, in [0, 1].

    Raises:
        LabelError: A weight is not a number in [0, 1].
    """
    weights = np.asarray(weights)
    low, high = weights.min(initial=1), weights.max(initial=0)
    if not (low >= 0 and high <= 1):  # also where one of them is NaN
        raise LabelError(f"expected weights in [0, 1], got {low:g} to {high:g}")
    return np.rint(weights * LEVELS).astype(np.uint8)


def write_weight_map(path: str | Path, weights: npt.NDArray[np.floating]) -> None:
    """Writes the weights of an image's pixels as a grey PNG of 8 bits, whole or not at all.

    Args:
        path: The file; folders above it are made.
        weights: (H, W) in [0, 1].

    Raises:
        LabelError: A weight is not a number in [0, 1], or the array is not a map.
        OSError: The file cannot be written.
    """
    if weights.ndim != 2:
        raise LabelError(f"expected (H, W) weights, got {weights.shape}", file=path)
    try:
        pixels = quantise_weights(weights)
    except LabelError as error:
        raise error.at(file=path) from None
    with atomic_path(path) as partial:
        Image.fromarray(pixels).save(partial, format="PNG")


def read_weight_map(path: str | Path) -> npt.NDArray[np.uint8]:
    """Returns the (H, W) uint8 numbers of a weight map; the weight of a pixel is its number / 255.

    Raises:
        LabelError: The file is absent or no grey PNG of 8 bits. A palette is refused, because its numbers are most
            likely classes.
    """
    try:
        with Image.open(path, formats=["PNG"]) as image:
            if image.mode != "L":
                raise LabelError(f"expected a grey PNG of 8 bits with weights, got mode {image.mode}", file=path)
            return np.array(image)
    except UnidentifiedImageError as error:
        raise LabelError("expected a PNG file, got something else", file=path) from error
    except FileNotFoundError as error:
        raise LabelError("this weight map does not exist", file=path) from error
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise LabelError(f"cannot be read: {error}", file=path) from error


def write_key_weights(path: str | Path, weights: Mapping[str, float] | Mapping[int, float]) -> None:
    """Writes weights by key as one JSON object, whole or not at all; keys are sorted.

    Args:
        path: The file.
        weights: Weight of each image (by its key) or annotation (by its id); finite, >= 0.

    Raises:
        LabelError: A weight cannot be used.
        OSError: The file cannot be written.
    """
    document = {str(key): float(weight) for key, weight in weights.items()}
    for key, weight in document.items():
        checked_weight(weight, file=path, where=key)
    write_json(path, dict(sorted(document.items())), indent=True)


def read_key_weights(path: str | Path) -> dict[str, float]:
    """Returns the weight of each key of a JSON object.

    Raises:
        LabelError: The file is absent, is not a JSON object, or a weight is not a finite number >= 0.
    """
    try:
        document = orjson.loads(Path(path).read_bytes())
    except FileNotFoundError as error:
        raise LabelError("this file of weights does not exist", file=path) from error
    except orjson.JSONDecodeError as error:
        raise LabelError(f"expected JSON: {error}", file=path) from error
    if not isinstance(document, dict):
        raise LabelError(f"expected a JSON object of key: weight, got {type(document).__name__}", file=path)
    return {key: checked_weight(weight, file=path, where=key) for key, weight in document.items()}


def checked_weight(weight: object, *, file: str | Path | None, where: str) -> float:
    """Returns a weight as a float.

    Raises:
        LabelError: It is not a finite number >= 0; the message names the file and the key.
    """
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not math.isfinite(weight) or weight < 0:
        raise LabelError(f"expected a finite weight >= 0, got {weight!r}", file=file, where=where)
    return float(weight)
