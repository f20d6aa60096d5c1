import re

import pytest

from noisyseg.integration.demo.data import DemoData
from noisyseg.integration.demo.examples import KINDS, Example
from noisyseg.integration.demo.page import write_page
from noisyseg.integration.demo.training import Curve, Training

STEPS = [10, 20, 30]


def training(clean_val, noisy_train):
    return Training(Curve(STEPS, clean_val), Curve(STEPS, clean_val), Curve(STEPS, noisy_train), {})


@pytest.fixture
def page(tmp_path):
    """Returns a function that writes a page about two trainings and returns its text."""

    def text(clean, noisy):
        rates = {"mask_changed": 0.85, "class_changed": 0.35} | {kind.op: 0.3 for kind in KINDS}
        path = write_page(
            tmp_path / "index.html",
            data=DemoData(tmp_path, None, None, {"rates": rates, "annotations": 700}),
            examples=[Example(kind, 1, 1) for kind in KINDS],
            pictures=dict.fromkeys(("contours", "examples", "predictions", "curves"), b"png"),
            trainings={"clean": clean, "noisy": noisy},
            settings={"train": 80, "val": 60, "iterations": 30, "seed": 0},
        )
        return " ".join(path.read_text(encoding="utf-8").split())

    return text


def test_the_page_needs_nothing_from_elsewhere(page):
    text = page(training([10, 50, 66], [10, 30, 35]), training([10, 47, 40], [10, 30, 47]))
    assert "http" not in text
    assert set(re.findall(r'(?:src|href)="([^":]*:)', text)) == {"data:"}
    assert text.count("data:image/png;base64,cG5n") == 4


def test_numbers_are_those_of_the_trainings(page):
    text = page(training([10, 50, 66.44], [10, 30, 35]), training([10, 47, 40], [10, 30, 47]))
    assert "<b>66.4</b>" in text
    assert "<b>40.0</b>" in text
    assert "47.0 (step 20)" in text
    assert "Four ways in which a label goes wrong" in text
    assert "85 % · 35 %" in text


def test_words_tell_of_memorization_where_there_is_some(page):
    text = page(training([10, 50, 66], [10, 30, 35]), training([10, 47, 40], [10, 30, 47]))
    assert "have cost 26.0 points" in text
    assert "best at step 20, with 47.0, and then lost 7.0 again" in text
    assert "agrees with the noisy labels 12.0 points better" in text


def test_words_tell_of_none_where_there_is_none(page):
    text = page(training([10, 50, 60], [10, 30, 35]), training([10, 47, 61], [10, 30, 31]))
    assert "nothing that can be measured" in text
    assert "by heart" not in text
    assert "points better than" not in text


def test_a_score_that_falls_without_memorization_is_not_called_so(page):
    text = page(training([10, 50, 60], [10, 30, 35]), training([10, 47, 40], [10, 30, 20]))
    assert "by heart" not in text
