import numpy as np
import pytest
from scipy import ndimage

from noisyseg.noise.kernels import maps


def brute_fill(canvas, vacated, clean):
    """Returns for each vacated pixel the classes that the rule allows, pixel by pixel."""
    valid = clean != 255

    def nearest(targets, pixel):
        places = np.argwhere(targets)
        distances = ((places - pixel) ** 2).sum(axis=1)
        return [tuple(place) for place in places[distances == distances.min()]] if len(places) else []

    allowed = {}
    for pixel in map(tuple, np.argwhere(vacated)):
        answers = set()
        places = nearest(valid & (clean != clean[pixel]) & (vacated | (canvas != clean[pixel])), pixel)
        if not places:
            answers.add(clean[pixel])
        for place in places:
            if vacated[place]:
                answers |= {canvas[other] for other in nearest(valid & ~vacated, pixel)} or {clean[pixel]}
            else:
                answers.add(canvas[place])
        allowed[pixel] = answers
    return allowed


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("share", [0.05, 0.4, 0.9, 1.0])
def test_vacated_pixels_take_what_is_nearest(seed, share):
    rng = np.random.default_rng(seed)
    clean = ndimage.zoom(rng.integers(0, 3 if seed % 3 else 1, (4, 5)), (6, 7), order=0).astype(np.uint8)
    clean[rng.random(clean.shape) < 0.05] = 255
    vacated = (rng.random(clean.shape) < share) & (clean != 255)
    canvas = np.where(vacated, clean, rng.integers(0, 4, clean.shape)).astype(np.uint8)
    filled = canvas.copy()
    maps.fill_from_neighbours(filled, vacated, clean)
    np.testing.assert_array_equal(filled[~vacated], canvas[~vacated])
    for pixel, answers in brute_fill(canvas, vacated, clean).items():
        assert filled[pixel] in answers


def test_a_far_neighbour_is_found():
    clean = np.zeros((300, 200), np.uint8)
    clean[0, 0], clean[299, 199] = 1, 2
    vacated = np.zeros(clean.shape, bool)
    vacated[120, 90] = True
    filled = clean.copy()
    maps.fill_from_neighbours(filled, vacated, clean)
    assert filled[120, 90] == 1


@pytest.mark.parametrize("seed", range(4))
def test_distances_are_euclidean(seed):
    mask = np.random.default_rng(seed).random((15, 22)) < 0.03
    mask[3, 4] = True
    rows, columns = np.indices(mask.shape)
    places = np.argwhere(mask)
    expected = np.hypot(rows[..., None] - places[:, 0], columns[..., None] - places[:, 1]).min(axis=-1)
    np.testing.assert_allclose(maps.distance_to(mask), expected)


def test_an_empty_mask_is_infinitely_far():
    assert np.isinf(maps.distance_to(np.zeros((3, 4), bool))).all()


@pytest.mark.parametrize("radius", [0, 1, 1.5, 3, 4.9])
def test_a_boundary_moves_as_by_a_disc(radius):
    reach = int(np.ceil(radius))
    rows, columns = np.ogrid[-reach : reach + 1, -reach : reach + 1]
    disc = rows**2 + columns**2 <= radius**2
    rng = np.random.default_rng(0)
    region = ndimage.gaussian_filter(rng.normal(size=(40, 50)), 4) > 0
    around = region.astype(np.uint8)
    grown = maps.moved_boundary(region, around, radius, grow=True)
    np.testing.assert_array_equal(grown, ndimage.binary_dilation(region, disc))
    shrunk = maps.moved_boundary(region, around, radius, grow=False)
    np.testing.assert_array_equal(shrunk, ndimage.binary_erosion(region, disc, border_value=1))


def test_ignored_pixels_are_no_neighbours_to_draw_back_from():
    around = np.array([[1, 1, 1, 255, 255, 0]])
    region = around == 1
    np.testing.assert_array_equal(maps.moved_boundary(region, around, 2, grow=False), region)
    assert maps.moved_boundary(region, around, 3, grow=False).sum() == 2


def test_components_are_those_of_scipy():
    mask = (np.random.default_rng(2).random((30, 40)) < 0.4).astype(np.uint8)
    numbers, count = ndimage.label(mask, np.ones((3, 3)))
    found = maps.components(mask)
    assert len(found) == count
    for left, top, pixels, area in found:
        place = maps.first_pixel(top, left, pixels, 40)
        number = numbers.ravel()[place]
        whole = numbers == number
        assert np.flatnonzero(whole)[0] == place
        assert area == whole.sum()
        frame = np.zeros_like(whole)
        frame[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
        np.testing.assert_array_equal(frame, whole)
