"""Noise models made of noise models: one after the other, and one out of several."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any

from numpy.random import Generator

from noisyseg.labels import Instances
from noisyseg.labels.rng import ObjectStreams, fork
from noisyseg.noise.build import NoiseConfig, build_noises
from noisyseg.noise.model import Change, History, L, NoiseModel, ObjectNoise, Params, Streams
from noisyseg.noise.population import Population
from noisyseg.registry import TASK_UTILS


@TASK_UTILS.register_module()
class Chain(NoiseModel[L]):
    """Applies models one after the other, each to what the one before it left.

    A model's draws depend on its name and not on its place, so reordering or removing one leaves the draws of the
    others alone. A model that occurs again, here or inside another one, draws anew.

    Args:
        noises: Models or their configs, all for the same class of labels.
    """

    def __init__(self, noises: Sequence[NoiseConfig]) -> None:
        self.noises = build_noises(noises)
        self.takes = self.noises[0].takes if self.noises else Instances
        self.needs_image = any(noise.needs_image for noise in self.noises)
        self.plans = any(noise.plans for noise in self.noises)

    def sample(self, labels: L, rng: Generator) -> Params:
        """See :meth:`NoiseModel.sample`."""
        return self.run(labels, rng)[1]

    def run(self, labels: L, rng: Generator) -> tuple[L, Params]:
        """See :meth:`NoiseModel.run`; in one pass, since a model samples on what the one before it made."""
        steps = []
        rng = fork(rng, self.op)
        for noise, again in self._counted():
            noisy, params = noise.run(labels, fork(rng, again) if again else rng)
            labels = self._settled(labels, noisy)
            steps.append(params)
        return labels, {"op": self.op, "steps": steps}

    def apply(self, labels: L, params: Params) -> L:
        """See :meth:`NoiseModel.apply`."""
        for noise, step in zip(self.noises, params["steps"], strict=True):
            labels = self._settled(labels, noise.apply(labels, step))
        return labels

    def planned(self, population: Population, streams: Streams) -> tuple[NoiseModel[L], Population]:
        """See :meth:`NoiseModel.planned`."""
        noises = []
        for noise, again in self._counted():

            def inner(image: int | str, again: int = again) -> Generator:
                return fork(streams(image), self.op, *([again] if again else []))

            noise, population = noise.planned(population, inner)
            noises.append(noise)
        return type(self)(**self.settings | {"noises": noises}), population

    def history(self, params: Params) -> History:
        """See :meth:`NoiseModel.history`."""
        merged: History = {}
        for noise, step in zip(self.noises, params["steps"], strict=True):
            for source, entries in noise.history(step).items():
                merged.setdefault(source, []).extend(entries)
        return merged

    def tally(self, params: Params) -> Counter[str]:
        """See :meth:`NoiseModel.tally`."""
        return sum(
            (noise.tally(step) for noise, step in zip(self.noises, params["steps"], strict=True)), start=Counter()
        )

    def _counted(self) -> Iterator[tuple[NoiseModel[L], int]]:
        """Yields each model and how many of its name stand before it."""
        seen: Counter[str] = Counter()
        for noise in self.noises:
            yield noise, seen[noise.op]
            seen[noise.op] += 1

    def _settled(self, before: L, after: L) -> L:
        """Returns the labels as the next model is to see them."""
        return after


@TASK_UTILS.register_module()
class OneOf(ObjectNoise):
    """Applies to each object at most one of several models.

    Args:
        noises: Models that treat objects one by one, or their configs.
        probs: Share of objects that each model gets, in [0, 1]; what is missing to 1 stays as it is.

    Raises:
        ValueError: There are not as many shares as models, one lies outside [0, 1], or they exceed 1 together; or a
            model does not treat objects one by one.
    """

    def __init__(self, noises: Sequence[NoiseConfig], probs: Sequence[float]) -> None:
        self.noises: list[ObjectNoise] = build_noises(noises)
        self.needs_image = any(noise.needs_image for noise in self.noises)
        for place, noise in enumerate(self.noises):
            if not isinstance(noise, ObjectNoise):
                raise ValueError(f"noises[{place}]: expected a model that treats objects one by one, got {noise!r}")
            if noise.plans:
                raise ValueError(f"noises[{place}]: {noise.op} counts over the data set, which OneOf cannot promise")
        if len(probs) != len(self.noises):
            raise ValueError(f"probs: expected {len(self.noises)}, one a model, got {len(probs)}")
        if not all(0 <= p <= 1 for p in probs) or math.fsum(probs) > 1 + 1e-9:
            raise ValueError(f"probs: expected shares in [0, 1] that sum to at most 1, got {list(probs)}")
        self.probs = list(probs)
        self._stops = list(accumulate(probs))

    def draw(self, labels: Instances, i: int, streams: ObjectStreams) -> Params | None:
        """See the base class."""
        u = streams.uniform(self.op, int(labels.source[i]))
        for choice, stop in enumerate(self._stops):
            if u < stop:
                draws = self.noises[choice].draw(labels, i, streams.under(self.op))
                return None if draws is None else {"choice": choice, "draws": draws}
        return None

    def changes(self, labels: Instances, draws: Mapping[int, Params]) -> dict[int, Change]:
        """See the base class."""
        chosen: dict[int, dict[int, Params]] = {}
        for i, drawn in draws.items():
            chosen.setdefault(drawn["choice"], {})[i] = drawn["draws"]
        changes: dict[int, Change] = {}
        for choice, of_choice in chosen.items():
            changes |= self.noises[choice].changes(labels, of_choice)
        return changes

    def describe(self, draws: Params) -> list[dict[str, Any]]:
        """See the base class; the entry is that of the chosen model."""
        return self.noises[draws["choice"]].describe(draws["draws"])
