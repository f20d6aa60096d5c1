import math

import numpy as np
import pytest

from noisyseg.correction import (
    LossRank,
    MonteCarloUncertainty,
    Prediction,
    SoftDiceQuality,
    label_loss,
    normalised_weights,
    prediction_of,
    uncertainty_weights,
)

LABELS = np.array([[1, 1, 0, 0]])


def binary(*probs_of_class_1):
    p = np.array([probs_of_class_1], np.float32)
    return Prediction(np.stack([1 - p, p]))


class TestSoftDice:
    def test_known_value(self):
        # The example of the noise-weighted Dice: .282051 and .268293 are the losses of background and foreground.
        quality = SoftDiceQuality().measure(LABELS, binary(0.9, 0.6, 0.2, 0.4))
        assert quality == pytest.approx(1 - 0.275172, abs=1e-6)

    def test_a_perfect_prediction_has_1_also_where_classes_are_absent(self):
        assert SoftDiceQuality().measure(LABELS, binary(1, 1, 0, 0)) == 1
        assert SoftDiceQuality().measure(np.zeros((1, 4), int), binary(0, 0, 0, 0)) == 1

    def test_ignored_pixels_count_nothing(self):
        labels = np.array([[1, 255, 0, 255]])
        values = {SoftDiceQuality().measure(labels, binary(0.8, p, 0.3, 1 - p)) for p in (0.1, 0.9)}
        assert len(values) == 1
        assert math.isnan(SoftDiceQuality().measure(np.full((1, 4), 255), binary(1, 1, 0, 0)))

    def test_equal_quality_gives_equal_weights(self):
        assert normalised_weights(SoftDiceQuality().weights(np.full(5, 0.3))).tolist() == [1] * 5


class TestMonteCarloUncertainty:
    @staticmethod
    def passes(spread, size=100):
        half = np.full((1, size), 0.5, np.float32)
        return prediction_of(np.stack([1 - p, p]) for p in (half + spread, half - spread))

    def test_it_is_the_sum_of_variances_over_the_number_of_uncertain_pixels(self):
        labels = np.zeros((1, 100), int)
        assert MonteCarloUncertainty().measure(labels, self.passes(0.2)) == pytest.approx(0.04, rel=1e-5)

    def test_fewer_than_50_uncertain_pixels_mean_full_uncertainty(self):
        estimator = MonteCarloUncertainty()
        assert estimator.measure(np.zeros((1, 49), int), self.passes(0.2, 49)) == 1
        assert estimator.measure(np.zeros((1, 50), int), self.passes(0.2, 50)) < 1
        ignored = np.zeros((1, 100), int)
        ignored[0, 49:] = 255
        assert estimator.measure(ignored, self.passes(0.2)) == 1

    def test_weights_reverse_the_order_from_1_01_to_01(self):
        weights = uncertainty_weights(np.array([0.3, 0.1, 1.0, 0.5]))
        np.testing.assert_allclose(weights, [0.7 / 0.9 + 0.01, 1.01, 0.01, 0.5 / 0.9 + 0.01])

    def test_equal_uncertainties_give_1(self):
        assert uncertainty_weights(np.full(3, 0.2)).tolist() == [1, 1, 1]

    def test_passes_that_do_not_differ_are_an_error(self):
        measure = MonteCarloUncertainty().measure(np.zeros((1, 100), int), self.passes(0))
        assert measure == 0
        assert MonteCarloUncertainty().weights(np.array([measure, 0.1])).tolist() == [1.01, 0.01]
        with pytest.raises(ValueError, match="the passes over all images are equal; the model needs dropout"):
            MonteCarloUncertainty().weights(np.array([measure, 1.0, measure]))
        with pytest.raises(ValueError, match="at least 2 passes, got 1"):
            MonteCarloUncertainty().measure(LABELS, binary(0, 0, 0, 0))


class TestLossRank:
    def test_the_loss_is_the_mean_cross_entropy(self):
        expected = -np.log([0.9, 0.6, 0.8, 0.6]).mean()
        assert label_loss(LABELS, binary(0.9, 0.6, 0.2, 0.4)) == pytest.approx(expected, rel=1e-6)
        assert math.isfinite(label_loss(LABELS, binary(0, 0, 1, 1)))

    @pytest.mark.parametrize(("rho", "kept"), [(0.5, [1, 0, 1, 0]), (1, [1, 1, 1, 1]), (0.01, [0, 0, 1, 0])])
    def test_it_keeps_the_share_with_the_lowest_losses(self, rho, kept):
        assert LossRank(rho).weights(np.array([0.2, 0.9, 0.1, 0.3])).tolist() == kept

    def test_rho_is_checked(self):
        for rho in (0, 1.1):
            with pytest.raises(ValueError, match="rho: expected a number in"):
                LossRank(rho)


class TestNormalising:
    def test_the_mean_becomes_1_where_nothing_is_clipped(self):
        assert normalised_weights(np.array([0.2, 0.4, 0.6])).tolist() == pytest.approx([0.5, 1, 1.5])

    def test_bounds(self):
        weights = normalised_weights(np.array([1e-6, 100, *[1.0] * 98]))
        assert weights.min() == 0.05
        assert weights.max() == 3

    def test_what_a_selection_left_out_stays_out(self):
        assert normalised_weights(np.array([1.0, 0, 0, 1])).tolist() == [2, 0, 0, 2]

    @pytest.mark.parametrize(
        ("weights", "problem"),
        [([0, 0], "every image has weight 0"), ([1, -1], "finite numbers >= 0"), ([np.nan], "finite numbers >= 0")],
    )
    def test_errors(self, weights, problem):
        with pytest.raises(ValueError, match=problem):
            normalised_weights(np.array(weights, float))
