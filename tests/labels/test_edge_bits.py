import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from noisyseg.labels import LabelError
from noisyseg.labels.edge_bits import IGNORED_BITS, check_edge_bits, packed_edges, unpacked_edges


@settings(max_examples=60, deadline=None)
@given(
    edges=st.tuples(st.integers(1, 31), st.integers(1, 5), st.integers(1, 6)).flatmap(
        lambda shape: arrays.arrays(bool, shape)
    )
)
def test_what_is_packed_comes_back(edges):
    bits = packed_edges(edges)
    assert (bits.shape, bits.dtype) == (edges.shape[1:], np.int32)
    np.testing.assert_array_equal(bits, sum(channel.astype(np.int64) * 2**k for k, channel in enumerate(edges)))
    np.testing.assert_array_equal(unpacked_edges(bits, len(edges)), edges)


def test_ignored_pixels_are_on_no_edge():
    edges = np.ones((31, 1, 2), np.uint8)
    bits = packed_edges(edges, np.array([[True, False]]))
    assert bits.tolist() == [[IGNORED_BITS, 2**31 - 1]]
    assert unpacked_edges(bits, 31).sum(axis=0).tolist() == [[0, 31]]
    assert unpacked_edges(np.array([[IGNORED_BITS + 3, 3]], np.int32), 2).sum(axis=0).tolist() == [[0, 2]]


def test_what_does_not_fit_raises():
    for count in (0, 32):
        with pytest.raises(LabelError, match=rf"edge classes: expected 1\.\.31, got {count}"):
            packed_edges(np.zeros((count, 2, 3), bool))
    with pytest.raises(LabelError, match=r"ignored: expected shape \(2, 3\), got \(3, 2\)"):
        packed_edges(np.zeros((1, 2, 3), bool), np.zeros((3, 2), bool))
    with pytest.raises(LabelError, match=r"edge bits: expected \(H, W\) int32, got \(2, 3\) of int64"):
        check_edge_bits(np.zeros((2, 3), np.int64), 1)
    with pytest.raises(LabelError, match=r"edge bits: expected the classes 0\.\.1, got the bits \[2, 30\]"):
        unpacked_edges(np.array([[1, 4 + 2**30, IGNORED_BITS]], np.int32), 2)
    check_edge_bits(np.array([[2**31 - 1, IGNORED_BITS]], np.int32), 31)
