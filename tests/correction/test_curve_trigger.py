"""IoU are given as counts: of N pixels of the class, hits are predicted as it, and nothing else is."""

import numpy as np
import pytest

from noisyseg.correction import ClassHistory, CurveRule, CurveTrigger, Fit, curve_trigger, learning_curve
from noisyseg.correction.memorization import slope_crossing
from noisyseg.registry import TASK_UTILS

N = 10**9


def history_of(*curves, width=1.0, pixels=N):
    """A history with background and a class for each curve, in windows of ``width`` epochs."""
    K = len(curves) + 1
    history = ClassHistory(K)
    for index, row in enumerate(np.array(curves).T):
        counts = np.zeros((K + 1, K), np.int64)
        counts[0, 0] = pixels
        for c, iou in enumerate(row, start=1):
            counts[c, c] = round(iou * pixels)
            counts[c, 0] = pixels - counts[c, c]
        history.append((index + 0.5) * width, counts)
    return history


def verdict(curve, epoch=9, epochs=20, width=1.0, **settings):
    return CurveTrigger(**settings)(history_of(curve, width=width), epoch, epochs, [1])[1]


TIMES = np.arange(12) + 0.5
RISING = learning_curve(TIMES, 0.6, 0.5, 0.8)


@pytest.fixture(scope="module")
def golden(golden_dir):
    with np.load(golden_dir / "adele_trigger.npz") as file:
        return dict(file)


@pytest.fixture(scope="module")
def histories(golden):
    curves = np.split(golden["curves"], np.cumsum(golden["lengths"])[:-1])
    assert len(curves) == 60
    return [history_of(curve) for curve in curves]


class TestGolden:
    def test_update_epochs(self, golden, histories):
        for number, threshold in enumerate(golden["thresholds"].tolist()):
            trigger = CurveTrigger("voc", r=threshold)
            epochs = [trigger(history, 0, 19, [1])[1].update_epoch for history in histories]
            np.testing.assert_array_equal(epochs, golden["update_epoch"][:, number])

    @pytest.mark.parametrize("number", range(4))
    def test_decisions_after_a_slow_start(self, golden, histories, number):
        trigger = CurveTrigger("segthor", r=golden["thresholds"][number].item())
        for history, expected in zip(histories, golden["if_update"][:, number], strict=True):
            first = trigger(history, 0, 16, [1])[1].update_epoch
            np.testing.assert_array_equal(np.arange(1, 16) >= first, expected)

    def test_a_verdict_is_due_from_its_epoch_on(self, histories):
        for history in histories[:3]:
            verdicts = [CurveTrigger("voc", r=0.7)(history, epoch, 19, [1])[1] for epoch in range(16)]
            assert [v.due for v in verdicts] == [epoch >= verdicts[0].update_epoch for epoch in range(16)]


class TestReleased:
    """What the released code makes of curves that say nothing."""

    @pytest.mark.parametrize(("curve", "epoch"), [(np.zeros(10), 16), ([0.3], 4)])
    def test_known_values(self, curve, epoch):
        assert verdict(curve, variant="voc").update_epoch == epoch

    def test_every_class_is_corrected_in_the_end(self):
        assert verdict(np.linspace(0, 0.4, 12), 16, variant="voc").due

    def test_a_window_without_the_class_is_one_of_iou_0(self):
        history = history_of(RISING)
        history.append(12.5, np.array([[N, 0], [0, 0], [0, 0]]))
        rest = CurveTrigger()(history, 9, 20, [1])[1].fit
        assert rest.r2 == pytest.approx(1, abs=1e-6)
        assert CurveTrigger("voc")(history, 9, 20, [1])[1].fit.r2 < 0.5

    def test_windows_need_not_be_epochs(self):
        width = 0.25
        history = history_of(learning_curve(np.linspace(0, 12, 48), 0.6, 0.5, 0.8), width=width)
        fit = CurveTrigger("voc")(history, 9, 20, [1])[1].fit
        assert (fit.beta, fit.gamma) == pytest.approx((0.5, 0.8), rel=1e-3)


class TestDefault:
    def test_a_rising_curve_is_due_at_its_time(self):
        early, late = verdict(RISING, 3), verdict(RISING, 4)
        assert (early.due, late.due, late.update_epoch) == (False, True, 4)
        assert early.reason == "flat from epoch 4 on"
        assert late.reason == "flat from epoch 4 on"
        assert [type(value) for value in (late.due, late.update_epoch, late.fit.r2)] == [bool, float, float]
        assert (late.fit.beta, late.fit.gamma) == pytest.approx((0.5, 0.8), rel=1e-3)

    def test_the_released_clock_is_an_epoch_or_two_behind(self):
        flat = slope_crossing(0.5, 0.8, 0.9, 20)  # in epochs since the start
        assert 4 < flat < 5
        assert verdict(RISING).update_epoch + 1 == 5  # at whose end 5 epochs have gone by
        assert verdict(RISING, clock="index").update_epoch == 5

    def test_shorter_windows_give_the_same_time(self):
        x = (np.arange(120) + 0.5) / 10
        assert verdict(learning_curve(x, 0.6, 0.5, 0.8), width=0.1).update_epoch == 4

    def test_a_curve_that_goes_on_rising_is_never_due_unless_forced(self):
        line = np.linspace(0.1, 0.9, 12)
        assert not verdict(line, 11, 12).due
        assert verdict(line, 11, 12).reason == "not flat before epoch 12, the last to wait for"
        forced = [verdict(line, epoch, 19, force_at=10) for epoch in (9, 10)]
        assert [v.due for v in forced] == [False, True]
        assert forced[1].reason == "forced from epoch 10 on"
        assert forced[1].fit is not None
        assert verdict(line, 12, 19, t_max=12).due

    def test_a_slow_start_is_left_out_and_added_again(self):
        slow = np.concatenate([[0.3, 0.31, 0.32], RISING])
        without = verdict(slow, slow_start=True)
        assert without.update_epoch == 3 + 4
        assert without.fit.beta == pytest.approx(0.5, rel=1e-3)
        assert verdict(slow).fit.beta > 0.7

    def test_a_class_found_late_is_due_after_its_own_curve(self):
        late = np.concatenate([np.zeros(6), RISING])
        assert verdict(late).update_epoch == 6 + 4
        assert verdict(late, late_start=0).update_epoch == 18
        short = np.repeat(late, 5)  # windows of a fifth of an epoch: no rise from one to the next is fast
        assert verdict(short, width=0.2).update_epoch == pytest.approx(6 + 4, abs=1)
        assert verdict(late[:8]).reason == "2 windows after its start, fewer than 4"

    def test_each_class_for_itself(self):
        verdicts = CurveTrigger()(history_of(RISING, np.zeros(12)), 9, 20, [2, 1])
        assert {c: v.due for c, v in verdicts.items()} == {1: True, 2: False}

    def test_windows_of_rare_classes_are_merged(self):
        history = history_of(RISING, pixels=500)
        assert CurveTrigger(min_pixels=2000)(history, 9, 20, [1])[1].reason == "3 windows, fewer than 4"
        assert CurveTrigger(min_pixels=1000)(history, 9, 20, [1])[1].due


