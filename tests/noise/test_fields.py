import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from noisyseg.labels.rng import keyed_rng
from noisyseg.noise.fields import field_key, field_rng, uniform_field

WHERE = st.integers(-5000, 5000)


def test_a_key_names_a_generator():
    key = field_key(keyed_rng(0))
    assert 0 <= key < 2**63
    assert field_rng(key).random() == field_rng(key).random()
    assert field_key(keyed_rng(0)) == key
    assert field_key(keyed_rng(1)) != key


@given(st.integers(0, 2**63 - 1), WHERE, WHERE, st.integers(0, 5), st.integers(0, 7))
def test_windows_agree_where_they_overlap(key, left, top, x, y):
    field = uniform_field(key, left, top, (12, 14), 3)
    part = uniform_field(key, left + x, top + y, (12 - y, 14 - x), 3)
    np.testing.assert_array_equal(field[:, y:, x:], part)


def test_numbers_are_uniform_and_independent_of_their_neighbours():
    field = uniform_field(7, -50, -90, (400, 500), 2)
    assert field.shape == (2, 400, 500)
    assert field.min() >= 0
    assert field.max() < 1
    assert stats.kstest(field.ravel(), "uniform").pvalue > 0.001
    other = uniform_field(8, -50, -90, (400, 500))[0]
    one, two = field
    bound = 4 / np.sqrt(one.size)
    for a, b in (
        (one, two),
        (one, other),
        (one[:, 1:], one[:, :-1]),
        (one[1:], one[:-1]),
        (one[1:, 1:], one[:-1, :-1]),
        (one[1:, :-1], one[:-1, 1:]),
    ):
        assert abs(np.corrcoef(a.ravel(), b.ravel())[0, 1]) < bound


def test_no_number_occurs_twice():
    field = uniform_field(3, -300, -300, (600, 600), 2)
    assert np.unique(field).size == field.size


@pytest.mark.parametrize("bits", [1, 5, 13])
def test_bits_are_fair_and_independent_of_the_place(bits):
    field = uniform_field(11, 0, 0, (512, 512))[0]
    bit = (field * 2**bits).astype(np.int64) & 1
    for half in (bit[::2], bit[:, ::2], bit[:256], bit):
        assert stats.binomtest(int(half.sum()), half.size, 0.5).pvalue > 0.0005
