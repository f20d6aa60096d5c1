"""Objects given the wrong class."""

from __future__ import annotations

from collections.abc import Mapping

from noisyseg.labels import Instances
from noisyseg.labels.rng import ObjectStreams
from noisyseg.noise.model import Change, ObjectNoise, Params
from noisyseg.registry import TASK_UTILS


@TASK_UTILS.register_module()
class ClassConfusion(ObjectNoise):
    """Replaces the class of a share of the objects by one drawn uniformly.

    With K classes the share that really changes is ``rate * (K - 1) / K`` when an object may draw its own class, and
    ``rate`` when it may not. Masks and boxes stay.

    Args:
        rate: Share of objects that draw a new class, in [0, 1].
        include_self: Whether the new class may be the old one (the inclusive convention of COCO-N).

    Raises:
        ValueError: ``rate`` lies outside [0, 1].

    Reference: COCO-N, arXiv 2406.10891, symmetric class noise (inclusive).
    """

    def __init__(self, rate: float, include_self: bool = True) -> None:
        if not 0 <= rate <= 1:
            raise ValueError(f"rate: expected a share in [0, 1], got {rate}")
        self.rate, self.include_self = rate, include_self

    def draw(self, labels: Instances, i: int, streams: ObjectStreams) -> Params | None:
        """See the base class; None where the class stays, also by drawing itself."""
        rng = streams.of(self.op, int(labels.source[i]))
        if rng.random() >= self.rate:
            return None
        clean, count = int(labels.classes[i]), len(labels.categories)
        if self.include_self:
            drawn = int(rng.integers(count))
        elif count > 1:
            drawn = (clean + 1 + int(rng.integers(count - 1))) % count
        else:
            drawn = clean
        return None if drawn == clean else {"class": drawn}

    def changes(self, labels: Instances, draws: Mapping[int, Params]) -> dict[int, Change]:
        """See the base class."""
        return {i: Change(class_=drawn["class"]) for i, drawn in draws.items()}
