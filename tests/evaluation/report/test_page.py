import re
from html.parser import HTMLParser

from noisyseg.evaluation.report import write_noise_report
from noisyseg.evaluation.report.page import page

VOID = {"meta", "img", "br", "link"}


class Checked(HTMLParser):
    """Raises where a tag is closed that is not open."""

    def __init__(self):
        super().__init__()
        self.open, self.text = [], []

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def text_of(html):
    checked = Checked()
    checked.feed(html)
    assert checked.open == []
    return " ".join(" ".join(checked.text).split())


def test_the_page_is_sound_html_and_needs_nothing_else(mistakes, tmp_path):
    write_noise_report(*mistakes, tmp_path / "report")
    html = (tmp_path / "report" / "noise_report.html").read_text()
    text = text_of(html)
    assert "Parts, holes, overlap" in text
    assert "Missing, 1: annotation ids 4" in text
    assert not re.search(r'(src|href)="(?!data:)', html)
    assert html.count("<img") == 5


def test_worst_pairs_have_pictures_or_a_table(report):
    pictures = [b"jpeg"] * len(report["worst"])
    assert "data:image/jpeg" in page(report, pictures)
    assert "clean annotation" in page(report, [])
    assert "clean annotation" not in page(report, pictures)


def test_names_cannot_break_the_page(report):
    report["confusion"]["classes"][0] = "<script>x</script>"
    report["classes"][0]["class"] = "<script>x</script>"
    assert "<script>" not in page(report, [])


def test_a_page_with_everything(report):
    report["rates"] = [
        {"op": "Scale", "objects": 9, "realised": 1, "realised_rate": 0.1, "requested_rate": 0.2, "interval": [0, 4],
         "passed": True},
        {"op": "Other", "objects": None, "realised": 1, "realised_rate": None, "requested_rate": None,
         "interval": None, "passed": None},
    ]  # fmt: skip
    report["generator"] = {"recipe": {"type": "noisyseg.Recipe"}, "seed": 7}
    report["determinism"] = {"passed": True}
    report["unmatched"]["missing"] = list(range(30))
    text = text_of(page(report, []))
    assert "no nominal rate" in text
    assert "0 to 4" in text
    assert "Seed 7. Made again from the manifest: the same labels" in text
    assert "and 10 more, all in the JSON file" in text
