import cv2
import numpy as np
import pytest
from scipy import ndimage, stats

from noisyseg.labels import Categories, Instances, Mask
from noisyseg.labels.rng import keyed_rng
from noisyseg.noise.masks import Shift

# Dice of a disc and the disc moved by 1, 2, 5 and 10 pixels.
DICE = {10: (0.934, 0.874, 0.694, 0.401), 20: (0.967, 0.936, 0.843, 0.688), 50: (0.987, 0.975, 0.937, 0.874)}


def disc(radius, side=160):
    frame = cv2.circle(np.zeros((side, side), np.uint8), (side // 2, side // 2), radius, 1, -1)
    return Instances.from_masks([Mask.from_frame(frame)], [0], Categories.from_names("a"), frame.shape)


def lens(radius, distance):
    """Returns the Dice of two discs whose centres are a distance apart, on paper."""
    half = distance / (2 * radius)
    return 2 / np.pi * (np.arccos(half) - half * np.sqrt(1 - half**2))


@pytest.mark.parametrize("radius", DICE)
def test_the_dice_of_a_disc_is_the_closed_form(radius):
    labels = disc(radius)
    for distance, dice in zip((1, 2, 5, 10), DICE[radius], strict=True):
        for dx, dy in ((distance, 0), (-distance, 0), (0, distance), (0, -distance)):
            iou = Shift(dx, dy)(labels, keyed_rng(0)).masks[0].iou(labels.masks[0])
            assert 2 * iou / (1 + iou) == pytest.approx(dice, abs=0.01)
            assert 2 * iou / (1 + iou) == pytest.approx(lens(radius + 0.3, distance), abs=0.01)


@pytest.mark.parametrize(("dx", "dy"), [(3, -2), (-30, 0), (0, 59), (25, 25), (90, 0), (-80, 3)])
def test_masks_are_cut_and_never_wrap(labels, frames, dx, dy):
    noisy = Shift(dx, dy)(labels, keyed_rng(0))
    for frame, mask in zip(frames[:-1], noisy.masks[:-1], strict=True):
        np.testing.assert_array_equal(mask.frame(), ndimage.shift(frame, (dy, dx), order=0, prefilter=False))


def test_moves_are_rounded_gaussians_about_the_mean(labels):
    one = labels.take(np.array([0]))
    still = {"dx": 0, "dy": 0}
    model = Shift(4, -1, sigma=3)
    draws = [model.sample(one, keyed_rng(seed))["objects"].get("11", still) for seed in range(3000)]
    for name, mean in (("dx", 4), ("dy", -1)):
        moves = np.array([draw[name] for draw in draws])
        counts = np.bincount(np.clip(moves - mean + 7, 0, 14), minlength=15)
        stops = np.concatenate(([-np.inf], np.arange(-6.5, 7), [np.inf]))
        assert stats.chisquare(counts, 3000 * np.diff(stats.norm.cdf(stops, scale=3))).pvalue > 0.001


def test_bad_settings_are_errors():
    with pytest.raises(ValueError, match=r"^sigma: expected pixels >= 0, got -1"):
        Shift(sigma=-1)
    with pytest.raises(ValueError, match=r"^dx: expected a number of pixels, got nan"):
        Shift(dx=float("nan"))
    with pytest.raises(ValueError, match=r"^dy: expected a number of pixels, got inf"):
        Shift(dy=float("inf"))
