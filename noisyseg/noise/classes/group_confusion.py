"""Objects given the class of something similar: one of the same group."""

from __future__ import annotations

from pathlib import Path

from numpy.random import Generator

from noisyseg.labels import Categories
from noisyseg.noise.classes.class_noise import ClassNoise, check_rate, member
from noisyseg.noise.classes.groups import UNGROUPED, Groups, Ungrouped, given_groups, group_numbers
from noisyseg.noise.kernels import classes as kernels
from noisyseg.registry import TASK_UTILS


@TASK_UTILS.register_module()
class GroupConfusion(ClassNoise):
    """Replaces the class of a share of the objects by one of its group, drawn uniformly.

    In a group of g classes the share that really changes is ``rate * (g - 1) / g`` when an object may draw its own
    class, and ``rate`` when it may not; a class that is alone in its group never changes. Masks and boxes stay.

    Args:
        rate: Share of objects that draw a new class, in [0, 1].
        include_self: Whether the new class may be the old one.
        groups: Class names by group, as a mapping or a JSON file with one; ``"cityscapes"`` for humans and vehicles;
            None for the super-categories of the data.
        ungrouped: What classes without a group do: ``"error"``; ``"together"``, they are a group of their own, so that
            data without any super-category is one group; ``"alone"``, they never change.

    Raises:
        ValueError: ``rate`` lies outside [0, 1], or ``groups`` or ``ungrouped`` cannot be used.
        LabelError: When it runs: a class has no group and ``ungrouped`` does not say what then, or ``groups`` names a
            class that the data does not have.

    Reference: super-category noise of COCO-N's later generators (exclusive, arXiv 2406.10891), LNCIS (inclusive,
    Yang et al., ECCV 2020), Noisy-LVIS (inclusive, arXiv 2211.13435). The released codes never draw the last class of
    a group; we do.
    """

    def __init__(
        self,
        rate: float,
        include_self: bool = True,
        groups: Groups | str | Path | None = None,
        ungrouped: Ungrouped = "error",
    ) -> None:
        check_rate(rate)
        if ungrouped not in UNGROUPED:
            raise ValueError(f"ungrouped: expected one of {', '.join(UNGROUPED)}, got {ungrouped!r}")
        self._given = None if groups is None else given_groups(groups)
        self.rate, self.include_self = rate, include_self
        self.groups = str(groups) if isinstance(groups, Path) else groups
        self.ungrouped = ungrouped
        self._of: tuple[Categories | None, list[tuple[int, ...]]] = (None, [])

    def new_class(self, class_: int, categories: Categories, rng: Generator) -> int:
        """See the base class."""
        members = self._members(categories)[class_]
        if rng.random() >= self.rate:
            return class_
        return member(members, members.index(class_), self.include_self, rng)

    def transition_matrix(self, categories: Categories) -> kernels.Matrix:
        """See the base class."""
        numbers = group_numbers(categories, self._given, self.ungrouped)
        return kernels.grouped(numbers, self.rate, include_self=self.include_self)

    def _members(self, categories: Categories) -> list[tuple[int, ...]]:
        """Returns for each class the classes of its group; worked out once for a data set."""
        if self._of[0] is not categories and self._of[0] != categories:
            numbers = group_numbers(categories, self._given, self.ungrouped)
            groups: dict[int, list[int]] = {}
            for class_, number in enumerate(numbers):
                groups.setdefault(number, []).append(class_)
            members = {number: tuple(classes) for number, classes in groups.items()}
            self._of = categories, [members[number] for number in numbers]
        return self._of[1]
