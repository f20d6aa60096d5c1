import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from noisyseg.noise.kernels import classes as kernels

RATES = st.floats(0, 1)
N = 60_000


def test_symmetric_matrices_are_those_of_the_definition():
    eye, ones = np.eye(5), np.ones((5, 5))
    np.testing.assert_allclose(kernels.symmetric(5, 0.3, include_self=True), 0.7 * eye + 0.3 / 5 * ones)
    np.testing.assert_allclose(kernels.symmetric(5, 0.3, include_self=False), 0.7 * eye + 0.3 / 4 * (ones - eye))


def test_grouped_matrices_by_hand():
    inclusive = [[0.8, 0, 0.2, 0], [0, 1, 0, 0], [0.2, 0, 0.8, 0], [0, 0, 0, 1]]
    exclusive = [[0.6, 0, 0.4, 0], [0, 1, 0, 0], [0.4, 0, 0.6, 0], [0, 0, 0, 1]]
    np.testing.assert_allclose(kernels.grouped([7, 2, 7, 3], 0.4, include_self=True), inclusive)
    np.testing.assert_allclose(kernels.grouped([7, 2, 7, 3], 0.4, include_self=False), exclusive)


def test_paired_matrices_by_hand():
    by_hand = [[0.75, 0.25, 0], [0, 1, 0], [0.25, 0, 0.75]]
    np.testing.assert_array_equal(kernels.paired([1, 1, 0], 0.25), by_hand)


@given(rate=RATES, groups=st.lists(st.integers(0, 3), min_size=1, max_size=8), include_self=st.booleans())
def test_every_matrix_is_a_transition_matrix_with_the_flip_rate_of_the_definition(rate, groups, include_self):
    matrix = kernels.checked_matrix(kernels.grouped(groups, rate, include_self=include_self))
    sizes = np.array([groups.count(group) for group in groups])
    share = (sizes - 1) / sizes if include_self else (sizes > 1)
    np.testing.assert_allclose(1 - np.diagonal(matrix), rate * share, atol=1e-12)
    np.testing.assert_allclose(kernels.Transitions(matrix).rates, rate * share, atol=1e-12)


@given(rate=RATES, seed=st.integers(0, 99))
def test_pairs_give_a_transition_matrix(rate, seed):
    targets = np.random.default_rng(seed).integers(0, 6, 6)
    matrix = kernels.checked_matrix(kernels.paired(targets, rate))
    np.testing.assert_allclose(1 - np.diagonal(matrix), rate * (targets != np.arange(6)), atol=1e-12)


@pytest.mark.parametrize(
    ("matrix", "problem"),
    [
        ([[1, 0], [0.5, 0.4]], r"matrix\[1\]: expected a sum of 1, got 0\.9"),
        ([[1, 0], [1.5, -0.5]], r"matrix\[1\]: expected numbers >= 0, got -0\.5"),
        ([[np.nan, 0], [0, 1]], r"matrix\[0\]: expected numbers >= 0, got nan"),
        ([[1, 0], [0, np.inf]], r"matrix\[1\]: expected numbers >= 0, got inf"),
        ([[1, 0]], r"matrix: expected K rows of K numbers, got shape \(1, 2\)"),
        ([[1, 0], [1]], "matrix: expected K rows of K numbers, got rows of different lengths"),
        ([], r"matrix: expected K rows of K numbers, got shape \(0,\)"),
        ("rows", "matrix: expected K rows of K numbers"),
    ],
)
def test_a_matrix_that_is_none_is_an_error(matrix, problem):
    with pytest.raises(ValueError, match=problem):
        kernels.checked_matrix(matrix)


def test_a_row_may_miss_one_by_rounding():
    kernels.checked_matrix([[1 - 9e-9, 0], [0, 1]])
    with pytest.raises(ValueError, match=r"matrix\[0\]"):
        kernels.checked_matrix([[1 - 2e-8, 0], [0, 1]])


def random_matrix(count):
    rng = np.random.default_rng(count)
    matrix = rng.dirichlet(np.full(count, 0.7), count) * (rng.random((count, count)) < 0.7)
    matrix[np.arange(count), np.arange(count)] += 0.1
    return matrix / matrix.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("matrix", [random_matrix(7), kernels.symmetric(3, 0.5, include_self=True), np.eye(4)[::-1]])
def test_drawn_classes_have_the_distribution_of_their_row(matrix):
    rng = np.random.default_rng(1)
    classes = np.arange(N) % len(matrix)
    drawn = kernels.Transitions(matrix).draws(classes, rng.random(N), rng.random(N))
    observed = np.zeros(matrix.shape)
    np.add.at(observed, (classes, drawn), 1)
    expected = matrix * observed.sum(axis=1, keepdims=True)
    assert observed[expected == 0].sum() == 0
    possible = expected > 0
    freedom = possible.sum() - len(matrix)
    statistic = ((observed - expected)[possible] ** 2 / expected[possible]).sum()
    assert stats.chi2.sf(statistic, freedom) > 0.001 if freedom else statistic == 0


def test_single_draws_are_the_elements_of_array_draws():
    transitions = kernels.Transitions(random_matrix(5))
    rng = np.random.default_rng(0)
    classes = rng.integers(0, 5, (40, 30)).astype(np.uint8)
    changes, choices = rng.random((2, 40, 30))
    drawn = transitions.draws(classes, changes, choices)
    assert drawn.dtype == np.uint8
    single = [transitions.draw(*item) for item in zip(classes.flat, changes.flat, choices.flat, strict=True)]
    np.testing.assert_array_equal(drawn.ravel(), single)


def test_classes_that_are_drawn_from_stay():
    classes = np.zeros(100, np.int64)
    uniforms = np.random.default_rng(0).random((2, 100))
    kernels.Transitions(kernels.symmetric(4, 1.0, include_self=False)).draws(classes, *uniforms)
    assert not classes.any()


def test_the_same_numbers_change_more_at_a_higher_rate_and_to_the_same_class():
    classes = np.arange(N) % 6
    changes, choices = np.random.default_rng(2).random((2, N))
    low, high = (
        kernels.Transitions(kernels.symmetric(6, rate, include_self=True)).draws(classes, changes, choices)
        for rate in (0.2, 0.6)
    )
    changed = low != classes
    assert 0 < changed.sum() < (high != classes).sum()
    np.testing.assert_array_equal(low[changed], high[changed])


@pytest.mark.parametrize("largest", [0.0, np.nextafter(1, 0)])
def test_the_ends_of_the_unit_interval_give_possible_classes(largest):
    matrix = np.array([[0.3, 0.7, 0.0], [0.0, 0.1, 0.9], [1 / 3, 1 / 3, 1 / 3]])
    transitions = kernels.Transitions(matrix)
    for class_ in range(3):
        assert matrix[class_, transitions.draw(class_, largest, largest)] > 0
        assert matrix[class_, transitions.draw(class_, 0.0, largest)] > 0
