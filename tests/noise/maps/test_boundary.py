import numpy as np
import pytest
from scipy import ndimage, stats

from noisyseg.labels.rng import keyed_rng
from noisyseg.noise.kernels.markov import euclidean_scale
from noisyseg.noise.maps import BoundaryNoise


@pytest.fixture
def blob(semantic):
    smooth = ndimage.gaussian_filter(np.random.default_rng(1).normal(size=(60, 70)), 6)
    return semantic((smooth > 0.01).astype(int))


@pytest.mark.parametrize("direction", ["grow", "shrink"])
def test_on_two_classes_it_is_dilation_and_erosion_noise(blob, direction):
    for seed in range(5):
        model = BoundaryNoise((2, 6), direction, background=[0])
        noisy, params = model.run(blob, keyed_rng(seed))
        (drawn,) = params["units"]
        assert 2 <= drawn["radius"] <= 6
        # Distances between pixels are discrete, so "less than" and "at most" agree for a drawn radius.
        expected = euclidean_scale(blob.classes, drawn["radius"], direction == "grow")
        np.testing.assert_array_equal(noisy.classes, expected)


def test_a_whole_radius_counts_as_reached(semantic):
    classes = np.zeros((11, 11), int)
    classes[3:8, 3:8] = 1
    grown = BoundaryNoise(1, "grow", background=[0])(semantic(classes), keyed_rng(0)).classes
    assert (grown == 1).sum() == 25 + 20
    shrunk = BoundaryNoise(1, "shrink", background=[0])(semantic(classes), keyed_rng(0)).classes
    assert (shrunk == 1).sum() == 9


def test_coin_and_radius_are_fair(semantic, assert_share):
    labels = semantic([[0, 1]])
    drawn = [BoundaryNoise((3, 5), background=[0]).sample(labels, keyed_rng(seed))["units"][0] for seed in range(1000)]
    assert_share(sum(unit["grow"] for unit in drawn), 1000, 0.5)
    assert stats.kstest([unit["radius"] for unit in drawn], stats.uniform(3, 2).cdf).pvalue > 0.001


def test_growing_covers_neighbours_and_the_smaller_one_counts(semantic):
    classes = np.zeros((9, 20), int)
    classes[:, :12], classes[:, 15:] = 1, 2
    noisy = BoundaryNoise(2, "grow", rate=1.0, background=[0])(semantic(classes), keyed_rng(0)).classes
    expected = np.zeros((9, 20), int)
    expected[:, :13], expected[:, 13:] = 1, 2
    np.testing.assert_array_equal(noisy, expected)


def test_what_draws_back_leaves_its_rim_to_the_fill(semantic):
    classes = np.ones((9, 20), int)
    classes[:, 10:] = 2
    given = semantic(classes)
    settings = {"radius": 3, "direction": "shrink", "background": [2]}
    rim = np.tile((np.arange(20) >= 7) & (np.arange(20) < 10), (9, 1))
    for fill, value in (("nearest", 2), ("ignore", 255), (3, 3)):
        noisy = BoundaryNoise(**settings, fill=fill)(given, keyed_rng(0)).classes
        np.testing.assert_array_equal(noisy, np.where(rim, value, classes))


def test_two_that_draw_back_from_each_other_keep_their_boundary(semantic):
    classes = np.ones((9, 20), int)
    classes[:, 10:] = 2
    noisy = BoundaryNoise(3, "shrink", rate=1.0)(semantic(classes), keyed_rng(0)).classes
    np.testing.assert_array_equal(noisy, classes)


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"radius": -1}, "radius: expected a number >= 0, or two in order, got -1"),
        ({"radius": 2, "direction": "up"}, "direction: expected 'grow', 'shrink' or 'either', got 'up'"),
        ({"radius": 2, "fill": -2}, "fill: expected 'nearest', 'ignore' or a class number, got -2"),
    ],
)
def test_what_cannot_be_used_is_an_error(settings, problem):
    with pytest.raises(ValueError, match=problem):
        BoundaryNoise(**settings)
