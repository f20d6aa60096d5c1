"""What a scene is, in plain numbers: everything that its picture and its labels follow from.

Positions are in pixels: the centre of the pixel in column c and row r is ``(c + 0.5, r + 0.5)``. Angles are
in radians, from the x axis towards the y axis (down). Colours are red, green, blue in [0, 1].
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from noisyseg.labels import Categories

Colour = tuple[float, float, float]
Pattern = Literal["plain", "stripes", "dots", "checks", "marble"]
PATTERNS: tuple[Pattern, ...] = ("plain", "stripes", "dots", "checks", "marble")

CLASSES = ("blob", "ring", "box", "star", "key", "worm")
GROUPS = ("round", "round", "angular", "angular", "thin", "thin")
CATEGORIES = Categories(tuple(range(1, len(CLASSES) + 1)), CLASSES, GROUPS)
"""The classes, with file ids 1..6; in semantic maps 0 is background and k the class with file id k."""


@dataclass(frozen=True)
class Texture:
    """Two colours and how they mix on a surface.

    Attributes:
        pattern: How they mix.
        colours: The two colours.
        period: Length of one repetition, pixels.
        angle: Direction of the pattern within its object, radians.
        key: Names the random numbers of the marble.
    """

    pattern: Pattern
    colours: tuple[Colour, Colour]
    period: float
    angle: float
    key: int

    def __post_init__(self) -> None:
        if self.pattern not in PATTERNS:
            raise ValueError(f"pattern: expected one of {PATTERNS}, got {self.pattern!r}")
        if not 0 < self.period < math.inf:
            raise ValueError(f"period: expected finite pixels > 0, got {self.period}")


@dataclass(frozen=True)
class SceneObject:
    """One object.

    Attributes:
        name: Its class, one of `CLASSES`.
        centre: x and y of its centre, pixels; it may lie outside the frame.
        radius: Half of its length, pixels.
        angle: Its rotation, radians.
        form: The numbers of its class's outline, see `noisyseg.scenes.shapes`.
        texture: Its surface.
    """

    name: str
    centre: tuple[float, float]
    radius: float
    angle: float
    form: tuple[float, ...]
    texture: Texture

    def __post_init__(self) -> None:
        if self.name not in CLASSES:
            raise ValueError(f"name: expected one of {CLASSES}, got {self.name!r}")
        if not 0 < self.radius < math.inf:
            raise ValueError(f"radius: expected finite pixels > 0, got {self.radius}")
        if not all(map(math.isfinite, (*self.centre, self.angle, *self.form))):
            raise ValueError(f"centre, angle, form: expected finite numbers, got {self}")


@dataclass(frozen=True)
class Light:
    """How the scene is lit and photographed.

    Attributes:
        angle: Direction in which the shadows fall, radians.
        shadow: Darkness of the shadows, in [0, 1].
        fall_off: How much brighter the lit side of the picture is than its middle, fraction.
        cast: Factor of each colour channel.
        grain: Standard deviation of the sensor's noise, fraction of full scale.
        key: Names the random numbers of the sensor's noise.
    """

    angle: float
    shadow: float
    fall_off: float
    cast: Colour
    grain: float
    key: int


@dataclass(frozen=True)
class Scene:
    """One picture.

    Attributes:
        size_hw: Rows and columns.
        background: The surface behind all objects.
        light: How it is lit.
        objects: In painting order, back to front.
    """

    size_hw: tuple[int, int]
    background: Texture
    light: Light
    objects: tuple[SceneObject, ...]

    def __post_init__(self) -> None:
        if len(self.size_hw) != 2 or min(self.size_hw) < 1:
            raise ValueError(f"size_hw: expected rows and columns >= 1, got {self.size_hw}")
