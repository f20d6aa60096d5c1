"""Objects given the one class that theirs is usually taken for."""

from __future__ import annotations

from collections.abc import Mapping

from numpy.random import Generator

from noisyseg.labels import Categories
from noisyseg.noise.classes.class_noise import ClassNoise, check_rate
from noisyseg.noise.classes.groups import check_names
from noisyseg.noise.kernels import classes as kernels
from noisyseg.registry import TASK_UTILS


@TASK_UTILS.register_module()
class PairConfusion(ClassNoise):
    """Replaces the class of a share of the objects by the one that it is mapped to; other classes stay.

    The share that really changes is ``rate`` of the mapped classes. Masks and boxes stay.

    Args:
        rate: Share of the objects of mapped classes that change, in [0, 1].
        pairs: The class that each class becomes, by name; a pair that is mistaken both ways stands there twice.

    Raises:
        ValueError: ``rate`` lies outside [0, 1], or a class is mapped to itself.
        LabelError: When it runs: the data has no class of such a name.

    Reference: asymmetric noise of LNCIS, Yang et al., "Learning with Noisy Class Labels for Instance Segmentation",
    ECCV 2020.
    """

    def __init__(self, rate: float, pairs: Mapping[str, str]) -> None:
        check_rate(rate)
        if not isinstance(pairs, Mapping) or not all(isinstance(name, str) for pair in pairs.items() for name in pair):
            raise ValueError(f"pairs: expected class names by class name, got {pairs!r}")
        for clean, noisy in pairs.items():
            if clean == noisy:
                raise ValueError(f"pairs: expected another class for {clean!r}, got itself")
        self.rate, self.pairs = rate, pairs
        self._of: tuple[Categories | None, list[int]] = (None, [])

    def new_class(self, class_: int, categories: Categories, rng: Generator) -> int:
        """See the base class."""
        target = self._targets(categories)[class_]
        return target if rng.random() < self.rate else class_

    def transition_matrix(self, categories: Categories) -> kernels.Matrix:
        """See the base class."""
        return kernels.paired(self._targets(categories), self.rate)

    def _targets(self, categories: Categories) -> list[int]:
        """Returns what each class becomes; worked out once for a data set."""
        if self._of[0] is not categories and self._of[0] != categories:
            check_names(categories, [name for pair in self.pairs.items() for name in pair], "pairs")
            place = {name: class_ for class_, name in enumerate(categories.names)}
            targets = [place[self.pairs.get(name, name)] for name in categories.names]
            self._of = categories, targets
        return self._of[1]
