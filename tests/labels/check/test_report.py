import json

from noisyseg.labels.check import CODES, Finding, exit_code, json_report, text_report


def finding(code, annotation=None, **places):
    return Finding(code, f"message of {code}", "labels.json", annotation=annotation, **places)


FINDINGS = [
    finding("info-missing", where="info"),
    finding("bbox-mismatch", 5, where="annotations[4]", image=2),
    *(finding("polygon-nan", i, where=f"annotations[{i}]", image=1) for i in range(7, 12)),
    finding("id-type", "\x1b[2J" + "x" * 90),
]


def test_exit_codes():
    assert exit_code([]) == 0
    assert exit_code([finding("info-missing")]) == 0
    assert exit_code([finding("bbox-mismatch")]) == 1
    assert exit_code([finding("polygon-nan")]) == 1
    assert exit_code([finding("polygon-nan"), finding("json-syntax")]) == 2


def test_no_findings_are_said_in_one_line():
    assert text_report([], "labels.json") == "labels.json: no findings"


def test_the_table_starts_with_the_worst_and_most_frequent():
    lines = text_report(FINDINGS, "labels.json").splitlines()
    assert lines[0] == "labels.json: 6 errors, 1 warning, 1 info"
    assert [line.split()[:3] for line in lines[2:7]] == [
        ["severity", "code", "count"],
        ["error", "polygon-nan", "5"],
        ["error", "id-type", "1"],
        ["warning", "bbox-mismatch", "1"],
        ["info", "info-missing", "1"],
    ]
    assert "annotation 7, 8, ..." in lines[3]


def test_the_first_of_each_code_are_shown_with_the_fix():
    text = text_report(FINDINGS, "labels.json")
    assert "  annotations[9] (image 1, annotation 9): message of polygon-nan\n" in text
    assert "\n  ... and 2 more (--json lists all)\n" in text
    assert "annotations[10]" not in text
    assert f"  -> {CODES['polygon-nan'].fix}" in text


def test_names_from_the_file_cannot_steer_the_terminal():
    assert "\x1b" not in text_report(FINDINGS, "labels.json")
    assert "\033[31merror" in text_report(FINDINGS, "labels.json", colour=True)


def test_json_holds_every_finding():
    report = json.loads(json_report(FINDINGS, "labels.json"))
    assert list(report) == ["format", "file", "exit_code", "counts", "findings"]
    assert (report["format"], report["file"], report["exit_code"]) == (1, "labels.json", 1)
    assert report["counts"] == {"error": 6, "warning": 1, "info": 1}
    assert len(report["findings"]) == len(FINDINGS)
    assert report["findings"][1] == {
        "code": "bbox-mismatch",
        "severity": "warning",
        "file": "labels.json",
        "where": "annotations[4]",
        "image": 2,
        "annotation": 5,
        "category": None,
        "message": "message of bbox-mismatch",
    }
