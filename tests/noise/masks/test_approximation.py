import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import ndimage

from noisyseg.labels import Categories, Instances, Mask
from noisyseg.labels.rng import keyed_rng
from noisyseg.noise.masks import Approximation


def noisy_frame(frame, *settings):
    labels = Instances.from_masks([Mask.from_frame(frame)], [0], Categories.from_names("a"), frame.shape)
    return Approximation(*settings)(labels, keyed_rng(0)).masks[0].frame()


@pytest.fixture
def bump():
    """Returns a square of 20 px with a bump of 2 px on it."""
    frame = np.zeros((30, 30), np.uint8)
    frame[5:25, 5:25] = 1
    frame[3:5, 10:14] = 1
    return frame


@pytest.mark.parametrize("mode", ["fixed", "official"])
def test_a_detail_below_the_tolerance_goes_and_one_above_stays(bump, mode):
    square = bump.copy()
    square[3:5] = 0
    np.testing.assert_array_equal(noisy_frame(bump, 4, mode), square)
    np.testing.assert_array_equal(noisy_frame(bump, 0.1, mode), bump)


frames = arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=14), elements=st.integers(0, 1))


@given(frames)
def test_without_tolerance_nothing_changes(frame):
    np.testing.assert_array_equal(noisy_frame(frame, 1e-9, "fixed"), frame)


@given(frames, st.sampled_from([0.5, 2, 8]))
def test_no_part_vanishes_when_fixed_and_no_pixel_comes_from_far(frame, tolerance):
    noisy = noisy_frame(frame, tolerance, "fixed")
    numbers, count = ndimage.label(frame, np.ones((3, 3)))
    assert set(np.unique(numbers[noisy != 0])) >= set(range(1, count + 1))
    if frame.any():
        assert ndimage.distance_transform_edt(1 - frame)[noisy != 0].max() <= tolerance + 1


def test_nothing_is_drawn(labels):
    params = Approximation(5).sample(labels, keyed_rng(0))
    assert set(map(str, params["objects"].values())) == {"{}"}
    assert Approximation(5).sample(labels, keyed_rng(1)) == params


def test_small_parts_go_officially_and_stay_when_fixed(bump):
    expected = noisy_frame(bump, 4, "fixed")
    bump[0, 0] = bump[28, 2:20] = 1
    np.testing.assert_array_equal(noisy_frame(bump, 4, "official"), expected)
    expected[0, 0] = expected[28, 2:20] = 1
    np.testing.assert_array_equal(noisy_frame(bump, 4, "fixed"), expected)


def test_holes_are_filled_officially_and_stay_when_fixed(bump):
    expected = noisy_frame(bump, 4, "official")
    bump[10:20, 10:20] = 0
    np.testing.assert_array_equal(noisy_frame(bump, 4, "official"), expected)
    fixed = noisy_frame(bump, 4, "fixed")
    hole = expected - fixed
    # The outline of a hole has cut corners, so simplifying it takes a few pixels of them.
    assert hole[11:19, 11:19].sum() > 50
    assert hole.sum() == hole[10:20, 10:20].sum() < 100


@pytest.mark.parametrize("tolerance", [0, -1, float("nan")])
def test_a_tolerance_that_is_not_positive_is_an_error(tolerance):
    with pytest.raises(ValueError, match="tolerance: expected pixels > 0, got"):
        Approximation(tolerance)


def test_an_unknown_mode_is_an_error():
    with pytest.raises(ValueError, match="mode: expected 'fixed' or 'official', got 'both'"):
        Approximation(5, mode="both")
