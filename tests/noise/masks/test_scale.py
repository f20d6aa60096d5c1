import numpy as np
import pytest
from scipy import stats

from noisyseg.labels import Categories, Instances, Mask
from noisyseg.labels.rng import keyed_rng
from noisyseg.noise.masks import Scale


def many_squares(count):
    square = Mask.from_frame(np.pad(np.ones((4, 4), np.uint8), 3))
    return Instances.from_masks([square] * count, [0] * count, Categories.from_names("a"), square.size_hw)


def test_size_one_changes_no_pixel(labels, assert_equal_labels):
    assert_equal_labels(Scale(1)(labels, keyed_rng(0)), labels)


def test_a_square_grows_or_shrinks_by_the_radius():
    labels = many_squares(40)
    noisy, params = Scale(3).run(labels, keyed_rng(0))
    for source, mask in zip(labels.source, noisy.masks, strict=True):
        grow = params["objects"][str(source)]["grow"]
        assert mask.box == ((2, 2, 8, 8) if grow else (4, 4, 6, 6))
        assert mask.area == (36 if grow else 4)
    assert {draws["grow"] for draws in params["objects"].values()} == {True, False}


def test_the_coin_is_fair():
    params = Scale(3).sample(many_squares(4000), keyed_rng(1))
    grown = sum(draws["grow"] for draws in params["objects"].values())
    assert stats.binomtest(grown, 4000, 0.5).pvalue > 0.001


@pytest.mark.parametrize("size", [0, -1, 2, 4])
def test_a_size_that_is_not_odd_is_an_error(size):
    with pytest.raises(ValueError, match=f"size: expected an odd number >= 1, got {size}"):
        Scale(size)
