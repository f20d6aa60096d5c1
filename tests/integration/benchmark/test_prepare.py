import numpy as np
import pytest
from PIL import Image

from noisyseg.integration.benchmark import prepare_data
from noisyseg.integration.benchmark.prepare import MARKER, stable_hash

SETTINGS = dict(source="scenes", train=3, val=2, size=32, seed=0, recipe="components_mixed")


def pixels(path):
    return np.array(Image.open(path))


def test_what_was_changed_is_counted(prepared):
    data = prepared["scenes"]
    assert len(list((data.folder / "noisy" / "train").glob("*.png"))) == 4
    assert not (data.folder / "noisy" / "val").exists()
    counts = np.zeros((7, 7), int)
    for path in (data.folder / "clean" / "train").glob("*.png"):
        np.add.at(counts, (pixels(path), pixels(data.folder / "noisy" / "train" / path.name)), 1)
    np.testing.assert_array_equal(data.document["realised"]["pixels"], counts)
    assert data.document["realised"]["changed"] == pytest.approx(1 - np.trace(counts) / counts.sum())
    assert 0 < data.document["realised"]["changed"] < 0.5
    np.testing.assert_allclose(data.transitions.sum(axis=1), 1)


def test_a_prepared_set_is_not_made_again_and_comes_out_the_same_elsewhere(tmp_path):
    one = prepare_data(tmp_path / "a", SETTINGS)
    before = (one.folder / MARKER).stat().st_mtime_ns
    assert prepare_data(tmp_path / "a", SETTINGS).folder == one.folder
    assert (one.folder / MARKER).stat().st_mtime_ns == before
    assert prepare_data(tmp_path / "b", SETTINGS).fingerprint == one.fingerprint
    assert prepare_data(tmp_path / "a", SETTINGS | {"seed": 1}).fingerprint != one.fingerprint


def test_missing_data_names_the_variable_that_says_where_it_is(tmp_path, monkeypatch):
    monkeypatch.setenv("NOISYSEG_CAMVID", str(tmp_path / "camvid"))
    with pytest.raises(FileNotFoundError, match="NOISYSEG_CAMVID"):
        prepare_data(tmp_path / "a", SETTINGS | {"source": "camvid"})
    assert list((tmp_path / "a").glob("*")) == []


def test_an_unknown_source_is_refused(tmp_path):
    with pytest.raises(ValueError, match="expected one of camvid, dsb2018, scenes, got 'voc'"):
        prepare_data(tmp_path, SETTINGS | {"source": "voc"})


def test_the_hash_does_not_depend_on_the_order_of_keys():
    assert stable_hash({"a": 1, "b": [2]}) == stable_hash({"b": [2], "a": 1}) != stable_hash({"a": 1, "b": [3]})


@pytest.mark.parametrize(("source", "classes"), [("camvid", 11), ("dsb2018", 2)])
def test_real_data(tmp_path, shared_dir, monkeypatch, source, classes):
    folder = shared_dir / "data" / source
    if not folder.is_dir():
        pytest.skip(f"{folder} is not here")
    monkeypatch.setenv(f"NOISYSEG_{source.upper()}", str(folder))
    data = prepare_data(tmp_path, SETTINGS | {"source": source, "recipe": "component_swap_40"})
    assert len(data.classes) == classes
    names = {split: {path.name for path in (data.folder / "clean" / split).glob("*")} for split in ("train", "val")}
    assert (len(names["train"]), len(names["val"])) == (3, 2)
    assert not names["train"] & names["val"]
    assert {pixels(path).shape[0] for path in (data.folder / "clean").rglob("*.png")} == {32}
    for path in (data.folder / "images").rglob("*.png"):
        label = pixels(data.folder / "clean" / path.parent.name / path.name)
        assert pixels(path).shape == (*label.shape, 3)
        assert set(np.unique(label)) <= {*range(classes), 255}
