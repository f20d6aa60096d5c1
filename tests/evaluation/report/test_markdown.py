from noisyseg.evaluation.report import summary
from noisyseg.evaluation.report.markdown import markdown, number, percent


def test_the_text_has_numbers_lists_and_warnings(report):
    text = markdown(report)
    assert "| missing / bogus | 1 / 1 |" in text
    assert "| other class | 1 (16.7 %) |" in text
    assert "Missing, 1: annotation ids 4." in text
    assert "Pieces, 1: annotation ids 21." in text
    assert "- stale_boxes: 1 noisy masks" in text
    assert "Requested and realised" not in text


def test_rates_are_marked_and_long_lists_cut(report):
    check = {
        "op": "Scale",
        "realised": 5,
        "realised_rate": 0.1,
        "requested_rate": 0.3,
        "interval": [9, 20],
        "passed": False,
    }
    unknown = check | {"op": "Other", "requested_rate": None, "interval": None, "passed": None}
    text = markdown(report | {"rates": [check, unknown], "unmatched": {"missing": list(range(100))}, "warnings": []})
    assert "| Scale | 0.3000 | 0.1000 | 5 | 9 to 20 | FAIL |" in text
    assert "| Other | – | 0.1000 | 5 |  | no nominal rate |" in text
    assert "18, 19 and 80 more." in text
    assert text.endswith("None.\n")
    assert "0 of 1, not Scale" in summary(report | {"rates": [check, unknown]})


def test_the_summary_is_short(report):
    lines = summary(report | {"determinism": {"passed": True}}).splitlines()
    assert lines[0].startswith("instances, paired by id:")
    assert len(lines) <= 13
    assert "the same" in lines[-2]
    assert lines[-1] == "  2 warnings: stale_boxes, crowds_changed"


def test_numbers():
    assert (number(None), number(0.5), number(0.5, sign=True), percent(1, 0)) == ("–", "0.5000", "+0.5000", "–")
