"""Edges that lie the farther beside what they mark, the more there is to see around them."""

from __future__ import annotations

import numpy as np

from noisyseg.labels import EdgeMap
from noisyseg.noise.edges.shift import EdgeShift
from noisyseg.noise.edges.spurious import CannySettings, image_of
from noisyseg.noise.kernels.edges import FloatArray, canny_edges, clipped, edge_density, smooth_field
from noisyseg.noise.model import Params
from noisyseg.registry import TASK_UTILS


@TASK_UTILS.register_module()
class EdgeDensityShift(EdgeShift):
    """Moves edges as :class:`EdgeShift` does, farther where Canny finds many edges in the image and less elsewhere.

    The displacement is multiplied by the local density of Canny's edges (Gaussian, standard deviation ``length``),
    divided by its mean over the clean edge pixels: on these, the factor is 1 on average. An image in which Canny finds
    nothing near them moves nothing.

    Args:
        rms: Root mean square length of the displacement before the factor, pixels; 0 does nothing.
        length: See :class:`EdgeShift`.
        max_shift: Cuts what the factor gives, pixels.
        sigma: Standard deviation of the 5x5 Gaussian before Canny, pixels; 1.5 for SBD, 2 for Cityscapes.
        low: Canny's lower threshold; 25 for SBD, 10 for Cityscapes.
        high: Canny's upper threshold; 150 for SBD, 100 for Cityscapes.

    Raises:
        ValueError: An argument is out of range.

    Reference: the assumption and the Canny settings of PNT-Edge, arXiv 2307.14070; it publishes no generator.
    """

    needs_image = True

    def __init__(
        self,
        rms: float,
        length: float = 16,
        max_shift: float = 15,
        sigma: float = 1.5,
        low: float = 25,
        high: float = 150,
    ) -> None:
        super().__init__(rms, length, max_shift)
        self.sigma, self.low, self.high = CannySettings(sigma, low, high).checked()

    def displacement(self, labels: EdgeMap, params: Params) -> FloatArray:
        """See the base class."""
        found = canny_edges(image_of(labels, self.op), self.sigma, self.low, self.high)
        density = edge_density(found, self.length)
        mean = density[labels.edges.any(axis=0)].mean()
        field = smooth_field(np.asarray(params["normals"]), labels.size_hw, self.rms, self.length)
        return clipped(field * (density / mean if mean else 0.0), self.max_shift)
