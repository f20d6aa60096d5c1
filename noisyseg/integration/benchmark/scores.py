"""From rows to what a table says: means, spreads, differences to the reference, and a verdict by a stated rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

__all__ = ["POINTS", "Score", "recovered", "rule", "scores_of"]

POINTS = 1.0
"""A smaller mean difference is called none, points of the score."""


def rule(score: str) -> str:
    """Returns how a verdict is reached, for the page; ``score`` is the name of the score."""
    return (
        f"*helps* (*hurts*): at the end better (worse) than the reference with every seed, and by at least {POINTS:g} "
        f"point of {score} in the mean; *no clear difference*: else. p is that of a paired t-test over the seeds; with "
        "so few seeds and so many comparisons it is a hint and no proof."
    )


@dataclass(frozen=True)
class Score:
    """What a method reached on a data set.

    Attributes:
        data: Name of the data set.
        method: Name of the method.
        seeds: (S,) the seeds that are finished, in order.
        best: (S,) highest score of the validations, percent.
        last: (S,) score at the end, percent.
        compared: (T,) the seeds that the reference has too, in order.
        differences: (T,) ``last`` minus that of the reference, of these seeds.
        best_differences: (T,) the same of ``best``.
    """

    data: str
    method: str
    seeds: Sequence[int]
    best: Sequence[float]
    last: Sequence[float]
    compared: Sequence[int]
    differences: Sequence[float]
    best_differences: Sequence[float]

    @property
    def p(self) -> float:
        """Two-sided p of a paired t-test of the last epoch against the reference; NaN for less than two seeds."""
        if len(self.differences) < 2 or np.ptp(self.differences) == 0:
            return float("nan")
        return float(stats.ttest_1samp(self.differences, 0.0).pvalue)

    @property
    def verdict(self) -> str:
        """``helps``, ``hurts``, ``no clear difference``, or ``too few seeds``."""
        gains = np.asarray(self.differences)
        if len(gains) < 2:
            return "too few seeds"
        if abs(gains.mean()) >= POINTS and (np.sign(gains) == np.sign(gains[0])).all():
            return "helps" if gains[0] > 0 else "hurts"
        return "no clear difference"


def scores_of(rows: Sequence[Mapping[str, Any]], reference: str, key: str = "miou") -> dict[tuple[str, str], Score]:
    """Returns the score of each (data set, method), in the order of the rows.

    Args:
        rows: Rows of cells.
        reference: The method that the others are compared with, seed by seed.
        key: The score, as rows call it.
    """
    groups: dict[tuple[str, str], dict[int, Mapping[str, Any]]] = {}
    for row in rows:
        groups.setdefault((row["data"], row["method"]), {})[row["seed"]] = row
    scores = {}
    for (data, method), own in groups.items():
        others = groups.get((data, reference), {})
        seeds = sorted(own)
        both = [seed for seed in seeds if seed in others]
        scores[data, method] = Score(
            data,
            method,
            seeds,
            [own[seed]["best"][key] for seed in seeds],
            [own[seed]["last"][key] for seed in seeds],
            both,
            [own[seed]["last"][key] - others[seed]["last"][key] for seed in both],
            [own[seed]["best"][key] - others[seed]["best"][key] for seed in both],
        )
    return scores


def recovered(score: Score, ceiling: Score) -> float:
    """Returns which share of what the reference loses against the ceiling a method wins back, at the end.

    It is the mean of the method's differences over that of the ceiling's, of the seeds that both have: 0 is the
    reference, 1 the ceiling, and below 0 is worse than the reference. NaN where there is no such seed, or where the
    reference loses less than :data:`POINTS`.
    """
    lost = dict(zip(ceiling.compared, ceiling.differences, strict=True))
    won = dict(zip(score.compared, score.differences, strict=True))
    both = [seed for seed in won if seed in lost]
    loss = float(np.mean([lost[seed] for seed in both])) if both else 0.0
    return float(np.mean([won[seed] for seed in both])) / loss if loss >= POINTS else float("nan")
