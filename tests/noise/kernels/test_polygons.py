import cv2
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from noisyseg.labels.rng import keyed_rng
from noisyseg.noise.kernels import polygons
from noisyseg.noise.kernels.masks import Part, fill, parts

rings = st.integers(4, 12).flatmap(
    lambda n: arrays(np.float64, (n, 2), elements=st.floats(0, 50, width=16), unique=False)
)
SQUARE = np.array([(10, 10), (30, 10), (30, 30), (10, 30)])


def circle(radius, count=400):
    angles = np.arange(count) * 2 * np.pi / count
    return radius * np.stack((np.cos(angles), np.sin(angles)), axis=1)


def length(ring):
    return np.hypot(*np.diff(np.concatenate((ring, ring[:1])), axis=0).T).sum()


def test_scaling_about_the_box_moves_the_farthest_vertex_by_delta():
    for delta in (5.0, -5.0):
        scaled = polygons.scale_about_box(Part(SQUARE.astype(np.int32)), delta).outer
        moves = np.hypot(*(scaled - 20.0).T) - np.hypot(*(SQUARE - 20.0).T)
        np.testing.assert_allclose(moves, delta, atol=0.75)
    assert polygons.scale_about_box(Part(SQUARE.astype(np.int32)), 0.0).outer.tolist() == SQUARE.tolist()


def test_a_hole_keeps_its_place_within_the_part_that_is_scaled():
    frame = np.zeros((61, 61), np.uint8)
    cv2.circle(frame, (30, 30), 20, 1, -1)
    cv2.circle(frame, (30, 30), 10, 0, -1)
    (part,) = parts(frame, holes=True)
    scaled = fill([polygons.scale_about_box(part, 8.0)], frame.shape)
    assert scaled[30, 30] == 0
    assert scaled.sum() == pytest.approx(np.pi * (28**2 - 14**2), rel=0.06)


def test_scaling_away_the_radius_leaves_nothing_but_a_pixel_stays():
    assert polygons.scale_about_box(Part(SQUARE.astype(np.int32)), -15.0) is None
    pixel = Part(np.array([[7, 8]], np.int32))
    assert polygons.scale_about_box(pixel, -15.0) is pixel
    assert polygons.scale_about_box(pixel, 15.0) is pixel


@given(rings, st.floats(0, 20))
def test_a_simplified_ring_is_made_of_old_vertices_and_stays_near(ring, tolerance):
    simple = polygons.simplified(ring, tolerance)
    assert len(simple) <= len(ring)
    assert {tuple(point) for point in simple.tolist()} <= {tuple(point) for point in ring.tolist()}
    if len(simple) >= 3:
        assert shapely.LinearRing(simple).distance(shapely.MultiPoint(ring)) <= tolerance + 1e-9


def test_merged_joins_what_overlaps_drops_holes_and_repairs():
    ring = SQUARE.astype(float)
    assert len(polygons.merged([ring, ring + 5])) == 1
    assert len(polygons.merged([ring, ring + 100])) == 2
    frame = [np.array([(0, 0), (40, 0), (40, 10), (0, 10)], float)]
    frame += [np.array([(0, 30), (40, 30), (40, 40), (0, 40)], float)]
    frame += [np.array([(0, 0), (10, 0), (10, 40), (0, 40)], float), np.array([(30, 0), (40, 0), (40, 40), (30, 40.0)])]
    (outer,) = polygons.merged(frame)
    assert shapely.Polygon(outer).area == 1600
    bow_tie = np.array([(0, 0), (10, 10), (10, 0), (0, 10.0)])
    assert all(shapely.Polygon(one).is_valid for one in polygons.merged([bow_tie]))
    assert polygons.merged([]) == []
    assert polygons.merged([np.zeros((3, 2))]) == []


def test_filling_takes_the_pixels_that_vertices_lie_in():
    filled = polygons.fill_rings([SQUARE + 0.9], (50, 50), (-5, -5))
    want = np.zeros((50, 50), np.uint8)
    want[5:26, 5:26] = 1
    np.testing.assert_array_equal(filled, want)


@given(rings, st.floats(0.5, 20))
def test_resampled_points_lie_on_the_ring_at_equal_distances(ring, step):
    points = polygons.resampled(ring, step)
    total = length(ring)
    assert len(points) == max(round(total / step), 1)
    if total > 0:
        assert shapely.distance(shapely.points(points), shapely.LinearRing(ring)).max() < 1e-6
        steps = np.hypot(*np.diff(points, axis=0).T)
        assert (steps <= total / len(points) + 1e-6).all()


def test_resampling_a_circle_keeps_it():
    points = polygons.resampled(circle(50), 3)
    assert len(points) == pytest.approx(2 * np.pi * 50 / 3, abs=1)
    np.testing.assert_allclose(np.hypot(*points.T), 50, atol=0.05)


@pytest.mark.parametrize(("count", "correlation"), [(400, 5), (401, 12), (60, 200), (1, 3), (2, 3), (3, 0.5)])
def test_smoothing_keeps_the_variance_and_gives_the_correlation(count, correlation):
    rng = keyed_rng(0)
    fields = np.stack([polygons.smooth_around(rng.standard_normal((count, 2)), correlation) for _ in range(3000)])
    assert fields.std() == pytest.approx(1, abs=0.04)
    assert np.abs(fields.mean(axis=0)).max() < 5 / np.sqrt(3000)
    if count >= 400:
        for lag in (correlation, 2 * correlation):
            covariance = (fields * np.roll(fields, lag, axis=1)).mean()
            assert covariance == pytest.approx(np.exp(-0.5 * (lag / correlation) ** 2), abs=0.03)
    if count < correlation / 2:
        assert np.abs(np.diff(fields, axis=1)).max(initial=0) < 1e-6


def test_smoothing_with_no_correlation_changes_nothing():
    noise = keyed_rng(0).standard_normal((50, 2))
    np.testing.assert_allclose(polygons.smooth_around(noise, 1e-6), noise)
