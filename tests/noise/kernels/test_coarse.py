import numpy as np
import pytest
from scipy import ndimage

from noisyseg.noise.kernels.coarse import coarse_polygon, disc

# IoU with the clean disc by delta, and mean distance of the boundaries, measured on the authors' code.
PUBLISHED = {50: {4: 0.954, 8: 0.866, 16: 0.707, 32: 0.321}, 100: {4: 0.971, 8: 0.930, 16: 0.802, 32: 0.684}}
DISTANCE = {4: 1.2, 8: 3.4, 16: 7.8, 32: 20.8}


def centred(radius):
    size = 2 * radius + 11
    return disc((size, size), (size // 2, size // 2), radius)


@pytest.mark.parametrize("radius", [50, 100])
@pytest.mark.parametrize("delta", [4, 8, 16, 32])
def test_discs_keep_the_published_iou(radius, delta):
    clean = centred(radius)
    coarse = coarse_polygon(clean, delta)
    assert not (coarse & ~clean & 1).any()
    assert coarse.sum() / clean.sum() == pytest.approx(PUBLISHED[radius][delta], abs=0.005)


@pytest.mark.parametrize("delta", [4, 8, 16, 32])
def test_boundaries_are_as_far_as_published(delta):
    coarse = coarse_polygon(centred(50), delta)
    rows, columns = np.nonzero(coarse - ndimage.binary_erosion(coarse))
    distances = 50 - np.hypot(rows - 55, columns - 55)
    assert distances.mean() == pytest.approx(DISTANCE[delta], abs=0.8)


def test_holes_close():
    ring = centred(50) & ~np.pad(centred(10), 40)[:111, :111] & 1
    assert ring[55, 55] == 0
    assert coarse_polygon(ring, 8)[55, 55] == 1


def test_what_vanishes_becomes_a_disc_at_the_first_part():
    pixels = np.zeros((40, 60), np.uint8)
    pixels[10:14, 20:25] = 1
    pixels[30:35, 40:44] = 1
    expected = disc(pixels.shape, (22.0, 11.5), 3)
    np.testing.assert_array_equal(coarse_polygon(pixels, 16), expected)
    assert 24 <= expected.sum() <= 32


def test_small_parts_vanish_where_a_large_one_remains():
    pixels = np.zeros((80, 80), np.uint8)
    pixels[10:60, 10:60] = 1
    pixels[70:74, 70:74] = 1
    coarse = coarse_polygon(pixels, 8)
    assert coarse[20:50, 20:50].all()
    assert not coarse[65:, 65:].any()


@pytest.mark.parametrize("delta", [0, 1])
def test_below_two_pixels_nothing_changes(delta):
    ring = centred(20) & ~np.pad(centred(5), 15)[:51, :51] & 1
    np.testing.assert_array_equal(coarse_polygon(ring, delta), ring)


def test_a_side_of_the_image_is_no_boundary():
    pixels = np.zeros((30, 40), np.uint8)
    pixels[:, :20] = 1
    coarse = coarse_polygon(pixels, 8)
    np.testing.assert_array_equal(coarse, np.tile(np.arange(40) <= 16, (30, 1)))


def test_a_square_is_drawn_back_on_all_sides():
    pixels = np.zeros((50, 50), np.uint8)
    pixels[10:40, 10:40] = 1
    coarse = coarse_polygon(pixels, 8)
    expected = np.zeros_like(pixels)
    expected[13:37, 13:37] = 1
    assert not (coarse & ~expected & 1).any()
    # The outline moves by up to four pixels more.
    assert coarse[17:33, 17:33].all()
