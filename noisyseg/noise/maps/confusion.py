"""Class noise on maps: whole components, whole classes, or pixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from numpy.random import Generator

from noisyseg.labels import IGNORE, SemanticMap
from noisyseg.labels.rng import ObjectStreams, fork
from noisyseg.noise.build import NoiseConfig
from noisyseg.noise.fields import field_key, uniform_field
from noisyseg.noise.kernels.classes import Transitions
from noisyseg.noise.maps.class_rule import class_rule
from noisyseg.noise.maps.painting import check_class_numbers
from noisyseg.noise.maps.units import named_units, units_of
from noisyseg.noise.model import NoiseModel, Params
from noisyseg.registry import TASK_UTILS


@TASK_UTILS.register_module()
class MapConfusion(NoiseModel[SemanticMap]):
    """Gives each component of a map, each class of it or each pixel the class that a model of class noise draws.

    Outlines stay. Flips of single pixels, independent of each other, are a control experiment and nothing that
    annotators do.

    Args:
        noise: A model of class noise (``ClassConfusion``, ``GroupConfusion``, ``PairConfusion`` or
            ``MatrixConfusion``), or its config. Its rate is a share of units.
        unit: What draws one class: ``"component"`` (8-connected), ``"class"`` or ``"pixel"``.
        background: Classes that are ground and stay; others may still become one of them.

    Raises:
        ValueError: ``noise`` is no class noise, the unit is unknown, or a map has no such class.
    """

    takes = SemanticMap

    def __init__(
        self,
        noise: NoiseConfig,
        unit: Literal["component", "class", "pixel"] = "component",
        background: Sequence[int] = (),
    ) -> None:
        if unit not in ("component", "class", "pixel"):
            raise ValueError(f"unit: expected 'component', 'class' or 'pixel', got {unit!r}")
        self.noise = class_rule(noise, "noise")
        self.unit, self.background = unit, tuple(background)

    def sample(self, labels: SemanticMap, rng: Generator) -> Params:
        """See the base class: the units that change, or a key from which :meth:`apply` makes the numbers of pixels."""
        check_class_numbers(self.background, labels, "background")
        if self.unit == "pixel":
            return {"op": self.op, "key": field_key(fork(rng, self.op))}
        streams, changed = ObjectStreams(rng), []
        for unit in units_of(labels, self.unit, self.background):
            drawn = self.noise.new_class(unit.class_, labels.categories, streams.of(self.op, unit.name))
            if drawn != unit.class_:
                record: dict[str, Any] = {"unit": unit.name, "class": unit.class_, "area": unit.area}
                changed.append(record | {"box": unit.box, "to": drawn})
        return {"op": self.op, "units": changed}

    def apply(self, labels: SemanticMap, params: Params) -> SemanticMap:
        """See the base class.

        Raises:
            ValueError: The map has no unit of a name in ``params``.
        """
        if self.unit == "pixel":
            return labels.replace(classes=self._pixelwise(labels, params["key"]))
        if not params["units"]:
            return labels
        canvas = labels.classes.copy()
        units = named_units(units_of(labels, self.unit, self.background), params["units"])
        for unit, drawn in zip(units, params["units"], strict=True):
            canvas[unit.window][unit.pixels] = drawn["to"]
        return labels.replace(classes=canvas)

    def _pixelwise(self, labels: SemanticMap, key: int) -> npt.NDArray[np.integer]:
        canvas = labels.classes.copy()
        free = ~np.isin(canvas, (*self.background, IGNORE))
        changes, choices = uniform_field(key, 0, 0, labels.size_hw, layers=2)
        matrix = Transitions(self.noise.transition_matrix(labels.categories))
        canvas[free] = matrix.draws(canvas[free], changes[free], choices[free])
        return canvas
