"""Edges with gaps."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from numpy.random import Generator

from noisyseg.labels import EdgeMap
from noisyseg.labels.edges import edge_radius
from noisyseg.labels.rng import fork
from noisyseg.noise.kernels.edges import arc
from noisyseg.noise.model import NoiseModel, Params
from noisyseg.registry import TASK_UTILS


@TASK_UTILS.register_module()
class EdgeDrop(NoiseModel[EdgeMap]):
    """Removes arcs around random edge pixels until a share of the edge pixels is gone.

    Exactly that share, rounded to a whole pixel: the last arc is shorter. A gap goes through all channels. The noisy
    edges enclose no regions any more, so ``regions`` becomes None.

    Args:
        rate: Share of the edge pixels to remove, in [0, 1].
        length: Length of an arc, in pixels along the edge, at least 1.

    Raises:
        ValueError: An argument is out of range.
    """

    takes = EdgeMap

    def __init__(self, rate: float, length: int = 20) -> None:
        if not 0 <= rate <= 1:
            raise ValueError(f"rate: expected a share in [0, 1], got {rate}")
        if int(length) != length or length < 1:
            raise ValueError(f"length: expected a whole number >= 1, got {length}")
        self.rate, self.length = rate, length

    def sample(self, labels: EdgeMap, rng: Generator) -> Params:
        """See the base class; the middles of the arcs as flat pixel numbers, in order."""
        union = labels.edges.any(axis=0)
        order = fork(rng, self.op).permutation(np.flatnonzero(union))
        return {"op": self.op, "middles": self._dropped(union, order.tolist())[1]}

    def apply(self, labels: EdgeMap, params: Params) -> EdgeMap:
        """See the base class."""
        if not len(params["middles"]):
            return labels
        left, _ = self._dropped(labels.edges.any(axis=0), params["middles"])
        return labels.replace(edges=labels.edges * left.astype(labels.edges.dtype), regions=None)

    def _dropped(self, union: npt.NDArray[np.bool_], order: Iterable[int]) -> tuple[npt.NDArray[np.bool_], list[int]]:
        """Returns the edge pixels that are left, and which pixels of ``order`` have been the middle of an arc."""
        left = union.copy()
        goal = round(self.rate * np.count_nonzero(union))
        wide = self.length * max(1, 2 * edge_radius(union))
        middles = []
        for pixel in order:
            if goal <= 0:
                break
            row, column = divmod(pixel, union.shape[1])
            if left[row, column]:
                gone = arc(left, row, column, min(wide, goal))
                left[gone] = False
                goal -= len(gone[0])
                middles.append(pixel)
        return left, middles
