import re

import numpy as np
import pytest

from noisyseg.correction import ClassHistory, FixedTrigger, OracleTrigger
from noisyseg.registry import TASK_UTILS


def clean_history(*iou):
    """A history of two classes whose clean IoU of class 1 is given, while the given labels know nothing of it."""
    history = ClassHistory(2)
    for epoch, value in enumerate(iou):
        hits = round(value * 10_000)
        clean = np.array([[1, 0], [10_000 - hits, hits], [0, 0]])
        history.append(epoch + 0.5, np.array([[7, 0], [0, 0], [0, 0]]), clean)
    return history


class TestFixed:
    def test_one_epoch_of_all(self):
        trigger = TASK_UTILS.build({"type": "noisyseg.FixedTrigger", "epochs": 3})
        for epoch in range(6):
            verdicts = trigger(ClassHistory(4), epoch, 6, [1, 3])
            assert {c: v.due for c, v in verdicts.items()} == {1: epoch >= 3, 3: epoch >= 3}
        assert (verdicts[1].reason, verdicts[1].update_epoch) == ("set to epoch 3", 3)

    def test_one_for_each_class(self):
        verdicts = FixedTrigger({1: 2, 2: 5})(ClassHistory(4), 4, 6, [1, 2, 3])
        assert {c: v.due for c, v in verdicts.items()} == {1: True, 2: False, 3: False}
        assert (verdicts[3].reason, verdicts[3].update_epoch) == ("no epoch is set", None)

    @pytest.mark.parametrize("epochs", [-1, 2.5, {1: -2}, {"1": 2}, {-1: 2}])
    def test_errors(self, epochs):
        with pytest.raises(ValueError, match="epochs: expected an epoch >= 0, or one for each class, got"):
            FixedTrigger(epochs)


class TestOracle:
    @pytest.mark.parametrize(
        ("iou", "due"),
        [((0.2, 0.5, 0.6), False), ((0.2, 0.6, 0.595), False), ((0.2, 0.6, 0.58), True), ((0.6, 0.5, 0.7), False)],
    )
    def test_due_once_clean_iou_is_below_its_highest(self, iou, due):
        verdict = OracleTrigger()(clean_history(*iou), 2, 9, [1])[1]
        assert verdict.due is due
        assert re.match(r"clean IoU is 0\.\d+ below its highest, 0\.01 is enough", verdict.reason)

    def test_with_patience_it_must_stay_below(self):
        patient = OracleTrigger(patience=2)
        assert not patient(clean_history(0.6, 0.3), 1, 9, [1])[1].due
        assert not patient(clean_history(0.6, 0.3, 0.595), 2, 9, [1])[1].due
        assert patient(clean_history(0.6, 0.3, 0.5), 2, 9, [1])[1].due

    def test_a_class_that_is_not_in_the_data(self):
        history = ClassHistory(2)
        history.append(1, np.ones((3, 2), int), np.array([[5, 5], [0, 0], [0, 0]]))
        assert OracleTrigger()(history, 2, 9, [1])[1].reason == "not in the data"

    def test_errors(self):
        with pytest.raises(ValueError, match="drop: expected a number above 0 and at most 1, got 0"):
            OracleTrigger(0)
        with pytest.raises(ValueError, match="min_pixels: expected at least 0, got -1"):
            OracleTrigger(min_pixels=-1)
        with pytest.raises(ValueError, match="patience: expected at least 1, got 0"):
            OracleTrigger(patience=0)
        history = ClassHistory(2)
        history.append(1, np.ones((3, 2), int))
        with pytest.raises(ValueError, match="against clean labels, got a history without them"):
            OracleTrigger()(history, 2, 9, [1])
