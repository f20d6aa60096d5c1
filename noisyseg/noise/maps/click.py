"""Regions marked by a single click."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from numpy.random import Generator

from noisyseg.labels import SemanticMap
from noisyseg.noise.kernels.coarse import disc
from noisyseg.noise.maps.painting import Fill, Region, check_fill, repainted
from noisyseg.noise.maps.units import Unit, UnitKind, UnitNoise, largest_first, pixels_of
from noisyseg.noise.model import Params
from noisyseg.registry import TASK_UTILS


@TASK_UTILS.register_module()
class ClickDisc(UnitNoise):
    """Replaces units of the map by a disc near their centroid.

    The disc may lie beside a unit that is not convex. Small units are painted over large ones.

    Args:
        radius: Of the disc, pixels, > 0.
        jitter: Standard deviation of the click along each axis, in multiples of ``radius``, >= 0.
        unit: ``"component"`` (8-connected) or ``"class"``.
        rate: Share of the units that are hit, each by itself, in [0, 1]; None for exactly one an image.
        image_rate: Share of the images where anything happens, in [0, 1].
        min_area: Smaller units are not hit, pixels.
        background: Classes that are ground and keep their place under the others.
        fill: What stands where a unit was: ``"nearest"``, ``"ignore"`` or a class number, as in ``CoarsePolygons``.

    Raises:
        ValueError: An argument is none of what it may be, or a map has no such class.

    Reference: STEAL, arXiv 1904.07934, the simulator of clicks.
    """

    def __init__(
        self,
        radius: float,
        jitter: float = 1.0,
        unit: UnitKind = "component",
        rate: float | None = 1.0,
        image_rate: float = 1.0,
        min_area: int = 0,
        background: Sequence[int] = (),
        fill: Fill = "nearest",
    ) -> None:
        super().__init__(unit, rate, image_rate, min_area, background)
        if not 0 < radius < math.inf:
            raise ValueError(f"radius: expected pixels > 0, got {radius}")
        if not 0 <= jitter < math.inf:
            raise ValueError(f"jitter: expected a number >= 0, got {jitter}")
        check_fill(fill)
        self.radius, self.jitter, self.fill = radius, jitter, fill

    def draw(self, labels: SemanticMap, unit: Unit, rng: Generator) -> Params:
        """See the base class; the centre of the disc, pixels."""
        rows, columns = np.nonzero(unit.pixels)
        dx, dy = rng.normal(0, self.jitter * self.radius, 2).tolist()
        return {"x": unit.left + float(columns.mean()) + dx, "y": unit.top + float(rows.mean()) + dy}

    def changed(self, labels: SemanticMap, hit: list[tuple[Unit, Params]]) -> npt.NDArray[np.integer]:
        """See the base class."""
        reach = math.ceil(self.radius) + 1
        regions = []
        for unit, draws in largest_first(hit):
            left, top = math.floor(draws["x"]) - reach, math.floor(draws["y"]) - reach
            pixels = disc((2 * reach + 1, 2 * reach + 1), (draws["x"] - left, draws["y"] - top), self.radius)
            regions.append(Region(unit.class_, left, top, pixels != 0))
        return repainted(labels, pixels_of((unit for unit, _ in hit), labels.size_hw), regions, self.fill)
