import csv

import pytest
from scipy import stats

from noisyseg.integration.benchmark import write_report
from noisyseg.integration.benchmark.scores import scores_of


def row(method, seed, best, last):
    return {
        "key": f"{method}{seed}",
        "data": "scenes",
        "method": method,
        "seed": seed,
        "iterations": 2,
        "best": {"iteration": 1, "miou": best, "classes": {"blob": best}},
        "last": {"iteration": 2, "miou": last, "classes": {"blob": last}},
        "curve": {"iterations": [1, 2], "clean": [best, last], "given": [10.0, 20.0]},
        "uses_clean_images": False,
        "uses_noise_rate": method == "forward",
        "selection_on_noisy_val": False,
        "extra_forward_passes": 0.0,
        "peak_mem": 500.0,
        "seconds": 20.0,
        "cpu_seconds": 19.0,
        "device": "CPU",
    }


def rows(gains):
    base = [30.0, 31.0, 32.0]
    return [row("ce", seed, score + 1, score) for seed, score in enumerate(base)] + [
        row("forward", seed, base[seed] + 3, base[seed] + gain) for seed, gain in enumerate(gains)
    ]


@pytest.mark.parametrize(
    ("gains", "verdict"),
    [
        ([1.0, 2.0, 3.0], "helps"),
        ([-1.0, -2.0, -3.0], "hurts"),
        ([4.0, 5.0, -0.1], "no clear difference"),
        ([0.5, 0.6, 0.7], "no clear difference"),
        ([3.0], "too few seeds"),
    ],
)
def test_the_verdict_follows_the_rule(gains, verdict):
    score = scores_of(rows(gains), "ce")["scenes", "forward"]
    assert score.verdict == verdict
    assert score.differences == pytest.approx(gains)


def test_p_is_that_of_the_paired_test():
    score = scores_of(rows([1.0, 2.0, 4.0]), "ce")["scenes", "forward"]
    assert score.p == pytest.approx(stats.ttest_rel([31.0, 33.0, 36.0], [30.0, 31.0, 32.0]).pvalue)


def test_seeds_that_the_reference_lacks_are_not_compared():
    score = scores_of([*rows([1.0, 2.0]), row("forward", 9, 50.0, 50.0)], "ce")["scenes", "forward"]
    assert score.seeds == [0, 1, 9]
    assert score.differences == [1.0, 2.0]


def test_the_page_says_what_the_numbers_say(load, prepared, tmp_path):
    table = load()
    cells = table.cells(prepared, seeds=[0, 1, 2])
    page = write_report(table, prepared, cells, rows([1.0, 2.0, 3.0]), tmp_path / "results", tmp_path / "page.md")
    text = page.read_text()
    assert "6 of 6 trainings" in text
    assert "| CE | 32.0 ± 1.0 | 31.0 ± 1.0 |  |  | reference |" in text
    assert "| Forward | 34.0 ± 1.0 | 33.0 ± 2.0 | +2.0 | 0.07 | helps |" in text
    assert "**Forward**: helps on Scenes (+2.0)." in text
    assert "| Forward | no | yes | no | 0 | 500 | 19 |" in text
    for line in text.splitlines():
        if line.startswith("!["):
            picture = tmp_path / line.partition("](")[2].rstrip(")")
            assert picture.read_bytes().startswith(b"\x89PNG")
    with (tmp_path / "results" / "cells.csv").open() as file:
        assert [line["last_miou"] for line in csv.DictReader(file)] == ["30.0", "31.0", "32.0", "31.0", "33.0", "35.0"]
    names = {path.relative_to(tmp_path / "results").as_posix() for path in (tmp_path / "results").rglob("*.*")}
    assert {"scores.csv", "classes.csv", "curves.csv", "configs/scenes-forward.py", "data/scenes.json"} <= names


def test_a_committed_config_can_be_read_again(load, prepared, tmp_path):
    from mmengine.config import Config

    table = load()
    cells = table.cells(prepared, seeds=[0])
    write_report(table, prepared, cells, rows([1.0]), tmp_path / "results", tmp_path / "page.md")
    config = Config.fromfile(tmp_path / "results" / "configs" / "scenes-forward.py").to_dict()
    assert config["model"] == cells[1].config["model"]
