"""`Finding`: one thing that is wrong, or worth knowing, in a label file."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from noisyseg.labels.check.codes import CODES, UNREADABLE, Severity

Json = dict[str, Any]
Id = int | str
Problem = tuple[str, str]
"""A code and a message, before the place that it concerns is known."""

_BRIEF = reprlib.Repr()
_BRIEF.maxstring = _BRIEF.maxother = _BRIEF.maxlong = 40


@dataclass(frozen=True)
class Finding:
    """One finding of the label check.

    Attributes:
        code: A key of :data:`~noisyseg.labels.check.codes.CODES`.
        message: What was expected and what came.
        file: The label file.
        where: The place in the document, such as ``"annotations[3]"``; empty for the file as a whole.
        image: Id of the image that it concerns, if any, as the file writes it.
        annotation: Id of the annotation, if any.
        category: Id of the category, if any.
    """

    code: str
    message: str
    file: str
    where: str = ""
    image: Id | None = None
    annotation: Id | None = None
    category: Id | None = None

    @property
    def severity(self) -> Severity:
        """How bad it is: ``error``, ``warning`` or ``info``."""
        return CODES[self.code].severity


def exit_code(findings: Iterable[Finding]) -> int:
    """Returns 2 for an input that cannot be checked, 1 where there are errors or warnings, else 0."""
    findings = list(findings)
    if any(finding.code in UNREADABLE for finding in findings):
        return 2
    return int(any(finding.severity != "info" for finding in findings))


def shown(value: object) -> str:
    """Returns a short ASCII form of any value, for messages."""
    text = _BRIEF.repr(value)
    return text.encode("ascii", "backslashreplace").decode("ascii")


def as_id(value: object) -> Id | None:
    """Returns ``value`` if it can name an entry in a report, else None."""
    return value if type(value) is int or isinstance(value, str) else None


def is_number(value: object) -> bool:
    """Returns whether ``value`` is an int or float; a bool is neither."""
    return type(value) is int or type(value) is float


def is_finite(value: float) -> bool:
    """Returns whether a number is finite as a float; False, not an error, for ints beyond the range."""
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def id_problems(value: object, key: str, seen: set[object]) -> Iterator[Problem]:
    """Yields what is wrong with the ``id`` of an entry, and records it in ``seen``.

    Args:
        value: The id.
        key: ``"image"``, ``"annotation"`` or ``"category"``.
        seen: Ids of the entries before this one.
    """
    if type(value) is not int:
        yield "id-type", f"id: expected a whole number, got {shown(value)}"
        if not isinstance(value, str):
            return
    elif value < 0:
        yield "id-negative", f"id: expected a number >= 1, got {shown(value)}"
    elif value == 0:
        yield f"{key}-id-zero", "id: expected a number >= 1, got 0"
    elif value > 1 << 53:
        yield "id-huge", f"id: expected a number up to 2^53, got {shown(value)}"
    if value in seen:
        yield "id-duplicate", f"id: expected one {key} with id {shown(value)}, got another before it"
    seen.add(value)
