import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from noisyseg.labels import Categories, EdgeMap
from noisyseg.labels.edges import edge_map
from noisyseg.labels.rng import keyed_rng
from noisyseg.noise.edges import EdgeDrop


@given(rate=st.floats(0, 1), length=st.integers(1, 40), seed=st.integers(0, 50))
def test_exactly_the_rate_is_gone(rate, length, seed):
    edges = np.zeros((1, 30, 40), bool)
    edges[0, 5, 3:37] = edges[0, 9:28, 20] = edges[0, 15] = True
    labels = EdgeMap(edges, Categories.from_names("e"))
    noisy = EdgeDrop(rate, length)(labels, keyed_rng(seed)).edges
    assert noisy.sum() == edges.sum() - round(rate * edges.sum())
    assert not (noisy & ~edges).any()


@pytest.mark.parametrize("length", [5, 20])
def test_gaps_are_as_long_as_asked(length):
    edges = np.zeros((1, 9, 4000), bool)
    edges[0, 4] = True
    labels = EdgeMap(edges, Categories.from_names("e"))
    noisy = EdgeDrop(0.05, length)(labels, keyed_rng(0)).edges[0, 4]
    numbers, count = ndimage.label(~noisy)
    gaps = np.bincount(numbers)[1:]
    assert (gaps >= length).sum() >= count - 1
    assert np.median(gaps) == length
    assert abs(count - 200 / length) <= 0.35 * 200 / length


def test_a_gap_goes_through_all_channels_and_the_whole_width(blobs):
    for radius in (0, 2):
        labels = edge_map(blobs, radius)
        noisy = EdgeDrop(0.3, 15)(labels, keyed_rng(0))
        union, left = labels.edges.any(axis=0), noisy.edges.any(axis=0)
        assert left.sum() == union.sum() - round(0.3 * union.sum())
        np.testing.assert_array_equal(noisy.edges, labels.edges & left)
        assert noisy.regions is None
        gaps = ndimage.label(union & ~left, np.ones((3, 3)))[1]
        assert gaps < 1.5 * 0.3 * union.sum() / (15 * max(1, 2 * radius))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rate": 1.1}, r"rate: expected a share in \[0, 1\], got 1\.1"),
        ({"rate": 0.5, "length": 0}, "length: expected a whole number >= 1, got 0"),
        ({"rate": 0.5, "length": 2.5}, r"length: expected a whole number >= 1, got 2\.5"),
    ],
)
def test_bad_settings_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        EdgeDrop(**arguments)
