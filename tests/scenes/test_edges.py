import numpy as np
import pytest
from scipy.ndimage import generate_binary_structure, maximum_filter, minimum_filter

from noisyseg.scenes import class_edges

CROSS = generate_binary_structure(2, 1)


def test_no_objects_have_no_edges():
    assert not class_edges(np.zeros((5, 7), np.int64), np.array([0])).any()


def test_one_object_that_fills_the_frame_has_no_edges():
    assert not class_edges(np.ones((5, 7), np.int64), np.array([0, 3])).any()


def test_an_edge_lies_on_both_sides_of_the_boundary():
    owners = np.array([[0, 0, 1, 1, 1, 2, 2]])
    assert class_edges(owners, np.array([0, 1, 3])).tolist() == [[0, 1, 1, 0, 5, 5, 0]]


def test_two_objects_of_one_class_have_an_edge_between_them():
    assert class_edges(np.array([[1, 1, 2, 2]]), np.array([0, 2, 2])).tolist() == [[0, 2, 2, 0]]


def test_corners_do_not_touch():
    assert class_edges(np.array([[1, 0], [0, 0]]), np.array([0, 1])).tolist() == [[1, 1], [1, 0]]


@pytest.mark.parametrize("place", range(0, 200, 20))
def test_edges_are_where_a_mask_is_not_constant_under_a_cross(renderings, place):
    rendering = renderings[place]
    expected = np.zeros(rendering.edges.shape, np.uint8)
    for mask, class_ in zip(rendering.instances.masks, rendering.instances.classes, strict=True):
        frame = mask.frame()
        changes = maximum_filter(frame, footprint=CROSS) != minimum_filter(frame, footprint=CROSS)
        expected[changes] |= np.uint8(1 << class_)
    np.testing.assert_array_equal(rendering.edges, expected)
