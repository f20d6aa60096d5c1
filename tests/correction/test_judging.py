import math

import numpy as np
import pytest

from noisyseg.correction import (
    Agreement,
    Judge,
    LabelProbability,
    MonteCarloUncertainty,
    Prediction,
    Refresh,
    SoftDiceQuality,
    faded_classes,
    raised_weights,
    refreshed_labels,
    summed_up,
)

TRUE = np.kron([[0, 1], [2, 1]], np.ones((4, 4), int))
ONES = np.ones(TRUE.shape, np.float32)


def sure_of(labels, p=1.0):
    other = (1 - p) / 2
    return Prediction(np.moveaxis(np.eye(3, dtype=np.float32)[labels] * (p - other) + np.float32(other), -1, 0))


@pytest.fixture
def wrong():
    """Labels that are wrong in one block, and ignored in one row."""
    labels = TRUE.copy()
    labels[1:3, 1:3] = 1
    labels[7] = 255
    return labels


def test_a_perfect_model_trusts_everything():
    verdict = Judge(LabelProbability(), SoftDiceQuality(), Refresh())("a", TRUE, ONES, sure_of(TRUE))
    np.testing.assert_array_equal(verdict.labels, TRUE)
    assert (verdict.weights == 1).all()
    assert (verdict.record.moved, verdict.record.relabelled, verdict.record.measure) == (0, 0, 1)


def test_the_wrong_block_and_nothing_else_is_distrusted(wrong):
    verdict = Judge(LabelProbability(), None, None)("a", wrong, ONES, sure_of(TRUE))
    np.testing.assert_array_equal((verdict.weights < 0.5) & (wrong != 255), (wrong != TRUE) & (wrong != 255))
    np.testing.assert_array_equal(verdict.labels, wrong)
    assert (verdict.record.moved, verdict.record.valid) == (4, 56)
    assert math.isnan(verdict.record.measure)


def test_refresh_corrects_it_and_weighs_the_new_labels(wrong):
    verdict = Judge(LabelProbability(), SoftDiceQuality(), Refresh())("a", wrong, ONES, sure_of(TRUE, 0.95))
    np.testing.assert_array_equal(verdict.labels, np.where(wrong == 255, 255, TRUE))
    assert (verdict.weights[:7] == 1).all()
    assert verdict.record.relabelled == verdict.record.moved == 4


class TestRefresh:
    weights = np.array([[0.4, 0.4, 0.6, 0.4]], np.float32)
    labels = np.array([[0, 0, 0, 255]])

    def test_only_low_weights_and_sure_predictions_are_replaced(self):
        p = np.array([[0.9, 0.7, 0.9, 0.9]], np.float32)
        probs = np.stack([1 - p, p])
        assert refreshed_labels(self.labels, self.weights, probs, 0.5, 0.8).tolist() == [[1, 0, 0, 255]]
        assert refreshed_labels(self.labels, self.weights, probs, None, 0.8).tolist() == [[1, 0, 1, 255]]

    def test_settings_are_checked(self):
        with pytest.raises(ValueError, match=r"confidence: expected a number in \[0, 1\], got 80"):
            Refresh(confidence=80)


def test_a_class_that_lost_its_weight_is_raised():
    pixels, sums = np.array([100, 100, 0]), np.array([0.9, 1.0, 0.0])
    assert faded_classes(pixels, sums) == [0]
    labels, weights = np.array([[0, 0, 1, 255]]), np.array([[0.0, 0.4, 0.0, 0.0]], np.float32)
    np.testing.assert_allclose(raised_weights(weights, labels, [0], 0.25), [[0.25, 0.4, 0, 0]])


def test_summary_and_image_weights_do_not_depend_on_the_order(wrong):
    judge = Judge(Agreement(), SoftDiceQuality(), None)
    records = [
        judge("good", TRUE, ONES, sure_of(TRUE)).record,
        judge("bad", wrong, ONES, sure_of(TRUE)).record,
        judge("void", np.full_like(TRUE, 255), ONES, sure_of(TRUE)).record,
    ]
    summary = summed_up(records)
    assert summary == summed_up(records[::-1])
    assert summary.moved_share == pytest.approx(4 / (64 + 56))
    assert summary.mean_weights[1] == pytest.approx(1 - 0.5 * 4 / (32 + 32))
    weights = judge.image_weights(records)
    assert weights == judge.image_weights(records[::-1])
    assert weights["good"] > 1 > weights["bad"]
    assert weights["void"] == 1
    with pytest.raises(ValueError, match="expected valid pixels, got none in 1 images"):
        summed_up(records[2:])


def test_passes_that_are_needed():
    assert Judge(LabelProbability(), MonteCarloUncertainty(), None).min_passes == 2
    assert Judge(None, None, None).min_passes == 1
