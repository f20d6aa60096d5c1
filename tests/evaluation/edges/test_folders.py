import json

import cv2
import numpy as np
import pytest

from noisyseg.evaluation.edges import EdgeProtocol, edge_counts, edge_scores, evaluate_edge_folders
from noisyseg.labels import LabelError
from noisyseg.labels.edge_files import write_edge_bits

PROTOCOL = EdgeProtocol(0.05, "drawn", thresholds=9)
CLASSES = ("cat", "dog")


@pytest.fixture
def folders(tmp_path):
    """Write three images with two classes, the second of which has no edge."""
    rng = np.random.default_rng(0)
    for k in range(3):
        bits = np.zeros((30, 40), np.int32)
        bits[10 + k, 5:35] = 1
        bits[:, 38:] = -(2**31)
        (tmp_path / "labels").mkdir(exist_ok=True)
        write_edge_bits(tmp_path / "labels" / f"{k}.png", bits, 2)
        for name in CLASSES:
            (tmp_path / "predicted" / name).mkdir(parents=True, exist_ok=True)
            soft = cv2.GaussianBlur(rng.integers(0, 256, (30, 40), np.uint8), (0, 0), 1)
            cv2.imwrite(str(tmp_path / "predicted" / name / f"{k}.png"), np.where(bits == 1, 250, soft))
    return tmp_path


def evaluate(folders, **kwargs):
    settings = {"classes": CLASSES} | kwargs
    return evaluate_edge_folders(folders / "predicted", folders / "labels", folders / "out", PROTOCOL, **settings)


def test_scores_are_those_of_the_counts(folders):
    report = evaluate(folders)
    counts = []
    for k in range(3):
        bits = np.zeros((30, 40), bool)
        bits[10 + k, 5:35] = True
        ignored = np.zeros((30, 40), bool)
        ignored[:, 38:] = True
        soft = cv2.imread(str(folders / "predicted" / "cat" / f"{k}.png"), cv2.IMREAD_UNCHANGED)
        counts.append(edge_counts(soft, [bits], PROTOCOL, ignored))
    expected = edge_scores(np.stack(counts), PROTOCOL)
    assert report["classes"]["cat"]["ODS"] == report["mean"]["ODS"] == expected.ods.f
    assert report["classes"]["cat"]["curve"] == expected.curve.tolist()
    assert report["absent"] == ["dog"]
    assert report["images"] == ["0", "1", "2"]
    assert json.loads((folders / "out" / "edges.json").read_text()) == report
    text = (folders / "out" / "edges.txt").read_text()
    assert "mode thin, tolerance 0.05, labels drawn" in text.splitlines()[0]
    assert "no labels" in text
    assert f"{expected.ods.f:.4f}" in text


def test_what_is_counted_is_not_counted_again_unless_it_changed(folders):
    first = evaluate(folders)
    kept = {path.name: path.stat().st_mtime_ns for path in (folders / "out" / "counts").iterdir()}
    cv2.imwrite(str(folders / "predicted" / "cat" / "1.png"), np.zeros((30, 40), np.uint8))
    (folders / "out" / "counts" / "2.npz").unlink()
    second = evaluate(folders)
    renewed = {path.name: path.stat().st_mtime_ns for path in (folders / "out" / "counts").iterdir()}
    assert [name for name in sorted(kept) if kept[name] != renewed[name]] == ["1.npz", "2.npz"]
    assert second["classes"]["cat"]["images"][::2] == first["classes"]["cat"]["images"][::2]
    assert second["mean"]["ODS"] < first["mean"]["ODS"]
    evaluate_edge_folders(
        folders / "predicted",
        folders / "labels",
        folders / "out",
        EdgeProtocol(0.05, "the same", thresholds=9, ois="positives", ap="envelope", absent="zero"),
        classes=CLASSES,
    )
    assert renewed == {path.name: path.stat().st_mtime_ns for path in (folders / "out" / "counts").iterdir()}
    wider = EdgeProtocol(0.2, "drawn", thresholds=9)
    again, fresh = (
        evaluate_edge_folders(folders / "predicted", folders / "labels", folders / out, wider, classes=CLASSES)
        for out in ("out", "fresh")
    )
    assert again == fresh != second


