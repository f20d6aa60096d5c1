import cv2
import numpy as np
import pytest

from noisyseg.labels.rng import keyed_rng
from noisyseg.noise.kernels.superpixels import slic_superpixels
from noisyseg.noise.maps import SuperpixelNoise


@pytest.fixture
def scene(label_map):
    """Returns a map with an image whose edges lie two pixels beside its boundaries."""
    shown = np.roll(np.where(label_map.classes == 255, 1, label_map.classes), 2, axis=1).astype(np.uint8)
    image = cv2.blur(np.repeat(shown[..., None] * np.uint8(60), 3, axis=2), (3, 3))
    return label_map.replace(image=image)


def classes_in(scene, inside):
    present = scene.classes[inside]
    return np.bincount(present[present != 255], minlength=4)


@pytest.mark.parametrize("rule", ["snap", "random"])
def test_only_crossed_superpixels_change_and_each_as_a_whole(scene, rule):
    superpixels = slic_superpixels(scene.image, 60, 10.0)
    noisy, params = SuperpixelNoise(1.0, 60, rule=rule).run(scene, keyed_rng(0))
    drawn = dict(params["superpixels"])
    crossed = 0
    for number in np.unique(superpixels).tolist():
        inside = superpixels == number
        counts = classes_in(scene, inside)
        if (counts > 0).sum() < 2:
            assert number not in drawn
            np.testing.assert_array_equal(noisy.classes[inside], scene.classes[inside])
            continue
        crossed += 1
        written = inside & (scene.classes != 255)
        (class_,) = np.unique(noisy.classes[written])
        assert class_ == drawn[number]
        assert counts[class_] > 0
        if rule == "snap":
            assert class_ == counts.argmax()
    assert crossed == len(drawn) > 10
    np.testing.assert_array_equal(noisy.classes == 255, scene.classes == 255)


def test_snapping_costs_less_than_half_of_what_it_touches(scene):
    superpixels = slic_superpixels(scene.image, 60, 10.0)
    noisy, params = SuperpixelNoise(1.0, 60).run(scene, keyed_rng(0))
    touched = np.isin(superpixels, [number for number, _ in params["superpixels"]]) & (scene.classes != 255)
    flipped = noisy.classes != scene.classes
    assert 0 < flipped.sum() < touched.sum() / 2
    np.testing.assert_array_equal(flipped & ~touched, False)


def test_superpixels_are_hit_at_the_rate_and_classes_drawn_alike(scene, assert_share):
    superpixels = slic_superpixels(scene.image, 60, 10.0)
    everything = SuperpixelNoise(1.0, 60).sample(scene, keyed_rng(0))["superpixels"]
    hit = same = pairs = 0
    runs = 40
    for seed in range(runs):
        drawn = SuperpixelNoise(0.3, 60, rule="random").sample(scene, keyed_rng(seed))["superpixels"]
        hit += len(drawn)
        for number, class_ in drawn:
            counts = classes_in(scene, superpixels == number)
            if (counts > 0).sum() == 2:
                pairs += 1
                same += class_ == counts.argmax()
    assert_share(hit, runs * len(everything), 0.3)
    assert_share(same, pairs, 0.5)


def test_a_map_without_its_image_is_an_error(label_map):
    model = SuperpixelNoise()
    assert model.needs_image
    with pytest.raises(TypeError, match="SuperpixelNoise needs the image, but the labels came without it"):
        model(label_map, keyed_rng(0))


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"rate": -1}, r"rate: expected a share in \[0, 1\], got -1"),
        ({"n_segments": 0}, "n_segments: expected a whole number >= 1, got 0"),
        ({"n_segments": 2.5}, "n_segments: expected a whole number >= 1, got 2.5"),
        ({"compactness": 0}, "compactness: expected a number > 0, got 0"),
        ({"rule": "vote"}, "rule: expected 'snap' or 'random', got 'vote'"),
    ],
)
def test_what_cannot_be_used_is_an_error(settings, problem):
    with pytest.raises(ValueError, match=problem):
        SuperpixelNoise(**settings)
