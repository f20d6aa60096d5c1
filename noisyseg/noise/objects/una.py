"""Universal noise annotation (UNA): four mistakes of object detection, each made an exact number of times."""

from __future__ import annotations

import copy
from collections import Counter

from numpy.random import Generator

from noisyseg.labels import Instances
from noisyseg.noise.build import NoiseConfig, build_noise
from noisyseg.noise.classes import ClassConfusion
from noisyseg.noise.compose import Chain
from noisyseg.noise.model import History, NoiseModel, Params, Streams
from noisyseg.noise.objects import selection
from noisyseg.noise.objects.bogus import Bogus
from noisyseg.noise.objects.exactly import Exactly
from noisyseg.noise.objects.missing import Missing
from noisyseg.noise.population import Population
from noisyseg.registry import TASK_UTILS


@TASK_UTILS.register_module()
class Una(NoiseModel[Instances]):
    """Forgets objects, moves boxes, confuses classes and invents objects, in this order, in exact numbers.

    With N objects in the data set: ``floor(rate * N)`` go; of those that are left ``floor(rate * N)`` get a wrong box
    and, chosen independently, as many a class drawn uniformly, which may be their own; then
    ``round(N * rate / (1 - rate))`` are added, the same number to every image. As all counts refer to the clean N, the
    share of wrong boxes among those left is ``rate / (1 - rate)``. Has to be planned, as ``generate_noise`` does.

    Args:
        rate: Noise ratio, in [0, 0.5); from 0.5 on there are not enough objects left.
        box_noise: What happens to a box: a model that treats objects one by one, or its config.
            ``noisyseg.ResampledBox`` is that of the paper.

    Raises:
        ValueError: ``rate`` is out of range, or the model runs without a plan.

    Reference: "Universal noise annotation", arXiv 2312.13822. The authors' code counts crowds and leaves areas as they
    were; this one does not count crowds.
    """

    plans = True

    def __init__(self, rate: float, box_noise: NoiseConfig) -> None:
        if not 0 <= rate < 0.5:
            raise ValueError(f"rate: expected a share in [0, 0.5), got {rate}")
        self.rate = rate
        self.box_noise = build_noise(box_noise, "box_noise", takes=Instances)
        self._chain = self._counting(0)
        self.needs_image = self._chain.needs_image

    def planned(self, population: Population, streams: Streams) -> tuple[NoiseModel[Instances], Population]:
        """See the base class."""
        model = copy.copy(self)
        model._chain, left = self._counting(len(selection.countable(population))).planned(population, streams)
        model.plans = False
        return model, left

    def sample(self, labels: Instances, rng: Generator) -> Params:
        """See the base class."""
        return self.run(labels, rng)[1]

    def run(self, labels: Instances, rng: Generator) -> tuple[Instances, Params]:
        """See the base class; in one pass, since a model samples on what the one before it made."""
        if self.plans:
            raise selection.unplanned(self.op)
        noisy, params = self._chain.run(labels, rng)
        return noisy, params | {"op": self.op}

    def apply(self, labels: Instances, params: Params) -> Instances:
        """See the base class."""
        return self._chain.apply(labels, params)

    def history(self, params: Params) -> History:
        """See the base class."""
        return self._chain.history(params)

    def tally(self, params: Params) -> Counter[str]:
        """See the base class."""
        return self._chain.tally(params)

    def _counting(self, total: int) -> Chain[Instances]:
        """Returns the four models, with rates that refer to ``total`` objects."""
        return Chain(
            [
                Missing(self.rate, "global_exact"),
                Exactly(self.box_noise, self.rate, total),
                Exactly(ClassConfusion(1.0), self.rate, total),
                Bogus(self.rate, max_iou=None, total=total),
            ]
        )
