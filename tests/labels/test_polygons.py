import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as coco_mask

from noisyseg.labels import LabelError, polygons, rle

coordinates = st.floats(-30, 60, width=32)
rings = st.integers(3, 8).flatmap(lambda count: st.lists(coordinates, min_size=2 * count, max_size=2 * count))


@given(st.lists(rings, min_size=1, max_size=3), st.integers(1, 40), st.integers(1, 40))
def test_the_union_of_the_parts_is_that_of_pycocotools(parts, height, width):
    counts = rle.string_from_runs(polygons.runs_from_rings(polygons.rings_from_coco(parts), (height, width)))
    frames = coco_mask.decode(coco_mask.frPyObjects(parts, height, width))
    pixels = coco_mask.decode({"size": (height, width), "counts": counts})
    np.testing.assert_array_equal(pixels, frames.any(axis=2))


def test_a_square_by_hand():
    ring = polygons.rings_from_coco([[1, 1, 4, 1, 4, 3, 1, 3]])
    counts = rle.string_from_runs(polygons.runs_from_rings(ring, (5, 6)))
    expected = np.zeros((5, 6), np.uint8)
    expected[1:3, 1:4] = 1
    np.testing.assert_array_equal(coco_mask.decode({"size": (5, 6), "counts": counts}), expected)


@pytest.mark.parametrize(
    ("segmentation", "problem"),
    [
        ([], r"at least one polygon, got \[\]"),
        ([[]], "polygon 0: expected an even count >= 6 of coordinates, got 0"),
        ([[0, 0, 5, 5]], "polygon 0: expected an even count >= 6 of coordinates, got 4"),
        ([[0, 0, 5, 5, 0, 5], [0, 0, 5, 5, 0, 5, 1]], "polygon 1: expected an even count >= 6 of coordinates, got 7"),
        ([7], "polygon 0: expected a flat list of numbers"),
        (["0, 0, 5, 5, 0, 5"], "polygon 0: expected a flat list of numbers"),
        ([None], "polygon 0: expected a flat list of numbers"),
        ([{"x": 1}], "polygon 0: expected a flat list of numbers"),
        ([[0, 0, 5, 5, 0, "5"]], "polygon 0: expected numbers, got others"),
        ([[0, 0, 5, 5, 0, None]], "polygon 0: expected numbers, got others"),
        ([[True, False] * 3], "polygon 0: expected numbers, got others"),
        ([[0, 0, 5, 5, 0, 10**30]], "polygon 0: expected"),
        ([[[0, 0], [5, 5], [0, 5]]], "polygon 0: expected a flat list of numbers"),
        ([[[0, 0], [5, 5, 5], [0, 5]]], "polygon 0: expected a flat list of numbers"),
        ([[0, 0, 5, 5, 0, float("nan")]], "polygon 0: expected finite coordinates"),
        ([[0, 0, 5, 5, 0, float("inf")]], "polygon 0: expected finite coordinates"),
        ([[0, 0, 5, 5, 0, -(2.0**20) - 1]], "polygon 0: expected finite coordinates up to 1048576"),
        ([[0, 0, 2**20, 2**20] * 4], "polygon 0: expected an outline of at most 4194304 px, got a longer one"),
    ],
)
def test_a_broken_polygon_is_an_error_that_names_its_place(segmentation, problem):
    with pytest.raises(LabelError, match=problem):
        polygons.rings_from_coco(segmentation)
