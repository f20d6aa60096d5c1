import numpy as np
import pytest
from scipy import ndimage

from noisyseg.labels.rng import keyed_rng
from noisyseg.noise.fields import field_rng
from noisyseg.noise.kernels.markov import markov
from noisyseg.noise.maps import MarkovMap


@pytest.fixture
def organ(semantic):
    rows, columns = np.ogrid[:80, :90]
    return semantic(((rows - 40) ** 2 + (columns - 45) ** 2 <= 22**2).astype(int))


@pytest.fixture
def halves(semantic):
    classes = np.zeros((50, 80), int)
    classes[10:40, 10:40], classes[10:40, 40:70] = 1, 2
    return semantic(classes)


@pytest.mark.parametrize(("theta1", "theta3", "blur_sigma"), [(0.8, 0.2, 2.0), (0.3, 0.0, 0.0), (0.2, 0.1, 1.0)])
def test_on_two_classes_it_is_the_binary_model(organ, theta1, theta3, blur_sigma):
    model = MarkovMap(30, theta1, 0.1, theta3, blur_sigma)
    noisy, params = model.run(organ, keyed_rng(2))
    ((class_, key),) = params["keys"]
    assert class_ == 1
    expected = markov(organ.classes, 30, theta1, 0.1, theta3, blur_sigma, field_rng(key))
    np.testing.assert_array_equal(noisy.classes, expected)
    assert (noisy.classes != organ.classes).any()


def test_growing_and_shrinking_alone(organ):
    for seed in range(3):
        grown = MarkovMap(10, 1.0, 0.3, blur_sigma=0)(organ, keyed_rng(seed)).classes
        assert (grown[organ.classes == 1] == 1).all()
        assert ndimage.label(grown)[1] == 1
        distance = ndimage.distance_transform_edt(organ.classes == 0)
        assert distance[grown == 1].max() <= 10
        shrunk = MarkovMap(10, 0.0, 0.3, blur_sigma=0)(organ, keyed_rng(seed)).classes
        assert (shrunk[organ.classes == 0] == 0).all()
        assert shrunk.sum() < organ.classes.sum() < grown.sum()


def test_the_first_class_of_the_list_has_priority(halves):
    grown = {}
    for classes in ([1, 2], [2, 1]):
        noisy = MarkovMap(12, 1.0, 0.5, blur_sigma=0, classes=classes)(halves, keyed_rng(0)).classes
        first, second = classes
        assert (noisy[halves.classes == first] == first).all()
        assert (noisy[halves.classes == second] == first).any()
        grown[first] = noisy
    assert (grown[1] != grown[2]).any()


def test_argmax_gives_a_pixel_to_the_highest_score(halves):
    model = MarkovMap(12, 1.0, 0.5, blur_sigma=2.0, multi_class="argmax")
    noisy, params = model.run(halves, keyed_rng(0))
    keys = dict(params["keys"])
    scores = {}
    for class_, key in keys.items():
        pixels = (halves.classes == class_).astype(np.uint8)
        walked = markov(pixels, 12, 1.0, 0.5, 0.0, 0.0, field_rng(key)).astype(float)
        weights = np.exp(-(np.arange(-2, 3) ** 2) / 8)
        weights /= weights.sum()
        blurred = ndimage.correlate1d(walked, weights, 0, mode="mirror")
        scores[class_] = ndimage.correlate1d(blurred, weights, 1, mode="mirror")
    clear = np.abs(scores[1] - scores[2]) > 1e-4
    taken = np.maximum(scores[1], scores[2]) > 0.5001
    expected = np.where(scores[1] > scores[2], 1, 2)
    np.testing.assert_array_equal(noisy.classes[clear & taken], expected[clear & taken])
    free = np.maximum(scores[1], scores[2]) < 0.4999
    np.testing.assert_array_equal(noisy.classes[free], 0)


def test_only_the_classes_named_are_treated(label_map):
    noisy, params = MarkovMap(8, 0.0, 0.5, classes=[2], fill="ignore", blur_sigma=0).run(label_map, keyed_rng(0))
    assert [class_ for class_, _ in params["keys"]] == [2]
    changed = noisy.classes != label_map.classes
    assert (label_map.classes[changed] == 2).all()
    assert (noisy.classes[changed] == 255).all()
    assert changed.any()


def test_a_class_that_fills_the_map_stays(semantic):
    labels = semantic(np.ones((20, 20), int))
    noisy, params = MarkovMap(50, 0.2, 0.5, 0.2).run(labels, keyed_rng(0))
    assert params["keys"] == []
    assert noisy is labels


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"steps": -1}, "steps: expected a whole number >= 0, got -1"),
        ({"steps": 2.5}, "steps: expected a whole number >= 0, got 2.5"),
        ({"theta1": 1.1}, r"theta1: expected a share in \[0, 1\], got 1.1"),
        ({"theta2": -1}, r"theta2: expected a share in \[0, 1\], got -1"),
        ({"theta3": 2}, r"theta3: expected a share in \[0, 1\], got 2"),
        ({"blur_sigma": -1}, "blur_sigma: expected pixels >= 0, got -1"),
        ({"classes": [1, 1]}, r"classes: expected each class once, got \[1, 1\]"),
        ({"multi_class": "vote"}, "multi_class: expected 'priority' or 'argmax', got 'vote'"),
        ({"fill": "far"}, "fill: expected 'nearest', 'ignore' or a class number, got 'far'"),
    ],
)
def test_what_cannot_be_used_is_an_error(settings, problem):
    with pytest.raises(ValueError, match=problem):
        MarkovMap(**{"steps": 5, "theta1": 0.5, "theta2": 0.1} | settings)


def test_a_class_that_the_map_does_not_have_is_an_error(label_map):
    with pytest.raises(ValueError, match=r"classes: expected classes 0\.\.3, got \[1, 9\]"):
        MarkovMap(3, 0.5, 0.1, classes=[1, 9])(label_map, keyed_rng(0))
