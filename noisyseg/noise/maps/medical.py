"""Organs outlined too tightly or too loosely, slice by slice."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
from numpy.random import Generator

from noisyseg.labels import IGNORE, SemanticMap
from noisyseg.labels.rng import fork
from noisyseg.noise.kernels.medical import margin, resized_morphology
from noisyseg.noise.maps.painting import check_class_numbers
from noisyseg.noise.maps.units import check_share, framed, units_of
from noisyseg.noise.model import NoiseModel, Params
from noisyseg.registry import TASK_UTILS


@TASK_UTILS.register_module()
class MedicalNoise(NoiseModel[SemanticMap]):
    """Shrinks or grows all classes of a slice by a share of their own size.

    A slice is segmented too tightly or too loosely as a whole, by the toss of a fair coin. Each class is resized to
    about 1,000 pixels, eroded or dilated some times by a 3x3 square and resized back, so a compact one keeps .73, .61,
    .50 of its area, or gets 1.31, 1.47, 1.64 of it, at 2, 3 and 4 times, whatever its size. What is given up becomes
    background, and classes grow over background only, earlier ones of ``order`` first.

    Args:
        order: Classes in the order in which they are treated; None for all but the background, by number. SegTHOR's
            is 1, 3, 4, 2.
        background: Class of the ground.
        rate: Share of the slices that are hit, each by itself, in [0, 1]. (The authors hit exactly that share, by a
            permutation; with 1, the published setting, it is the same.)
        steps: Least and largest number of erosions or dilations, drawn uniformly for the slice.
        max_ratio: Largest factor by which a class is resized. Below 1000 / max_ratio² pixels (16) noise is weaker.
        mode: ``"fixed"`` changes only pixels of the class when it shrinks. ``"official"`` also clears pixels of
            neighbours where the class, resized to and fro, overlaps them.

    Raises:
        ValueError: An argument is none of what it may be, or a map has no such class.

    Reference: ADELE, Liu et al., CVPR 2022 (arXiv 2110.03740), the noise that the released code calls "final".
    """

    takes = SemanticMap

    def __init__(
        self,
        order: Sequence[int] | None = None,
        background: int = 0,
        rate: float = 1.0,
        steps: tuple[int, int] = (2, 4),
        max_ratio: float = 8.0,
        mode: Literal["fixed", "official"] = "fixed",
    ) -> None:
        if order is not None and (background in order or len(set(order)) != len(order)):
            raise ValueError(f"order: expected each class once and not the background {background}, got {list(order)}")
        check_share("rate", rate)
        if len(steps) != 2 or not 0 <= steps[0] <= steps[1] or not all(isinstance(step, int) for step in steps):
            raise ValueError(f"steps: expected two whole numbers >= 0 in order, got {steps!r}")
        if not 0 < max_ratio < math.inf:
            raise ValueError(f"max_ratio: expected a factor > 0, got {max_ratio}")
        if mode not in ("fixed", "official"):
            raise ValueError(f"mode: expected 'fixed' or 'official', got {mode!r}")
        self.order, self.background, self.rate = order, background, rate
        self.steps, self.max_ratio, self.mode = steps, max_ratio, mode

    def sample(self, labels: SemanticMap, rng: Generator) -> Params:
        """See the base class; three draws a slice."""
        own = fork(rng, self.op)
        coin, grow = own.random(), bool(own.random() < 0.5)
        steps = int(own.integers(self.steps[0], self.steps[1] + 1))
        if coin >= self.rate:
            return {"op": self.op, "hit": False}
        return {"op": self.op, "hit": True, "grow": grow, "steps": steps}

    def apply(self, labels: SemanticMap, params: Params) -> SemanticMap:
        """See the base class."""
        check_class_numbers([self.background, *(self.order or ())], labels, "order, background")
        if not params["hit"] or not params["steps"]:
            return labels
        return labels.replace(classes=self._changed(labels, params["grow"], params["steps"]))

    def _changed(self, labels: SemanticMap, grow: bool, steps: int) -> npt.NDArray[np.integer]:
        canvas = labels.classes.copy()
        units = {unit.class_: unit for unit in units_of(labels, "class", [self.background])}
        for class_ in sorted(units) if self.order is None else [c for c in self.order if c in units]:
            unit = units[class_]
            around = margin(unit.area, steps, self.max_ratio)
            left, top, clean = framed(unit, around, labels.size_hw)
            noisy = canvas[top : top + clean.shape[0], left : left + clean.shape[1]]
            processed = resized_morphology(
                clean.astype(np.uint8), steps, grow, self.max_ratio, (left, top), labels.size_hw
            )
            processed = processed != 0
            if grow:
                noisy[processed & (noisy == self.background)] = class_
            else:
                gone = clean & ~processed if self.mode == "fixed" else clean ^ processed
                noisy[gone & (noisy != IGNORE)] = self.background
        return canvas
