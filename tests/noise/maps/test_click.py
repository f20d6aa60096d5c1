import math

import numpy as np
import pytest
from scipy import stats

from noisyseg.labels.rng import keyed_rng
from noisyseg.noise.maps import ClickDisc


@pytest.fixture
def square(semantic):
    classes = np.zeros((50, 60), int)
    classes[20:31, 24:35] = 1
    return semantic(classes)


def test_a_disc_stands_at_the_centroid(square):
    noisy = ClickDisc(6, jitter=0, background=[0])(square, keyed_rng(0)).classes
    rows, columns = np.ogrid[:50, :60]
    np.testing.assert_array_equal(noisy, ((rows - 25) ** 2 + (columns - 29) ** 2 <= 36).astype(int))


def test_clicks_scatter_as_told(square):
    model = ClickDisc(4, jitter=0.5, background=[0])
    drawn = [model.sample(square, keyed_rng(seed))["units"][0] for seed in range(500)]
    for axis, centre in (("x", 29), ("y", 25)):
        assert stats.kstest([unit[axis] for unit in drawn], stats.norm(centre, 2).cdf).pvalue > 0.001


def test_a_disc_outside_the_image_is_cut(square):
    model = ClickDisc(3, background=[0], fill=2)
    drawn = {"unit": 1225, "x": -1.0, "y": 25.0}
    noisy = model.apply(square, {"units": [drawn]}).classes
    assert (noisy == 1).sum() == sum(math.hypot(x + 1, y) <= 3 for x in range(60) for y in range(-9, 9))
    assert (noisy == 2).sum() == 121


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"radius": 0}, "radius: expected pixels > 0, got 0"),
        ({"radius": 3, "jitter": -1}, "jitter: expected a number >= 0, got -1"),
        ({"radius": 3, "fill": "void"}, "fill: expected 'nearest', 'ignore' or a class number, got 'void'"),
    ],
)
def test_what_cannot_be_used_is_an_error(settings, problem):
    with pytest.raises(ValueError, match=problem):
        ClickDisc(**settings)
