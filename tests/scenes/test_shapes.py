import cv2
import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt
from shapely.geometry import LineString, Point, Polygon

from noisyseg.labels.rng import keyed_rng
from noisyseg.scenes.sampling import sample_scene
from noisyseg.scenes.shapes import SHAPES, box, key, ring, star, worm

SPACING = 0.02
FORMS = {
    "blob": (0.1, 0.3, 0.08, 2.0, 0.05, 1.0),
    "ring": (0.7, 0.3),
    "box": (0.6, 0.2, 0.3),
    "star": (5.0, 0.45),
    "key": (0.4, 0.08, 0.3),
    "worm": (1.2, 0.7, 0.3, 0.1),
}


def grid(spacing=SPACING):
    steps = np.arange(-1.6, 1.6, spacing) + spacing / 3
    return np.meshgrid(steps, steps)


@pytest.mark.parametrize("name", SHAPES)
def test_distances_agree_with_those_measured_on_the_raster(name):
    distance = SHAPES[name](*grid(), *FORMS[name])
    inside = distance < 0
    measured = np.where(inside, -distance_transform_edt(inside), distance_transform_edt(~inside)) * SPACING
    near = np.abs(distance) < 2 * SPACING
    assert np.abs(distance - measured)[near].max() < 2 * SPACING
    assert np.sign(distance[~near]).tolist() == np.sign(measured[~near]).tolist()


@pytest.mark.parametrize("name", SHAPES)
def test_a_shape_lies_inside_the_window_of_its_placing(name):
    x, y = grid()
    assert np.hypot(x, y)[SHAPES[name](x, y, *FORMS[name]) < 0].max() < 1.42


@pytest.mark.parametrize(
    ("name", "holes"), [("blob", 0), ("ring", 1), ("box", 1), ("star", 0), ("key", 1), ("worm", 0)]
)
def test_holes_are_open(name, holes):
    inside = (SHAPES[name](*grid(), *FORMS[name]) < 0).astype(np.uint8)
    _, hierarchy = cv2.findContours(inside, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    assert np.count_nonzero(hierarchy[0, :, 3] >= 0) == holes
    assert np.count_nonzero(hierarchy[0, :, 3] < 0) == 1  # in one piece


def test_the_star_is_the_polygon_of_its_corners():
    turns = np.arange(10) * np.pi / 5
    reach = np.where(np.arange(10) % 2, 0.45, 1.0)
    polygon = Polygon(np.stack([reach * np.cos(turns), reach * np.sin(turns)], 1))
    points = keyed_rng(0, "star").uniform(-1.3, 1.3, (200, 2))
    expected = [polygon.exterior.distance(Point(p)) * (-1 if polygon.contains(Point(p)) else 1) for p in points]
    np.testing.assert_allclose(star(*points.T, 5.0, 0.45), expected, atol=1e-9)


def test_the_worm_is_as_thick_as_told_along_its_wave():
    x = np.linspace(-0.9, 0.9, 2001)
    wave = LineString(np.stack([x, 0.3 * np.sin(np.pi * 1.2 * x + 0.7)], 1))
    points = keyed_rng(0, "worm").uniform(-0.8, 0.8, (200, 2))
    expected = [wave.distance(Point(p)) - 0.1 for p in points]
    np.testing.assert_allclose(worm(*points.T, *FORMS["worm"]), expected, atol=5e-3)


@pytest.mark.parametrize(
    ("distance", "expected"),
    [
        (ring(np.zeros(1), np.zeros(1), 1.0, 0.2), 0.8),
        (box(np.zeros(1), np.zeros(1), 0.5, 0.1, 0.0), -0.5),
        (box(np.zeros(1), np.zeros(1), 0.5, 0.1, 0.2), 0.2),
        (box(np.array([2.0]), np.zeros(1), 0.5, 0.1, 0.0), 1.0),
        (key(np.array([-0.6]), np.zeros(1), 0.4, 0.1, 0.3), 0.2),
    ],
    ids=["ring's middle", "box's middle", "box with a hole", "beside a box", "key's hole"],
)
def test_distances_known_by_hand(distance, expected):
    np.testing.assert_allclose(distance, expected, atol=1e-4)


def test_objects_of_small_frames_still_have_outlines():
    things = [thing for i in range(50) for thing in sample_scene(keyed_rng(i), (32, 32)).objects]
    for thing in things:
        distance = SHAPES[thing.name](*grid(0.1), *thing.form)
        assert np.isfinite(distance).all()
        assert distance.min() < 0 < distance.max()
