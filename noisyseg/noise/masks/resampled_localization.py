"""Outlines drawn with an unsteady hand: moved to and fro along their whole length."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from noisyseg.labels import Instances
from noisyseg.labels.rng import ObjectStreams
from noisyseg.noise.fields import field_key, field_rng
from noisyseg.noise.kernels.masks import Part
from noisyseg.noise.kernels.polygons import resampled, smooth_around
from noisyseg.noise.masks.outlines import filled, traced
from noisyseg.noise.model import Change, ObjectNoise, Params, mask_of
from noisyseg.registry import TASK_UTILS


@TASK_UTILS.register_module()
class ResampledLocalization(ObjectNoise):
    """Moves the outline by a Gaussian that changes smoothly along it, and fills what results.

    :class:`Localization` moves the corners of the pixel outline, so its strength depends on the shape and on the
    resolution. Here the outline is resampled at equal steps first: a square is moved like a disc, and a shape drawn at
    twice the resolution with twice the lengths gets the same noise. Holes are moved as well. Where the outline is
    shorter than ``correlation``, it moves as a whole.

    Args:
        sigma: Standard deviation of the move along each axis, pixels, >= 0.
        correlation: Distance along the outline, in pixels, at which moves have a correlation of exp(-1/2).
        step: Distance between the points that move, pixels; at most ``correlation``.

    Raises:
        ValueError: An argument is out of range.
    """

    def __init__(self, sigma: float, correlation: float = 10.0, step: float = 2.0) -> None:
        if not sigma >= 0:
            raise ValueError(f"sigma: expected pixels >= 0, got {sigma}")
        if not correlation > 0:
            raise ValueError(f"correlation: expected pixels > 0, got {correlation}")
        if not 0 < step <= correlation:
            raise ValueError(f"step: expected pixels > 0 and at most correlation={correlation}, got {step}")
        self.sigma, self.correlation, self.step = sigma, correlation, step

    def draw(self, labels: Instances, i: int, streams: ObjectStreams) -> Params | None:
        """See the base class; ``key`` names the moves of all points."""
        return {"key": field_key(streams.of(self.op, int(labels.source[i])))} if self.sigma else None

    def changes(self, labels: Instances, draws: Mapping[int, Params]) -> dict[int, Change]:
        """See the base class."""
        changes = {}
        for i, drawn in draws.items():
            parts, left, top = traced(mask_of(labels, i, self.op), "fixed")
            rng = field_rng(drawn["key"])
            moved = []
            for part in parts:
                outer, *holes = (self._moved(ring, rng) for ring in (part.outer, *part.holes))
                moved.append(Part(outer, tuple(holes)))
            changes[i] = Change(mask=filled(moved, left, top, labels.size_hw))
        return changes

    def _moved(self, ring: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        points = resampled(ring, self.step)
        moves = smooth_around(rng.standard_normal(points.shape), self.correlation / self.step)
        return np.rint(points + self.sigma * moves).astype(np.int32)
