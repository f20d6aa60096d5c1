"""Regions under the wrong name."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from numpy.random import Generator

from noisyseg.labels import SemanticMap
from noisyseg.noise.build import NoiseConfig
from noisyseg.noise.kernels.classes import Transitions, symmetric
from noisyseg.noise.maps.class_rule import class_rule
from noisyseg.noise.maps.units import Unit, UnitKind, UnitNoise
from noisyseg.noise.model import Params
from noisyseg.registry import TASK_UTILS


@TASK_UTILS.register_module()
class SwapNoise(UnitNoise):
    """Gives classes or components of the map another class; the outlines stay.

    Args:
        unit: ``"class"`` or ``"component"`` (8-connected).
        rate: Share of the units that are hit, each by itself, in [0, 1]; None for exactly one an image.
        image_rate: Share of the images where anything is swapped, in [0, 1].
        min_area: Smaller units are not swapped, pixels.
        background: Classes that are ground and not swapped; others may still become one of them.
        confusion: Model of class noise, or its config, whose probabilities of the *other* classes say which one it
            gets; a unit of a class that it never changes stays. None for all others alike.

    Raises:
        ValueError: An argument is none of what it may be, or a map has no such class.

    Reference: the swap family of arXiv 2307.05080. Its unit and its rates are not known to us; these are ours.
    """

    def __init__(
        self,
        unit: UnitKind = "class",
        rate: float | None = None,
        image_rate: float = 1.0,
        min_area: int = 0,
        background: Sequence[int] = (),
        confusion: NoiseConfig | None = None,
    ) -> None:
        super().__init__(unit, rate, image_rate, min_area, background)
        self.confusion = None if confusion is None else class_rule(confusion, "confusion")

    def draw(self, labels: SemanticMap, unit: Unit, rng: Generator) -> Params | None:
        """See the base class."""
        categories = labels.categories
        if self.confusion is None:
            matrix = symmetric(len(categories), 1.0, include_self=False)
        else:
            matrix = self.confusion.transition_matrix(categories)
        # A change of 0 is below every rate but 0: the unit changes if its class ever does.
        drawn = Transitions(matrix).draw(unit.class_, 0.0, rng.random())
        return None if drawn == unit.class_ else {"to": drawn}

    def changed(self, labels: SemanticMap, hit: list[tuple[Unit, Params]]) -> npt.NDArray[np.integer]:
        """See the base class."""
        canvas = labels.classes.copy()
        for unit, draws in hit:
            canvas[unit.window][unit.pixels] = draws["to"]
        return canvas
