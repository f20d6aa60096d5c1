"""Edges drawn with few clicks."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from noisyseg.labels import EdgeMap
from noisyseg.noise.edges.redrawing import redrawn, regions_of
from noisyseg.noise.kernels.edges import coarse_regions
from noisyseg.noise.model import NoiseModel, Params
from noisyseg.registry import TASK_UTILS


@TASK_UTILS.register_module()
class EdgeCoarse(NoiseModel[EdgeMap]):
    """Replaces each connected part of a region by a coarse polygon inside it, and draws the edges of these. No draws.

    A part is eroded ``delta // 2`` times by the 4-neighbourhood, its outline simplified to ``delta // 2`` pixels and
    filled; a part of which nothing is left becomes a disc of radius 3. Holes close. Where ``ground`` is given, it
    stands between the polygons: edges then move inward only, as published. Without it every pixel goes to the nearest
    polygon, so that the regions still cover the frame and each border is one edge. Where regions are not known they
    are found as what the edges enclose; edges that enclose nothing stay.

    Args:
        delta: Coarseness in pixels, a whole number >= 0; below 2 nothing changes.
        ground: Number of the region that is never an object, such as 0 in SBD; None where there is none.

    Raises:
        ValueError: ``delta`` is out of range.

    Reference: the coarse labels of STEAL, arXiv 1904.07934, which are made class by class; here part by part.
    """

    takes = EdgeMap

    def __init__(self, delta: int, ground: int | None = None) -> None:
        if isinstance(delta, bool) or int(delta) != delta or delta < 0:
            raise ValueError(f"delta: expected a whole number >= 0, got {delta}")
        self.delta, self.ground = delta, ground

    def sample(self, labels: EdgeMap, rng: Generator) -> Params:
        """See the base class."""
        return {"op": self.op}

    def apply(self, labels: EdgeMap, params: Params) -> EdgeMap:
        """See the base class."""
        if self.delta < 2 or not labels.edges.any():
            return labels
        regions, loose = regions_of(labels)
        ground = self.ground if labels.regions is not None else None
        noisy = redrawn(labels, regions, coarse_regions(regions, int(self.delta), ground))
        return noisy.replace(edges=np.maximum(noisy.edges, loose.astype(noisy.edges.dtype)))
