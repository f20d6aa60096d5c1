import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import ndimage
from skimage.segmentation import expand_labels

from noisyseg.noise.kernels.coarse import coarse_polygon
from noisyseg.noise.kernels.edges import (
    arc,
    canny_edges,
    channels_from,
    clipped,
    coarse_regions,
    edge_density,
    enclosed_regions,
    field_grid,
    grown_regions,
    moved_edges,
    smooth_field,
    sources,
)


def field(size_hw, length, seed=0, rms=3.0):
    normals = np.random.default_rng(seed).normal(size=(2, *field_grid(size_hw, length)))
    return smooth_field(normals, size_hw, rms, length)


def disc(radius, size=None):
    size = size or 2 * radius + 41
    frame = np.zeros((size, size), np.uint8)
    cv2.circle(frame, (size // 2, size // 2), radius, 1, cv2.FILLED)
    return frame


@pytest.mark.parametrize("length", [4, 9.5, 16])
def test_the_field_is_as_smooth_as_filtered_white_noise(length):
    lags = np.array([0, length, 2 * length, 3 * length]).round().astype(int)
    measured = np.zeros(len(lags))
    for seed in range(12):
        x = field((300, 320), length, seed)[0]
        measured += [np.mean(x[:, : 320 - lag] * x[:, lag:]) for lag in lags]
    reference = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=(900, 900)), length, mode="wrap")
    expected = [np.mean(reference * np.roll(reference, lag, axis=1)) for lag in lags]
    closed_form = np.exp(-(lags**2) / (4 * length**2))
    np.testing.assert_allclose(measured / measured[0], closed_form, atol=0.08)
    np.testing.assert_allclose(measured / measured[0], np.array(expected) / expected[0], atol=0.12)


def test_the_field_is_equally_strong_everywhere():
    total = np.mean([np.sum(field((64, 80), 16, seed) ** 2, axis=0) for seed in range(600)], axis=0)
    assert total.mean() == pytest.approx(9)
    # The norm of each frame is fixed, and a corner has fewer neighbours to share it with than the middle.
    np.testing.assert_allclose(total, 9, rtol=0.25)


@pytest.mark.parametrize("size_hw", [(1, 1), (1, 30), (17, 2), (64, 80)])
def test_the_field_has_the_strength_asked_for(size_hw):
    displacement = field(size_hw, 16, rms=2.5)
    assert displacement.shape == (2, *size_hw)
    assert np.sqrt(np.mean(np.sum(displacement**2, axis=0))) == pytest.approx(2.5)
    assert np.hypot(*clipped(displacement, 1.0)).max() <= 1 + 1e-12
    np.testing.assert_array_equal(clipped(np.zeros((2, 3, 3)), 1.0), 0)


def test_sources_lie_against_the_displacement_and_inside_the_frame():
    displacement = np.zeros((2, 4, 6))
    displacement[0], displacement[1] = 2, -1
    rows, columns = sources(displacement)
    assert rows[:, 0].tolist() == [1, 2, 3, 3]
    assert columns[0].tolist() == [0, 0, 0, 1, 2, 3]


@given(
    edges=arrays.arrays(bool, st.tuples(st.integers(1, 9), st.integers(1, 9))),
    dx=st.integers(-4, 4),
    dy=st.integers(-4, 4),
)
def test_a_constant_displacement_is_a_translation(edges, dx, dy):
    displacement = np.zeros((2, *edges.shape))
    displacement[0], displacement[1] = dx, dy
    expected = ndimage.shift(edges.astype(np.uint8), (dy, dx), order=0) != 0
    np.testing.assert_array_equal(moved_edges(edges, displacement), expected)


@given(edges=arrays.arrays(bool, (9, 9)), seed=st.integers(0, 20))
def test_moving_tears_nothing_apart(edges, seed):
    framed = np.pad(edges, 20)
    moved = moved_edges(framed, field(framed.shape, 8, seed, rms=2))
    eight = np.ones((3, 3))
    assert ndimage.label(moved, eight)[1] <= ndimage.label(framed, eight)[1]
    assert moved.any() == edges.any()


def test_channels_come_from_the_border_nearest_to_the_source():
    clean = np.zeros((2, 5, 15), bool)
    clean[0, :, 1] = clean[1, :, 7] = True
    border = clean.any(axis=0)
    border[:, 2] = border[:, 13] = True
    drawn = np.zeros((5, 15), bool)
    drawn[2] = True
    rows, columns = np.mgrid[:5, :15]
    found = channels_from(drawn, clean, border, rows, columns, reach=1)
    assert found[:, 2].astype(int).tolist() == [
        [1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0],
    ]
    assert found.sum() == found[:, 2].sum()
    crossed = channels_from(drawn, clean, border, rows, columns[:, ::-1], reach=0)
    assert np.flatnonzero(crossed[0, 2]).tolist() == [13, 14]
    assert not channels_from(drawn, np.zeros_like(clean), border, rows, columns, reach=9).any()
    assert not channels_from(drawn, clean, np.zeros_like(border), rows, columns, reach=9).any()


def test_regions_are_found_from_the_edges_that_enclose_them():
    edges = np.zeros((20, 30), bool)
    edges[:, 10] = True
    edges[5, 15:25] = True
    regions = enclosed_regions(edges)
    assert len(np.unique(regions)) == 2
    assert (regions[:, :10] == regions[0, 0]).all()
    assert (regions[:, 11:] == regions[0, 29]).all()
    np.testing.assert_array_equal(np.unique(enclosed_regions(np.ones((3, 3), bool))), 1)


