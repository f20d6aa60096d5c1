import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import ndimage

from noisyseg.noise.fields import uniform_field
from noisyseg.noise.kernels import warps

maps = arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=12), elements=st.integers(0, 4))


def displacement(key, left, top, size_hw, alpha, sigma):
    reach = warps.blur_reach(sigma)
    noise = uniform_field(key, left - reach, top - reach, (size_hw[0] + 2 * reach, size_hw[1] + 2 * reach), 2)
    return warps.elastic_displacement(noise, alpha, sigma)


@pytest.mark.parametrize(("alpha", "sigma", "quoted"), [(1, 10, 0.02), (100, 3, 7.7), (30, 5, None), (50, 1.5, None)])
def test_the_root_mean_square_is_the_closed_form(alpha, sigma, quoted):
    dx, dy = displacement(5, 0, 0, (600, 700), alpha, sigma)
    assert dx.shape == dy.shape == (600, 700)
    assert np.sqrt((dx**2 + dy**2).mean()) == pytest.approx(warps.elastic_rms(alpha, sigma), rel=0.05)
    if quoted:
        assert warps.elastic_rms(alpha, sigma) == pytest.approx(quoted, abs=0.05 if quoted > 1 else 0.005)
    # As strong at the border as within, and without a drift.
    assert np.sqrt((dx[0] ** 2 + dy[0] ** 2).mean()) == pytest.approx(warps.elastic_rms(alpha, sigma), rel=0.25)
    assert abs(dx.mean()) < 0.1 * dx.std()


def test_the_field_is_scipys():
    noise = uniform_field(1, 0, 0, (60, 70), 2)
    dx, dy = warps.elastic_displacement(noise, 20, 2.5)
    for layer, moved in zip(noise, (dx, dy), strict=True):
        want = 20 * ndimage.gaussian_filter(2 * layer - 1, 2.5, truncate=4.0)[10:-10, 10:-10]
        np.testing.assert_allclose(moved, want, atol=1e-9)


def test_windows_of_a_field_agree():
    whole = displacement(9, 0, 0, (50, 60), 30, 3)
    part = displacement(9, 20, 10, (15, 25), 30, 3)
    for one, other in zip(whole, part, strict=True):
        np.testing.assert_allclose(one[10:25, 20:45], other, atol=1e-9)


@pytest.mark.parametrize(("alpha", "sigma"), [(100, 3), (100, 10), (3, 0.4), (0.5, 1)])
def test_no_displacement_exceeds_the_margin(alpha, sigma):
    margin = warps.elastic_margin(alpha, sigma)
    for key in range(4):
        assert max(np.abs(moved).max() for moved in displacement(key, 0, 0, (300, 300), alpha, sigma)) <= margin
    assert margin <= alpha + 1


@given(maps)
def test_no_displacement_changes_nothing(labels):
    zero = np.zeros(labels.shape)
    np.testing.assert_array_equal(warps.remap_nearest(labels, zero, zero), labels)


@given(maps, st.integers(0, 1000))
def test_remapping_invents_no_label_and_is_scipys(labels, key):
    dx, dy = 6 * uniform_field(key, 0, 0, labels.shape, 2) - 3
    moved = warps.remap_nearest(labels, dx, dy)
    assert moved.dtype == labels.dtype
    assert set(np.unique(moved)) <= set(np.unique(labels))
    rows, columns = np.indices(labels.shape)
    want = ndimage.map_coordinates(labels, (rows + dy, columns + dx), order=0, mode="nearest")
    np.testing.assert_array_equal(moved, want)


@given(maps, st.integers(-6, 6), st.integers(-6, 6), st.integers(0, 3), st.integers(0, 3))
def test_affine_windows_are_those_of_scipy_on_the_frame(labels, dx, dy, left, top):
    matrix, offset = np.array([[0.8, -0.3], [0.45, 1.1]]), np.array([dx + 0.013, dy - 0.021])
    frame = np.pad(labels, ((top, 2), (left, 5)))
    back = matrix[::-1, ::-1]
    want = ndimage.affine_transform(frame, back, offset[::-1], order=0, mode="grid-constant", prefilter=False)
    got = warps.affine_nearest(labels, (left, top), matrix, offset, (1, 1), (frame.shape[0] - 1, frame.shape[1] - 1))
    np.testing.assert_array_equal(got, want[1:, 1:])
