import dataclasses

import numpy as np
import pytest

from noisyseg.evaluation.edges import EdgeProtocol, annotator_counts, annotator_score, edge_counts
from noisyseg.labels.mat_files import read_mat

BSDS = EdgeProtocol.of("bsds")


def test_annotators_who_agree_are_perfect(rings):
    counts = annotator_counts([rings, rings, rings], BSDS)
    pixels = np.count_nonzero(rings)
    assert (counts == [2 * pixels, 2 * pixels, pixels, pixels]).all()
    assert annotator_score(counts)[1:] == (1, 1, 1)


@pytest.mark.parametrize("settings", [{"nms": True}, {"scale": 0.5}, {"nms": True, "scale": 0.3}])
def test_those_who_agree_are_perfect_in_every_protocol(rings, settings):
    rings = np.roll(rings, (1, 1), (0, 1))  # at half the size the pixels with odd numbers are taken
    counts = annotator_counts([rings, rings], dataclasses.replace(BSDS, mode="raw", **settings))
    assert counts[0, 1] == counts[0, 3] > 0
    assert annotator_score(counts)[1:] == (1, 1, 1)


def test_each_is_scored_against_the_others_only(rings):
    line = np.zeros(rings.shape, bool)
    line[5, 5:75] = True
    first, second = annotator_counts([rings, rings | line], BSDS)
    pixels = np.count_nonzero(rings)
    assert first.tolist() == [pixels, pixels + 70, pixels, pixels]
    assert second.tolist() == [pixels, pixels, pixels, pixels + 70]
    recall = precision = 2 * pixels / (2 * pixels + 70)
    assert annotator_score(np.stack([first, second]))[1:] == pytest.approx((recall, precision, recall))


def test_a_real_image_is_scored_as_by_leaving_each_one_out(bsds500_bench_dir):
    maps = read_mat(bsds500_bench_dir / "groundTruth" / "3063.mat").maps
    labelled = [one.edges[0].astype(bool) for one in maps]
    counts = annotator_counts(labelled, BSDS)
    for a, row in enumerate(counts):
        others = [edges for b, edges in enumerate(labelled) if b != a]
        assert row.tolist() == edge_counts(labelled[a].astype(np.uint8) * 255, others, BSDS)[50].tolist()
    assert 0.6 < annotator_score(counts).f < 0.9


def test_one_annotator_is_too_few(rings):
    with pytest.raises(ValueError, match="expected at least two annotators, got 1"):
        annotator_counts([rings], BSDS)


def test_maps_of_another_dtype_are_told(rings):
    with pytest.raises(ValueError, match=r"bool of one size, got .* of uint8"):
        annotator_counts([rings.astype(np.uint8), rings], BSDS)