@pytest.mark.parametrize("offset", [1, 2, 3.5, 6])
def test_growing_into_the_ground_is_what_scikit_image_does(offset):
    regions = np.zeros((90, 120), np.int64)
    for number, (x, y, r) in enumerate([(30, 40, 12), (80, 30, 15), (85, 70, 9)], 1):
        cv2.circle(mask := np.zeros(regions.shape, np.uint8), (x, y), r, 1, cv2.FILLED)
        regions[mask == 1] = number
    np.testing.assert_array_equal(grown_regions(regions, offset, None), expand_labels(regions, offset))


@pytest.mark.parametrize("offset", [-1, -2.5, -4, 3])
def test_a_disc_shrinks_and_grows_by_the_signed_distance(offset):
    frame = disc(20).astype(np.int32)
    signed = ndimage.distance_transform_edt(frame == 0) - ndimage.distance_transform_edt(frame)
    expected = signed <= offset if offset > 0 else signed < offset
    np.testing.assert_array_equal(grown_regions(frame, offset, None), expected)
    swapped = 1 - frame
    np.testing.assert_array_equal(grown_regions(swapped, offset, None) == 0, expected)


def test_ground_never_counts_as_the_object():
    frame = np.zeros((20, 20), np.uint8)
    frame[:, 8:] = 7
    np.testing.assert_array_equal(grown_regions(frame, 2, None)[0], [0] * 10 + [7] * 10)
    np.testing.assert_array_equal(grown_regions(frame, 2, 0)[0], [0] * 6 + [7] * 14)
    np.testing.assert_array_equal(grown_regions(frame, -2, 0)[0], [0] * 10 + [7] * 10)
    assert not grown_regions(disc(3), -5, 0).any()


def test_coarse_regions_leave_gaps_to_the_ground_or_to_the_nearest():
    regions = np.zeros((90, 90), np.uint8)
    regions[disc(20, 90) == 1] = 5
    with_ground = coarse_regions(regions, 8, 0)
    polygon = coarse_polygon(disc(20, 90), 8)
    np.testing.assert_array_equal(with_ground, polygon * 5)
    halves = np.where(np.arange(90)[None] < 45 + np.arange(90)[:, None] % 3, 2, 6)
    without = coarse_regions(halves, 8, None)
    assert set(np.unique(without)) == {2, 6}
    assert (without != halves).mean() < 0.03
    corners = [np.count_nonzero(np.diff((map_ == 2).sum(axis=1))) for map_ in (halves, without)]
    assert corners[1] < 0.1 * corners[0]
    np.testing.assert_array_equal(coarse_regions(np.full((5, 5), 3), 4, None), 3)
    np.testing.assert_array_equal(coarse_regions(np.full((5, 5), 3), 4, 3), 3)


def test_parts_of_a_region_are_coarse_by_themselves():
    regions = np.zeros((60, 100), np.uint8)
    regions[10:40, 10:40] = regions[20:23, 70:73] = 1
    coarse = coarse_regions(regions, 8, 0)
    assert coarse[21, 71] == 1
    assert coarse[:, 60:].sum() == 29  # a disc of radius 3


def test_an_arc_runs_both_ways_along_the_edge():
    edges = np.zeros((9, 40), bool)
    edges[4] = True
    edges[0] = True
    rows, columns = arc(edges, 4, 20, 9)
    assert rows.tolist() == [4] * 9
    assert columns.tolist() == list(range(16, 25))
    assert arc(edges, 4, 20, 8)[1].tolist() == [16, 17, 18, 19, 20, 21, 22, 23]
    assert arc(edges, 4, 1, 9)[1].tolist() == list(range(9))
    assert arc(edges, 0, 20, 1)[1].tolist() == [20]
    assert len(arc(edges, 0, 20, 99)[1]) == 40


@given(
    edges=arrays.arrays(bool, st.tuples(st.integers(1, 8), st.integers(1, 8))),
    count=st.integers(1, 70),
    pick=st.integers(0, 99),
)
def test_an_arc_is_a_piece_of_one_edge(edges, count, pick):
    pixels = np.argwhere(edges)
    if not len(pixels):
        return
    row, column = pixels[pick % len(pixels)]
    numbers, _ = ndimage.label(edges, np.ones((3, 3)))
    rows, columns = arc(edges, row, column, count)
    assert len(set(zip(rows.tolist(), columns.tolist(), strict=True))) == len(rows)
    assert len(rows) == min(count, (numbers == numbers[row, column]).sum())
    assert set(numbers[rows, columns]) == {numbers[row, column]}
    assert (row, column) in set(zip(rows.tolist(), columns.tolist(), strict=True))


def test_canny_finds_a_step_and_its_density_is_there():
    image = np.zeros((40, 60, 3), np.uint8)
    image[:, 30:] = 200
    edges = canny_edges(image, 1.5, 25, 150)
    assert edges.any(axis=1).sum() >= 38
    assert set(np.nonzero(edges)[1]) <= {29, 30}
    density = edge_density(edges, 4)
    assert density[20, 30] > 20 * density[20, 50]
    assert density.mean() == pytest.approx(edges.mean(), rel=0.05)
