"""Boundaries that follow the image instead of the object."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.random import Generator

from noisyseg.labels import IGNORE, SemanticMap
from noisyseg.labels.rng import ObjectStreams
from noisyseg.noise.kernels.superpixels import IntArray, class_counts, slic_superpixels
from noisyseg.noise.maps.units import check_share
from noisyseg.noise.model import NoiseModel, Params
from noisyseg.registry import TASK_UTILS


@TASK_UTILS.register_module()
class SuperpixelNoise(NoiseModel[SemanticMap]):
    """Gives whole superpixels of the image one class, of those that a boundary of the map crosses.

    Errors lie between a boundary and an edge of the image, as those of an annotator who clicks superpixels or trusts a
    magic wand. Superpixels with one class stay, and so do ignored pixels.

    Args:
        rate: Share of the crossed superpixels that are hit, each by itself, in [0, 1].
        n_segments: Number of superpixels in the image, about.
        compactness: Weight of closeness against likeness of colour (SLIC).
        rule: ``"snap"`` gives the class that most of its pixels have, the lower number of equals; ``"random"`` one of
            the classes that are in it, each with the same chance.

    Raises:
        ValueError: An argument is none of what it may be.
        TypeError: The labels come without their image.
    """

    takes = SemanticMap
    needs_image = True

    def __init__(
        self,
        rate: float = 1.0,
        n_segments: int = 400,
        compactness: float = 10.0,
        rule: Literal["snap", "random"] = "snap",
    ) -> None:
        check_share("rate", rate)
        if isinstance(n_segments, bool) or not isinstance(n_segments, int) or n_segments < 1:
            raise ValueError(f"n_segments: expected a whole number >= 1, got {n_segments!r}")
        if not compactness > 0:
            raise ValueError(f"compactness: expected a number > 0, got {compactness}")
        if rule not in ("snap", "random"):
            raise ValueError(f"rule: expected 'snap' or 'random', got {rule!r}")
        self.rate, self.n_segments, self.compactness, self.rule = rate, n_segments, compactness, rule

    def sample(self, labels: SemanticMap, rng: Generator) -> Params:
        """See the base class; number and new class of each superpixel that is hit."""
        return self._drawn(labels, self._superpixels(labels), rng)

    def apply(self, labels: SemanticMap, params: Params) -> SemanticMap:
        """See the base class; finds the superpixels again."""
        return self._snapped(labels, self._superpixels(labels), params) if params["superpixels"] else labels

    def run(self, labels: SemanticMap, rng: Generator) -> tuple[SemanticMap, Params]:
        """See the base class; finds the superpixels once."""
        superpixels = self._superpixels(labels)
        params = self._drawn(labels, superpixels, rng)
        return self._snapped(labels, superpixels, params), params

    def _superpixels(self, labels: SemanticMap) -> IntArray | None:
        """Returns the superpixels, or None where no boundary can cross one."""
        if labels.image is None:
            raise TypeError(f"{self.op} needs the image, but the labels came without it")
        classes = np.unique(labels.classes)
        if len(classes[classes != IGNORE]) < 2 or not self.rate:
            return None
        return slic_superpixels(labels.image, self.n_segments, self.compactness)

    def _drawn(self, labels: SemanticMap, superpixels: IntArray | None, rng: Generator) -> Params:
        hit: list[list[int]] = []
        if superpixels is not None:
            counts = class_counts(superpixels, labels.classes, len(labels.categories))
            streams = ObjectStreams(rng)
            for number in np.flatnonzero((counts > 0).sum(axis=1) > 1).tolist():
                own = streams.of(self.op, number)
                if own.random() >= self.rate:
                    continue
                present = np.flatnonzero(counts[number])
                drawn = counts[number].argmax() if self.rule == "snap" else present[own.integers(len(present))]
                hit.append([number, int(drawn)])
        return {"op": self.op, "superpixels": hit}

    def _snapped(self, labels: SemanticMap, superpixels: IntArray | None, params: Params) -> SemanticMap:
        if superpixels is None or not params["superpixels"]:
            return labels
        becomes = np.full(int(superpixels.max()) + 1, -1, np.int64)
        numbers, classes = np.array(params["superpixels"], np.int64).T
        becomes[numbers] = classes
        drawn = becomes[superpixels]
        changes = (drawn >= 0) & (labels.classes != IGNORE)
        canvas = labels.classes.copy()
        canvas[changes] = drawn[changes]
        return labels.replace(classes=canvas)