def test_counts_of_almost_the_same_settings_or_of_other_counting_are_not_taken(folders, monkeypatch):
    def renewed(tolerance):
        before = {path: path.stat().st_mtime_ns for path in (folders / "out" / "counts").iterdir()}
        protocol = EdgeProtocol(tolerance, "drawn", thresholds=9)
        evaluate_edge_folders(folders / "predicted", folders / "labels", folders / "out", protocol, classes=CLASSES)
        return [path for path, time in before.items() if path.stat().st_mtime_ns != time]

    evaluate(folders)
    assert not renewed(0.05)
    assert len(renewed(0.05 + 1e-9)) == 3
    monkeypatch.setattr("noisyseg.evaluation.edges.folders.COUNTING", 2)
    assert len(renewed(0.05 + 1e-9)) == 3


def test_the_callers_threads_stay(folders):
    before = cv2.getNumThreads()
    cv2.setNumThreads(2)
    try:
        evaluate(folders)
        assert cv2.getNumThreads() == 2
    finally:
        cv2.setNumThreads(before)


@pytest.mark.slow  # two interpreters start
def test_the_number_of_processes_does_not_matter(folders):
    alone = evaluate(folders)
    for path in (folders / "out" / "counts").iterdir():
        path.unlink()
    assert evaluate(folders, workers=2) == alone


def test_images_can_be_named(folders):
    (folders / "labels" / "2.png").unlink()
    with pytest.raises(LabelError, match=r"2\.png: expected labels of each prediction"):
        evaluate(folders)
    assert evaluate(folders, names=["1", "0", "1"])["images"] == ["1", "0"]
    with pytest.raises(LabelError, match="expected labels of 2, got none"):
        evaluate(folders, names=["2"])
    with pytest.raises(LabelError, match="names: expected at least one image, got none"):
        evaluate(folders, names=[])


@pytest.mark.parametrize("classes", [(), ("cat", "cat")])
def test_classes_are_named_and_differ(folders, classes):
    with pytest.raises(LabelError, match=r"classes: expected one name or several that differ, got \["):
        evaluate(folders, classes=classes)


@pytest.mark.parametrize(
    ("pixels", "message"),
    [
        (np.zeros((30, 40, 3), np.uint8), r"dog/1\.png: expected a grey PNG of 8 bits, got mode RGB"),
        (np.zeros((30, 40), np.uint16), r"dog/1\.png: expected a grey PNG of 8 bits, got mode I;16"),
        (np.zeros((40, 30), np.uint8), r"dog/1\.png: .*expected the size \(30, 40\) of the labels, got \(40, 30\)"),
    ],
)
def test_a_wrong_prediction_is_named(folders, pixels, message):
    cv2.imwrite(str(folders / "predicted" / "dog" / "1.png"), pixels)
    with pytest.raises(LabelError, match=message):
        evaluate(folders)


def test_what_is_missing_or_broken_is_named(folders):
    (folders / "out" / "counts").mkdir(parents=True)
    (folders / "out" / "counts" / "0.npz").write_bytes(b"half")
    with pytest.raises(LabelError, match=r"0\.npz: expected counts of an earlier run"):
        evaluate(folders)
    (folders / "predicted" / "dog" / "1.png").write_bytes(b"half")
    (folders / "out" / "counts" / "0.npz").unlink()
    with pytest.raises(LabelError, match=r"dog/1\.png: expected a PNG, got one that cannot be read"):
        evaluate(folders)
    (folders / "predicted" / "dog" / "1.png").unlink()
    with pytest.raises(LabelError, match=r"dog/1\.png: expected a prediction, got no such file"):
        evaluate(folders)
    with pytest.raises(LabelError, match=r"expected label files \.bin, \.mat, \.png, got none"):
        evaluate_edge_folders(folders / "predicted", folders / "none", folders / "out", PROTOCOL, classes=CLASSES)
    (folders / "labels" / "0.bin").write_bytes(b"")
    with pytest.raises(LabelError, match=r"0\.png: expected one label file a name, got 0\.bin"):
        evaluate(folders)
