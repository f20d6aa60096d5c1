import json

import numpy as np
import pytest
from PIL import Image

from noisyseg.evaluation.report.folders import compare_folders, folder_sha256, label_files
from noisyseg.labels import LabelError


@pytest.fixture
def folders(tmp_path):
    """Return a function that writes two folders with a map each in a folder below, of the numbers given."""

    def write(low, high):
        for folder, at in (("clean", 4), ("noisy", 5)):
            labels = np.full((6, 10), low, np.uint8)
            labels[:, at:] = high
            (tmp_path / folder / "sub").mkdir(parents=True)
            Image.fromarray(labels).save(tmp_path / folder / "sub" / "a.png")
        return tmp_path / "clean", tmp_path / "noisy"

    return write


def compared(clean, noisy, **changes):
    settings = {"manifest": None, "kind": "auto", "ignore": None, "workers": 1, "progress": False} | changes
    return compare_folders(clean, noisy, **settings)


def test_label_maps_and_edges_are_told_apart(folders):
    clean, noisy = folders(0, 3)
    assert compared(clean, noisy)["kind"] == "semantic"
    assert "asked for" in compared(clean, noisy, kind="edges")["pairing"]["reason"]


def test_zero_and_255_are_edges_unless_asked_for(folders):
    clean, noisy = folders(0, 255)
    assert compared(clean, noisy)["kind"] == "edges"
    assert compared(clean, noisy, kind="semantic")["counts"]["newly_ignored"] == 0


def test_classes_come_from_beside_the_maps(folders):
    clean, noisy = folders(1, 3)
    names = [row["class"] for row in compared(clean, noisy)["classes"]]
    assert names == ["class 1", "class 3"]
    manifest = {"layout": "ade20k", "classes": ["wall", "building", "sky"], "ignore": [0]}
    report = compared(clean, noisy, manifest=manifest)
    assert [row["class"] for row in report["classes"]] == ["wall", "sky"]
    assert report["ignored"] == [0]
    (clean / "semantic.json").write_text(json.dumps({"classes": ["ground", "a", "b", "c"], "ignore_index": 3}))
    report = compared(clean, noisy, manifest=manifest)
    assert [row["class"] for row in report["classes"]] == ["a"]
    assert compared(clean, noisy, ignore=255)["ignored"] == [255]
    (clean / "semantic.json").write_text("{}")
    with pytest.raises(LabelError, match=r"semantic\.json: expected classes and ignore_index"):
        compared(clean, noisy)


def test_label_ids_of_cityscapes_have_their_names(folders):
    clean, noisy = folders(7, 26)
    manifest = {"layout": "cityscapes", "classes": ["road"] * 19, "ignore": [0, 1, 255]}
    assert [row["class"] for row in compared(clean, noisy, manifest=manifest)["classes"]] == ["road", "car"]


def test_files_of_one_folder_are_listed(folders):
    clean, noisy = folders(0, 1)
    (noisy / "b.png").write_bytes((clean / "sub" / "a.png").read_bytes())
    report = compared(clean, noisy)
    assert report["pairing"]["files_only_noisy"] == ["b.png"]
    assert report["warnings"][-1]["code"] == "files_only_noisy"


def test_folders_without_common_files_are_an_error(folders, tmp_path):
    clean, _ = folders(0, 1)
    (tmp_path / "empty").mkdir()
    with pytest.raises(LabelError, match=r"empty: expected \.png or \.mat files under the same names"):
        compared(clean, tmp_path / "empty")


def test_the_digest_is_that_of_names_and_contents(folders):
    clean, noisy = folders(0, 1)
    assert label_files(clean) == {"sub/a.png"}
    assert folder_sha256(clean) != folder_sha256(noisy)
    (clean / "notes.txt").write_text("no label")
    before = folder_sha256(clean)
    (clean / "sub" / "a.png").rename(clean / "sub" / "b.png")
    assert folder_sha256(clean) != before
