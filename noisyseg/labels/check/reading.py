"""Read a label file, with a diagnosis where it is not what JSON and COCO ask for."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import orjson

from noisyseg.labels.check.findings import Json, Problem, shown

LISTS = ("images", "annotations", "categories")


def read_document(path: str | Path) -> tuple[Json | None, list[Problem]]:
    """Returns the JSON object in a file, or None where nothing can be checked, and the problems met.

    Python's reader does the work, since it also takes NaN, reports repeated keys and keeps huge whole
    numbers; the strict reader is asked only whether it would take the file.
    """
    try:
        raw = Path(path).read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        return None, [("file-unreadable", f"expected a readable file: {reason}")]
    problems: list[Problem] = []
    if raw.startswith(b"\xef\xbb\xbf"):
        problems.append(("json-bom", "expected { as the first character, got a byte order mark"))
        raw = raw[3:]
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        problems.append(("json-encoding", f"expected UTF-8, got byte 0x{raw[error.start]:02x} at {error.start}"))
        return None, problems
    refusal = _strict_refusal(raw)  # before the other reader, so that two documents never share the memory
    document, found = _parse(text, refusal)
    problems += found
    if any(code == "json-syntax" for code, _ in problems):
        return None, problems
    misfit = _not_coco(document)
    if misfit:
        return None, [*problems, ("not-coco", misfit)]
    return document, problems


def _parse(text: str, refusal: str | None) -> tuple[object, list[Problem]]:
    """Returns the value and the problems of a JSON text, which the strict reader refuses for ``refusal``."""
    literals: Counter[str] = Counter()
    repeated: Counter[str] = Counter()

    def number(literal: str) -> float:
        literals[literal] += 1
        return float(literal)

    def unique(pairs: list[tuple[str, object]]) -> Json:
        entry = dict(pairs)
        if len(entry) != len(pairs):
            keys = Counter(key for key, _ in pairs)
            repeated.update(key for key, count in keys.items() if count > 1)
        return entry

    try:
        document = json.loads(text, parse_constant=number, object_pairs_hook=unique)
    except json.JSONDecodeError as error:
        around = shown(text[max(error.pos - 15, 0) : error.pos + 15])
        return None, [("json-syntax", f"line {error.lineno}, column {error.colno}: {error.msg}, near {around}")]
    except (ValueError, RecursionError) as error:
        return None, [("json-syntax", f"cannot be parsed: {error}")]
    problems = [
        (
            "json-duplicate-key",
            f"expected the key {shown(key)} once, got it again in {_times(count, 'object')}",
        )
        for key, count in repeated.items()
    ]
    if literals:
        listed = ", ".join(f"{name} {_times(count, 'time')}" for name, count in literals.items())
        problems.append(("json-nan", f"expected numbers, got {listed}: {refusal}"))
    elif refusal:
        problems.append(("json-strict", f"expected standard JSON: {refusal}"))
    return document, problems


def _times(count: int, noun: str) -> str:
    return f"{count} {noun}" + "s" * (count != 1)


def _strict_refusal(raw: bytes) -> str | None:
    """Returns why the strict reader refuses the text, or None where it takes it."""
    try:
        orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        return str(error)
    return None


def _not_coco(document: object) -> str | None:
    """Returns why a JSON value is no COCO object at all, or None."""
    if isinstance(document, list):
        results = document and isinstance(document[0], dict) and "score" in document[0]
        hint = "; it looks like a file of detection results" if results else ""
        return f"expected an object with {', '.join(LISTS)}, got a list{hint}"
    if not isinstance(document, dict):
        return f"expected an object with {', '.join(LISTS)}, got {shown(document)}"
    if not any(key in document for key in LISTS):
        return f"expected the keys {', '.join(LISTS)}, got {shown(sorted(document))}"
    return None
