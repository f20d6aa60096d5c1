"""Masks drawn turned."""

from __future__ import annotations

from collections.abc import Mapping

from noisyseg.labels import Instances
from noisyseg.labels.rng import ObjectStreams
from noisyseg.noise.masks.affine import transformed
from noisyseg.noise.model import Change, ObjectNoise, Params, mask_of
from noisyseg.registry import TASK_UTILS


@TASK_UTILS.register_module()
class Rotate(ObjectNoise):
    """Turns every mask about its centre of mass by an angle drawn uniformly; what leaves the frame is cut.

    Args:
        degrees: Largest angle, either way, in [0, 180]. Round objects do not change.

    Raises:
        ValueError: ``degrees`` is out of range.
    """

    def __init__(self, degrees: float) -> None:
        if not 0 <= degrees <= 180:
            raise ValueError(f"degrees: expected an angle in [0, 180], got {degrees}")
        self.degrees = degrees

    def draw(self, labels: Instances, i: int, streams: ObjectStreams) -> Params | None:
        """See the base class; one number."""
        turn = self.degrees * streams.of(self.op, int(labels.source[i])).uniform(-1, 1)
        return {"degrees": turn} if turn else None

    def changes(self, labels: Instances, draws: Mapping[int, Params]) -> dict[int, Change]:
        """See the base class."""
        return {
            i: Change(
                mask=transformed(mask_of(labels, i, self.op), drawn["degrees"], dx=0.0, dy=0.0, scale=1.0, shear=0.0)
            )
            for i, drawn in draws.items()
        }
