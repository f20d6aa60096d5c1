import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noisyseg.correction import ClassHistory


def counts_of(labels, predicted, K):
    counts = np.zeros((K + 1, K), np.int64)
    np.add.at(counts, (np.where(labels == 255, K, labels), predicted), 1)
    return counts


def of_class_1(*windows):
    """A history of two classes from (epoch, hits, predicted, labelled) of class 1."""
    history = ClassHistory(2)
    for epoch, hits, predicted, labelled in windows:
        history.append(epoch, np.array([[7, predicted - hits], [labelled - hits, hits], [3, 4]]))
    return history


@given(st.integers(0, 2**32 - 1))
def test_iou_is_that_of_a_loop_over_classes(seed):
    rng = np.random.default_rng(seed)
    labels, predicted = rng.choice([0, 1, 2, 3, 255], 50), rng.integers(0, 5, 50)
    history = ClassHistory(5)
    history.append(0.5, counts_of(labels, predicted, 5))
    valid = labels != 255
    for c in range(5):
        common = ((labels == c) & (predicted == c)).sum()
        joint = (((labels == c) | (predicted == c)) & valid).sum()
        expected = common / joint if (labels == c).any() else np.nan
        np.testing.assert_equal(history.iou()[0, c], expected)
    assert np.isnan(history.iou()[0, 4])
    np.testing.assert_array_equal(history.labelled(), [[(labels == c).sum() for c in range(5)]])


class TestCurve:
    def test_windows_with_enough_pixels_stay(self):
        x, iou = of_class_1((0.5, 10, 20, 30), (1.5, 20, 20, 40)).curve(1, min_pixels=30)
        assert (x.tolist(), iou.tolist()) == ([0.5, 1.5], [10 / 40, 20 / 40])

    def test_others_are_merged_and_their_time_is_weighted_by_pixels(self):
        history = of_class_1((0.5, 1, 2, 10), (1.5, 9, 18, 30), (2.5, 50, 50, 50), (3.5, 5, 5, 10))
        x, iou = history.curve(1, min_pixels=40)
        np.testing.assert_allclose(x, [(0.5 * 10 + 1.5 * 30) / 40, (2.5 * 50 + 3.5 * 10) / 60])
        np.testing.assert_allclose(iou, [10 / 50, 55 / 60])

    def test_too_few_pixels_in_all_make_one_window(self):
        x, iou = of_class_1((0.5, 1, 1, 2), (1.5, 1, 1, 2)).curve(1)
        assert (x.tolist(), iou.tolist()) == ([1], [0.5])

    def test_windows_without_the_class_are_left_out(self):
        history = of_class_1((0.5, 0, 99, 0), (1.5, 10, 10, 10), (2.5, 0, 0, 0), (3.5, 5, 10, 10))
        x, iou = history.curve(1, min_pixels=10)
        assert (x.tolist(), iou.tolist()) == ([1.5, 3.5], [1, 5 / 15])

    def test_without_a_least_number_windows_are_taken_as_they_are(self):
        history = of_class_1((0.5, 0, 99, 0), (1.5, 10, 10, 10), (2.5, 0, 0, 0))
        x, iou = history.curve(1, min_pixels=0)
        assert (x.tolist(), iou.tolist()) == ([0.5, 1.5, 2.5], [0, 1, 0])

    def test_a_class_without_pixels_and_an_empty_history_have_empty_curves(self):
        for history in (of_class_1((0.5, 0, 0, 0)), ClassHistory(2)):
            x, iou = history.curve(1)
            assert len(x) == len(iou) == 0

    @given(st.lists(st.integers(0, 500), min_size=1, max_size=30), st.integers(1, 2000))
    def test_no_pixel_is_lost_and_all_windows_are_wide_enough(self, labelled, least):
        history = of_class_1(*((0.5 + i, n, n, n) for i, n in enumerate(labelled)))
        x, iou = history.curve(1, least)
        assert len(x) <= max(sum(labelled) // least, 1)
        assert (np.diff(x) > 0).all()
        assert (iou == 1).all()
        assert len(x) == 0 or sum(labelled)


class TestFates:
    def test_shares(self):
        history = ClassHistory(2)
        history.append(1, np.ones((3, 2), int), fates=np.array([[6, 3, 1], [0, 0, 0]]))
        np.testing.assert_allclose(history.corrected(), [[0.6, np.nan]])
        np.testing.assert_allclose(history.memorized(), [[0.3, np.nan]])

    def test_there_may_be_none(self):
        with pytest.raises(ValueError, match="fates of wrongly labelled pixels, got a history without"):
            of_class_1((1, 1, 1, 1)).memorized()


def test_clean_labels_have_their_own_iou():
    history = ClassHistory(2)
    history.append(1, np.array([[4, 0], [2, 2], [0, 0]]), np.array([[4, 0], [0, 4], [0, 0]]))
    np.testing.assert_allclose(history.iou("clean"), [[1, 1]])
    np.testing.assert_allclose(history.iou("given"), [[4 / 6, 0.5]])
    assert history.curve(1, 1, "clean")[1].tolist() == [1]
    assert history.has_clean
    with pytest.raises(ValueError, match="against clean labels, got a history without"):
        of_class_1((1, 1, 1, 1)).iou("clean")


@pytest.mark.parametrize("extras", [{}, {"clean_counts": np.ones((3, 2), int), "fates": np.ones((2, 3), int)}])
def test_the_state_is_plain_and_complete(extras):
    history = ClassHistory(2)
    for epoch in (0.5, 1.5):
        history.append(epoch, np.arange(6).reshape(3, 2), **extras)
    state = json.loads(json.dumps(history.state()))
    again = ClassHistory.from_state(state)
    assert again.state() == history.state()
    np.testing.assert_array_equal(again.iou(), history.iou())
    again.append(2.5, np.ones((3, 2), int), **extras)
    assert (len(again), len(history)) == (3, 2)
    assert again.epochs.tolist() == [0.5, 1.5, 2.5]


def test_an_empty_history():
    history = ClassHistory.from_state(ClassHistory(3).state())
    assert len(history) == 0
    assert history.iou().shape == history.memorized().shape == (0, 3)


def test_errors():
    with pytest.raises(ValueError, match="num_classes: expected at least 1, got 0"):
        ClassHistory(0)
    history, ones = ClassHistory(2), np.ones((3, 2), int)
    with pytest.raises(ValueError, match=r"counts: expected integers >= 0 of shape \(3, 2\), got int64 of \(2, 2\)"):
        history.append(1, np.ones((2, 2), int))
    with pytest.raises(ValueError, match=r"clean_counts: expected integers >= 0 .* got float64"):
        history.append(1, ones, np.ones((3, 2)))
    with pytest.raises(ValueError, match=r"fates: expected integers >= 0 of shape \(2, 3\)"):
        history.append(1, ones, fates=-np.ones((2, 3), int))
    history.append(1, ones)
    with pytest.raises(ValueError, match=r"epoch of a window: expected after 1\.0, got 1"):
        history.append(1, ones)
    with pytest.raises(ValueError, match="clean_counts: expected in every window or in none, got 0 in 1 windows"):
        history.append(2, ones, ones)
    assert len(history) == 1
    with pytest.raises(ValueError, match=r"class: expected 0\.\.1, got 2"):
        history.curve(2)
    with pytest.raises(ValueError, match="against: expected 'given' or 'clean', got 'noisy'"):
        history.iou("noisy")
