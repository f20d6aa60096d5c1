import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from noisyseg.evaluation.report import write_noise_report
from noisyseg.evaluation.report.figures import MOST_CLASSES, figures


def texts(svg):
    return {
        "".join(element.itertext()).strip() for element in ElementTree.fromstring(svg).iter() if "text" in element.tag
    }


def test_drawings_of_instances(report):
    drawn = figures(report)
    assert set(drawn) == {"confusion", "sizes", "boxes", "overlap", "bias"}
    assert {"cat", "dog", "(bogus)", "(missing)"} <= texts(drawn["confusion"])
    assert {"mean IoU", "missing objects"} <= texts(drawn["sizes"])


def test_the_same_report_gives_the_same_drawings(report):
    assert figures(report) == figures(report)


@pytest.mark.parametrize("classes", [80, 300])
def test_many_classes(report, classes):
    names = [f"class {k}" for k in range(classes)]
    counts = np.zeros((classes + 1, classes + 1), int)
    counts[:classes, :classes] = np.eye(classes) * np.arange(1, classes + 1)[:, None]
    report["confusion"] |= {"classes": names, "counts": counts.tolist()}
    found = texts(figures(report)["confusion"])
    shown = names[-min(classes, MOST_CLASSES) :]  # the most frequent ones
    assert {name for name in names if name in found} == set(shown)


def test_drawings_of_maps_and_edges():
    histogram = {"histogram": {"low": 0, "high": 15.5, "counts": [1] * 31}}
    edges = {"kind": "edges", "displacement": {"noisy_to_clean": histogram, "clean_to_noisy": histogram}}
    assert set(figures(edges)) == {"displacement"}
    confusion = {"classes": ["sky", "road"], "counts": [[5, 1], [0, 3]]}
    drawn = figures({"kind": "semantic", "confusion": confusion, "flipped": {"all": 0.1, "within 1 px": None}})
    assert set(drawn) == {"confusion", "bands"}
    assert {"sky", "road", "0.83"} <= texts(drawn["confusion"])
    assert "(bogus)" not in texts(drawn["confusion"])


@pytest.mark.usefixtures("no_figures")
def test_nothing_to_draw(write, tmp_path):
    report = write_noise_report(write("clean.json", []), write("noisy.json", []), tmp_path / "report")
    assert len(figures(report)) == 5
