import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noisyseg.correction.memorization import (
    fit_curve,
    late_start,
    learning_curve,
    released_times,
    slope_crossing,
    slow_start,
    update_epoch,
)

CURVES = [(0.6, 0.5, 0.8), (0.75, 0.8, 1.5), (0.4, 0.3, 0.5), (0.9, 1, 3), (0.5, 1, 1)]
TIMES = np.arange(20) + 0.5

betas = st.floats(0.01, 1)
gammas = st.floats(0.05, 50)
shares = st.floats(0.05, 0.98)


class TestFit:
    @pytest.mark.parametrize("parameters", CURVES)
    def test_it_recovers_a_curve(self, parameters):
        fit = fit_curve(TIMES, learning_curve(TIMES, *parameters))
        assert (fit.a, fit.beta, fit.gamma) == pytest.approx(parameters, rel=1e-3)
        assert fit.ok
        assert fit.r2 == pytest.approx(1)

    @pytest.mark.parametrize("parameters", CURVES)
    def test_with_noise_it_recovers_the_curve_though_not_its_parameters(self, parameters):
        x = (np.arange(190) + 0.5) / 10  # with windows of an epoch, a few fits are off by .08 in the first
        curve = learning_curve(x, *parameters)
        fit = fit_curve(x, curve + np.random.default_rng(0).normal(0, 0.02, curve.shape))
        np.testing.assert_allclose(learning_curve(x, fit.a, fit.beta, fit.gamma), curve, atol=0.03)

    def test_the_last_point_counts_most(self):
        level = np.full(20, 0.5)
        first, last = level.copy(), level.copy()
        first[0], last[-1] = 0.9, 0.9
        ends = [
            learning_curve(TIMES[-1:], f.a, f.beta, f.gamma)[0] for f in (fit_curve(TIMES, y) for y in (first, last))
        ]
        assert ends[0] == pytest.approx(0.5, abs=0.01)
        assert ends[1] > 0.55

    def test_golden_fits_describe_the_same_curves(self, golden_dir):
        x = np.linspace(0, 16, 200)
        with np.load(golden_dir / "adele_trigger.npz") as golden:
            curves = np.split(golden["curves"], np.cumsum(golden["lengths"])[:-1])
            assert len(curves) == 60
            for iou, expected in zip(curves, golden["fits"], strict=True):
                fit = fit_curve(released_times(len(iou), 1), iou)
                np.testing.assert_allclose(
                    learning_curve(x, fit.a, fit.beta, fit.gamma), learning_curve(x, *expected), atol=1e-3
                )

    @given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
    def test_any_iou_give_a_fit_or_a_reason(self, iou):
        fit = fit_curve(np.arange(len(iou)) + 0.5, np.array(iou))
        assert fit.ok != bool(fit.reason)
        assert 0 <= fit.a <= 1
        assert 0 <= fit.beta <= 1
        assert 0 < fit.gamma < math.inf
        assert -math.inf < fit.r2 <= 1

    def test_a_curve_that_says_nothing_about_time_is_not_ok(self):
        fit = fit_curve(np.arange(10) + 0.5, np.full(10, 0.5))
        assert not fit.ok
        assert "degenerate" in fit.reason

    def test_a_falling_curve_is_not_explained(self):
        assert fit_curve(TIMES, np.linspace(0.9, 0.1, 20)).r2 < 0.5

    def test_errors(self):
        with pytest.raises(ValueError, match=r"as many times as IoU, at least one, got \(2,\) and \(3,\)"):
            fit_curve(np.ones(2), np.ones(3))
        with pytest.raises(ValueError, match="finite times and IoU, got NaN"):
            fit_curve(np.ones(1), np.array([np.nan]))


