"""Where objects lie in the frame and which of them can be seen."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from noisyseg.scenes.description import Scene, SceneObject
from noisyseg.scenes.shapes import SHAPES

Field = npt.NDArray[np.float64]

MIN_VISIBLE_PIXELS = 12
MIN_VISIBLE_SHARE = 0.2
_REACH = 1.45
"""Half the side of the window in radii: a box's corner is at most sqrt(2) away from its centre."""


class Placed(NamedTuple):
    """One object in a window of the frame; all arrays are (h, w).

    Attributes:
        window: Rows and columns of the frame that the window covers.
        distance: Signed distance of each pixel's centre to the outline, pixels, negative inside.
        x: Coordinate of the pixel's centre on the object, from its centre, pixels.
        y: Coordinate of the pixel's centre on the object, from its centre, pixels.
    """

    window: tuple[slice, slice]
    distance: Field
    x: Field
    y: Field


def place(thing: SceneObject, size_hw: tuple[int, int]) -> Placed:
    """Returns the object in the frame; the window has no pixels where the object lies outside."""
    reach = _REACH * thing.radius + 2
    (rows, y), (columns, x) = (
        _span(centre, reach, length) for centre, length in zip(thing.centre[::-1], size_hw, strict=True)
    )
    cosine, sine = math.cos(thing.angle), math.sin(thing.angle)
    on_x = cosine * x[None, :] + sine * y[:, None]
    on_y = cosine * y[:, None] - sine * x[None, :]
    distance = thing.radius * SHAPES[thing.name](on_x / thing.radius, on_y / thing.radius, *thing.form)
    return Placed((rows, columns), distance, on_x, on_y)


def visible(scene: Scene) -> list[tuple[int, Placed]]:
    """Returns the objects that can be seen, as places in ``scene.objects`` and where they lie, back to front.

    An object counts as visible when at least 12 pixels and a fifth of its pixels in the frame are not
    covered by visible objects in front of it. One that fails is left out of the picture and of the labels
    alike, so that no picture shows what its labels leave out.
    """
    covered = np.zeros(scene.size_hw, bool)
    seen = []
    for index in reversed(range(len(scene.objects))):
        placed = place(scene.objects[index], scene.size_hw)
        inside = placed.distance < 0
        uncovered = np.count_nonzero(inside & ~covered[placed.window])
        if uncovered >= max(MIN_VISIBLE_PIXELS, MIN_VISIBLE_SHARE * np.count_nonzero(inside)):
            covered[placed.window] |= inside
            seen.append((index, placed))
    return seen[::-1]


def _span(centre: float, reach: float, length: int) -> tuple[slice, Field]:
    """Returns the pixels of one axis that lie within reach, and their distances from the centre."""
    first = min(max(math.floor(centre - reach), 0), length)
    last = max(min(math.ceil(centre + reach), length), first)
    return slice(first, last), np.arange(first, last) + 0.5 - centre
