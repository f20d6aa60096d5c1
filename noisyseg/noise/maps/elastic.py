"""Maps drawn by an unsteady hand: everything moves smoothly, and the image does not."""

from __future__ import annotations

import math
from collections.abc import Sequence

from numpy.random import Generator

from noisyseg.labels import IGNORE, SemanticMap
from noisyseg.labels.rng import fork
from noisyseg.noise.fields import elastic_field, field_key
from noisyseg.noise.kernels.warps import remap_nearest
from noisyseg.noise.maps.units import check_share
from noisyseg.noise.model import NoiseModel, Params
from noisyseg.registry import TASK_UTILS


@TASK_UTILS.register_module()
class ElasticMap(NoiseModel[SemanticMap]):
    """Deforms a map by a smooth random displacement of its pixels, nearest neighbour.

    The root mean square of the displacement is alpha sqrt(2/3) / (2 sqrt(pi) sigma): from 0.02 pixels (1, 10), which
    does nothing, to 7.7 pixels (100, 3). No class appears that is not on the map. Ignored pixels stay where they are,
    and a pixel that would take the label of one keeps its own.

    Args:
        alpha: Amplitude before smoothing, pixels, >= 0; a list is drawn from, uniformly for each image.
        sigma: Of the Gaussian that smooths, pixels, > 0; a list is drawn from in the same way.
        rate: Share of the images that are deformed, in [0, 1].

    Raises:
        ValueError: An argument is none of what it may be.

    Reference: "NSegment: Label-specific Deformations for Remote Sensing Image Segmentation", arXiv 2504.19634, where it
    is an augmentation with a new draw an iteration; a generator named by the image makes label noise of it.
    """

    takes = SemanticMap

    def __init__(
        self,
        alpha: float | Sequence[float] = (1, 15, 30, 50, 100),
        sigma: float | Sequence[float] = (3, 5, 10),
        rate: float = 0.5,
    ) -> None:
        self._alphas, self._sigmas = _choices(alpha), _choices(sigma)
        if not self._alphas or not all(0 <= value < math.inf for value in self._alphas):
            raise ValueError(f"alpha: expected pixels >= 0, one or several, got {alpha!r}")
        if not self._sigmas or not all(0 < value < math.inf for value in self._sigmas):
            raise ValueError(f"sigma: expected pixels > 0, one or several, got {sigma!r}")
        check_share("rate", rate)
        self.alpha, self.sigma, self.rate = alpha, sigma, rate

    def sample(self, labels: SemanticMap, rng: Generator) -> Params:
        """See the base class; ``key`` names the field of displacements."""
        own = fork(rng, self.op)
        coin, key = own.random(), field_key(own)
        if coin >= self.rate:
            return {"op": self.op, "deformed": False}
        alpha, sigma = (float(values[int(own.integers(len(values)))]) for values in (self._alphas, self._sigmas))
        return {"op": self.op, "deformed": True, "alpha": alpha, "sigma": sigma, "key": key}

    def apply(self, labels: SemanticMap, params: Params) -> SemanticMap:
        """See the base class."""
        if not params["deformed"]:
            return labels
        displacement = elastic_field(params["key"], 0, 0, labels.size_hw, params["alpha"], params["sigma"])
        moved = remap_nearest(labels.classes, *displacement)
        stays = (labels.classes == IGNORE) | (moved == IGNORE)
        moved[stays] = labels.classes[stays]
        return labels.replace(classes=moved)


def _choices(value: float | Sequence[float]) -> tuple[float, ...]:
    return (value,) if isinstance(value, int | float) else tuple(value)
