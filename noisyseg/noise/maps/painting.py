"""How regions get back onto a map after noise changed them, and what stands where one drew back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from noisyseg.labels import IGNORE, SemanticMap
from noisyseg.noise.kernels.maps import fill_from_neighbours

Fill = Literal["nearest", "ignore"] | int


class Region(NamedTuple):
    """Pixels that are to get a class.

    Attributes:
        class_: The class.
        left: Column of the crop's first pixel; the crop may reach beyond the frame.
        top: Row of the crop's first pixel.
        pixels: (h, w) bool.
    """

    class_: int
    left: int
    top: int
    pixels: npt.NDArray[np.bool_]


def check_fill(fill: Fill, name: str = "fill", nearest: str = "nearest") -> None:
    """Raises a ``ValueError`` unless ``fill`` is one of the two words or a class number."""
    number = isinstance(fill, int | np.integer) and not isinstance(fill, bool) and fill >= 0
    if not number and fill not in (nearest, "ignore"):
        raise ValueError(f"{name}: expected '{nearest}', 'ignore' or a class number, got {fill!r}")


def check_class_numbers(numbers: Iterable[int], labels: SemanticMap, name: str) -> None:
    """Raises a ``ValueError`` unless all ``numbers`` are classes of the map."""
    numbers = list(numbers)
    if not all(0 <= number < len(labels.categories) for number in numbers):
        raise ValueError(f"{name}: expected classes 0..{len(labels.categories) - 1}, got {numbers}")


def repainted(
    labels: SemanticMap, vacated: npt.NDArray[np.bool_], regions: Iterable[Region], fill: Fill
) -> npt.NDArray[np.integer]:
    """Returns (H, W) classes with ``regions`` painted on the map, later ones over earlier ones.

    Ignored pixels stay ignored.

    Args:
        labels: The clean map.
        vacated: (H, W) pixels that lose their class unless a region covers them; stays as it is.
        regions: What to paint, in order; cut at the frame.
        fill: What stands on vacated pixels that no region covers: ``"nearest"`` takes what stands at the nearest pixel
            of another class (see :func:`~noisyseg.noise.kernels.maps.fill_from_neighbours`), ``"ignore"`` gives
            255, a number that class. ``"neighbour"`` is another word for ``"nearest"``.

    Raises:
        ValueError: The map has no class ``fill``, or its dtype cannot hold 255.
    """
    if not isinstance(fill, str):
        check_class_numbers([fill], labels, "fill")
    canvas, ignored = labels.classes.copy(), labels.classes == IGNORE
    if fill == "ignore" and np.iinfo(canvas.dtype).max < IGNORE:
        raise ValueError(f"fill: expected a map whose dtype can hold {IGNORE}, got {canvas.dtype}")
    vacated = vacated & ~ignored
    for region in regions:
        window, pixels = _inside(region, canvas.shape)
        canvas[window][pixels] = region.class_
        vacated[window][pixels] = False
    if fill in ("nearest", "neighbour"):
        fill_from_neighbours(canvas, vacated, labels.classes)
    else:
        canvas[vacated] = IGNORE if fill == "ignore" else fill
    canvas[ignored] = labels.classes[ignored]
    return canvas


def _inside(region: Region, size_hw: tuple[int, int]) -> tuple[tuple[slice, slice], npt.NDArray[np.bool_]]:
    """Returns where the region lies in the frame, and its pixels there."""
    height, width = region.pixels.shape
    y0, x0 = max(region.top, 0), max(region.left, 0)
    y1, x1 = max(min(region.top + height, size_hw[0]), y0), max(min(region.left + width, size_hw[1]), x0)
    pixels = region.pixels[y0 - region.top : y1 - region.top, x0 - region.left : x1 - region.left]
    return np.s_[y0 : y0 + pixels.shape[0], x0 : x0 + pixels.shape[1]], pixels
