"""Regions that nobody labelled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from noisyseg.labels import SemanticMap
from noisyseg.noise.maps.painting import check_fill, repainted
from noisyseg.noise.maps.units import Unit, UnitKind, UnitNoise, pixels_of
from noisyseg.noise.model import Params
from noisyseg.registry import TASK_UTILS


@TASK_UTILS.register_module()
class DropNoise(UnitNoise):
    """Takes classes or components off the map.

    Args:
        unit: ``"class"`` or ``"component"`` (8-connected).
        rate: Share of the units that are dropped, each by itself, in [0, 1]; None for exactly one an image.
        image_rate: Share of the images where anything is dropped, in [0, 1].
        min_area: Smaller units are not dropped, pixels.
        background: Classes that are ground and not dropped.
        drop_to: What stands there then: ``"neighbour"``, what is at the nearest pixel of another class; a class
            number, such as that of the ground; or ``"ignore"``, 255.

    Raises:
        ValueError: An argument is none of what it may be, or a map has no such class.

    Reference: the drop family of arXiv 2307.05080. Its unit and its rates are not known to us; these are ours.
    """

    def __init__(
        self,
        unit: UnitKind = "class",
        rate: float | None = None,
        image_rate: float = 1.0,
        min_area: int = 0,
        background: Sequence[int] = (),
        drop_to: Literal["neighbour", "ignore"] | int = "neighbour",
    ) -> None:
        super().__init__(unit, rate, image_rate, min_area, background)
        check_fill(drop_to, "drop_to", "neighbour")
        self.drop_to = drop_to

    def changed(self, labels: SemanticMap, hit: list[tuple[Unit, Params]]) -> npt.NDArray[np.integer]:
        """See the base class."""
        return repainted(labels, pixels_of((unit for unit, _ in hit), labels.size_hw), [], self.drop_to)
