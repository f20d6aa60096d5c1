"""Edges where nothing ends: texture and shadows taken for outlines."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
from numpy.random import Generator
from scipy import ndimage

from noisyseg.labels import EdgeMap
from noisyseg.labels.edges import edge_radius
from noisyseg.labels.rng import fork
from noisyseg.noise.kernels.edges import arc, canny_edges
from noisyseg.noise.model import NoiseModel, Params
from noisyseg.registry import TASK_UTILS


class CannySettings(NamedTuple):
    """How Canny looks at an image: the blur before it, in pixels, and its two thresholds."""

    sigma: float
    low: float
    high: float

    def checked(self) -> CannySettings:
        """Returns the settings.

        Raises:
            ValueError: One is out of range.
        """
        if not self.sigma > 0:
            raise ValueError(f"sigma: expected a length > 0, got {self.sigma}")
        if not 0 <= self.low <= self.high:
            raise ValueError(f"low: expected a threshold in [0, high = {self.high}], got {self.low}")
        return self


def image_of(labels: EdgeMap, op: str) -> npt.NDArray[np.uint8]:
    """Returns the image of the labels.

    Raises:
        TypeError: They came without it.
    """
    if labels.image is None:
        raise TypeError(f"{op} needs the image, but the labels have none")
    return labels.image


@TASK_UTILS.register_module()
class EdgeSpurious(NoiseModel[EdgeMap]):
    """Adds edges that Canny finds in the image away from the true ones, until the edges have grown by a share.

    Whole connected segments in random order; the last is cut to length. Where the image has too few, all are added.
    Each goes to a random channel among those that have edges. Segments are drawn as wide as the true edges are. The
    noisy edges do not part regions any more, so ``regions`` becomes None.

    Args:
        rate: Length of the added edges as a share of the length of the true ones, at least 0.
        distance: True edges are farther than this from every added one, pixels.
        shortest: Segments of fewer pixels than this are left out.
        sigma: Standard deviation of the 5x5 Gaussian before Canny, pixels; 1.5 for SBD, 2 for Cityscapes.
        low: Canny's lower threshold; 25 for SBD, 10 for Cityscapes.
        high: Canny's upper threshold; 150 for SBD, 100 for Cityscapes.

    Raises:
        ValueError: An argument is out of range.

    Reference: Canny settings of PNT-Edge, arXiv 2307.14070; it publishes no generator.
    """

    takes = EdgeMap
    needs_image = True

    def __init__(
        self,
        rate: float,
        distance: float = 5,
        shortest: int = 5,
        sigma: float = 1.5,
        low: float = 25,
        high: float = 150,
    ) -> None:
        if not 0 <= rate < float("inf"):
            raise ValueError(f"rate: expected a share >= 0, got {rate}")
        if not distance >= 0:
            raise ValueError(f"distance: expected a length >= 0, got {distance}")
        if not shortest >= 1:
            raise ValueError(f"shortest: expected a number of pixels >= 1, got {shortest}")
        self.rate, self.distance, self.shortest = rate, distance, shortest
        self.sigma, self.low, self.high = CannySettings(sigma, low, high).checked()

    def sample(self, labels: EdgeMap, rng: Generator) -> Params:
        """See the base class; a pixel of each segment as a flat number, how many of its pixels, and its channel."""
        union = labels.edges.any(axis=0)
        radius = edge_radius(union)
        asked = round(self.rate * np.count_nonzero(union) / max(1, 2 * radius))
        segments: list[list[int]] = []
        if asked:
            rng = fork(rng, self.op)
            channels = np.flatnonzero(labels.edges.any(axis=(1, 2)))
            firsts, sizes = self._segments(labels, union, radius)[1:]
            missing = asked
            for k in rng.permutation(len(firsts)).tolist():
                channel = int(channels[rng.integers(len(channels))])
                segments.append([int(firsts[k]), min(int(sizes[k]), missing), channel])
                missing -= segments[-1][1]
                if not missing:
                    break
        return {"op": self.op, "asked": asked, "segments": segments}

    def apply(self, labels: EdgeMap, params: Params) -> EdgeMap:
        """See the base class."""
        if not len(params["segments"]):
            return labels
        union = labels.edges.any(axis=0)
        radius = edge_radius(union)
        candidates = self._segments(labels, union, radius)[0]
        added = np.zeros(labels.edges.shape, bool)
        for first, count, channel in params["segments"]:
            added[channel][arc(candidates, *divmod(first, union.shape[1]), count)] = True
        if radius:
            # A line of pixels has a centre; a band drawn from labels has none and is 2 radius wide.
            for k in np.flatnonzero(added.any(axis=(1, 2))):
                added[k] = ndimage.distance_transform_edt(~added[k]) < radius
        noisy = np.maximum(labels.edges, added.astype(labels.edges.dtype))
        return labels.replace(edges=noisy, regions=None)

    def _segments(
        self, labels: EdgeMap, union: npt.NDArray[np.bool_], radius: int
    ) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Returns the edges of the image that lie far enough from the true ones, and their segments.

        Returns:
            (H, W) bool; for each segment the flat number of a pixel; and its count of pixels.
        """
        found = canny_edges(image_of(labels, self.op), self.sigma, self.low, self.high)
        found &= ndimage.distance_transform_edt(~union) > self.distance + radius
        _, numbers = cv2.connectedComponents(found.astype(np.uint8), connectivity=8)
        names, firsts, sizes = np.unique(numbers, return_index=True, return_counts=True)
        kept = (names > 0) & (sizes >= self.shortest)
        return found, firsts[kept], sizes[kept]