class TestUpdateEpoch:
    @pytest.mark.parametrize(
        ("beta", "gamma", "crossing", "epoch"),
        [(0.5, 0.8, 4.88, 5), (0.8, 1.5, 5.55, 6), (0.3, 0.5, 4.81, 5), (1, 3, 7.91, 8), (1, 1, 3.30, 4)],
    )
    def test_known_values(self, beta, gamma, crossing, epoch):
        assert slope_crossing(beta, gamma, 0.9, 16) == pytest.approx(crossing, abs=0.005)
        assert update_epoch(beta, gamma, 0.9, 16) == epoch

    def test_known_values_for_many_thresholds(self):
        epochs = [update_epoch(0.5, 0.8, r, 16) for r in (0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99)]
        assert epochs == [2, 2, 2, 3, 4, 5, 7, 14]

    @given(betas, gammas, shares, st.integers(2, 60))
    def test_it_is_the_number_of_epochs_that_the_released_code_counts(self, beta, gamma, r, t_max):
        t = np.arange(1, t_max)
        crossing = slope_crossing(beta, gamma, r, t_max)
        if abs(crossing - round(crossing)) < 1e-3:  # where the two round differently
            return
        with np.errstate(under="ignore"):
            slope = np.exp(-(t**beta - 1) / gamma) * t ** (beta - 1.0)
        assert update_epoch(beta, gamma, r, t_max) == 1 + np.count_nonzero(1 - slope <= r)

    @given(betas, gammas, shares, shares)
    def test_it_does_not_fall_with_the_threshold_and_is_in_its_range(self, beta, gamma, one, other):
        low, high = sorted((one, other))
        assert 2 <= update_epoch(beta, gamma, low, 16) <= update_epoch(beta, gamma, high, 16) <= 16

    @given(st.floats(0.05, 20), shares)
    def test_an_exponential_has_a_closed_form(self, gamma, r):
        assert slope_crossing(1, gamma, r, 1e4) == pytest.approx(1 - gamma * math.log(1 - r))

    def test_a_slope_that_never_falls_so_far_means_the_last_epoch(self):
        assert slope_crossing(1, 1e3, 0.9, 16) == 16
        assert update_epoch(1, 1e3, 0.9, 16) == 16

    def test_a_constant_has_the_slope_of_a_logarithm(self):
        assert update_epoch(0, 0.7, 0.9, 16) == 11

    @given(betas, gammas, st.floats(0.1, 10))
    def test_other_units_of_time_leave_the_curve_as_it_is(self, beta, gamma, s):
        curve = learning_curve(TIMES, 0.7, beta, gamma)
        np.testing.assert_allclose(learning_curve(s * TIMES, 0.7, beta, gamma * s**beta), curve, rtol=1e-9)

    @pytest.mark.parametrize(
        "wrong", [(1.1, 1, 0.9, 16), (1, 0, 0.9, 16), (1, 1, 1, 16), (1, 1, 0, 16), (1, 1, 0.9, 0)]
    )
    def test_errors(self, wrong):
        with pytest.raises(ValueError, match=r"expected beta in \[0, 1\], gamma > 0, r in \(0, 1\), t_max >= 1"):
            update_epoch(*wrong)


@pytest.mark.parametrize(
    ("iou", "skipped"),
    [([0, 0.2, 0.25], 0), ([0, 0.05, 0.05, 0.2, 0.25], 2), ([0, 0.05, 0.1], 2), ([0.3], 0), ([0, 0.25], 0), ([], 0)],
)
def test_the_slow_start_ends_with_the_first_fast_rise(iou, skipped):
    assert slow_start(np.array(iou)) == skipped


@pytest.mark.parametrize(
    ("iou", "skipped"),
    [
        ([0, 0.01, 0.3, 0.5], 2),
        ([0, 0.3, 0, 0.5], 3),
        ([0.3, 0.4], 0),
        ([0, 0.04, 0.05, 0.5], 2),
        ([0.5, 0], 1),
        ([0, 0], 0),
        ([], 0),
    ],
)
def test_a_late_start_ends_behind_the_last_low_point(iou, skipped):
    assert late_start(np.array(iou), 0.1) == skipped
    assert late_start(np.array(iou), 0) == 0
