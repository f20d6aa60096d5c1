import numpy as np
import pytest

from noisyseg.labels import SemanticMap
from noisyseg.labels.rng import keyed_rng
from noisyseg.noise import build_noise
from noisyseg.noise.classes import MatrixConfusion, PairConfusion
from noisyseg.noise.maps import SwapNoise
from noisyseg.noise.maps.units import units_of


def test_a_swapped_unit_has_one_other_class_and_its_outline(tiles):
    noisy, params = SwapNoise("component", 0.5, background=[0]).run(tiles, keyed_rng(0))
    swapped = {drawn["unit"]: drawn["to"] for drawn in params["units"]}
    for unit in units_of(tiles, "component", [0]):
        (class_,) = np.unique(noisy.classes[unit.window][unit.pixels])
        assert class_ == swapped.get(unit.name, unit.class_)
        assert (class_ != unit.class_) == (unit.name in swapped)
    np.testing.assert_array_equal(noisy.classes[tiles.classes == 0], 0)


def test_all_other_classes_are_alike(tiles, assert_share):
    drawn = SwapNoise("component", 1.0, background=[0]).sample(tiles, keyed_rng(1))["units"]
    assert len(drawn) == 2500
    for clean in (1, 2, 3):
        targets = [unit["to"] for unit in drawn if unit["class"] == clean]
        for target in {0, 1, 2, 3} - {clean}:
            assert_share(targets.count(target), len(targets), 1 / 3)
        assert clean not in targets


def test_a_matrix_says_which_class_it_becomes(tiles, assert_share):
    matrix = [[1, 0, 0, 0], [0, 0.9, 0.08, 0.02], [0, 0.5, 0.5, 0], [0, 0, 0, 1]]
    drawn = SwapNoise("component", 1.0, background=[0], confusion=MatrixConfusion(matrix)).sample(tiles, keyed_rng(0))
    targets = {class_: [unit["to"] for unit in drawn["units"] if unit["class"] == class_] for class_ in (1, 2, 3)}
    assert_share(targets[1].count(2), len(targets[1]), 0.8)
    assert set(targets[1]) == {2, 3}
    assert set(targets[2]) == {1}
    # Class 3 never changes under this matrix.
    assert targets[3] == []
    assert len(targets[2]) == (np.add.outer(range(50), range(50)) % 3 == 1).sum()


def test_a_single_class_cannot_be_swapped(label_map):
    categories = type(label_map.categories).from_names(("only",))
    labels = SemanticMap(np.zeros((3, 3), np.uint8), categories)
    assert SwapNoise().sample(labels, keyed_rng(0))["units"] == []


def test_other_noise_is_no_confusion():
    with pytest.raises(ValueError, match=r"confusion: expected class noise, such as noisyseg\.ClassConfusion, got"):
        SwapNoise(confusion={"type": "noisyseg.Scale", "size": 3})


def test_a_wrong_setting_inside_is_named_by_its_path():
    config = {"type": "noisyseg.SwapNoise", "confusion": {"type": "noisyseg.ClassConfusion", "rate": 2}}
    with pytest.raises(ValueError, match=r"noise\.confusion\.rate: expected a share in \[0, 1\], got 2"):
        build_noise(config)
    assert isinstance(SwapNoise(confusion=PairConfusion(0.5, {"a": "b"})).confusion, PairConfusion)
