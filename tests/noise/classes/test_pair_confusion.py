import numpy as np
import pytest

from noisyseg.labels import LabelError
from noisyseg.labels.rng import keyed_rng
from noisyseg.noise import NoiseConfigError, build_noise
from noisyseg.noise.classes import PairConfusion

PAIRS = {"a": "b", "b": "a", "c": "a"}


@pytest.mark.parametrize("rate", [0.25, 1.0])
def test_the_confusion_matrix_is_the_one_asked_for(assert_confuses, named, rate):
    stays = 1 - rate
    by_hand = [[stays, rate, 0, 0], [rate, stays, 0, 0], [rate, 0, stays, 0], [0, 0, 0, 1]]
    assert_confuses(PairConfusion(rate, PAIRS), named("abcd"), by_hand)


def test_at_rate_one_mapped_classes_are_permuted(boxes, named):
    labels = boxes(named("abcde"))
    model = PairConfusion(1.0, {"a": "c", "c": "d", "d": "a"})
    noisy = model(labels, keyed_rng(0))
    np.testing.assert_array_equal(noisy.classes, np.array([2, 1, 3, 0, 4])[labels.classes])


def test_classes_are_found_by_name_in_any_order(boxes, named):
    for names in ("abcd", "dcba"):
        labels = boxes(named(names))
        noisy = PairConfusion(1.0, {"a": "d"})(labels, keyed_rng(0))
        becomes = {names[clean]: names[drawn] for clean, drawn in zip(labels.classes, noisy.classes, strict=True)}
        assert becomes == {"a": "d", "b": "b", "c": "c", "d": "d"}


def test_what_changes_at_a_rate_changes_at_a_higher_one(boxes, named):
    labels = boxes(named("abcd"))
    low, high = (PairConfusion(rate, PAIRS)(labels, keyed_rng(1)).classes != labels.classes for rate in (0.2, 0.4))
    assert 0 < low.sum() < high.sum()
    assert high[low].all()


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"rate": -1, "pairs": PAIRS}, r"noise\.rate: expected a share in \[0, 1\], got -1"),
        ({"rate": 0.5, "pairs": ["a", "b"]}, r"noise\.pairs: expected class names by class name, got \['a', 'b'\]"),
        ({"rate": 0.5, "pairs": {"a": 1}}, r"noise\.pairs: expected class names by class name"),
        ({"rate": 0.5, "pairs": {"a": "a"}}, r"noise\.pairs: expected another class for 'a', got itself"),
    ],
)
def test_bad_settings_are_errors_that_name_them(arguments, problem):
    with pytest.raises(NoiseConfigError, match=problem):
        build_noise({"type": "noisyseg.PairConfusion"} | arguments)


def test_a_name_that_is_no_class_is_an_error(boxes, named):
    with pytest.raises(LabelError, match="pairs: expected classes of the file, got 'trian'; it has bus, train"):
        PairConfusion(0.5, {"bus": "trian"})(boxes(named(("bus", "train"))), keyed_rng(0))
