"""Regions in the wrong place."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from numpy.random import Generator

from noisyseg.labels import SemanticMap
from noisyseg.noise.maps.painting import Fill, Region, check_fill, repainted
from noisyseg.noise.maps.units import Unit, UnitKind, UnitNoise, largest_first, pixels_of
from noisyseg.noise.model import Params
from noisyseg.registry import TASK_UTILS


@TASK_UTILS.register_module()
class ShiftNoise(UnitNoise):
    """Moves classes or components of the map in a random direction; what leaves the image is cut.

    A moved unit covers what is there, except ignored pixels; small ones cover large ones.

    Args:
        distance: Least and largest distance, drawn uniformly; pixels, or multiples of the square root of the unit's
            area. A number stands for both.
        relative: Whether ``distance`` is relative to the square root of the area.
        unit: ``"class"`` or ``"component"`` (8-connected).
        rate: Share of the units that move, each by itself, in [0, 1]; None for exactly one an image.
        image_rate: Share of the images where anything moves, in [0, 1].
        min_area: Smaller units do not move, pixels.
        background: Classes that are ground and do not move.
        fill: What stands where a unit was and none is now: ``"nearest"``, what is at the nearest pixel of
            another class; ``"ignore"``, 255; or a class number.

    Raises:
        ValueError: An argument is none of what it may be, or a map has no such class.

    Reference: the shift family of arXiv 2307.05080. Its unit, rates and distances are not known to us; these are ours.
    """

    def __init__(
        self,
        distance: float | tuple[float, float],
        relative: bool = False,
        unit: UnitKind = "class",
        rate: float | None = None,
        image_rate: float = 1.0,
        min_area: int = 0,
        background: Sequence[int] = (),
        fill: Fill = "nearest",
    ) -> None:
        super().__init__(unit, rate, image_rate, min_area, background)
        check_fill(fill)
        self.distance, self.relative, self.fill = distance, relative, fill
        self._span = span("distance", distance)

    def draw(self, labels: SemanticMap, unit: Unit, rng: Generator) -> Params | None:
        """See the base class; whole pixels."""
        least, largest = self._span
        distance = rng.uniform(least, largest) * (math.sqrt(unit.area) if self.relative else 1)
        angle = rng.uniform(0, 2 * math.pi)
        dx, dy = round(distance * math.cos(angle)), round(distance * math.sin(angle))
        return {"dx": dx, "dy": dy} if dx or dy else None

    def changed(self, labels: SemanticMap, hit: list[tuple[Unit, Params]]) -> npt.NDArray[np.integer]:
        """See the base class."""
        moved = [
            Region(unit.class_, unit.left + draws["dx"], unit.top + draws["dy"], unit.pixels)
            for unit, draws in largest_first(hit)
        ]
        return repainted(labels, pixels_of((unit for unit, _ in hit), labels.size_hw), moved, self.fill)


def span(name: str, value: float | Sequence[float]) -> tuple[float, float]:
    """Returns least and largest of a range; a number stands for both.

    Raises:
        ValueError: It is neither a number >= 0 nor two in order.
    """
    both = (value, value) if isinstance(value, int | float) else tuple(value)
    if len(both) != 2 or not 0 <= both[0] <= both[1] < math.inf:
        raise ValueError(f"{name}: expected a number >= 0, or two in order, got {value!r}")
    return both
