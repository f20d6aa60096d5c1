"""Masks drawn in the wrong place."""

from __future__ import annotations

import math
from collections.abc import Mapping

from noisyseg.labels import Instances, Mask
from noisyseg.labels.rng import ObjectStreams
from noisyseg.noise.model import Change, ObjectNoise, Params, mask_of
from noisyseg.registry import TASK_UTILS


@TASK_UTILS.register_module()
class Shift(ObjectNoise):
    """Moves every mask by whole pixels; what leaves the frame is cut.

    With ``sigma=0`` all masks move alike, which is the plainest *biased* noise: networks are reported to bear unbiased
    noise of the boundary, and not this.

    Args:
        dx: Mean move to the right, pixels.
        dy: Mean move downwards, pixels.
        sigma: Standard deviation of the move along each axis, pixels, >= 0; the drawn move is rounded.

    Raises:
        ValueError: ``sigma`` is negative, or a move is not a finite number.
    """

    def __init__(self, dx: float = 0.0, dy: float = 0.0, sigma: float = 0.0) -> None:
        for name, value in (("dx", dx), ("dy", dy)):
            if not math.isfinite(value):
                raise ValueError(f"{name}: expected a number of pixels, got {value}")
        if not 0 <= sigma < math.inf:
            raise ValueError(f"sigma: expected pixels >= 0, got {sigma}")
        self.dx, self.dy, self.sigma = dx, dy, sigma

    def draw(self, labels: Instances, i: int, streams: ObjectStreams) -> Params | None:
        """See the base class; two numbers."""
        x, y = streams.of(self.op, int(labels.source[i])).standard_normal(2).tolist()
        dx, dy = round(self.dx + self.sigma * x), round(self.dy + self.sigma * y)
        return {"dx": dx, "dy": dy} if dx or dy else None

    def changes(self, labels: Instances, draws: Mapping[int, Params]) -> dict[int, Change]:
        """See the base class."""
        return {
            i: Change(mask=_moved(mask_of(labels, i, self.op), drawn["dx"], drawn["dy"])) for i, drawn in draws.items()
        }


def _moved(mask: Mask, dx: int, dy: int) -> Mask:
    left, top, pixels = mask.crop
    (height, width), (h, w) = mask.size_hw, pixels.shape
    x0, y0 = max(left + dx, 0), max(top + dy, 0)
    x1, y1 = min(left + dx + w, width), min(top + dy + h, height)
    if x0 >= x1 or y0 >= y1:
        return Mask.empty(mask.size_hw)
    return Mask.from_crop(x0, y0, pixels[y0 - top - dy : y1 - top - dy, x0 - left - dx : x1 - left - dx], mask.size_hw)
