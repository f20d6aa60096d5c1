"""Regions drawn too large or too small by a distance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
from numpy.random import Generator

from noisyseg.labels import SemanticMap
from noisyseg.noise.kernels.maps import moved_boundary
from noisyseg.noise.maps.painting import Fill, Region, check_fill, repainted
from noisyseg.noise.maps.shift import span
from noisyseg.noise.maps.units import Unit, UnitKind, UnitNoise, framed, largest_first, pixels_of
from noisyseg.noise.model import Params
from noisyseg.registry import TASK_UTILS


@TASK_UTILS.register_module()
class BoundaryNoise(UnitNoise):
    """Grows classes or components over their neighbours, or draws them back, by a Euclidean distance.

    A grown unit covers whatever is there, except ignored pixels; where several meet, the smaller one counts. A
    boundary that lies on the border of the image or of ignored pixels has nothing behind it and does not draw back.

    Args:
        radius: Distance in pixels; two numbers are a range, from which each unit draws uniformly. Growing takes in
            what is at most that far from the unit, shrinking gives up what is at most that far from the others.
        direction: ``"grow"``, ``"shrink"``, or ``"either"``, by the toss of a fair coin for each unit.
        unit: ``"class"`` or ``"component"`` (8-connected).
        rate: Share of the units that are hit, each by itself, in [0, 1]; None for exactly one an image.
        image_rate: Share of the images where anything happens, in [0, 1].
        min_area: Smaller units are not hit, pixels.
        background: Classes that are ground: not hit, but grown over.
        fill: What stands where a unit drew back: ``"nearest"``, what is at the nearest pixel of another class;
            ``"ignore"``, 255; or a class number.

    Raises:
        ValueError: An argument is none of what it may be, or a map has no such class.

    Reference: with ``direction="either"`` and ``unit="class"`` the dilation and erosion ("DE") noise of Yao et al.,
    ICLR 2023 (arXiv 2308.02498), on maps; how it treats several classes is ours.
    """

    def __init__(
        self,
        radius: float | tuple[float, float],
        direction: Literal["grow", "shrink", "either"] = "either",
        unit: UnitKind = "class",
        rate: float | None = 1.0,
        image_rate: float = 1.0,
        min_area: int = 0,
        background: Sequence[int] = (),
        fill: Fill = "nearest",
    ) -> None:
        super().__init__(unit, rate, image_rate, min_area, background)
        if direction not in ("grow", "shrink", "either"):
            raise ValueError(f"direction: expected 'grow', 'shrink' or 'either', got {direction!r}")
        check_fill(fill)
        self.radius, self.direction, self.fill = radius, direction, fill
        self._span = span("radius", radius)

    def draw(self, labels: SemanticMap, unit: Unit, rng: Generator) -> Params:
        """See the base class."""
        coin, radius = rng.random(), rng.uniform(*self._span)
        return {"grow": coin < 0.5 if self.direction == "either" else self.direction == "grow", "radius": radius}

    def changed(self, labels: SemanticMap, hit: list[tuple[Unit, Params]]) -> npt.NDArray[np.integer]:
        """See the base class."""
        regions = []
        for unit, draws in largest_first(hit):
            left, top, pixels = framed(unit, math.ceil(draws["radius"]) + 1, labels.size_hw)
            around = labels.classes[top : top + pixels.shape[0], left : left + pixels.shape[1]]
            pixels = moved_boundary(pixels, around, draws["radius"], draws["grow"])
            regions.append(Region(unit.class_, left, top, pixels))
        return repainted(labels, pixels_of((unit for unit, _ in hit), labels.size_hw), regions, self.fill)