class TestEdgeCases:
    def test_fewer_than_4_windows(self):
        assert verdict(RISING[:3]).reason == "3 windows, fewer than 4"
        assert verdict(RISING[:4]).fit is not None
        slow = np.concatenate([np.zeros(10), RISING[:2]])
        assert verdict(slow, slow_start=True).reason == "3 windows after its start, fewer than 4"

    @pytest.mark.parametrize("curve", [np.zeros(10), np.full(10, 0.019)])
    def test_an_iou_near_0(self, curve):
        assert (verdict(curve).due, verdict(curve).reason) == (False, "never reached an IoU of 0.02")

    @pytest.mark.parametrize("variant", ["default", "voc"])
    def test_a_class_that_is_not_in_the_data_is_not_even_forced(self, variant):
        history = history_of(RISING)
        empty = ClassHistory(2)
        empty.append(1, np.array([[5, 5], [0, 0], [9, 9]]))
        assert CurveTrigger(variant, force_at=3)(empty, 18, 19, [1])[1].reason == "not in the data"
        assert not CurveTrigger(variant)(ClassHistory(2), 18, 19, [1])[1].due
        assert CurveTrigger(variant)(history, 18, 19, [1])[1].due

    def test_a_fit_that_does_not_converge(self, monkeypatch):
        failed = Fit(1, 1, 1, 0.9, False, "the fit does not converge")
        monkeypatch.setattr(curve_trigger, "fit_curve", lambda *_: failed)
        assert verdict(RISING).reason == "the fit does not converge"
        assert (verdict(RISING).due, verdict(RISING).fit) == (False, failed)
        assert verdict(RISING, force_at=5).due

    @pytest.mark.parametrize("curve", [np.linspace(0.9, 0.1, 12), np.r_[0.9, np.full(11, 0.3)]])
    def test_a_falling_curve(self, curve):
        assert not verdict(curve).due
        assert "variance" in verdict(curve).reason or "degenerate" in verdict(curve).reason
        assert verdict(curve, force_at=5).due

    def test_a_curve_known_from_the_start(self):
        flat = np.full(12, 0.7) + np.resize([0.005, -0.005], 12)
        assert verdict(flat).fit is not None
        known = [verdict(flat, epoch, warm_start="due") for epoch in (1, 2)]
        assert [v.due for v in known] == [False, True]
        assert known[1].reason == "flat from the start"
        assert verdict(RISING, 4, warm_start="due").reason == "flat from epoch 4 on"

    def test_little_to_explain_is_explained_well_enough(self):
        flat = np.r_[0.55, 0.68, np.full(10, 0.7) + np.resize([0.02, -0.02], 10)]
        assert verdict(flat, min_r2=0.99).update_epoch is not None


def test_a_config_names_it():
    trigger = TASK_UTILS.build({"type": "noisyseg.CurveTrigger", "variant": "voc", "r": 0.8, "force_at": 7})
    assert trigger.rule == CurveRule.of("voc", r=0.8, force_at=7)
    assert (trigger.rule.t_max, trigger.rule.min_r2) == (16, None)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"variant": "coco"}, "variant: expected one of default, voc, segthor, got 'coco'"),
        ({"r": 1}, "r: expected a number between 0 and 1, both excluded, got 1"),
        ({"r": 0}, "r: expected a number between 0 and 1"),
        ({"t_max": 0}, "t_max: expected at least 1, got 0"),
        ({"force_at": -1}, "force_at: expected at least 0, got -1"),
        ({"min_windows": 0}, "min_windows: expected at least 1"),
        ({"min_pixels": -1}, "min_pixels: expected at least 0"),
        ({"clock": "late"}, "clock: expected 'elapsed' or 'index', got 'late'"),
        ({"late_start": 1}, r"late_start: expected a number in \[0, 1\), got 1"),
        ({"min_iou": 2}, r"min_iou: expected a number in \[0, 1\]"),
        ({"min_r2": 2}, "min_r2: expected at most 1"),
        ({"abscissa": "left"}, "abscissa: expected 'centre' or 'released', got 'left'"),
        ({"warm_start": "yes"}, "warm_start: expected 'fit' or 'due', got 'yes'"),
    ],
)
def test_errors(settings, message):
    with pytest.raises(ValueError, match=message):
        CurveTrigger(**settings)
