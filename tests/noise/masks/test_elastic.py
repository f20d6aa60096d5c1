from collections import Counter

import cv2
import numpy as np
import pytest
from scipy import ndimage, stats

from noisyseg.labels import Categories, Instances, Mask
from noisyseg.labels.rng import keyed_rng
from noisyseg.noise.fields import elastic_field
from noisyseg.noise.kernels.warps import elastic_margin, elastic_rms
from noisyseg.noise.masks import Elastic


def many_discs(count, radius=20, side=80):
    frame = cv2.circle(np.zeros((side, side), np.uint8), (side // 2, side // 2), radius, 1, -1)
    return Instances.from_masks([Mask.from_frame(frame)] * count, [0] * count, Categories.from_names("a"), frame.shape)


def test_each_mask_is_remapped_by_its_own_field_over_the_frame(labels, frames):
    noisy, params = Elastic(60, 3).run(labels, keyed_rng(0))
    rows, columns = np.indices(frames[0].shape)
    assert len({draws["key"] for draws in params["objects"].values()}) == 8
    for source, frame, mask in zip(labels.source[:-1], frames, noisy.masks, strict=False):
        draws = params["objects"][str(source)]
        dx, dy = elastic_field(draws["key"], 0, 0, frame.shape, 60, 3)
        want = ndimage.map_coordinates(frame, (rows + dy, columns + dx), order=0, mode="nearest")
        np.testing.assert_array_equal(mask.frame(), want)


def test_pixels_far_from_the_boundary_stay(labels, frames):
    noisy = Elastic(50, 4)(labels, keyed_rng(1))
    margin = elastic_margin(50, 4)
    for frame, mask in zip(frames[:-1], noisy.masks[:-1], strict=True):
        inside = ndimage.distance_transform_edt(np.pad(frame, 1, mode="edge"))[1:-1, 1:-1] > 3 * margin
        outside = ndimage.distance_transform_edt(np.pad(frame == 0, 1, mode="edge"))[1:-1, 1:-1] > 3 * margin
        assert mask.frame()[inside].all()
        assert not mask.frame()[outside].any()


def test_the_boundary_moves_as_far_as_the_closed_form_says():
    labels = many_discs(60)
    noisy = Elastic(100, 5)(labels, keyed_rng(0))
    # Of a short displacement the part across the boundary counts: rms / sqrt(2), as the mean of a half normal.
    changed = np.mean([(one.frame() != labels.masks[0].frame()).sum() for one in noisy.masks])
    distance = elastic_rms(100, 5) / np.sqrt(2) * np.sqrt(2 / np.pi)
    assert changed / (2 * np.pi * 20) == pytest.approx(distance, rel=0.15)


def test_stronger_settings_change_more(labels):
    iou = [
        np.mean([a.iou(b) for a, b in zip(Elastic(alpha, 4)(labels, keyed_rng(0)).masks, labels.masks, strict=True)])
        for alpha in (10, 40, 120)
    ]
    assert iou[0] > iou[1] > iou[2]


def test_of_several_settings_each_object_draws_one():
    params = Elastic([1, 15, 30], (3, 5)).sample(many_discs(1200), keyed_rng(4))
    counts = Counter((draws["alpha"], draws["sigma"]) for draws in params["objects"].values())
    assert len(counts) == 6
    assert stats.chisquare(list(counts.values())).pvalue > 0.001


@pytest.mark.parametrize(
    ("alpha", "sigma", "problem"),
    [
        (-1, 3, "alpha: expected pixels >= 0, got -1"),
        ([], 3, r"alpha: expected pixels >= 0, got \[\]"),
        (10, 0, "sigma: expected pixels > 0, got 0"),
        (10, [3, -1], r"sigma: expected pixels > 0, got \[3, -1\]"),
    ],
)
def test_bad_settings_are_errors(alpha, sigma, problem):
    with pytest.raises(ValueError, match=f"^{problem}"):
        Elastic(alpha, sigma)
