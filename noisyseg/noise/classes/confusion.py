"""Objects given the wrong class, any class being as likely as any other."""

from __future__ import annotations

from numpy.random import Generator

from noisyseg.labels import Categories, Instances
from noisyseg.labels.rng import ObjectStreams
from noisyseg.noise.classes.class_noise import ClassNoise, check_rate
from noisyseg.noise.kernels import classes as kernels
from noisyseg.noise.model import Params
from noisyseg.registry import TASK_UTILS


@TASK_UTILS.register_module()
class ClassConfusion(ClassNoise):
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
        check_rate(rate)
        self.rate, self.include_self = rate, include_self

    def new_class(self, class_: int, categories: Categories, rng: Generator) -> int:
        """See the base class."""
        if rng.random() >= self.rate:
            return class_
        count = len(categories)
        if self.include_self:
            return int(rng.integers(count))
        return (class_ + 1 + int(rng.integers(count - 1))) % count if count > 1 else class_

    def draw(self, labels: Instances, i: int, streams: ObjectStreams) -> Params | None:
        """See the base class; most objects are done with the first number, which comes cheaply for all of them."""
        return super().draw(labels, i, streams) if streams.uniform(self.op, int(labels.source[i])) < self.rate else None

    def transition_matrix(self, categories: Categories) -> kernels.Matrix:
        """See the base class."""
        return kernels.symmetric(len(categories), self.rate, include_self=self.include_self)
