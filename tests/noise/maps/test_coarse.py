import numpy as np
import pytest

from noisyseg.labels.rng import keyed_rng
from noisyseg.noise.kernels.coarse import coarse_polygon
from noisyseg.noise.maps import CoarsePolygons


@pytest.fixture
def discs(semantic):
    rows, columns = np.ogrid[:90, :150]
    classes = np.zeros((90, 150), int)
    classes[(rows - 40) ** 2 + (columns - 40) ** 2 <= 30**2] = 1
    classes[(rows - 45) ** 2 + (columns - 115) ** 2 <= 25**2] = 1
    classes[80:82, 70:72] = 2
    return semantic(classes)


def test_each_component_becomes_its_polygon(discs):
    noisy = CoarsePolygons(8, background=[0])(discs, keyed_rng(0)).classes
    for window in (np.s_[:, :75], np.s_[:, 85:]):
        clean = (discs.classes[window] == 1).astype(np.uint8)
        np.testing.assert_array_equal(noisy[window] == 1, coarse_polygon(clean, 8) != 0)
    assert 24 <= (noisy == 2).sum() <= 32


def test_a_class_is_one_polygon_mask_and_its_small_parts_vanish(discs, semantic):
    classes = discs.classes.copy()
    classes[80:82, 70:72] = 1
    noisy = CoarsePolygons(8, unit="class", background=[0])(semantic(classes), keyed_rng(0)).classes
    assert not noisy[75:, 65:80].any()
    np.testing.assert_array_equal(noisy == 1, coarse_polygon((classes == 1).astype(np.uint8), 8) != 0)


def test_the_gap_between_two_polygons_is_filled_as_asked(semantic):
    classes = np.zeros((40, 60), int)
    classes[:, 30:] = 1
    given = semantic(classes)
    np.testing.assert_array_equal(CoarsePolygons(8)(given, keyed_rng(0)).classes, classes)
    gap = CoarsePolygons(8, fill="ignore")(given, keyed_rng(0)).classes
    np.testing.assert_array_equal(gap, np.tile(np.r_[[0] * 27, [255] * 6, [1] * 27], (40, 1)))
    other = CoarsePolygons(8, fill=3)(given, keyed_rng(0)).classes
    np.testing.assert_array_equal(other == 3, gap == 255)


def test_a_hole_closes_but_a_smaller_object_in_it_stays_on_top(semantic):
    rows, columns = np.ogrid[:90, :90]
    distance = (rows - 45) ** 2 + (columns - 45) ** 2
    classes = np.where(distance <= 40**2, 1, 0)
    classes[distance <= 15**2] = 2
    noisy = CoarsePolygons(4, background=[0])(semantic(classes), keyed_rng(0)).classes
    assert noisy[45, 45] == 2
    assert noisy[45, 30] == 1
    empty = CoarsePolygons(4, background=[0, 2])(semantic(classes), keyed_rng(0)).classes
    assert empty[45, 45] == 1


@pytest.mark.parametrize("delta", [-1, 2.5, True, "8"])
def test_a_coarseness_that_is_none_is_an_error(delta):
    with pytest.raises(ValueError, match="delta: expected whole pixels >= 0, got"):
        CoarsePolygons(delta)


def test_an_unknown_fill_is_an_error():
    with pytest.raises(ValueError, match="fill: expected 'nearest', 'ignore' or a class number, got 'void'"):
        CoarsePolygons(4, fill="void")
