import numpy as np
import pytest

from noisyseg.labels import Categories, SemanticMap
from noisyseg.labels.rng import keyed_rng
from noisyseg.noise.maps import MedicalNoise

NAMES = Categories.from_names(("background", "oesophagus", "heart", "trachea", "aorta"))
SEGTHOR = (1, 3, 4, 2)


@pytest.fixture
def organs():
    """Returns a slice of four organs, two of them side by side, and some ignored pixels."""
    rows, columns = np.ogrid[:128, :140]
    classes = np.zeros((128, 140), np.int16)
    for class_, row, column, radius in ((2, 50, 45, 28), (4, 50, 84, 11), (3, 95, 100, 8), (1, 95, 117, 8)):
        classes[(rows - row) ** 2 + (columns - column) ** 2 <= radius**2] = class_
    classes[60:64] = 255
    return SemanticMap(classes, NAMES)


def applied(labels, grow, steps, **settings):
    params = {"hit": True, "grow": grow, "steps": steps}
    return MedicalNoise(SEGTHOR, **settings).apply(labels, params).classes


@pytest.mark.parametrize(("steps", "shrunk", "grown"), [(2, 0.73, 1.31), (3, 0.61, 1.47), (4, 0.50, 1.64)])
def test_lone_organs_change_by_the_published_share(steps, shrunk, grown):
    rows, columns = np.ogrid[:160, :160]
    for radius in range(10, 41, 5):
        clean = SemanticMap(2 * ((rows - 80) ** 2 + (columns - 80) ** 2 <= radius**2).astype(np.uint8), NAMES)
        area = (clean.classes == 2).sum()
        assert (applied(clean, False, steps) == 2).sum() / area == pytest.approx(shrunk, abs=0.05)
        assert (applied(clean, True, steps) == 2).sum() / area == pytest.approx(grown, abs=0.08)


@pytest.mark.parametrize("steps", [1, 2, 3, 4])
def test_what_shrinks_stays_inside_itself(organs, steps):
    noisy = applied(organs, False, steps)
    changed = noisy != organs.classes
    assert changed.any()
    assert (noisy[changed] == 0).all()
    assert (organs.classes[changed] != 255).all()


@pytest.mark.parametrize("steps", [1, 2, 3, 4])
def test_what_grows_covers_background_only(organs, steps):
    noisy = applied(organs, True, steps)
    changed = noisy != organs.classes
    assert changed.any()
    assert (organs.classes[changed] == 0).all()


def test_earlier_classes_get_contested_background(organs):
    first = MedicalNoise((1, 3, 4, 2)).apply(organs, {"hit": True, "grow": True, "steps": 4}).classes
    last = MedicalNoise((3, 1, 4, 2)).apply(organs, {"hit": True, "grow": True, "steps": 4}).classes
    contested = first != last
    assert contested.any()
    assert (first[contested] == 1).all()
    assert (last[contested] == 3).all()


def test_officially_neighbours_are_cleared_too():
    classes = np.zeros((170, 170), np.uint8)
    classes[15:155, 15:155] = 2
    # Holes that are too small for the common size.
    classes[50:120:10, 50:120:10] = 1
    labels = SemanticMap(classes, NAMES)
    params = {"hit": True, "grow": False, "steps": 2}
    fixed, official = (MedicalNoise([2], mode=mode).apply(labels, params).classes for mode in ("fixed", "official"))
    assert (official != fixed).any()
    assert (official[official != fixed] == 0).all()
    assert (classes[official != fixed] == 1).all()


def test_the_order_of_the_file_is_by_number(organs):
    given = MedicalNoise((1, 2, 3, 4))(organs, keyed_rng(1)).classes
    np.testing.assert_array_equal(MedicalNoise()(organs, keyed_rng(1)).classes, given)


def test_classes_that_are_not_in_the_order_stay(organs):
    noisy = MedicalNoise([2]).apply(organs, {"hit": True, "grow": False, "steps": 3}).classes
    others = organs.classes != 2
    np.testing.assert_array_equal(noisy[others], organs.classes[others])
    assert (noisy != organs.classes).any()


def test_slices_coins_and_steps_are_fair(organs, assert_share):
    drawn = [MedicalNoise(rate=0.6).sample(organs, keyed_rng(seed)) for seed in range(2000)]
    hit = [params for params in drawn if params["hit"]]
    assert_share(len(hit), 2000, 0.6)
    assert_share(sum(params["grow"] for params in hit), len(hit), 0.5)
    for steps in (2, 3, 4):
        assert_share(sum(params["steps"] == steps for params in hit), len(hit), 1 / 3)


def test_a_single_pixel_in_a_large_slice_is_no_problem():
    classes = np.zeros((512, 512), np.uint8)
    classes[100, 300] = 3
    noisy = applied(SemanticMap(classes, NAMES), True, 4)
    assert noisy[100, 300] == 3
    assert (noisy == 3).sum() <= 9


def test_a_slice_of_background_stays(organs):
    empty = organs.replace(classes=np.zeros((20, 20), np.uint8))
    np.testing.assert_array_equal(MedicalNoise()(empty, keyed_rng(0)).classes, empty.classes)


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"order": [1, 1]}, r"order: expected each class once and not the background 0, got \[1, 1\]"),
        ({"order": [0, 1]}, r"order: expected each class once and not the background 0, got \[0, 1\]"),
        ({"rate": 1.5}, r"rate: expected a share in \[0, 1\], got 1.5"),
        ({"steps": (3, 2)}, r"steps: expected two whole numbers >= 0 in order, got \(3, 2\)"),
        ({"steps": (2.0, 3)}, "steps: expected two whole numbers >= 0 in order"),
        ({"max_ratio": 0}, "max_ratio: expected a factor > 0, got 0"),
        ({"mode": "new"}, "mode: expected 'fixed' or 'official', got 'new'"),
    ],
)
def test_what_cannot_be_used_is_an_error(settings, problem):
    with pytest.raises(ValueError, match=problem):
        MedicalNoise(**settings)


def test_a_class_that_the_map_does_not_have_is_an_error(label_map):
    with pytest.raises(ValueError, match=r"order, background: expected classes 0\.\.3, got \[0, 1, 3, 4, 2\]"):
        MedicalNoise(SEGTHOR)(label_map, keyed_rng(0))
