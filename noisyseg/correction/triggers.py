"""When each class is due for correction, told from the history of its scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from noisyseg.correction.class_history import ClassHistory
from noisyseg.correction.memorization import Fit
from noisyseg.registry import TASK_UTILS

__all__ = ["ABSENT", "ClassVerdict", "FixedTrigger", "OracleTrigger", "Trigger"]

ABSENT = "not in the data"
"""Why a class without labelled pixels is never due."""


@dataclass(frozen=True)
class ClassVerdict:
    """What a trigger says about one class.

    Attributes:
        due: Whether its labels are to be corrected from now on.
        reason: Why, or why not, for people.
        fit: The fitted curve, where there is one.
        update_epoch: From which 0-based epoch on it is due, as far as one can tell now.
    """

    due: bool
    reason: str
    fit: Fit | None = None
    update_epoch: float | None = None


class Trigger(Protocol):
    """What decides when classes are due: a function of their history, without state."""

    def __call__(
        self, history: ClassHistory, epoch: int, epochs: int, classes: Sequence[int]
    ) -> dict[int, ClassVerdict]:
        """Returns the verdict on each of some classes.

        Args:
            history: What has been counted so far.
            epoch: The 0-based (virtual) epoch that has just ended.
            epochs: How many are planned.
            classes: Which classes to decide.
        """
        ...


@TASK_UTILS.register_module()
class FixedTrigger:
    """Due from given epochs on, whatever the history; for comparisons.

    Args:
        epochs: The 0-based epoch of each class, or one of all; classes that are not named are never due.

    Raises:
        ValueError: An epoch or a class is negative or no integer.
    """

    def __init__(self, epochs: int | Mapping[int, int]) -> None:
        numbers = [*epochs, *epochs.values()] if isinstance(epochs, Mapping) else [epochs]
        if not all(isinstance(number, int) and number >= 0 for number in numbers):
            raise ValueError(f"epochs: expected an epoch >= 0, or one for each class, got {epochs}")
        self.epochs = epochs

    def __call__(
        self, history: ClassHistory, epoch: int, epochs: int, classes: Sequence[int]
    ) -> dict[int, ClassVerdict]:
        """Returns the verdicts; see `Trigger`."""
        verdicts = {}
        for c in classes:
            start = self.epochs.get(c) if isinstance(self.epochs, Mapping) else self.epochs
            reason = "no epoch is set" if start is None else f"set to epoch {start}"
            verdicts[c] = ClassVerdict(start is not None and epoch >= start, reason, None, start)
        return verdicts


@TASK_UTILS.register_module()
class OracleTrigger:
    """Due once the IoU with *clean* labels stays below its highest: a bound for triggers, not a method.

    Args:
        drop: By how much it must be below, in (0, 1].
        patience: In how many last windows, at least 1; one window alone may have fallen by chance.
        min_pixels: Windows are merged until they hold so many clean pixels of the class, >= 0.

    Raises:
        ValueError: A setting is out of range; called with a history that was not compared with clean labels.
    """

    def __init__(self, drop: float = 0.01, min_pixels: int = 1000, patience: int = 1) -> None:
        if not 0 < drop <= 1:
            raise ValueError(f"drop: expected a number above 0 and at most 1, got {drop}")
        if patience < 1:
            raise ValueError(f"patience: expected at least 1, got {patience}")
        if min_pixels < 0:
            raise ValueError(f"min_pixels: expected at least 0, got {min_pixels}")
        self.drop, self.min_pixels, self.patience = drop, min_pixels, patience

    def __call__(
        self, history: ClassHistory, epoch: int, epochs: int, classes: Sequence[int]
    ) -> dict[int, ClassVerdict]:
        """Returns the verdicts; see `Trigger`."""
        return {c: self._verdict(history, c) for c in classes}

    def _verdict(self, history: ClassHistory, c: int) -> ClassVerdict:
        if not history.labelled("clean")[:, c].any():
            return ClassVerdict(False, ABSENT)
        _, iou = history.curve(c, self.min_pixels, "clean")
        below = float(iou.max() - iou[-self.patience :].max())
        return ClassVerdict(below >= self.drop, f"clean IoU is {below:.3f} below its highest, {self.drop} is enough")
