"""Tell findings to people and to programs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import get_args

from noisyseg.labels.check.codes import CODES, Severity
from noisyseg.labels.check.findings import Finding, exit_code

SEVERITIES: tuple[Severity, ...] = get_args(Severity)
FORMAT = 1
"""Version of the JSON report; grows when a key is renamed or removed."""

_COLOURS = {"error": "\033[31m", "warning": "\033[33m", "info": "\033[36m"}
_FIRST = 3


def json_report(findings: Sequence[Finding], file: str) -> str:
    """Returns all findings as JSON in ASCII; ``docs/check_labels.md`` tells its keys."""
    counts = Counter(finding.severity for finding in findings)
    report = {
        "format": FORMAT,
        "file": file,
        "exit_code": exit_code(findings),
        "counts": {severity: counts[severity] for severity in SEVERITIES},
        "findings": [
            {
                "code": finding.code,
                "severity": finding.severity,
                "file": finding.file,
                "where": finding.where,
                "image": finding.image,
                "annotation": finding.annotation,
                "category": finding.category,
                "message": finding.message,
            }
            for finding in findings
        ],
    }
    return json.dumps(report, indent=1, allow_nan=False)


def text_report(findings: Sequence[Finding], file: str, *, colour: bool = False) -> str:
    """Returns a summary table, and the first findings of each code with what to do about them."""
    groups = group_by_code(findings)
    lines = [f"{file}: {_total(findings)}"]
    if groups:
        lines += ["", *_table(groups, colour=colour)]
    for code, members in groups.items():
        lines += ["", *_details(code, members, colour=colour)]
    return "\n".join(lines)


def group_by_code(findings: Sequence[Finding]) -> dict[str, list[Finding]]:
    """Returns the findings by code, the worst severity and then the most frequent code first."""
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(finding.code, []).append(finding)
    order = sorted(groups, key=lambda code: (SEVERITIES.index(CODES[code].severity), -len(groups[code]), code))
    return {code: groups[code] for code in order}


def _total(findings: Sequence[Finding]) -> str:
    if not findings:
        return "no findings"
    counts = Counter(finding.severity for finding in findings)
    words = {"error": ("error", "errors"), "warning": ("warning", "warnings"), "info": ("info", "infos")}
    return ", ".join(f"{counts[key]} {words[key][counts[key] != 1]}" for key in SEVERITIES if counts[key])


def _table(groups: dict[str, list[Finding]], *, colour: bool) -> Iterator[str]:
    rows = [("severity", "code", "count", "first", "meaning")]
    for code, members in groups.items():
        rows.append((CODES[code].severity, code, str(len(members)), _first_subjects(members), CODES[code].meaning))
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    for row in rows:
        cells = [
            row[0].ljust(widths[0]),
            row[1].ljust(widths[1]),
            row[2].rjust(widths[2]),
            row[3].ljust(widths[3]),
        ]
        if colour and row[0] in _COLOURS:
            cells[0] = _painted(cells[0], row[0])
        yield "  ".join([*cells, row[4]])


def _details(code: str, members: Sequence[Finding], *, colour: bool) -> Iterator[str]:
    entry = CODES[code]
    yield f"{_painted(code, entry.severity) if colour else code}: {entry.meaning}"
    for finding in members[:_FIRST]:
        yield f"  {': '.join(part for part in (_place(finding), finding.message) if part)}"
    if len(members) > _FIRST:
        yield f"  ... and {len(members) - _FIRST} more (--json lists all)"
    yield f"  -> {entry.fix}"


def _first_subjects(members: Sequence[Finding]) -> str:
    """Returns the first ids of what the findings are about, such as ``"annotation 3, 5, ..."``."""
    kind = _kind(members[0])
    if kind is None:
        return members[0].where
    ids = list(dict.fromkeys(_short(getattr(finding, kind)) for finding in members if _kind(finding) == kind))
    return f"{kind} {', '.join(ids[:2])}" + (", ..." if len(ids) > 2 else "")


def _kind(finding: Finding) -> str | None:
    return next((kind for kind in ("annotation", "category", "image") if getattr(finding, kind) is not None), None)


def _place(finding: Finding) -> str:
    ids = [
        f"{kind} {_short(getattr(finding, kind))}"
        for kind in ("image", "annotation", "category")
        if getattr(finding, kind) is not None
    ]
    return f"{finding.where} ({', '.join(ids)})" if ids else finding.where


def _short(id_: int | str) -> str:
    text = ascii(id_)
    return text if len(text) <= 24 else f"{text[:21]}..."


def _painted(text: str, severity: Severity) -> str:
    return f"{_COLOURS[severity]}{text}\033[0m"
