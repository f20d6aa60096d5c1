import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noisyseg.correction import RelabelRule, can_change, relabel

K = 4
SURE, UNSURE = 0.94, 0.55


def probs_of(predicted, p=SURE, classes=K):
    """Probabilities of ``p`` for the predicted classes, the others share the rest."""
    one_hot = np.moveaxis(np.eye(classes)[np.asarray(predicted)], -1, 0)
    return (one_hot * p + (1 - one_hot) * (1 - p) / (classes - 1)).astype(np.float32)


def due(*classes, of=K):
    return np.isin(np.arange(of), classes)


def changed(row, predicted, *classes, p=SURE, background=0, rule="default", **settings):
    """The labels of one row of pixels after relabelling."""
    rule = RelabelRule.of(rule, **settings)
    return relabel(np.array([row]), probs_of([predicted], p), due(*classes), rule, background)[0].tolist()


class TestGolden:
    @pytest.fixture
    def golden(self, golden_dir):
        with np.load(golden_dir / "adele_relabel.npz") as file:
            assert len(file["labels"]) == 40
            return dict(file)

    def check(self, golden, expected, name, **settings):
        for labels, probs, now, tau, result in zip(
            *(golden[key] for key in ("labels", "probs", "due", "confidence")), expected, strict=True
        ):
            rule = RelabelRule.of(name, tau=tau.item(), **settings)
            np.testing.assert_array_equal(relabel(labels, probs, now, rule), result)

    def test_voc(self, golden):
        assert (golden["voc"] != golden["labels"]).sum() > 8000
        self.check(golden, golden["voc"], "voc")

    @pytest.mark.parametrize(
        ("number", "present_only", "lost_foreground"),
        [(0, True, "prediction"), (1, True, "ignored"), (2, False, "prediction"), (3, False, "ignored")],
    )
    def test_segthor(self, golden, number, present_only, lost_foreground):
        settings = {"present_only": present_only, "lost_foreground": lost_foreground}
        self.check(golden, golden["segthor"][:, number], "segthor", **settings)


class TestSettings:
    """One row of pixels; class 1 is due."""

    def test_confident_predictions_of_due_classes_and_background_replace_labels(self):
        assert changed([1, 1, 2, 0, 2], [0, 1, 1, 1, 2], 1) == [0, 1, 1, 1, 2]
        assert changed([1, 1, 2, 0, 2], [0, 1, 1, 1, 2], 1, p=UNSURE) == [1, 1, 2, 0, 2]

    def test_background_can_need_more_confidence(self):
        unsure = {"p": UNSURE, "tau": 0.5, "tau_background": 0.9}
        assert changed([1, 0, 1], [0, 1, 1], 1, **unsure) == [1, 1, 1]
        assert changed([1, 0, 1], [0, 1, 1], 1, **unsure | {"p": SURE}) == [0, 1, 1]
        assert changed([1, 2, 1], [2, 1, 1], 1, 2, **unsure, background=None) == [2, 1, 1]
        with pytest.raises(ValueError, match="tau_background"):
            RelabelRule(tau_background=2)

    def test_predictions_of_other_classes_replace_nothing(self):
        assert changed([1, 0, 2], [2, 2, 2], 1) == [1, 0, 2]

    def test_only_labels_that_are_due_can_be_replaced_if_the_rule_says_so(self):
        assert changed([1, 2, 0], [0, 1, 1], 1, labels="due") == [0, 2, 1]

    def test_an_image_without_a_due_class_stays(self):
        assert changed([2, 2, 0], [0, 0, 0], 1, guard=False) == [2, 2, 0]

    def test_an_image_of_background_alone_may_get_any_due_class(self):
        assert changed([0, 0, 255], [1, 3, 1], 1) == [1, 0, 255]
        assert changed([0, 0, 255], [1, 3, 1], 1, pure_background=False) == [0, 0, 255]
        assert changed([0, 0, 255], [1, 3, 1], 1, rule="voc") == [1, 0, 1]

    def test_no_class_comes_in_that_the_image_does_not_have(self):
        assert changed([1, 0, 0], [1, 3, 1], 1, 3) == [1, 0, 1]
        assert changed([1, 0, 0], [1, 3, 1], 1, 3, present_only=False) == [1, 3, 1]

    def test_background_always_can(self):
        assert changed([1, 1, 1], [0, 1, 1], 1) == [0, 1, 1]
        assert changed([1, 1, 1], [0, 1, 1], 1, background_always=False) == [1, 1, 1]

    def test_ignored_pixels(self):
        assert changed([1, 255], [1, 1], 1) == [1, 255]
        assert changed([1, 255], [1, 1], 1, protect_ignored=False) == [1, 1]

    def test_masking_instead_of_replacing(self):
        assert changed([1, 1, 2, 0], [0, 1, 1, 1], 1, result="ignored") == [255, 1, 255, 255]

    def test_lost_foreground_can_be_ignored_also_where_it_is_unsure(self):
        settings = {"lost_foreground": "ignored", "guard": False}
        assert changed([1, 2, 0, 255], [0, 0, 1, 0], 1, **settings) == [255, 255, 1, 255]
        assert changed([1, 2, 0, 0], [0, 0, 1, 0], 1, p=UNSURE, **settings) == [255, 255, 0, 0]

    def test_the_guard_keeps_images_that_would_lose_nearly_all_foreground(self):
        labels, predicted = [0] * 60 + [1] * 40, [0] * 96 + [1] * 4
        assert changed(labels, predicted, 1) == labels
        assert changed(labels, predicted, 1, guard=False) == predicted
        kept = [0] * 95 + [1] * 5  # not above 95 %
        assert changed(labels, kept, 1) == kept
        few = [0] * 97 + [1] * 3
        assert changed(few, [0] * 98 + [1] * 2, 1) == [0] * 98 + [1] * 2  # two thirds are left

    def test_ignored_pixels_are_no_foreground_to_our_guard(self):
        labels = [255] * 40 + [0] * 20 + [1] * 40
        predicted = [0] * 98 + [1] * 2
        assert changed(labels, predicted, 1) == labels
        assert changed(labels, predicted, 1, guard_counts_ignored=True) == [255] * 40 + [0] * 58 + [1] * 2

    def test_without_background(self):
        assert changed([1, 1, 2, 0], [0, 1, 1, 1], 1, background=None) == [1, 1, 1, 1]
        assert changed([0, 0, 2], [0, 2, 2], 0, background=None) == [0, 0, 2]
        assert changed([0, 0, 2], [0, 2, 2], 2, background=None) == [0, 2, 2]
        assert changed([0] * 99 + [1], [0] * 100, 0, 1, background=None) == [0] * 100
        assert changed([255, 255], [1, 1], 1, background=None, protect_ignored=False) == [255, 255]


