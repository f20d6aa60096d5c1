import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage
from skimage.morphology import thin

from noisyseg.evaluation.edges import thin_edges

EIGHT = np.ones((3, 3))


@given(
    seed=st.integers(0, 2**32 - 1),
    size=st.tuples(st.integers(1, 30), st.integers(1, 30)),
    share=st.floats(0, 1),
    width=st.sampled_from([0, 1, 2]),
)
def test_it_is_that_of_scikit_image(seed, size, share, width):
    edges = ndimage.gaussian_filter(np.random.default_rng(seed).random(size), width) < share
    thinned = thin_edges(edges)
    assert np.array_equal(thinned, thin(edges))
    assert np.array_equal(thin_edges(thinned), thinned)
    assert not (thinned & ~edges).any()
    assert ndimage.label(thinned, EIGHT)[1] == ndimage.label(edges, EIGHT)[1]


@pytest.mark.parametrize("value", [False, True])
def test_a_frame_of_one_value_is_thinned(value):
    assert thin_edges(np.full((9, 14), value)).any() == value


@pytest.mark.parametrize("edges", [np.full((9, 14), 255, np.uint8), np.ones((2, 9, 14), bool)])
def test_only_bool_maps_are_thinned(edges):
    with pytest.raises(ValueError, match=r"edges: expected \(H, W\) bool, got \("):
        thin_edges(edges)
