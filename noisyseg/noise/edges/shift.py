"""Edges that lie somewhat beside what they mark."""

from __future__ import annotations

import math

import numpy as np
from numpy.random import Generator

from noisyseg.labels import EdgeMap
from noisyseg.labels.edges import edge_radius, thinned
from noisyseg.labels.rng import fork
from noisyseg.noise.edges.redrawing import redrawn
from noisyseg.noise.kernels.edges import FloatArray, clipped, field_grid, moved_edges, smooth_field, sources
from noisyseg.noise.model import NoiseModel, Params
from noisyseg.registry import TASK_UTILS


@TASK_UTILS.register_module()
class EdgeShift(NoiseModel[EdgeMap]):
    """Moves edges by a smooth random displacement, the same one for every channel.

    Where the regions of the edges are known, these are moved (each pixel takes the number at its source, nearest
    neighbour, inside the frame) and the edges are drawn anew as their borders, as wide as they were: they stay closed
    and thin. An edge pixel keeps the classes of the clean edge that it comes from. Bare edges move pixel by pixel;
    pixels that touched are joined by a line, so what was connected stays connected, and thin edges are thinned again.

    Args:
        rms: Root mean square length of the displacement over the frame, in pixels, before it is cut; 0 does nothing.
        length: Correlation length in pixels, at least 1: the standard deviation of the Gaussian that smooths it.
        max_shift: Longer displacements are cut to this length, pixels.

    Raises:
        ValueError: An argument is out of range, or ``rms`` exceeds ``max_shift``.

    Reference: no published generator; made for the error that PNT-Edge (arXiv 2307.14070) corrects, which discards
    displacements above 15 pixels too.
    """

    takes = EdgeMap

    def __init__(self, rms: float, length: float = 16, max_shift: float = 15) -> None:
        if not (math.isfinite(max_shift) and max_shift > 0):
            raise ValueError(f"max_shift: expected a length > 0, got {max_shift}")
        if not 0 <= rms <= max_shift:
            raise ValueError(f"rms: expected a length in [0, max_shift = {max_shift}], got {rms}")
        if not (math.isfinite(length) and length >= 1):
            raise ValueError(f"length: expected a length >= 1, got {length}")
        self.rms, self.length, self.max_shift = rms, length, max_shift

    def sample(self, labels: EdgeMap, rng: Generator) -> Params:
        """See the base class; four decimals of a normal number on each point of a coarse grid."""
        if not self.rms:
            return {"op": self.op, "normals": None}
        shape = (2, *field_grid(labels.size_hw, self.length))
        return {"op": self.op, "normals": fork(rng, self.op).standard_normal(shape).round(4)}

    def apply(self, labels: EdgeMap, params: Params) -> EdgeMap:
        """See the base class."""
        if params["normals"] is None or not labels.edges.any():
            return labels
        field = self.displacement(labels, params)
        if labels.regions is not None:
            rows, columns = sources(field)
            return redrawn(labels, labels.regions, labels.regions[rows, columns], (rows, columns))
        clean = labels.edges.astype(bool)
        thin = edge_radius(clean.any(axis=0)) == 0
        moved = np.zeros_like(clean)
        for k in np.flatnonzero(clean.any(axis=(1, 2))):
            moved[k] = moved_edges(clean[k], field)
            if thin:
                moved[k] = thinned(moved[k])
        return labels.replace(edges=moved.astype(labels.edges.dtype))

    def displacement(self, labels: EdgeMap, params: Params) -> FloatArray:
        """Returns the (2, H, W) displacement that was drawn: pixels to the right, pixels down."""
        field = smooth_field(np.asarray(params["normals"]), labels.size_hw, self.rms, self.length)
        return clipped(field, self.max_shift)
