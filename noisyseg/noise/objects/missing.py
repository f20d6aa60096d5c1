"""Objects that the annotator forgot."""

from __future__ import annotations

import copy
import math
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
from numpy.random import Generator

from noisyseg.labels import Instances
from noisyseg.labels.rng import ObjectStreams
from noisyseg.noise.model import History, NoiseModel, Params, Streams, object_keys
from noisyseg.noise.objects import selection
from noisyseg.noise.population import Population
from noisyseg.registry import TASK_UTILS

Protocol = Literal[
    "bernoulli",
    "per_image_exact",
    "remove_one",
    "remove_half",
    "keep_one",
    "global_exact",
    "per_class_exact",
    "size_biased",
]
Guard = Literal["none", "last", "official"]
EXACT = ("global_exact", "per_class_exact", "size_biased")
WITHOUT_RATE = ("remove_one", "remove_half", "keep_one")
WITH_GUARD = ("bernoulli", "per_image_exact")


@TASK_UTILS.register_module()
class Missing(NoiseModel[Instances]):
    """Removes objects.

    Every object has a uniform number of its own, and those with the smallest ones go: with the same seed, what is
    missing at a lower rate is missing at a higher one too. Crowds are neither counted nor removed. Images stay in the
    file when they have lost everything.

    Args:
        rate: Share of objects that go, in [0, 1]; not for ``remove_one``, ``remove_half`` and ``keep_one``.
        protocol: Which ones. N objects in the data set, n in an image:

            - ``"bernoulli"``: each by itself with probability ``rate``.
            - ``"per_image_exact"``: ``rate * n`` of each image, rounded, halves up.
            - ``"remove_one"``, ``"remove_half"``, ``"keep_one"``: 1, ``n // 2``, ``n - 1`` of each image, but never
              the only object.
            - ``"global_exact"``: ``floor(rate * N)`` of the data set, without regard to images.
            - ``"per_class_exact"``: the same for the objects of each class.
            - ``"size_biased"``: ``floor(rate * N)`` of the data set, drawn one after the other with probability
              proportional to area ** -beta.

            The last three count over the data set, so they have to be planned, as ``generate_noise`` does; they count
            the annotations of the file that the models before them leave, not objects that noise invented.
        guard: For ``bernoulli`` and ``per_image_exact``: ``"last"`` leaves every image at least one object;
            ``"official"`` spares an object that is alone in its image, but an image of several can lose all of them, as
            in the authors' code of COCO-N; ``"none"`` spares nothing.
        beta: For ``size_biased``: 0 makes all objects equal, 1 makes half the area twice as likely.

    Raises:
        ValueError: An argument is out of range, or does not go with the protocol; or a model that counts over the data
            set runs without a plan.

    Reference: ``global_exact`` is UNA's, arXiv 2312.13822; guarded ``bernoulli`` is that of COCO-N's second generator,
    arXiv 2406.10891. Size bias by exponential ranks: Efraimidis and Spirakis, "Weighted random sampling with a
    reservoir", 2006.
    """

    def __init__(
        self, rate: float | None = None, protocol: Protocol = "bernoulli", guard: Guard = "none", beta: float = 0.0
    ) -> None:
        if protocol not in get_args(Protocol):
            raise ValueError(f"protocol: expected one of {', '.join(get_args(Protocol))}, got {protocol!r}")
        if protocol in WITHOUT_RATE and rate is not None:
            raise ValueError(f"rate: {protocol!r} takes none, got {rate}")
        if protocol not in WITHOUT_RATE and (rate is None or not 0 <= rate <= 1):
            raise ValueError(f"rate: expected a share in [0, 1], got {rate}")
        if guard not in get_args(Guard):
            raise ValueError(f"guard: expected one of {', '.join(get_args(Guard))}, got {guard!r}")
        if guard != "none" and protocol not in WITH_GUARD:
            raise ValueError(f"guard: {protocol!r} takes none, got {guard!r}")
        if not math.isfinite(beta) or (beta and protocol != "size_biased"):
            raise ValueError(f"beta: expected a finite number, and 0 unless the protocol is 'size_biased', got {beta}")
        self.rate, self.protocol, self.guard, self.beta = rate, protocol, guard, beta
        self.plans = protocol in EXACT
        self._removed: frozenset[int] = frozenset()

    def sample(self, labels: Instances, rng: Generator) -> Params:
        """See the base class; ``removed`` names the objects that go."""
        if self.plans:
            raise selection.unplanned(f"{self.op}: protocol {self.protocol!r}")
        names, ours = object_keys(labels), np.flatnonzero(~labels.crowd)
        if self.protocol in EXACT:
            goes = np.array([source in self._removed for source in labels.source[ours].tolist()], bool)
        else:
            goes = self._of_image(selection.object_numbers([names[i] for i in ours], ObjectStreams(rng), self.op))
        return {"op": self.op, "removed": [names[i] for i in ours[goes]]}

    def apply(self, labels: Instances, params: Params) -> Instances:
        """See the base class."""
        removed = set(params["removed"])
        if not removed:
            return labels
        return labels.take(np.array([i for i, name in enumerate(object_keys(labels)) if name not in removed], np.int64))

    def planned(self, population: Population, streams: Streams) -> tuple[NoiseModel[Instances], Population]:
        """See the base class."""
        numbers = selection.population_numbers(population, streams, self.op)
        model, goes = self, np.zeros(len(population), bool)
        if self.protocol in EXACT:
            model = copy.copy(self)
            places = self._of_data_set(population, numbers)
            goes[places] = True
            model._removed, model.plans = selection.sources_at(population, places, self.op), False
        else:
            for members in selection.by_image(population):
                members = members[~population.crowd[members]]
                goes[members] = self._of_image(numbers[members])
        return model, population.take(~goes)

    def history(self, params: Params) -> History:
        """See the base class."""
        history: History = {}
        for name in params["removed"]:
            source, _, piece = name.partition(".")
            entry = {"op": self.op, "params": self.settings, "draws": {}}
            history.setdefault(int(source), []).append(entry | {"piece": int(piece)} if piece else entry)
        return history

    def _of_image(self, numbers: selection.Floats) -> npt.NDArray[np.bool_]:
        """Returns which objects of an image go."""
        n = len(numbers)
        if self.protocol == "bernoulli":
            count = int((numbers < self.rate).sum())
        else:
            counts = {"remove_one": 1, "remove_half": n // 2, "keep_one": n - 1}
            count = counts[self.protocol] if self.rate is None else selection.whole(self.rate * n + 0.5)
        if self.guard == "last" or self.protocol in WITHOUT_RATE or (self.guard == "official" and n == 1):
            count = min(count, n - 1)
        goes = np.zeros(n, bool)
        goes[np.argsort(numbers, kind="stable")[: max(count, 0)]] = True
        return goes

    def _of_data_set(self, population: Population, numbers: selection.Floats) -> npt.NDArray[np.int64]:
        """Returns the places of the objects of the data set that go."""
        ours = selection.countable(population)
        if self.protocol == "per_class_exact":
            groups = [ours[population.classes[ours] == class_] for class_ in range(len(population.categories))]
        else:
            groups = [ours]
        if self.beta:
            # Whoever has the smallest exponential waiting time goes first; the rate of waiting is area ** -beta.
            with np.errstate(divide="ignore"):
                numbers = -np.log1p(-numbers) * population.areas**self.beta
        return np.concatenate(
            [
                group[
                    selection.smallest(
                        numbers[group], population.source[group], selection.whole(self.rate * len(group))
                    )
                ]
                for group in groups
            ]
        )
