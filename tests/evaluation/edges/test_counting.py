from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from noisyseg.evaluation.edges import EdgeProtocol, edge_counts, edge_scores, match_edges, thin_edges
from noisyseg.labels.mat_files import read_mat

FEW = EdgeProtocol.of("bsds", thresholds=9, tolerance=0.03)


def f_of(probability, labelled, protocol=FEW, **kwargs):
    return edge_scores(edge_counts(probability, labelled, protocol, **kwargs)[None], protocol).curve[:, 3]


def as_probability(edges):
    return edges.astype(np.uint8) * 255


def test_the_labels_as_prediction_are_perfect_at_all_thresholds(rings):
    counts = edge_counts(as_probability(rings), [rings], FEW)
    assert counts.shape == (9, 4)
    assert counts.dtype == np.int64
    assert (counts == np.count_nonzero(rings)).all()


def test_an_empty_prediction_finds_nothing_and_is_not_nan(rings):
    counts = edge_counts(np.zeros(rings.shape, np.uint8), [rings], FEW)
    assert (counts == [0, np.count_nonzero(rings), 0, 0]).all()
    assert (f_of(np.zeros(rings.shape, np.uint8), [rings]) == 0).all()


def test_predictions_without_labels_are_all_wrong(rings):
    counts = edge_counts(as_probability(rings), [np.zeros(rings.shape, bool)], FEW)
    assert (counts == [0, 0, 0, np.count_nonzero(rings)]).all()


@pytest.mark.parametrize("shift", [1, 2, 3])
def test_a_shift_within_the_radius_changes_nothing(rings, shift):
    moved = np.roll(rings, shift, axis=1)
    assert 0.03 * np.hypot(*rings.shape) == 3
    assert (f_of(as_probability(moved), [rings]) == 1).all()


def test_a_shift_beyond_the_radius_finds_next_to_nothing():
    lines = np.zeros((60, 80), bool)
    lines[:, 20::20] = True
    assert (f_of(as_probability(np.roll(lines, 4, axis=1)), [lines]) == 0).all()


def test_f_does_not_fall_with_the_tolerance():
    rng = np.random.default_rng(0)
    probability, labelled = rng.integers(0, 256, (40, 50), np.uint8), rng.random((40, 50)) < 0.1
    found = [
        f_of(probability, [labelled], EdgeProtocol.of("bsds", thresholds=9, tolerance=t)) for t in (0.01, 0.03, 0.1)
    ]
    assert (np.diff(found, axis=0) >= 0).all()
    assert (np.diff(found, axis=0) > 0).any()


def test_a_doubled_line_has_half_the_precision_where_nothing_is_thinned():
    line = np.zeros((60, 80), bool)
    line[30, 10:70] = True
    doubled = line | np.roll(line, 1, axis=0)
    raw = edge_counts(as_probability(doubled), [line], EdgeProtocol.of("bsds", mode="raw", thresholds=9))
    assert (raw[:, 2] / raw[:, 3] == 0.5).all()
    thin = edge_counts(as_probability(doubled), [line], FEW)
    assert (thin[:, 3] <= 60).all()


def test_annotators_are_matched_one_by_one():
    here, there = np.zeros((40, 50), bool), np.zeros((40, 50), bool)
    here[10, 5:45], there[30, 5:45] = True, True
    counts = edge_counts(as_probability(here | there), [here, there, here], FEW)
    assert (counts == [120, 120, 80, 80]).all()


def test_a_border_is_cut_before_the_diagonal_is_taken():
    edges = np.zeros((50, 60), bool)
    edges[2, :] = edges[25, 10:50] = True
    moved = np.roll(edges, 2, axis=0)
    # The diagonal of 40 x 50 is 64.03: 2 pixels are .0312 of it, and .0256 of that of 50 x 60.
    for tolerance, matched in ((0.0313, 40), (0.03, 0)):
        protocol = EdgeProtocol(tolerance, "lines", border=5, thresholds=1)
        assert edge_counts(as_probability(moved), [edges], protocol).tolist() == [[matched, 40, matched, 40]]


def test_ignored_pixels_count_on_neither_side(rings):
    ignored = np.zeros(rings.shape, bool)
    ignored[:, 40:] = True
    predicted = rings.copy()
    predicted[5:50, 70] = True
    counts = edge_counts(as_probability(predicted), [rings], FEW, ignored)
    assert (counts == np.count_nonzero(rings[:, :40])).all()


def test_counts_are_those_of_each_threshold_alone():
    rng = np.random.default_rng(1)
    probability = cv2.GaussianBlur(rng.integers(0, 256, (40, 50), np.uint8), (0, 0), 1)
    labelled = [rng.random((40, 50)) < 0.05 for _ in range(2)]
    expected = []
    for threshold in FEW.threshold_values():
        edges = thin_edges(probability / 255 >= threshold)
        pairs = [match_edges(edges, one, FEW.tolerance * np.hypot(40, 50)) for one in labelled]
        recalled = sum(int(matched.sum()) for _, matched in pairs)
        total = sum(int(one.sum()) for one in labelled)
        expected.append([recalled, total, int((pairs[0][0] | pairs[1][0]).sum()), int(edges.sum())])
    assert edge_counts(probability, labelled, FEW).tolist() == expected
    with ThreadPoolExecutor(2) as pool:
        assert edge_counts(probability, labelled, FEW, each=pool.map).tolist() == expected


