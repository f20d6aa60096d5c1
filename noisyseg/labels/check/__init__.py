"""Find what is wrong in a COCO label file before anything else uses it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from noisyseg.labels.check.codes import CODES, Code, Severity
from noisyseg.labels.check.document import Progress, document_findings
from noisyseg.labels.check.findings import Finding, exit_code
from noisyseg.labels.check.images import image_file_findings
from noisyseg.labels.check.reading import read_document
from noisyseg.labels.check.report import json_report, text_report

__all__ = ["CODES", "Code", "Finding", "Severity", "check_coco", "exit_code", "json_report", "text_report"]

T = TypeVar("T")


def _silent(entries: Sequence[T], _: str) -> Iterable[T]:
    return entries


def check_coco(path: str | Path, images: str | Path | None = None, *, progress: Progress = _silent) -> list[Finding]:
    """Returns everything wrong, suspicious or worth knowing in a COCO label file; raises for none of it.

    Args:
        path: The JSON file.
        images: The image folder; without it the image files are not looked at.
        progress: Wraps each long sequence that is gone through, given what it holds, such as ``tqdm``.
    """
    file = str(path)
    document, problems = read_document(path)
    findings = [Finding(code, message, file) for code, message in problems]
    if document is not None:
        findings += document_findings(document, file, progress)
        if images is not None:
            findings += image_file_findings(document, images, file, progress)
    return findings
