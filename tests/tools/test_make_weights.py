"""The tool writes what the transforms read, from label maps and from COCO files alike."""

import json

import numpy as np
import pytest
from PIL import Image

from noisyseg.correction.pixel_weights import boundary_band_weights
from noisyseg.integration.weight_transforms import LoadWeightMap
from noisyseg.labels.weight_maps import read_key_weights, read_weight_map


@pytest.fixture
def tool(load_tool):
    return load_tool("make_weights")


@pytest.fixture
def labels(tmp_path):
    """A tree of two label maps with a square each; 11 means "no class"."""
    folder = tmp_path / "labels"
    for name, shift in (("a", 0), ("town/b", 3)):
        pixels = np.zeros((20, 24), np.uint8)
        pixels[4 : 12 + shift, 5:15] = 1
        pixels[0, :] = 11
        path = folder / f"{name}_ids.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
    return folder


@pytest.fixture(scope="module")
def scenes(load_tool, tmp_path_factory):
    folder = tmp_path_factory.mktemp("scenes") / "out"
    assert load_tool("make_scenes").main([str(folder), "--train", "3", "--val", "1", "--size", "48"]) == 0
    return folder


def test_a_band_around_edges_becomes_maps_that_training_reads(tool, labels, tmp_path, capsys):
    out = tmp_path / "weights"
    arguments = ["band", str(labels), str(out), "--suffix", "_ids.png", "--void", "11", "--radius", "1"]
    assert tool.main([*arguments, "--weight", "0.25"]) == 0
    given = np.array(Image.open(labels / "town" / "b_ids.png"))
    given[given == 11] = 255
    expected = boundary_band_weights(given, 1, 0.25)
    assert set(np.unique(expected).tolist()) == {0, 0.25, 1}
    sample = {"img_path": "images/town/b.jpg", "gt_seg_map": given, "seg_fields": []}
    loaded = LoadWeightMap(str(out), img_dir="images")(sample)["gt_weight_map"]
    np.testing.assert_allclose(loaded / 255, expected, atol=1 / 510)
    manifest = json.loads((out / "weights.json").read_text())
    assert manifest["estimator"] == {"name": "boundary_band", "radius": 1.0, "weight": 0.25}
    maps = [read_weight_map(out / f"{key}.png") / 255 for key in ("a", "town/b")]
    valid = np.concatenate([each[1:].ravel() for each in maps])
    assert manifest["mean_weight"] == pytest.approx(valid.mean(), abs=1e-3)
    assert f"2 maps, mean weight {manifest['mean_weight']:.4f}" in capsys.readouterr().out


def test_agreement_is_one_where_both_say_the_same(tool, labels, tmp_path):
    second = tmp_path / "second"
    for path in labels.rglob("*.png"):
        pixels = np.array(Image.open(path))
        pixels[5, 5:9] = 2
        (second / path.relative_to(labels)).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(second / path.relative_to(labels).with_name(path.name.replace("_ids", "_other")))
    out = tmp_path / "weights"
    arguments = ["agreement", str(labels), str(second), str(out), "--suffix", "_ids.png", "--void", "11"]
    assert tool.main([*arguments, "--others-suffix", "_other.png", "--disagree", "0"]) == 0
    expected = np.full((20, 24), 255)
    expected[0], expected[5, 5:9] = 0, 0
    np.testing.assert_array_equal(read_weight_map(out / "a.png"), expected)


def test_a_coco_file_gives_the_weights_of_its_painted_maps(tool, scenes, tmp_path):
    for source, name in (("semantic/train", "maps"), ("annotations/instances_train.json", "coco")):
        assert tool.main(["band", str(scenes / source), str(tmp_path / name)]) == 0
    files = sorted(path.name for path in (tmp_path / "maps").glob("*.png"))
    assert len(files) == 3
    for name in files:
        assert (tmp_path / "maps" / name).read_bytes() == (tmp_path / "coco" / name).read_bytes()


def test_objects_are_compared_with_those_of_a_second_file(tool, scenes, tmp_path, capsys):
    source = scenes / "annotations" / "instances_train.json"
    document = json.loads(source.read_text())
    gone = document["annotations"].pop(0)
    (tmp_path / "other.json").write_text(json.dumps(document))
    out = tmp_path / "w.json"
    arguments = ["objects", str(source), str(tmp_path / "other.json"), str(out), "--floor", "0"]
    assert tool.main(arguments) == 0
    weights = read_key_weights(out)
    assert weights.pop(str(gone["id"])) < 1
    assert len(weights) == len(document["annotations"])
    assert set(weights.values()) == {1.0}
    assert f"{len(weights) + 1} annotations, mean weight 0.9" in capsys.readouterr().out
    assert tool.main(arguments) == 2
    assert "w.json: is there already" in capsys.readouterr().err
    assert tool.main([*arguments, "--force"]) == 0


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["band", "{labels}", "{out}", "--suffix", ".tif"], "labels: expected label maps *.tif in it, got none"),
        (["band", "{labels}", "{out}", "--radius", "-1"], "--radius: expected pixels >= 0, got -1"),
        (["band", "{labels}", "{out}", "--weight", "2"], "--weight: expected a number in [0, 1], got 2"),
        (["agreement", "{labels}", "{labels}/town", "{out}"], "town/a_ids.png: cannot be read"),
        (["agreement", "{labels}", "{small}", "{out}"], "labels: a_ids: expected two label maps of one size"),
        (["objects", "{labels}", "{labels}", "{out}"], "labels: cannot be read"),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_written(tool, labels, tmp_path, capsys, arguments, problem):
    small = tmp_path / "small"
    for name in ("a_ids.png", "town/b_ids.png"):
        (small / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (4, 4)).save(small / name)
    places = {"labels": labels, "small": small, "out": tmp_path / "out"}
    assert tool.main([argument.format(**places) for argument in arguments]) == 2
    error = capsys.readouterr().err
    assert error.startswith("make_weights: ")
    assert problem in error
    assert not (tmp_path / "out").exists()


def test_only_a_folder_of_weights_is_replaced(tool, labels, tmp_path, capsys):
    arguments = ["band", str(labels), str(tmp_path / "w")]
    assert tool.main(arguments) == 0
    assert tool.main(arguments) == 2
    assert "w: is there already" in capsys.readouterr().err
    assert tool.main([*arguments, "--force"]) == 0
    assert tool.main(["band", str(labels), str(labels), "--force"]) == 2
    assert len(list(labels.rglob("*.png"))) == 2
