"""Outlines drawn too large or too small as a whole: vertices moved away from the middle or towards it."""

from __future__ import annotations

from collections.abc import Mapping

from noisyseg.labels import Instances
from noisyseg.labels.rng import ObjectStreams
from noisyseg.noise.kernels.polygons import scale_about_box
from noisyseg.noise.masks.outlines import filled, traced
from noisyseg.noise.model import Change, ObjectNoise, Params, mask_of
from noisyseg.registry import TASK_UTILS


@TASK_UTILS.register_module()
class PolygonScale(ObjectNoise):
    """Scales every part of a mask about the centre of its box, so that its farthest vertex moves by ``delta`` pixels.

    Unlike :class:`Scale` it keeps the shape: long objects change their length more than their width. Out or in is the
    toss of a fair coin. A part whose radius is not larger than the move inwards vanishes; a single pixel stays.

    Args:
        delta: Mean of the move, pixels.
        std: Standard deviation of the move, pixels, >= 0; of the drawn number only the size counts.

    Raises:
        ValueError: ``delta`` or ``std`` is negative.

    Reference: an alternative in the polygon pipeline of COCO-N, arXiv 2406.10891, switched off there. The distribution
    of the move is not verified.
    """

    def __init__(self, delta: float, std: float = 0.0) -> None:
        for name, value in (("delta", delta), ("std", std)):
            if not value >= 0:
                raise ValueError(f"{name}: expected pixels >= 0, got {value}")
        self.delta, self.std = delta, std

    def draw(self, labels: Instances, i: int, streams: ObjectStreams) -> Params | None:
        """See the base class; one coin, one number."""
        rng = streams.of(self.op, int(labels.source[i]))
        sign = 1 if rng.random() < 0.5 else -1
        move = sign * abs(self.delta + self.std * rng.standard_normal())
        return {"delta": move} if move else None

    def changes(self, labels: Instances, draws: Mapping[int, Params]) -> dict[int, Change]:
        """See the base class."""
        changes = {}
        for i, drawn in draws.items():
            parts, left, top = traced(mask_of(labels, i, self.op), "fixed")
            scaled = [part for part in (scale_about_box(part, drawn["delta"]) for part in parts) if part is not None]
            changes[i] = Change(mask=filled(scaled, left, top, labels.size_hw))
        return changes
