"""Masks drawn with a distorted outline: moved by a smooth random field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from noisyseg.labels import Instances, Mask
from noisyseg.labels.rng import ObjectStreams
from noisyseg.noise.fields import elastic_field, field_key
from noisyseg.noise.kernels import warps
from noisyseg.noise.model import Change, ObjectNoise, Params, mask_of
from noisyseg.registry import TASK_UTILS


@TASK_UTILS.register_module()
class Elastic(ObjectNoise):
    """Moves the pixels of every mask by a smooth random displacement, each object by a field of its own.

    The displacement is ``alpha`` times a blurred uniform field; its root mean square is ``alpha * sqrt(2 / 3) /
    (2 * sqrt(pi) * sigma)`` pixels: 7.7 for alpha 100 and sigma 3, 0.02 for alpha 1 and sigma 10, which does nothing.

    Args:
        alpha: Amplitude in pixels before the blur, >= 0; of several values each object draws one.
        sigma: Of the blur, pixels, > 0; of several values each object draws one.

    Raises:
        ValueError: A value is out of range, or there is none.

    Reference: NSegment, arXiv 2504.19634, which distorts whole label maps, anew in every iteration and with chance
    0.5; here each object keeps one distortion. For the chance put it into ``OneOf``.
    """

    def __init__(self, alpha: float | Sequence[float], sigma: float | Sequence[float]) -> None:
        self.alpha, self.sigma = alpha, sigma
        self._alphas = tuple(alpha) if isinstance(alpha, Sequence) else (alpha,)
        self._sigmas = tuple(sigma) if isinstance(sigma, Sequence) else (sigma,)
        if not self._alphas or not all(value >= 0 for value in self._alphas):
            raise ValueError(f"alpha: expected pixels >= 0, got {alpha}")
        if not self._sigmas or not all(value > 0 for value in self._sigmas):
            raise ValueError(f"sigma: expected pixels > 0, got {sigma}")

    def draw(self, labels: Instances, i: int, streams: ObjectStreams) -> Params | None:
        """See the base class; ``key`` names the field."""
        rng = streams.of(self.op, int(labels.source[i]))
        key = field_key(rng)
        alpha = self._alphas[int(rng.integers(len(self._alphas)))]
        sigma = self._sigmas[int(rng.integers(len(self._sigmas)))]
        return {"alpha": alpha, "sigma": sigma, "key": key} if alpha else None

    def changes(self, labels: Instances, draws: Mapping[int, Params]) -> dict[int, Change]:
        """See the base class."""
        return {i: Change(mask=_distorted(mask_of(labels, i, self.op), **drawn)) for i, drawn in draws.items()}


def _distorted(mask: Mask, alpha: float, sigma: float, key: int) -> Mask:
    # One pixel more than any displacement, so that what is clipped to the window finds background there.
    left, top, pixels = mask.window(warps.elastic_margin(alpha, sigma) + 1)
    dx, dy = elastic_field(key, left, top, pixels.shape, alpha, sigma)
    return Mask.from_crop(left, top, warps.remap_nearest(pixels, dx, dy), mask.size_hw)
