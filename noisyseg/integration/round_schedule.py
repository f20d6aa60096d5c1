"""When the rounds of a training end, counted in epochs or iterations."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["RoundSchedule"]


@dataclass(frozen=True)
class RoundSchedule:
    """Rounds of equal length, but for the first and the last.

    Attributes:
        rounds: How many there are; the last one goes on to the end of the training, and nothing follows it.
        first: Length of the first round, in steps: epochs or iterations.
        length: Length of the others.
    """

    rounds: int
    first: int
    length: int

    def __post_init__(self) -> None:
        if self.rounds < 2 or self.first < 1 or self.length < 1:
            raise ValueError(f"expected at least 2 rounds of at least 1 step, got {self}")

    def times(self, factor: int) -> RoundSchedule:
        """Returns the schedule in smaller steps, such as iterations instead of epochs."""
        return RoundSchedule(self.rounds, self.first * factor, self.length * factor)

    @property
    def last_start(self) -> int:
        """After how many steps the last round begins."""
        return self.first + (self.rounds - 2) * self.length

    def ended(self, steps: int) -> int | None:
        """Returns which round, counted from 0, ends after so many steps in all, or None; the last one never does."""
        past = steps - self.first
        if past < 0 or past % self.length or steps > self.last_start:
            return None
        return past // self.length

    def shortfall(self, steps: int) -> str | None:
        """Returns what is wrong if a training of so many steps ends before the last round begins, or None."""
        if steps > self.last_start:
            return None
        return f"{self.rounds} rounds: the last one would begin after {self.last_start} steps, of {steps} in all"

    @staticmethod
    def iterations_of_an_epoch(samples: int, batch_size: int, processes: int) -> int:
        """Returns how many iterations see each sample about once, for loops that do not count epochs."""
        return math.ceil(samples / (batch_size * processes))
