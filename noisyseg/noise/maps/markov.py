"""Boundaries of a map that wander at random, with a bias."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt
from numpy.random import Generator

from noisyseg.labels import SemanticMap
from noisyseg.labels.rng import ObjectStreams
from noisyseg.noise.fields import field_key, field_rng
from noisyseg.noise.kernels.markov import BLUR_SIDE, boundary_walk
from noisyseg.noise.maps.painting import Fill, Region, check_class_numbers, check_fill, repainted
from noisyseg.noise.maps.units import Unit, check_share, pixels_of, units_of
from noisyseg.noise.model import NoiseModel, Params
from noisyseg.registry import TASK_UTILS


@TASK_UTILS.register_module()
class MarkovMap(NoiseModel[SemanticMap]):
    """Lets the boundary of each class walk at random, class by class, and puts the results together.

    A class that fills the map stays. Ignored pixels stay ignored.

    Args:
        steps: Steps of the walk, T in the paper, >= 0.
        theta1: Chance that a step expands, in [0, 1]; 2 * theta1 - 1 is the bias.
        theta2: Chance that a boundary pixel follows a step, in [0, 1].
        theta3: Chance that a pixel flips at the end, in [0, 1].
        blur_sigma: Of the blur at the very end, pixels; 0 for none.
        classes: Classes that are treated; None for all but the background, by number.
        background: Classes that are ground and stay under the others. Ignored where ``classes`` names them.
        multi_class: Who gets a pixel that several classes reach: ``"priority"``, the first of them in ``classes``;
            ``"argmax"``, the one whose blurred mask is highest there, the first among equals.
        fill: What stands where a class drew back and no other one came: ``"nearest"``, ``"ignore"``, or a class number.

    Raises:
        ValueError: An argument is none of what it may be, or a map has no such class.

    Reference: Yao et al., "Learning to Segment from Noisy Annotations: A Spatial Correction Approach", ICLR 2023
    (arXiv 2308.02498), for binary masks. How several classes come together is ours.
    """

    takes = SemanticMap

    def __init__(
        self,
        steps: int,
        theta1: float,
        theta2: float,
        theta3: float = 0.0,
        blur_sigma: float = 2.0,
        classes: Sequence[int] | None = None,
        background: Sequence[int] = (0,),
        multi_class: Literal["priority", "argmax"] = "priority",
        fill: Fill = "nearest",
    ) -> None:
        if isinstance(steps, bool) or not isinstance(steps, int) or steps < 0:
            raise ValueError(f"steps: expected a whole number >= 0, got {steps!r}")
        for name, value in (("theta1", theta1), ("theta2", theta2), ("theta3", theta3)):
            check_share(name, value)
        if not 0 <= blur_sigma < math.inf:
            raise ValueError(f"blur_sigma: expected pixels >= 0, got {blur_sigma}")
        if classes is not None and len(set(classes)) != len(classes):
            raise ValueError(f"classes: expected each class once, got {list(classes)}")
        if multi_class not in ("priority", "argmax"):
            raise ValueError(f"multi_class: expected 'priority' or 'argmax', got {multi_class!r}")
        check_fill(fill)
        self.steps, self.theta1, self.theta2, self.theta3 = steps, theta1, theta2, theta3
        self.blur_sigma, self.classes, self.background = blur_sigma, classes, tuple(background)
        self.multi_class, self.fill = multi_class, fill

    def sample(self, labels: SemanticMap, rng: Generator) -> Params:
        """See the base class; a key for each class, from which :meth:`apply` makes the walk."""
        streams = ObjectStreams(rng)
        keys = [[unit.class_, field_key(streams.of(self.op, unit.class_))] for unit in self._treated(labels)]
        return {"op": self.op, "keys": keys}

    def apply(self, labels: SemanticMap, params: Params) -> SemanticMap:
        """See the base class."""
        keys = dict(params["keys"])
        treated = [unit for unit in self._treated(labels) if unit.class_ in keys]
        if not treated:
            return labels
        scores = np.stack([self._walked(labels, unit, field_rng(keys[unit.class_])) for unit in treated])
        taken = scores > 0.5
        best = (scores if self.multi_class == "argmax" else taken).argmax(axis=0)
        taken = taken.any(axis=0)
        regions = [Region(unit.class_, 0, 0, taken & (best == place)) for place, unit in enumerate(treated)]
        vacated = pixels_of(treated, labels.size_hw)
        return labels.replace(classes=repainted(labels, vacated, regions, self.fill))

    def _treated(self, labels: SemanticMap) -> list[Unit]:
        """Returns the classes that are treated and on the map, in order of priority."""
        given = self.classes is not None
        check_class_numbers(self.classes if given else self.background, labels, "classes" if given else "background")
        units = units_of(labels, "class", () if given else self.background)
        units = {unit.class_: unit for unit in units if unit.area < labels.classes.size}
        return [units[class_] for class_ in self.classes if class_ in units] if given else list(units.values())

    def _walked(self, labels: SemanticMap, unit: Unit, rng: Generator) -> npt.NDArray[np.float32]:
        """Returns (H, W) how much of a class is at each pixel after its walk, in [0, 1]; above one half it is there.

        The steps are those of :func:`noisyseg.noise.kernels.markov.markov`, with the blur left soft.
        """
        pixels = (labels.classes == unit.class_).astype(np.uint8)
        noisy = boundary_walk(pixels, rng.random(self.steps) < self.theta1, self.theta2, rng)
        if self.theta3:
            noisy ^= rng.random(noisy.shape) < self.theta3
        soft = noisy.astype(np.float32)
        return cv2.GaussianBlur(soft, (BLUR_SIDE, BLUR_SIDE), self.blur_sigma) if self.blur_sigma else soft
