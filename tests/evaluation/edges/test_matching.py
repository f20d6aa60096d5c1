import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from noisyseg.evaluation.edges import match_edges
from noisyseg.evaluation.edges.matching import step_table


def largest_matching(predicted, labelled, radius):
    """Return the size of a largest matching, from a matrix of all pairs."""
    here, there = np.argwhere(predicted), np.argwhere(labelled)
    if not len(here) or not len(there):
        return 0
    near = ((here[:, None] - there[None]) ** 2).sum(-1) <= radius**2
    return int(np.count_nonzero(maximum_bipartite_matching(csr_array(near), perm_type="column") >= 0))


@given(
    seed=st.integers(0, 2**32 - 1),
    size=st.tuples(st.integers(1, 20), st.integers(1, 20)),
    shares=st.tuples(st.floats(0, 0.7), st.floats(0, 0.7)),
    radius=st.sampled_from([0, 0.9, 1, 1.5, 2, 3.3, 5]),
)
def test_no_matching_is_larger_and_each_pixel_has_one_partner(seed, size, shares, radius):
    rng = np.random.default_rng(seed)
    predicted, labelled = (rng.random(size) < share for share in shares)
    first, second = match_edges(predicted, labelled, radius)
    expected = largest_matching(predicted, labelled, radius)
    assert np.count_nonzero(first) == np.count_nonzero(second) == expected
    assert not (first & ~predicted).any()
    assert not (second & ~labelled).any()
    # What is marked can be paired off within the distance.
    assert largest_matching(first, second, radius) == expected
    assert np.count_nonzero(match_edges(labelled, predicted, radius)[0]) == expected


def test_paths_are_found_where_pairing_the_nearest_first_is_not_enough():
    predicted, labelled = np.zeros((1, 8), bool), np.zeros((1, 8), bool)
    predicted[0, [2, 4, 6]] = True
    labelled[0, [0, 3, 5]] = True
    # Nearest first would pair 2-3 and 4-5 and leave 6 alone, which reaches neither of the others.
    assert match_edges(predicted, labelled, 2)[0].sum() == 3


@pytest.mark.parametrize("radius", [3, 12.2])
def test_a_dense_map_with_a_long_reach_is_matched(radius):
    rng = np.random.default_rng(0)
    predicted, labelled = rng.random((120, 160)) < 0.5, rng.random((120, 160)) < 0.3
    assert match_edges(predicted, labelled, radius)[1].sum() == labelled.sum()


def test_steps_are_those_within_reach_and_sorted():
    steps = step_table(4.58, 1000)
    rows = np.rint(steps / 1000).astype(int)
    lengths = np.hypot(rows, steps - 1000 * rows)
    assert len(steps) == 69
    assert lengths.max() <= 4.58
    assert (np.diff(lengths) >= 0).all()


@pytest.mark.parametrize(
    ("predicted", "labelled", "radius", "message"),
    [
        (np.zeros((4, 5)), np.zeros((4, 5), bool), 1, r"predicted: expected \(H, W\) bool, got \(4, 5\) of float64"),
        (np.zeros((4, 5), bool), np.zeros((4, 5, 1), bool), 1, r"labelled: expected \(H, W\) bool"),
        (np.zeros((4, 5), bool), np.zeros((5, 4), bool), 1, r"one size, got \(4, 5\) and \(5, 4\)"),
        (np.zeros((4, 5), bool), np.zeros((4, 5), bool), -1, "radius: expected a length >= 0, got -1"),
        (np.zeros((4, 5), bool), np.zeros((4, 5), bool), float("nan"), "radius: expected a length >= 0, got nan"),
    ],
)
def test_wrong_input_is_told(predicted, labelled, radius, message):
    with pytest.raises(ValueError, match=message):
        match_edges(predicted, labelled, radius)
