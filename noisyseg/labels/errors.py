"""The error that every reader of labels raises."""

from __future__ import annotations

from pathlib import Path


class LabelError(ValueError):
    """Says which file and which object hold a label that cannot be used, what was expected and what came.

    Args:
        problem: What was expected and what came, as one clause.
        file: The file it stands in, when known.
        where: The object it belongs to, such as ``"annotation 17"``, when known.
    """

    def __init__(self, problem: str, *, file: str | Path | None = None, where: str | None = None) -> None:
        self.problem, self.file, self.where = problem, file, where
        super().__init__(": ".join(str(part) for part in (file, where, problem) if part))

    def at(self, *, file: str | Path | None = None, where: str | None = None) -> LabelError:
        """Returns the same error with the place filled in; what is already known stays."""
        return LabelError(self.problem, file=self.file or file, where=self.where or where)

    def __reduce__(self) -> tuple:
        """Keeps the keyword arguments when the error travels between worker processes."""
        return (_rebuild, (self.problem, self.file, self.where))


def _rebuild(problem: str, file: str | Path | None, where: str | None) -> LabelError:
    return LabelError(problem, file=file, where=where)
