"""What all models of class noise share: a rule for one object, and the matrix that it amounts to."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping

import numpy as np
from numpy.random import Generator

from noisyseg.labels import Categories, Instances
from noisyseg.labels.rng import ObjectStreams
from noisyseg.noise.kernels.classes import Matrix
from noisyseg.noise.model import Change, ObjectNoise, Params


class ClassNoise(ObjectNoise):
    """Noise that gives objects another class; masks, boxes and the list of classes stay.

    A subclass says what becomes of a class (:meth:`new_class`) and with which probabilities
    (:meth:`transition_matrix`).
    """

    @abstractmethod
    def new_class(self, class_: int, categories: Categories, rng: Generator) -> int:
        """Returns the class that an object of ``class_`` draws, itself where it stays."""

    @abstractmethod
    def transition_matrix(self, categories: Categories) -> Matrix:
        """Returns (K, K) float64, the probability of class j for an object of class i; every row sums to 1."""

    def flip_rates(self, categories: Categories) -> Matrix:
        """Returns (K,) float64, the share of each class that really changes."""
        return 1.0 - np.diagonal(self.transition_matrix(categories))

    def draw(self, labels: Instances, i: int, streams: ObjectStreams) -> Params | None:
        """See the base class; None where the class stays, also by drawing itself."""
        clean = int(labels.classes[i])
        drawn = self.new_class(clean, labels.categories, streams.of(self.op, int(labels.source[i])))
        return None if drawn == clean else {"class": drawn}

    def changes(self, labels: Instances, draws: Mapping[int, Params]) -> dict[int, Change]:
        """See the base class."""
        return {i: Change(class_=drawn["class"]) for i, drawn in draws.items()}


def check_rate(rate: float) -> None:
    """Raises ValueError unless ``rate`` is a share of objects."""
    if not 0 <= rate <= 1:
        raise ValueError(f"rate: expected a share in [0, 1], got {rate}")


def member(members: tuple[int, ...], place: int, include_self: bool, rng: Generator) -> int:
    """Returns one of ``members``, drawn uniformly: of all, or of all but the one at ``place``, if there are others."""
    count = len(members)
    if include_self:
        return members[int(rng.integers(count))]
    return members[(place + 1 + int(rng.integers(count - 1))) % count] if count > 1 else members[place]
