"""Masks drawn turned, stretched or in the wrong place."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from noisyseg.labels import Instances, Mask
from noisyseg.labels.rng import ObjectStreams
from noisyseg.noise.kernels import warps
from noisyseg.noise.model import Change, ObjectNoise, Params, mask_of
from noisyseg.registry import TASK_UTILS


@TASK_UTILS.register_module()
class Affine(ObjectNoise):
    """Turns, scales, shears and moves every mask about its centre of mass; what leaves the frame is cut.

    Each number is drawn uniformly. A pixel belongs to the new mask if the place that it comes from does.

    Args:
        degrees: Turns by up to this angle, either way.
        shift: Moves by up to this many pixels along each axis, either way.
        scale: Smallest and largest factor of both sides, > 0.
        shear: Shears along x by up to this angle in degrees, either way, < 90.

    Raises:
        ValueError: An argument is out of range.
    """

    def __init__(
        self,
        degrees: float = 0.0,
        shift: float = 0.0,
        scale: Sequence[float] = (1.0, 1.0),
        shear: float = 0.0,
    ) -> None:
        if not 0 <= degrees <= 180:
            raise ValueError(f"degrees: expected an angle in [0, 180], got {degrees}")
        if not 0 <= shift < math.inf:
            raise ValueError(f"shift: expected pixels >= 0, got {shift}")
        if not 0 <= shear < 90:
            raise ValueError(f"shear: expected an angle in [0, 90), got {shear}")
        if len(scale) != 2 or not 0 < scale[0] <= scale[1] < math.inf:
            raise ValueError(f"scale: expected two factors, 0 < smallest <= largest, got {scale}")
        self.degrees, self.shift, self.scale, self.shear = degrees, shift, tuple(scale), shear

    def draw(self, labels: Instances, i: int, streams: ObjectStreams) -> Params | None:
        """See the base class; five numbers."""
        *moves, size = streams.of(self.op, int(labels.source[i])).uniform(-1, 1, 5).tolist()
        low, high = self.scale
        factor = low + (high - low) * (size + 1) / 2
        limits = {"degrees": self.degrees, "dx": self.shift, "dy": self.shift, "shear": self.shear}
        drawn = {name: limit * move for (name, limit), move in zip(limits.items(), moves, strict=True)}
        return drawn | {"scale": factor} if any(drawn.values()) or factor != 1 else None

    def changes(self, labels: Instances, draws: Mapping[int, Params]) -> dict[int, Change]:
        """See the base class."""
        return {i: Change(mask=transformed(mask_of(labels, i, self.op), **drawn)) for i, drawn in draws.items()}


def transformed(mask: Mask, degrees: float, dx: float, dy: float, scale: float, shear: float) -> Mask:
    """Returns the mask sheared, scaled and turned (clockwise as seen) about its centre of mass, then moved."""
    left, top, pixels = mask.crop
    rows, columns = np.nonzero(pixels)
    if not rows.size:
        return mask
    centre = np.array([left + columns.mean(), top + rows.mean()])
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    slope = math.tan(math.radians(shear))
    matrix = scale * np.array([[cosine, -sine], [sine, cosine]]) @ np.array([[1, slope], [0, 1]])
    target = centre + np.array([dx, dy])
    height, width = pixels.shape
    corners = np.array([(x, y) for x in (left - 0.5, left + width - 0.5) for y in (top - 0.5, top + height - 0.5)])
    reached = (corners - centre) @ matrix.T + target
    x0, y0 = np.floor(reached.min(axis=0)).clip(0).astype(int).tolist()
    x1, y1 = np.minimum(np.ceil(reached.max(axis=0)) + 1, mask.size_hw[::-1]).astype(int).tolist()
    if x0 >= x1 or y0 >= y1:
        return Mask.empty(mask.size_hw)
    inverse = np.linalg.inv(matrix)
    offset = centre - inverse @ target
    moved = warps.affine_nearest(pixels, (left, top), inverse, offset, (x0, y0), (y1 - y0, x1 - x0))
    return Mask.from_crop(x0, y0, moved, mask.size_hw)
