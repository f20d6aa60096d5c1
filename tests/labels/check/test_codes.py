import re
from typing import get_args

from noisyseg.labels.check.codes import CODES, UNREADABLE, Severity


def test_severities_are_known():
    assert {entry.severity for entry in CODES.values()} == set(get_args(Severity))
    assert {CODES[code].severity for code in UNREADABLE} == {"error"}


def test_codes_are_lower_case_words():
    assert [code for code in CODES if not re.fullmatch(r"[a-z]+(-[a-z]+)*", code)] == []


def test_the_documentation_tells_every_code(repository):
    page = (repository / "docs" / "check_labels.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z-]+)` \| (\w+) \| (.+) \| (.+) \|$", page, flags=re.MULTILINE)
    assert {code: tuple(row) for code, *row in rows} == {code: tuple(entry) for code, entry in CODES.items()}
