"""Weights are found by the image's name, and every way in which they cannot be used is an error."""

import os

import numpy as np
import pytest

from noisyseg.integration.weight_transforms import KeyWeights, LoadImageWeight, LoadWeightMap, WeightKey
from noisyseg.labels import LabelError
from noisyseg.labels.weight_maps import write_key_weights, write_weight_map
from noisyseg.registry import TRANSFORMS


@pytest.fixture
def sample(tmp_path):
    return {
        "img_path": str(tmp_path / "images" / "town" / "a_left.png"),
        "gt_seg_map": np.arange(12, dtype=np.uint8).reshape(3, 4),
        "seg_fields": ["gt_seg_map"],
    }


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({}, "a_left"),
        ({"img_dir": "{root}/images"}, "town/a_left"),
        ({"img_dir": "{root}/images/", "img_suffix": "_left.png"}, "town/a"),
        ({"img_suffix": "_left.png"}, "a"),
    ],
)
def test_the_key_is_the_path_without_the_ending(sample, tmp_path, settings, key):
    settings = {name: value.format(root=tmp_path) for name, value in settings.items()}
    assert WeightKey(**settings).of(sample["img_path"]) == key


def test_an_image_that_has_no_key_is_an_error(sample):
    with pytest.raises(LabelError, match=r"a_left\.png: expected an image in img_dir /elsewhere"):
        WeightKey("/elsewhere").of(sample["img_path"])
    with pytest.raises(LabelError, match=r"a_left\.png: expected a name that ends with img_suffix '\.jpg'"):
        WeightKey(img_suffix=".jpg").of(sample["img_path"])


def test_the_map_is_loaded_beside_the_labels(sample, tmp_path):
    weights = np.linspace(0, 1, 12).reshape(3, 4)
    write_weight_map(tmp_path / "weights" / "town" / "a_w.png", weights)
    load = TRANSFORMS.build(
        {
            "type": "noisyseg.LoadWeightMap",
            "weight_dir": str(tmp_path / "weights"),
            "img_dir": str(tmp_path / "images"),
            "img_suffix": "_left.png",
            "suffix": "_w.png",
        }
    )
    results = load(sample)
    assert results["gt_weight_map"].dtype == np.uint8
    assert np.abs(results["gt_weight_map"] / 255 - weights).max() <= 1 / 510
    assert results["seg_fields"] == ["gt_seg_map", "gt_weight_map", "gt_weight_witness"]


def test_a_missing_map_is_an_error_unless_ones_are_asked_for(sample, tmp_path):
    with pytest.raises(LabelError, match=r"a_left\.png: this weight map does not exist"):
        LoadWeightMap(str(tmp_path))(dict(sample, seg_fields=[]))
    assert (LoadWeightMap(str(tmp_path), missing="ones")(sample)["gt_weight_map"] == 255).all()


def test_a_broken_map_is_an_error_also_where_ones_are_asked_for(sample, tmp_path):
    (tmp_path / "a_left.png").write_text("nothing")
    with pytest.raises(LabelError, match="expected a PNG file"):
        LoadWeightMap(str(tmp_path), missing="ones")(sample)


def test_a_map_of_another_size_is_an_error(sample, tmp_path):
    write_weight_map(tmp_path / "a_left.png", np.ones((4, 3)))
    with pytest.raises(LabelError, match=r"a_left\.png: expected weights of the labels' size \(3, 4\), got \(4, 3\)"):
        LoadWeightMap(str(tmp_path))(sample)


def test_the_labels_have_to_be_there(sample, tmp_path):
    del sample["gt_seg_map"]
    with pytest.raises(LabelError, match=r"a_left\.png: LoadWeightMap: the label map is not loaded yet"):
        LoadWeightMap(str(tmp_path))(sample)


def test_the_image_weight_is_looked_up_by_key(sample, tmp_path):
    write_key_weights(tmp_path / "w.json", {"town/a_left": 0.25})
    load = LoadImageWeight(str(tmp_path / "w.json"), img_dir=str(tmp_path / "images"))
    assert load(sample)["image_weight"] == 0.25


def test_an_image_without_weight_is_an_error_unless_ones_are_asked_for(sample, tmp_path):
    write_key_weights(tmp_path / "w.json", {"b": 0.25})
    with pytest.raises(LabelError, match=r"w\.json: a_left: expected a weight for this image"):
        LoadImageWeight(str(tmp_path / "w.json"))(sample)
    assert LoadImageWeight(str(tmp_path / "w.json"), missing="ones")(sample)["image_weight"] == 1


def test_a_file_of_weights_that_is_replaced_is_read_again_and_only_then(tmp_path, monkeypatch):
    path = tmp_path / "w.json"
    with pytest.raises(LabelError, match=r"w\.json: this file of weights does not exist"):
        KeyWeights(path).get("a")
    write_key_weights(path, {"a": 0.25})
    weights = KeyWeights(path)
    assert weights.get("a") == 0.25
    monkeypatch.setattr("noisyseg.integration.weight_transforms.read_key_weights", lambda path: {"a": 0.75})
    assert weights.get("a") == 0.25
    os.utime(path, ns=(1, 1))
    assert weights.get("a") == 0.75


@pytest.mark.parametrize("transform", [LoadWeightMap, LoadImageWeight])
def test_an_unknown_answer_to_missing_is_an_error(transform):
    with pytest.raises(ValueError, match="missing: expected one of error, ones, not 'zero'"):
        transform("x", missing="zero")
