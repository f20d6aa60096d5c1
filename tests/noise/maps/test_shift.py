import math

import numpy as np
import pytest
from scipy import stats

from noisyseg.labels.rng import keyed_rng
from noisyseg.noise.maps import ShiftNoise


@pytest.fixture
def square(semantic):
    classes = np.zeros((40, 50), int)
    classes[15:25, 20:30] = 1
    return semantic(classes)


def test_a_unit_moves_as_recorded(square):
    for seed in range(10):
        noisy, params = ShiftNoise((3, 30), background=[0], fill=0).run(square, keyed_rng(seed))
        (moved,) = params["units"]
        rows, columns = np.nonzero(square.classes)
        rows, columns = rows + moved["dy"], columns + moved["dx"]
        inside = (rows >= 0) & (rows < 40) & (columns >= 0) & (columns < 50)
        expected = np.zeros_like(square.classes)
        expected[rows[inside], columns[inside]] = 1
        np.testing.assert_array_equal(noisy.classes, expected)


def test_vacated_pixels_take_their_neighbour(square):
    noisy = ShiftNoise(5, background=[0])(square, keyed_rng(0)).classes
    assert (noisy == 1).sum() == 100
    assert ((noisy == 0) | (noisy == 1)).all()
    ignored = ShiftNoise(5, background=[0], fill="ignore")(square, keyed_rng(0)).classes
    np.testing.assert_array_equal(ignored == 255, (square.classes == 1) & (noisy == 0))


def test_distances_and_directions_are_uniform(square):
    model = ShiftNoise((100, 1000), background=[0])
    drawn = [model.sample(square, keyed_rng(seed))["units"][0] for seed in range(600)]
    distances = [math.hypot(unit["dx"], unit["dy"]) for unit in drawn]
    angles = [math.atan2(unit["dy"], unit["dx"]) for unit in drawn]
    assert stats.kstest(distances, stats.uniform(100, 900).cdf).pvalue > 0.001
    assert stats.kstest(angles, stats.uniform(-math.pi, 2 * math.pi).cdf).pvalue > 0.001


def test_a_relative_distance_grows_with_the_unit(semantic):
    classes = np.zeros((120, 120), int)
    classes[5:15, 5:15], classes[40:100, 40:100] = 1, 2
    labels = semantic(classes)
    for seed in range(20):
        for unit in ShiftNoise(0.5, relative=True, background=[0], rate=1.0).sample(labels, keyed_rng(seed))["units"]:
            assert math.hypot(unit["dx"], unit["dy"]) == pytest.approx(0.5 * math.sqrt(unit["area"]), abs=0.8)


def test_small_units_lie_over_large_ones_and_ignored_pixels_stay(semantic):
    classes = np.zeros((30, 30), int)
    classes[2:28, 2:14], classes[10:13, 20:23], classes[0, :] = 1, 2, 255
    labels = semantic(classes)
    model = ShiftNoise(10, background=[0], rate=1.0, fill=0)
    drawn = [{"unit": 1, "dx": 10, "dy": 0}, {"unit": 2, "dx": -2, "dy": -10}]
    noisy = model.apply(labels, {"units": drawn}).classes
    expected = np.zeros((30, 30), int)
    expected[2:28, 12:24], expected[0:3, 18:21], expected[0, :] = 1, 2, 255
    np.testing.assert_array_equal(noisy, expected)


@pytest.mark.parametrize("distance", [-1, (5, 3), (1, 2, 3), (0, math.inf), math.nan])
def test_a_range_that_is_none_is_an_error(distance):
    with pytest.raises(ValueError, match="distance: expected a number >= 0, or two in order, got"):
        ShiftNoise(distance)


def test_an_unknown_fill_is_an_error():
    with pytest.raises(ValueError, match="fill: expected 'nearest', 'ignore' or a class number, got 'far'"):
        ShiftNoise(3, fill="far")
