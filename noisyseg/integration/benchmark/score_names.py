"""The score that a table is about: how the metrics call it, and how rows and files do."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["SCORES", "ScoreName"]


@dataclass(frozen=True)
class ScoreName:
    """Names of a score.

    Attributes:
        name: As the metric reports it, and as the page calls it.
        of_class: What the metric puts before the name of a class.
        beside: Further scores of the metric that rows keep.
    """

    name: str
    of_class: str
    beside: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """As rows and CSV files call it."""
        return self.name.lower()


SCORES = {score.name: score for score in (ScoreName("mIoU", "IoU"), ScoreName("ODS", "F", ("OIS", "AP")))}
