"""Any mistake about single objects, made an exact number of times in a data set."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from noisyseg.labels import Instances
from noisyseg.labels.rng import ObjectStreams
from noisyseg.noise.build import NoiseConfig, build_noise
from noisyseg.noise.model import Change, NoiseModel, ObjectNoise, Params, Streams
from noisyseg.noise.objects import selection
from noisyseg.noise.population import Population
from noisyseg.registry import TASK_UTILS


@TASK_UTILS.register_module()
class Exactly(ObjectNoise):
    """Applies a model to exactly ``floor(rate * N)`` objects of a data set, drawn without replacement.

    Has to be planned, as ``generate_noise`` does. It counts and hits the annotations of the file that the models
    before it leave, neither crowds nor objects that noise invented. The inner model may still leave an object as it is,
    when it draws the class that is there, for example.

    Args:
        noise: A model that treats objects one by one, or its config.
        rate: Share of objects, in [0, 1].
        total: N, when it is not the number of objects that the models before leave.

    Raises:
        ValueError: An argument is out of range; the model does not treat objects one by one; there are not as many
            objects as are to be hit; or the model runs without a plan.
    """

    plans = True

    def __init__(self, noise: NoiseConfig, rate: float, total: int | None = None) -> None:
        self.noise = build_noise(noise)
        if not isinstance(self.noise, ObjectNoise) or self.noise.plans:
            raise ValueError(f"noise: expected a model that treats objects one by one, got {self.noise!r}")
        if not 0 <= rate <= 1:
            raise ValueError(f"rate: expected a share in [0, 1], got {rate}")
        if total is not None and total < 0:
            raise ValueError(f"total: expected a number of objects >= 0, got {total}")
        self.needs_image = self.noise.needs_image
        self.rate, self.total = rate, total
        self._hit: frozenset[int] | None = None

    def planned(self, population: Population, streams: Streams) -> tuple[NoiseModel[Instances], Population]:
        """See the base class."""
        ours = selection.countable(population)
        count = selection.whole(self.rate * (len(ours) if self.total is None else self.total))
        if count > len(ours):
            raise ValueError(f"rate: {self.rate} of {self.total} are {count} objects, but only {len(ours)} are left")
        numbers = selection.population_numbers(population, streams, self.op)
        places = ours[selection.smallest(numbers[ours], population.source[ours], count)]
        model = copy.copy(self)
        model._hit, model.plans = selection.sources_at(population, places, self.op), False
        return model, population

    def draw(self, labels: Instances, i: int, streams: ObjectStreams) -> Params | None:
        """See the base class."""
        if self._hit is None:
            raise selection.unplanned(self.op)
        return self.noise.draw(labels, i, streams.under(self.op)) if int(labels.source[i]) in self._hit else None

    def changes(self, labels: Instances, draws: Mapping[int, Params]) -> dict[int, Change]:
        """See the base class."""
        return self.noise.changes(labels, draws)

    def describe(self, draws: Params) -> list[dict[str, Any]]:
        """See the base class; the entry is that of the inner model."""
        return self.noise.describe(draws)