class TestPrecision:
    def test_a_label_that_is_as_probable_as_the_best_stays(self):
        probs = np.array([[[0.45, 0.45]], [[0.45, 0.45]], [[0.1, 0.1]], [[0, 0]]], np.float32)
        rule = RelabelRule(tau=0.4, present_only=False, guard=False)
        assert relabel(np.array([[1, 2]]), probs, due(1, 2), rule).tolist() == [[1, 0]]
        rule = RelabelRule(tau=0.4, guard=False, lost_foreground="ignored")
        assert relabel(np.array([[1, 2]]), probs, due(1, 2), rule).tolist() == [[1, 255]]

    def test_of_equals_the_first_is_the_prediction(self):
        rng = np.random.default_rng(0)
        probs = rng.integers(0, 3, (255, 6, 7)).astype(np.float32) / 2
        rule = RelabelRule(tau=0, present_only=False, protect_ignored=False)
        new = relabel(np.full((6, 7), 255), probs, np.ones(255, bool), rule, 0)
        np.testing.assert_array_equal(new, probs.argmax(axis=0))

    def test_the_threshold_itself_is_not_above_it_in_any_precision(self):
        for dtype in (np.float32, np.float64):
            probs = np.array([[[0.8]], [[0.2]]], dtype)
            assert relabel(np.array([[1]]), probs, due(1, of=2), RelabelRule(guard=False)).tolist() == [[1]]
        half = np.array([[[0.8]], [[0.2]]], np.float16)  # .8 is .7998 there
        assert relabel(np.array([[1]]), half, due(1, of=2), RelabelRule(guard=False)).tolist() == [[1]]
        rule = RelabelRule(guard=False, tau=0.7997)
        assert relabel(np.array([[1]]), half, due(1, of=2), rule).tolist() == [[0]]


