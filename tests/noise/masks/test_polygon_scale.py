import cv2
import numpy as np
import pytest
from scipy import stats

from noisyseg.labels import Categories, Instances, Mask
from noisyseg.labels.rng import keyed_rng
from noisyseg.noise.masks import PolygonScale


def many(frame, count):
    mask = Mask.from_frame(frame)
    return Instances.from_masks([mask] * count, [0] * count, Categories.from_names("a"), mask.size_hw)


def disc(radius, side=200):
    return cv2.circle(np.zeros((side, side), np.uint8), (side // 2, side // 2), radius, 1, -1)


@pytest.mark.parametrize(("radius", "delta"), [(30, 6), (50, 10), (20, 3)])
def test_a_disc_changes_its_radius_by_delta(radius, delta):
    labels = many(disc(radius), 40)
    noisy, params = PolygonScale(delta).run(labels, keyed_rng(0))
    moves = [draws["delta"] for draws in params["objects"].values()]
    assert set(moves) == {delta, -delta}
    for move, mask in zip(moves, noisy.masks, strict=True):
        assert np.sqrt(mask.area / np.pi) == pytest.approx(radius + move, abs=0.8)


def test_a_long_object_changes_its_length_more_than_its_width():
    frame = np.zeros((60, 200), np.uint8)
    frame[25:35, 50:150] = 1
    draws = {"op": "PolygonScale", "objects": {"1": {"delta": 25.0}}}
    x0, y0, x1, y1 = PolygonScale(25).apply(many(frame, 1), draws).masks[0].box
    assert x1 - x0 == pytest.approx(150, abs=2)
    assert y1 - y0 == pytest.approx(14, abs=2)


def test_parts_are_scaled_each_about_its_own_middle_and_cut_at_the_frame():
    frame = np.zeros((40, 100), np.uint8)
    frame[10:21, 0:11] = 1
    frame[10:21, 60:71] = 1
    draws = {"op": "PolygonScale", "objects": {"1": {"delta": 7.07}}}
    noisy = PolygonScale(7).apply(many(frame, 1), draws).masks[0].frame()
    want = np.zeros_like(frame)
    want[5:26, 0:16] = 1
    want[5:26, 55:76] = 1
    np.testing.assert_array_equal(noisy, want)


def test_coin_and_size_are_those_of_the_settings():
    params = PolygonScale(5, std=1).sample(many(disc(5, 20), 4000), keyed_rng(2))
    moves = np.array([draws["delta"] for draws in params["objects"].values()])
    assert stats.binomtest(int((moves > 0).sum()), moves.size, 0.5).pvalue > 0.001
    assert stats.kstest(np.abs(moves), stats.norm(5, 1).cdf).pvalue > 0.001


def test_an_object_smaller_than_the_move_vanishes():
    draws = {"op": "PolygonScale", "objects": {"1": {"delta": -9.0}}}
    assert PolygonScale(9).apply(many(disc(8), 1), draws).masks[0].area == 0


@pytest.mark.parametrize(("arguments", "name"), [((-1,), "delta"), ((1, -2), "std"), ((float("nan"),), "delta")])
def test_negative_lengths_are_an_error(arguments, name):
    with pytest.raises(ValueError, match=f"^{name}: expected pixels >= 0, got"):
        PolygonScale(*arguments)
