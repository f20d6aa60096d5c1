import numpy as np
import pytest

from noisyseg.correction import AdelePolicy, ClassHistory, FixedTrigger, RelabelRule, relabel
from noisyseg.registry import TASK_UTILS

GIVEN = np.array([[1, 1, 0, 2]])
CURRENT = np.array([[1, 0, 0, 2]])
PROBS = np.moveaxis(np.eye(3, dtype=np.float32)[np.array([[1, 1, 1, 2]])], -1, 0)
NONE, ONE = np.zeros(3, bool), np.array([False, True, False])


def fixed(**settings):
    return AdelePolicy(trigger={"type": "noisyseg.FixedTrigger", "epochs": 0}, **settings)


def test_a_config_names_everything():
    config = {
        "type": "noisyseg.AdelePolicy",
        "trigger": {"type": "noisyseg.CurveTrigger", "variant": "segthor"},
        "rule": {"name": "segthor", "present_only": False},
        "tau": 0.6,
        "smoothing": {"type": "noisyseg.GuidedSmoothing", "radius": 3},
    }
    policy = TASK_UTILS.build(config)
    assert policy.rule == RelabelRule.of("segthor", present_only=False, tau=0.6)
    assert policy.trigger.rule.slow_start
    assert policy.smoothing.radius == 3
    assert AdelePolicy().rule == RelabelRule()
    assert AdelePolicy(rule="segthor").rule.tau == 0.7


class TestDecide:
    def test_neither_background_nor_what_is_due_is_decided(self):
        assert set(fixed().decide(ClassHistory(3), 0, 9, ONE)) == {2}
        assert set(fixed(background=None).decide(ClassHistory(3), 0, 9, NONE)) == {0, 1, 2}

    def test_the_trigger_decides(self):
        policy = AdelePolicy(trigger=FixedTrigger({1: 4}))
        verdicts = [policy.decide(ClassHistory(3), epoch, 9, NONE) for epoch in (3, 4)]
        assert [v[1].due for v in verdicts] == [False, True]
        assert not verdicts[1][2].due


class TestRelabel:
    def test_it_starts_from_the_given_labels_or_goes_on(self):
        due = np.array([False, False, True])
        assert fixed().relabel(GIVEN, CURRENT, PROBS, due).tolist() == GIVEN.tolist()
        assert fixed(reinit=False).relabel(GIVEN, CURRENT, PROBS, due).tolist() == CURRENT.tolist()

    def test_it_is_the_rule(self):
        policy = fixed(rule="voc", tau=0.3)
        expected = relabel(GIVEN, PROBS, ONE, RelabelRule.of("voc", tau=0.3))
        np.testing.assert_array_equal(policy.relabel(GIVEN, CURRENT, PROBS, ONE), expected)
        assert (expected != GIVEN).any()

    def test_smoothed_probabilities_are_looked_at(self):
        noisy = PROBS[:, np.zeros((9, 9), int), 0].copy()
        noisy[:, 4, 4] = [1, 0, 0]
        labels, image = np.zeros((9, 9), int), np.full((9, 9, 3), 99, np.uint8)
        smoothing = {"type": "noisyseg.GuidedSmoothing"}
        assert fixed().relabel(labels, labels, noisy, ONE, image)[4, 4] == 0
        assert fixed(smoothing=smoothing).relabel(labels, labels, noisy, ONE, image)[4, 4] == 1
        with pytest.raises(ValueError, match="smoothing: expected an image, got none"):
            fixed(smoothing=smoothing).relabel(labels, labels, noisy, ONE)


@pytest.mark.parametrize(("name", "expected"), [("default", True), ("segthor", False)])
def test_it_wants_what_its_rule_can_change(name, expected):
    background_alone = np.array([True, False, False, False])
    assert fixed(rule=name).wants(background_alone, ONE) is expected
    assert not fixed(rule=name).wants(background_alone, NONE)
    assert fixed(rule=name, background=None).wants(background_alone, ~NONE)


def test_errors():
    with pytest.raises(ValueError, match="rule: expected one of default, voc, segthor, got 'adele'"):
        AdelePolicy(rule="adele")
    with pytest.raises(TypeError, match="unexpected keyword argument 'guards'"):
        AdelePolicy(rule={"guards": False})
    with pytest.raises(ValueError, match=r"tau: expected a number in \[0, 1\], got 2"):
        AdelePolicy(tau=2)
    with pytest.raises(ValueError, match="background: expected a class or None, got -1"):
        AdelePolicy(background=-1)
