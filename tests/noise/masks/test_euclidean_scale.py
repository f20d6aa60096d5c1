import cv2
import numpy as np
import pytest
from scipy import ndimage, stats

from noisyseg.integration.recipes import load_recipe
from noisyseg.labels import Categories, Instances, Mask
from noisyseg.labels.rng import keyed_rng
from noisyseg.noise import build_noise
from noisyseg.noise.masks import EuclideanScale


def test_the_crop_gives_what_scipy_gives_on_the_frame(labels, frames):
    for seed in range(3):
        noisy, params = EuclideanScale((1.5, 6)).run(labels, keyed_rng(seed))
        for source, frame, mask in zip(labels.source[:-1], frames, noisy.masks, strict=False):
            draws = params["objects"][str(source)]
            if frame.all():
                want = frame != 0
            elif draws["grow"]:
                want = ndimage.distance_transform_edt(frame == 0) < draws["level"]
            else:
                want = ndimage.distance_transform_edt(frame) >= draws["level"]
            np.testing.assert_array_equal(mask.frame(), want)


def test_a_disc_stays_a_disc():
    frame = cv2.circle(np.zeros((120, 120), np.uint8), (60, 60), 30, 1, -1)
    labels = Instances.from_masks([Mask.from_frame(frame)] * 20, [0] * 20, Categories.from_names("a"), frame.shape)
    noisy, params = EuclideanScale((8, 8)).run(labels, keyed_rng(0))
    for draws, mask in zip(params["objects"].values(), noisy.masks, strict=True):
        radius = 37.5 if draws["grow"] else 22.5
        want = cv2.circle(np.zeros_like(frame), (60, 60), round(radius), 1, -1)
        assert mask.iou(Mask.from_frame(want)) > 0.93
        assert np.sqrt(mask.area / np.pi) == pytest.approx(radius, abs=0.9)


def test_coin_and_level_are_fair(labels):
    one = labels.take(np.array([0]))
    draws = [EuclideanScale((3, 5)).sample(one, keyed_rng(seed))["objects"]["11"] for seed in range(1500)]
    assert stats.binomtest(sum(draw["grow"] for draw in draws), 1500, 0.5).pvalue > 0.001
    assert stats.kstest([draw["level"] for draw in draws], stats.uniform(3, 2).cdf).pvalue > 0.001


@pytest.mark.parametrize(
    ("name", "levels"),
    [
        ("euclidean_j3_lung", (7, 9)),
        ("euclidean_j3_heart", (7, 9)),
        ("euclidean_j3_clavicle", (3, 5)),
        ("euclidean_b3_tumour", (3, 5)),
        ("euclidean_i3_lesion", (7, 9)),
    ],
)
def test_recipes_have_the_published_levels(name, levels):
    (model,) = build_noise(load_recipe(name)).noises
    assert model.levels == levels


@pytest.mark.parametrize("levels", [(-1, 2), (3, 2), (1,), (1, 2, 3), (0, float("inf"))])
def test_bad_levels_are_an_error(levels):
    with pytest.raises(ValueError, match=r"^levels: expected two distances, 0 <= smallest <= largest, got"):
        EuclideanScale(levels)
