"""Edges that lie outside what they mark, or inside it."""

from __future__ import annotations

import math

import numpy as np
from numpy.random import Generator

from noisyseg.labels import EdgeMap
from noisyseg.noise.edges.redrawing import redrawn, regions_of
from noisyseg.noise.kernels.edges import grown_regions
from noisyseg.noise.model import NoiseModel, Params
from noisyseg.registry import TASK_UTILS


@TASK_UTILS.register_module()
class EdgeBias(NoiseModel[EdgeMap]):
    """Moves every edge the same way: out of the objects, or into them. Draws nothing.

    Each border lies where the signed distance to the clean one is ``offset``. Of two regions the smaller is the
    object. Where regions are not known they are found as what the edges enclose (4-connected); edges that enclose
    nothing have no inside and stay.

    Args:
        offset: Pixels; positive moves edges out of the objects, negative into them, and 0 does nothing. Objects that
            are too small for it vanish.
        ground: Number of the region that is never an object, such as 0 in SBD; None where there is none.

    Raises:
        ValueError: ``offset`` is not finite.
    """

    takes = EdgeMap

    def __init__(self, offset: float, ground: int | None = None) -> None:
        if not math.isfinite(offset):
            raise ValueError(f"offset: expected a finite length, got {offset}")
        self.offset, self.ground = offset, ground

    def sample(self, labels: EdgeMap, rng: Generator) -> Params:
        """See the base class."""
        return {"op": self.op}

    def apply(self, labels: EdgeMap, params: Params) -> EdgeMap:
        """See the base class."""
        if not self.offset or not labels.edges.any():
            return labels
        regions, loose = regions_of(labels)
        ground = self.ground if labels.regions is not None else None
        noisy = redrawn(labels, regions, grown_regions(regions, self.offset, ground))
        return noisy.replace(edges=np.maximum(noisy.edges, loose.astype(noisy.edges.dtype)))
