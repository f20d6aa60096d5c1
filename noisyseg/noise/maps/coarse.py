"""Regions outlined with few clicks, on the safe side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from noisyseg.labels import SemanticMap
from noisyseg.noise.kernels.coarse import LAST_RADIUS, coarse_polygon
from noisyseg.noise.maps.painting import Fill, Region, check_fill, repainted
from noisyseg.noise.maps.units import Unit, UnitKind, UnitNoise, framed, largest_first, pixels_of
from noisyseg.noise.model import Params
from noisyseg.registry import TASK_UTILS


@TASK_UTILS.register_module()
class CoarsePolygons(UnitNoise):
    """Replaces units of the map by polygons of few corners that stay inside them, but for holes, which close.

    Small units are painted over large ones. Draws nothing but which units are hit.

    Args:
        delta: Coarseness, whole pixels: the unit is eroded by half of it, and its outline moves by at most the other
            half. What the erosion leaves nothing of becomes a disc of radius 3.
        unit: ``"component"`` (8-connected), or ``"class"``, of which small components vanish as long as a large one
            remains.
        rate: Share of the units that are hit, each by itself, in [0, 1]; None for exactly one an image.
        image_rate: Share of the images where anything happens, in [0, 1].
        min_area: Smaller units are not hit, pixels.
        background: Classes that are ground and keep their place under the others.
        fill: What stands between polygons: ``"nearest"``, what is at the nearest pixel of another class (the gap
            between two polygons is split); ``"ignore"``, 255, as in Cityscapes' coarse labels; or a class number.

    Raises:
        ValueError: An argument is none of what it may be, or a map has no such class.

    Reference: STEAL, arXiv 1904.07934; the paper is quoted as using 8, 16 and 32 pixels. How several classes meet is
    ours.
    """

    def __init__(
        self,
        delta: int,
        unit: UnitKind = "component",
        rate: float | None = 1.0,
        image_rate: float = 1.0,
        min_area: int = 0,
        background: Sequence[int] = (),
        fill: Fill = "nearest",
    ) -> None:
        super().__init__(unit, rate, image_rate, min_area, background)
        if isinstance(delta, bool) or not isinstance(delta, int) or delta < 0:
            raise ValueError(f"delta: expected whole pixels >= 0, got {delta!r}")
        check_fill(fill)
        self.delta, self.fill = delta, fill

    def changed(self, labels: SemanticMap, hit: list[tuple[Unit, Params]]) -> npt.NDArray[np.integer]:
        """See the base class."""
        margin = LAST_RADIUS + 1
        regions = []
        for unit, _ in largest_first(hit):
            left, top, pixels = framed(unit, margin, labels.size_hw)
            polygon = coarse_polygon(pixels.astype(np.uint8), self.delta)
            regions.append(Region(unit.class_, left, top, polygon != 0))
        return repainted(labels, pixels_of((unit for unit, _ in hit), labels.size_hw), regions, self.fill)