def test_half_resolution_takes_labels_to_the_nearest_pixel_and_predictions_with_them():
    edges = np.zeros((41, 60), bool)
    edges[21, 10:50] = True
    protocol = EdgeProtocol.of("cityscapes", thresholds=1, tolerance=0.05)
    small = np.zeros((21, 30), np.uint8)
    small[10, 5:25] = 255
    assert edge_counts(small, [edges], protocol).tolist() == [[20, 20, 20, 20]]
    soft = cv2.GaussianBlur(edges.astype(np.float32), (0, 0), 2)
    full = edge_counts(np.rint(255 * soft / soft.max()).astype(np.uint8), [edges], protocol)
    assert full[0, 0] >= 18
    assert full[0, 1] == 20


def test_a_whole_number_of_pixels_gets_no_row_more():
    edges = np.ones((100, 200), bool)
    protocol = EdgeProtocol.of("bsds", mode="raw", thresholds=1, scale=0.07)
    assert edge_counts(np.full((7, 14), 255, np.uint8), [edges], protocol).tolist() == [[98, 98, 98, 98]]


def test_another_size_is_resized_only_on_demand(rings):
    half = cv2.resize(as_probability(rings), (40, 30), interpolation=cv2.INTER_AREA)
    with pytest.raises(ValueError, match=r"expected the size \(60, 80\) of the labels, got \(30, 40\)"):
        edge_counts(half, [rings], FEW)
    assert f_of(half, [rings], EdgeProtocol.of("bsds", thresholds=9, tolerance=0.03, resize=True)).max() > 0.8
    with pytest.raises(ValueError, match=r"expected the proportions of the labels \(60, 80\), got \(80, 60\)"):
        edge_counts(as_probability(rings.T), [rings], EdgeProtocol.of("bsds", resize=True))


def test_suppression_leaves_one_line_of_a_wide_ridge():
    rows = np.abs(np.arange(60)[:, None] - 30)
    ridge = np.broadcast_to(np.clip(250 - 12 * rows, 0, 255), (60, 80)).astype(np.uint8)
    label = np.zeros((60, 80), bool)
    label[30] = True
    counts = {
        nms: edge_counts(ridge, [label], EdgeProtocol.of("bsds", mode="raw", thresholds=1, nms=nms))[0]
        for nms in (False, True)
    }
    assert counts[False][3] > 10 * counts[True][3]
    assert counts[True][2] == counts[True][3] >= 70


@pytest.mark.parametrize(
    ("probability", "labelled", "ignored", "message"),
    [
        (np.full((4, 5), np.nan), [np.zeros((4, 5), bool)], None, r"expected \(H, W\) uint8, 255 times .* of float64"),
        (np.zeros((1, 4, 5), np.uint8), [np.zeros((4, 5), bool)], None, r"expected \(H, W\) uint8"),
        (np.zeros((4, 5), bool), [np.zeros((4, 5), bool)], None, r"expected \(H, W\) uint8.* of bool"),
        (np.zeros((4, 5), np.uint8), [], None, "at least one annotator, got none"),
        (np.zeros((4, 5), np.uint8), [np.zeros((4, 5), np.uint8)], None, r"labelled, ignored: expected .* of uint8"),
        (np.zeros((4, 5), np.uint8), [np.zeros((4, 5), bool), np.zeros((5, 4), bool)], None, "bool of one size"),
        (np.zeros((4, 5), np.uint8), [np.zeros((4, 5), bool)], np.zeros((5, 5), bool), "bool of one size"),
        (np.zeros((4, 6), np.uint8), [np.zeros((4, 5), bool)], None, r"size \(4, 5\) of the labels, got \(4, 6\)"),
    ],
)
def test_wrong_input_is_told(probability, labelled, ignored, message):
    with pytest.raises(ValueError, match=message):
        edge_counts(probability, labelled, FEW, ignored)


def test_a_border_that_leaves_nothing_is_told():
    with pytest.raises(ValueError, match=r"less than half of \(10, 40\), got 5"):
        edge_counts(np.zeros((10, 40), np.uint8), [np.zeros((10, 40), bool)], EdgeProtocol.of("sbd"))


def test_the_benchmarks_own_images_score_as_its_own_program_says(bsds500_bench_dir):
    protocol = EdgeProtocol.of("bsds", thresholds=5)
    counts = []
    for path in sorted((bsds500_bench_dir / "groundTruth").glob("*.mat")):
        probability = cv2.imread(str(bsds500_bench_dir / "png" / f"{path.stem}.png"), cv2.IMREAD_UNCHANGED)
        labelled = [one.edges[0].astype(bool) for one in read_mat(path).maps]
        counts.append(edge_counts(probability, labelled, protocol))
    scores = edge_scores(np.stack(counts), protocol)
    expected = np.loadtxt(bsds500_bench_dir / "expected" / "eval_bdry.txt")
    # The official matching gives up some pairs to be fast, so recall and precision are a little higher here.
    assert [*scores.ods, *scores.ois[1:], scores.ap] == pytest.approx(expected.tolist(), abs=5e-4)
    assert [scores.ods.f, scores.ois.f, scores.ap] == pytest.approx(expected[[3, 6, 7]].tolist(), abs=3e-4)
    each = np.loadtxt(bsds500_bench_dir / "expected" / "eval_bdry_img.txt")
    assert scores.images == pytest.approx(each[:, 1:], abs=1e-3)
    assert scores.curve == pytest.approx(np.loadtxt(bsds500_bench_dir / "expected" / "eval_bdry_thr.txt"), abs=6e-4)
