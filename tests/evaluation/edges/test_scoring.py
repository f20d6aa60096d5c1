import dataclasses

import numpy as np
import pytest

from noisyseg.evaluation.edges import EdgeProtocol, edge_counts, edge_scores, mean_scores
from noisyseg.evaluation.edges.scoring import average_precision, envelope_precision

THREE = EdgeProtocol.of("bsds", thresholds=3)
# Two images with the class and one without: cntR, sumR, cntP, sumP at three thresholds.
COUNTS = np.array(
    [
        [[80, 100, 80, 160], [60, 100, 60, 75], [20, 100, 20, 20]],
        [[50, 50, 50, 50], [40, 50, 40, 40], [0, 50, 0, 0]],
        [[0, 0, 0, 40], [0, 0, 0, 5], [0, 0, 0, 0]],
    ]
)


def test_ods_is_the_best_point_of_the_summed_curve_and_between():
    scores = edge_scores(COUNTS, THREE)
    assert scores.curve[:, 1] == pytest.approx([130 / 150, 100 / 150, 20 / 150])
    assert scores.curve[:, 2] == pytest.approx([130 / 250, 100 / 120, 1])
    assert scores.labelled == 150
    assert scores.ods == pytest.approx((0.5, 100 / 150, 100 / 120, 20 / 27))
    crossing = np.array([[[90, 100, 30, 100], [30, 100, 90, 100], [0, 100, 0, 0]]])
    between = edge_scores(crossing, THREE)
    assert between.curve[:2, 3] == pytest.approx([0.45, 0.45])
    # 100 points between the two, both included: 49/99 and 50/99 of the way are nearest to the middle.
    assert between.ods.f == pytest.approx(0.6, abs=1e-4)
    assert between.ods.threshold == pytest.approx(0.25 + 0.25 * 49 / 99)


def test_ois_takes_the_lowest_threshold_of_images_without_the_class():
    scores = edge_scores(COUNTS, THREE)
    # F of the first image is .615, .686, .333; of the second 1; of the third 0 everywhere.
    assert scores.images[:, 0].tolist() == [0.5, 0.25, 0.25]
    assert scores.ois.recall == pytest.approx(110 / 150)
    assert scores.ois.precision == pytest.approx(110 / (75 + 50 + 40))
    alone = edge_scores(COUNTS, dataclasses.replace(THREE, ois="positives"))
    assert alone.ois.precision == pytest.approx(110 / 125)
    assert edge_scores(COUNTS[:2], THREE).ois.f == alone.ois.f > scores.ois.f


def test_nothing_is_nan_where_nothing_is_predicted_or_labelled():
    scores = edge_scores(np.zeros((2, 3, 4), int), THREE)
    assert scores.labelled == 0
    assert (*scores.ods[1:], *scores.ois[1:], scores.ap, scores.ap_envelope) == (0,) * 8
    assert edge_scores(np.zeros((2, 3, 4), int), dataclasses.replace(THREE, ois="positives")).ois.f == 0


def test_ap_is_0_for_one_recall_and_101_hundredths_at_most():
    one = np.full(5, 0.8)
    assert average_precision(one, np.full(5, 0.9)) == 0
    assert envelope_precision(one, np.full(5, 0.9)) == pytest.approx(0.72)
    recall = np.linspace(1, 0, 5)
    assert average_precision(recall, np.ones(5)) == pytest.approx(1.01)
    assert envelope_precision(recall, np.ones(5)) == pytest.approx(1)


def test_ap_takes_the_lowest_threshold_of_equal_recalls_and_nothing_outside():
    recall, precision = np.array([0.6, 0.6, 0.2]), np.array([0.5, 0.9, 1.0])
    grid = [k / 100 for k in range(20, 61)]
    expected = sum(1 + (r - 0.2) / 0.4 * (0.5 - 1) for r in grid) / 100
    assert average_precision(recall, precision) == pytest.approx(expected)
    assert envelope_precision(recall, precision) == pytest.approx(0.2 * 1 + 0.4 * 0.9)


def test_a_perfect_yes_or_no_prediction_has_ap_0(rings):
    protocol = EdgeProtocol.of("bsds")
    counts = edge_counts(rings.astype(np.uint8) * 255, [rings], protocol)[None]
    scores = edge_scores(counts, protocol)
    assert (scores.ods.f, scores.ap, scores.ap_envelope) == (1, 0, 1)
    assert edge_scores(counts, dataclasses.replace(protocol, ap="envelope")).ap == 1


def test_ods_does_not_depend_on_the_values_between_thresholds():
    rng = np.random.default_rng(0)
    protocol = EdgeProtocol.of("bsds")
    probability, labelled = rng.integers(0, 256, (30, 40), np.uint8), rng.random((30, 40)) < 0.1
    levels = protocol.levels()
    floor = np.concatenate([[0], levels]).astype(np.uint8)
    mapped = floor[np.searchsorted(levels, probability, side="right")]
    assert (mapped != probability).any()
    assert np.array_equal(edge_counts(probability, [labelled], protocol), edge_counts(mapped, [labelled], protocol))


def test_absent_classes_are_left_out_of_the_mean_or_lower_it():
    absent = COUNTS * [0, 0, 0, 1]
    classes = {"cat": COUNTS, "dog": absent}
    mean, names = mean_scores({name: edge_scores(counts, THREE) for name, counts in classes.items()})
    assert names == ["dog"]
    assert mean["ODS"] == edge_scores(COUNTS, THREE).ods.f
    official = dataclasses.replace(THREE, absent="zero")
    lower, names = mean_scores({name: edge_scores(counts, official) for name, counts in classes.items()})
    assert names == ["dog"]
    assert lower["ODS"] == pytest.approx(mean["ODS"] / 2)
    assert np.isnan(mean_scores({"dog": edge_scores(absent, THREE)})[0]["ODS"])


def test_scores_are_told_with_their_protocol():
    told = edge_scores(COUNTS, EdgeProtocol.of("sbd", thresholds=3)).describe()
    assert told.startswith("ODS 0.7")
    assert "[mode thin, tolerance 0.02, labels SBD original" in told


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        (np.zeros((0, 3, 4), int), r"expected \(N, 3, 4\) with N >= 1, got \(0, 3, 4\)"),
        (np.zeros((1, 99, 4), int), r"expected \(N, 3, 4\)"),
        (np.full((1, 3, 4), np.nan), "expected integers >= 0"),
        (np.full((1, 3, 4), -1), "expected integers >= 0"),
        (np.array([[[2, 1, 0, 0]] * 3]), "matched pixels no more than pixels"),
    ],
)
def test_wrong_counts_are_told(counts, message):
    with pytest.raises(ValueError, match=message):
        edge_scores(counts, THREE)