@st.composite
def cases(draw):
    """Labels with 255 of background and a few classes, coarse probabilities, due classes."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    labels = rng.choice([*draw(st.sets(st.integers(0, K - 1), min_size=1)), 255], (5, 6)).astype(np.uint8)
    logits = rng.normal(0, 4, (K, 5, 6))
    probs = np.exp(logits) / np.exp(logits).sum(axis=0)
    return labels, probs.astype(np.float32), rng.random(K) < 0.6


names = st.sampled_from(["default", "voc", "segthor"])
backgrounds = st.sampled_from([0, 2, None])


class TestProperties:
    @given(cases(), backgrounds)
    def test_what_changes(self, case, background):
        labels, probs, now = case
        new = relabel(labels, probs, now, RelabelRule(), background)
        allowed = now | (np.arange(K) == (-1 if background is None else background))
        moved = new != labels
        assert new.dtype == np.uint8
        assert (new[labels == 255] == 255).all()
        assert (probs.max(axis=0)[moved] > 0.8).all()
        assert allowed[new[moved]].all()
        has_foreground = (set(np.unique(labels)) - {255, background}) != set()
        if has_foreground:
            assert set(np.unique(new)) <= set(np.unique(labels)) | {background}

    @given(cases(), names, backgrounds)
    def test_labels_that_are_not_due_stay_if_they_must_be(self, case, name, background):
        labels, probs, now = case
        new = relabel(labels, probs, now, RelabelRule.of(name, labels="due", protect_ignored=True), background)
        assert set(np.unique(labels[new != labels])) <= set(np.flatnonzero(now)) | {background}

    @given(cases(), backgrounds)
    def test_nothing_due_or_no_confidence_possible_means_no_change(self, case, background):
        labels, probs, now = case
        np.testing.assert_array_equal(relabel(labels, probs, np.zeros(K, bool), RelabelRule(), background), labels)
        np.testing.assert_array_equal(relabel(labels, probs, now, RelabelRule(tau=1), background), labels)

    @given(cases(), names, backgrounds)
    def test_a_second_time_changes_nothing(self, case, name, background):
        labels, probs, now = case
        rule = RelabelRule.of(name, guard=False, protect_ignored=True)
        once = relabel(labels, probs, now, rule, background)
        if set(np.unique(once)) - {255, background}:
            np.testing.assert_array_equal(relabel(once, probs, now, rule, background), once)

    @given(cases(), names, st.floats(0, 1), st.floats(0, 1))
    def test_more_confidence_changes_less(self, case, name, one, other):
        labels, probs, now = case
        low, high = (
            relabel(labels, probs, now, RelabelRule.of(name, guard=False, tau=tau)) != labels
            for tau in sorted((one, other))
        )
        assert not (high & ~low).any()

    @given(cases(), names, st.permutations(range(1, K)))
    def test_classes_have_no_order(self, case, name, order):
        labels, probs, now = case
        table = np.full(256, 255, np.uint8)
        table[:K] = [0, *order]
        moved_probs, moved_now = np.empty_like(probs), np.empty_like(now)
        moved_probs[table[:K]], moved_now[table[:K]] = probs, now
        rule = RelabelRule.of(name)
        np.testing.assert_array_equal(
            table[relabel(labels, probs, now, rule)], relabel(table[labels], moved_probs, moved_now, rule)
        )

    @given(cases(), names, backgrounds)
    def test_only_images_that_can_change_do(self, case, name, background):
        labels, probs, now = case
        rule = RelabelRule.of(name)
        present = np.append(np.isin(np.arange(K), labels), (labels == 255).any())
        if not can_change(present, now, rule, background) and now[np.arange(K) != background].any():
            np.testing.assert_array_equal(relabel(labels, probs, now, rule, background), labels)


class TestCanChange:
    @pytest.mark.parametrize(
        ("present", "classes", "name", "background", "expected"),
        [
            ([1, 1, 0, 0, 0], [1], "default", 0, True),
            ([1, 0, 1, 0, 0], [1], "default", 0, False),
            ([1, 0, 0, 0, 1], [1], "default", 0, True),
            ([1, 0, 0, 0, 1], [1], "segthor", 0, False),
            ([1, 0, 0, 0, 0], [0], "default", 0, False),
            ([1, 1, 0, 0, 0], [0], "default", None, True),
            ([0, 0, 0, 0, 1], [1], "default", 0, False),
            ([0, 0, 0, 0, 1], [1], "voc", 0, True),
            ([0, 0, 0, 0, 1], [1], "voc", None, False),
            ([1, 1, 1, 1, 1], [], "default", 0, False),
        ],
    )
    def test_known_cases(self, present, classes, name, background, expected):
        assert can_change(np.array(present, bool), due(*classes), RelabelRule.of(name), background) is expected


class TestErrors:
    @pytest.mark.parametrize("value", [np.nan, np.inf, -0.5, 1.5])
    def test_predictions_must_be_probabilities(self, value):
        probs = probs_of([[0, 1]])
        probs[2, 0, 1] = value
        with pytest.raises(ValueError, match=r"predictions: expected finite probabilities in \[0, 1\]"):
            relabel(np.array([[0, 1]]), probs, due(1), RelabelRule())

    def test_sizes_and_classes_must_fit(self):
        probs = probs_of([[0, 1]])
        with pytest.raises(ValueError, match=r"labels: expected the size of the prediction, \(1, 2\), got \(2, 1\)"):
            relabel(np.zeros((2, 1), int), probs, due(1), RelabelRule())
        with pytest.raises(ValueError, match=r"labels: expected classes 0\.\.3 or 255, got 4"):
            relabel(np.full((1, 2), 4), probs, due(1), RelabelRule())
        with pytest.raises(ValueError, match=r"expected 4 classes, got \(5,\) that may be due, background 0"):
            relabel(np.zeros((1, 2), int), probs, due(1, of=5), RelabelRule())
        with pytest.raises(ValueError, match="background 4"):
            relabel(np.zeros((1, 2), int), probs, due(1), RelabelRule(), background=4)

    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"tau": 1.5}, r"tau: expected a number in \[0, 1\], got 1\.5"),
            ({"labels": "all"}, "labels: expected 'any' or 'due', got 'all'"),
            ({"result": "255"}, "result: expected 'prediction' or 'ignored', got '255'"),
            ({"lost_foreground": None}, "lost_foreground: expected 'prediction' or 'ignored', got None"),
        ],
    )
    def test_settings(self, settings, message):
        with pytest.raises(ValueError, match=message):
            RelabelRule(**settings)

    def test_a_rule_has_a_name(self):
        with pytest.raises(ValueError, match="rule: expected one of default, voc, segthor, got 'coco'"):
            RelabelRule.of("coco")
