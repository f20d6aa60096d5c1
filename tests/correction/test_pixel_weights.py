import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noisyseg.correction import (
    Agreement,
    BoundaryBand,
    EntropyWeight,
    FplUncertainty,
    LabelProbability,
    Prediction,
    boundary_band_weights,
    label_probability_weights,
    prediction_of,
)
from noisyseg.registry import TASK_UTILS


def predicted(*probs_of_class_1):
    """A prediction of two classes on one row of pixels."""
    p = np.array([probs_of_class_1], np.float32)
    return Prediction(np.stack([1 - p, p]))


def one_hot(labels, classes=3):
    return Prediction(np.moveaxis(np.eye(classes, dtype=np.float32)[labels], -1, 0))


class TestLabelProbability:
    def test_known_values(self):
        weights = LabelProbability(eta=2, floor=0.05)(np.array([[1, 1, 1, 0, 1]]), predicted(0.9, 0.5, 0.25, 0.6, 0.01))
        np.testing.assert_allclose(weights, [[1, 1, 0.25, 0.64, 0.05]], rtol=1e-6)

    @given(st.lists(st.floats(0, 1, width=32), min_size=2, max_size=9), st.floats(0.3, 4))
    def test_it_rises_with_the_probability(self, probs, eta):
        probs = sorted(probs)
        weights = LabelProbability(eta)(np.ones((1, len(probs)), int), predicted(*probs))
        assert (np.diff(weights) >= 0).all()
        assert (weights[0, np.array(probs) >= 0.5] == 1).all()

    def test_ignored_pixels_weigh_nothing(self):
        np.testing.assert_array_equal(LabelProbability()(np.array([[255, 1]]), predicted(0.9, 0.9)), [[0, 1]])

    @pytest.mark.parametrize(("settings", "name"), [({"eta": 0}, "eta"), ({"floor": 1.5}, "floor")])
    def test_settings_are_checked(self, settings, name):
        with pytest.raises(ValueError, match=f"{name}: expected a number"):
            LabelProbability(**settings)

    def test_labels_must_fit_the_prediction(self):
        with pytest.raises(ValueError, match=r"expected the size of the prediction, \(1, 2\), got \(2, 1\)"):
            LabelProbability()(np.zeros((2, 1), int), predicted(0.5, 0.5))
        with pytest.raises(ValueError, match=r"expected classes 0\.\.1 or 255, got 2"):
            LabelProbability()(np.full((1, 2), 2), predicted(0.5, 0.5))


def test_agreement_has_two_values_and_ignores_255():
    weights = Agreement(0.3)(np.array([[0, 1, 1, 255]]), predicted(0.1, 0.9, 0.4, 0.4))
    np.testing.assert_allclose(weights, [[1, 1, 0.3, 0]])
    with pytest.raises(ValueError, match=r"disagree: expected a number in \[0, 1\], got -1"):
        Agreement(-1)


def test_entropy_is_one_for_a_sure_model_and_zero_for_one_that_does_not_know():
    p = np.zeros((3, 1, 3), np.float32)
    p[:, 0, 0] = 1 / 3
    p[:, 0, 1] = 0, 1, 0
    p[:, 0, 2] = 0.5, 0.5, 0
    weights = EntropyWeight()(np.zeros((1, 3), int), Prediction(p))
    np.testing.assert_allclose(weights, [[0, 1, 1 - np.log(2) / np.log(3)]], atol=1e-6)


@pytest.mark.parametrize("estimator", [LabelProbability(), Agreement(), EntropyWeight()])
def test_a_sure_prediction_equal_to_the_labels_gives_full_weight(estimator):
    labels = np.random.default_rng(0).integers(0, 3, (5, 6))
    assert (estimator(labels, one_hot(labels)) == 1).all()


class TestBoundaryBand:
    @pytest.mark.parametrize("radius", [0, 1, 1.5, 3])
    def test_it_equals_a_search_over_all_pixels(self, radius):
        labels = np.kron(np.random.default_rng(3).choice([0, 1, 2, 255], (4, 4)), np.ones((3, 3), int))
        expected = np.zeros(labels.shape)
        places = np.argwhere(labels != 255)
        for y, x in places:
            near = [(v, u) for v, u in places if labels[v, u] != labels[y, x] and np.hypot(v - y, u - x) <= radius]
            expected[y, x] = 0.25 if near else 1
        np.testing.assert_array_equal(boundary_band_weights(labels, radius, 0.25), expected)

    def test_one_class_has_no_edge(self):
        np.testing.assert_array_equal(BoundaryBand(5, 0.1)(np.array([[4, 4, 255]])), [[1, 1, 0]])

    def test_settings_are_checked(self):
        with pytest.raises(ValueError, match="radius: expected pixels >= 0, got -1"):
            BoundaryBand(radius=-1)
        with pytest.raises(ValueError, match=r"weight: expected a number in \[0, 1\], got 2"):
            BoundaryBand(weight=2)


def test_fpl_trusts_a_pixel_only_if_all_passes_predict_its_label():
    labels = np.array([[1, 1, 1, 0, 255]])
    passes = [predicted(*p).probs for p in ([0.9, 0.9, 0.1, 0.2, 0.9], [0.8, 0.4, 0.2, 0.6, 0.9])]
    prediction = prediction_of(passes)
    np.testing.assert_allclose(FplUncertainty(0.5)(labels, prediction), [[1, 0.5, 0.5, 0.5, 0]])
    with pytest.raises(ValueError, match="at least 2 passes, got 1"):
        FplUncertainty()(labels, Prediction(passes[0]))


def test_passes_give_the_mean_and_the_variance_of_numpy():
    passes = np.random.default_rng(1).dirichlet(np.ones(4), (5, 3, 2)).astype(np.float32).transpose(0, 3, 1, 2)
    prediction = prediction_of(iter(passes))
    np.testing.assert_allclose(prediction.probs, passes.mean(0), atol=1e-6)
    np.testing.assert_allclose(prediction.variance, passes.var(0), atol=1e-6)
    np.testing.assert_array_equal(prediction.unanimous, (passes.argmax(1) == passes[0].argmax(0)).all(0))
    assert prediction.passes == 5
    with pytest.raises(ValueError, match="expected at least one, got none"):
        prediction_of([])
    with pytest.raises(ValueError, match=r"expected numbers in \[0, 1\], got some outside, or NaN"):
        prediction_of([np.full((2, 1, 1), np.nan, np.float32)])


def test_configs_name_them():
    built = TASK_UTILS.build({"type": "noisyseg.LabelProbability", "eta": 1.0, "floor": 0.2})
    assert (built.eta, built.floor) == (1.0, 0.2)
    assert label_probability_weights(np.zeros((1, 1), int), predicted(0.7).probs, 1.0).item() == pytest.approx(0.6)
