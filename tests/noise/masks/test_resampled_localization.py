import cv2
import numpy as np
import pytest

from noisyseg.labels import Categories, Instances, Mask
from noisyseg.labels.rng import keyed_rng
from noisyseg.noise.masks import Localization, ResampledLocalization


def many(frame, count=60):
    mask = Mask.from_frame(frame)
    return Instances.from_masks([mask] * count, [0] * count, Categories.from_names("a"), mask.size_hw)


def disc(radius):
    side = 4 * radius
    return cv2.circle(np.zeros((side, side), np.uint8), (side // 2, side // 2), radius, 1, -1)


def square(side):
    return np.pad(np.ones((side, side), np.uint8), side)


def strength(model, frame):
    labels = many(frame)
    return np.mean([mask.iou(labels.masks[0]) for mask in model(labels, keyed_rng(0)).masks])


def scaled(factor):
    return ResampledLocalization(3 * factor, correlation=10 * factor, step=2 * factor)


def test_a_shape_at_a_higher_resolution_gets_the_same_noise():
    small, large = many(disc(30), 20), many(disc(120), 20)
    for one, other in zip(scaled(1)(small, keyed_rng(0)).masks, scaled(4)(large, keyed_rng(0)).masks, strict=True):
        upscaled = np.kron(one.frame(), np.ones((4, 4), np.uint8))
        assert other.iou(Mask.from_frame(upscaled)) > 0.9
        assert abs(one.area / small.masks[0].area - other.area / large.masks[0].area) < 0.08


@pytest.mark.parametrize("shape", [disc, square])
def test_the_strength_does_not_depend_on_the_resolution(shape):
    strengths = [strength(scaled(factor), shape(40 * factor)) for factor in (1, 2, 4)]
    assert np.ptp(strengths) < 0.015
    if shape is disc:  # what it was made to better
        old = [strength(Localization(3 * factor), shape(40 * factor)) for factor in (1, 4)]
        assert old[0] - old[1] > 2 * np.ptp(strengths)


def test_the_strength_does_not_depend_on_the_step():
    strengths = [strength(ResampledLocalization(3, correlation=12, step=step), disc(60)) for step in (1, 2, 4)]
    assert np.ptp(strengths) < 0.015


def test_a_square_is_moved_like_a_disc_of_the_same_perimeter_to_area():
    # Both have 2 / r of perimeter to area, which is what a move of the boundary counts with.
    strengths = [strength(ResampledLocalization(3), frame) for frame in (disc(60), square(120))]
    assert abs(strengths[0] - strengths[1]) < 0.01


def test_the_boundary_moves_by_sigma():
    # What changes lies between the outlines: the mean of a half normal with deviation sigma.
    labels = many(disc(100), 30)
    noisy = ResampledLocalization(4, correlation=25)(labels, keyed_rng(0))
    changed = np.mean([(mask.frame() != labels.masks[0].frame()).sum() for mask in noisy.masks])
    assert changed / (2 * np.pi * 100) == pytest.approx(4 * np.sqrt(2 / np.pi), rel=0.08)


def test_a_tiny_object_moves_as_a_whole():
    labels = many(square(3), 50)
    noisy = ResampledLocalization(2, correlation=100)(labels, keyed_rng(0))
    whole = [mask.box for mask in noisy.masks if mask.area == 9]
    assert len(whole) > 25
    assert len(set(whole)) > 5
    assert {(x1 - x0, y1 - y0) for x0, y0, x1, y1 in whole} == {(3, 3)}


def test_holes_stay_holes(labels):
    noisy = ResampledLocalization(1)(labels, keyed_rng(0)).masks[1]
    assert noisy.frame()[28, 32] == 0
    assert noisy.area == pytest.approx(labels.masks[1].area, rel=0.2)


def test_more_sigma_is_more_noise():
    strengths = [strength(ResampledLocalization(sigma), disc(40)) for sigma in (1, 2, 4, 8)]
    assert strengths == sorted(strengths, reverse=True)
    assert strengths[0] - strengths[-1] > 0.1


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"sigma": -1}, "sigma: expected pixels >= 0, got -1"),
        ({"sigma": 1, "correlation": 0}, "correlation: expected pixels > 0, got 0"),
        ({"sigma": 1, "step": 0}, "step: expected pixels > 0 and at most correlation=10.0, got 0"),
        ({"sigma": 1, "step": 11}, "step: expected pixels > 0 and at most correlation=10.0, got 11"),
    ],
)
def test_bad_settings_are_errors(settings, problem):
    with pytest.raises(ValueError, match=f"^{problem}"):
        ResampledLocalization(**settings)
