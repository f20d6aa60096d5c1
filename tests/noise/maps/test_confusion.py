import numpy as np
import pytest
from scipy import stats

from noisyseg.labels import Categories, LabelError, SemanticMap
from noisyseg.labels.rng import keyed_rng
from noisyseg.noise.classes import ClassConfusion, GroupConfusion, MatrixConfusion, PairConfusion
from noisyseg.noise.maps import MapConfusion
from noisyseg.noise.maps.units import units_of

GROUPS = {"one": ["ground", "a"], "two": ["b", "c"]}
MATRIX = [[0.7, 0.1, 0.1, 0.1], [0.0, 0.5, 0.25, 0.25], [0.2, 0.0, 0.8, 0.0], [0.0, 0.0, 0.0, 1.0]]
RULES = [
    ClassConfusion(0.4),
    ClassConfusion(0.4, include_self=False),
    GroupConfusion(0.4, groups=GROUPS),
    GroupConfusion(0.4, include_self=False, groups=GROUPS),
    PairConfusion(0.4, {"a": "b", "c": "ground"}),
    MatrixConfusion(MATRIX),
]


@pytest.mark.parametrize("rule", RULES, ids=repr)
def test_components_flip_at_the_rates_of_the_matrix(rule, tiles, assert_share):
    noisy, params = MapConfusion(rule, background=[0]).run(tiles, keyed_rng(0))
    matrix = rule.transition_matrix(tiles.categories)
    units = units_of(tiles, "component", [0])
    drawn = []
    for unit in units:
        (class_,) = np.unique(noisy.classes[unit.window][unit.pixels])
        drawn.append((unit.class_, class_))
    for clean in (1, 2, 3):
        of_class = [to for from_, to in drawn if from_ == clean]
        for target in range(4):
            assert_share(of_class.count(target), len(of_class), matrix[clean, target])
    assert len(params["units"]) == sum(from_ != to for from_, to in drawn)
    np.testing.assert_array_equal(noisy.classes[tiles.classes == 0], 0)


@pytest.mark.parametrize("rule", RULES, ids=repr)
def test_pixels_flip_at_the_rates_of_the_matrix(rule):
    names = Categories.from_names(("ground", "a", "b", "c"))
    clean = np.random.default_rng(0).integers(0, 4, (200, 200)).astype(np.uint16)
    noisy = MapConfusion(rule, "pixel")(SemanticMap(clean, names), keyed_rng(3)).classes
    matrix = rule.transition_matrix(names)
    for class_ in range(4):
        counts = np.bincount(noisy[clean == class_], minlength=4)
        possible = matrix[class_] > 0
        assert (counts[~possible] == 0).all()
        if possible.sum() > 1:
            expected = matrix[class_][possible] * counts.sum()
            assert stats.chisquare(counts[possible], expected).pvalue > 0.001


def test_pixels_of_ground_and_ignored_ones_stay(label_map):
    noisy = MapConfusion(ClassConfusion(1.0), "pixel", background=[2])(label_map, keyed_rng(0)).classes
    kept = np.isin(label_map.classes, (2, 255))
    np.testing.assert_array_equal(noisy[kept], label_map.classes[kept])
    assert (noisy != label_map.classes).sum() > 500


def test_a_class_flips_as_a_whole(tiles, assert_share):
    flipped = 0
    for seed in range(300):
        noisy = MapConfusion(ClassConfusion(0.4, include_self=False), "class", [0])(tiles, keyed_rng(seed)).classes
        for class_ in (1, 2, 3):
            (becomes,) = np.unique(noisy[tiles.classes == class_])
            flipped += becomes != class_
    assert_share(flipped, 900, 0.4)


def test_a_class_that_the_data_does_not_have_is_an_error(tiles):
    with pytest.raises(LabelError, match="pairs: expected classes of the file, got 'tree'"):
        MapConfusion(PairConfusion(0.5, {"a": "tree"}))(tiles, keyed_rng(0))


def test_what_cannot_be_used_is_an_error(label_map):
    with pytest.raises(ValueError, match="unit: expected 'component', 'class' or 'pixel', got 'image'"):
        MapConfusion(ClassConfusion(0.5), "image")
    with pytest.raises(ValueError, match=r"noise: expected class noise, such as noisyseg\.ClassConfusion, got Scale"):
        MapConfusion({"type": "noisyseg.Scale", "size": 3})
    with pytest.raises(ValueError, match=r"background: expected classes 0\.\.3, got \[7\]"):
        MapConfusion(ClassConfusion(0.5), background=[7])(label_map, keyed_rng(0))
