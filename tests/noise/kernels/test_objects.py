import cv2
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as coco_mask
from scipy import ndimage

from noisyseg.noise.kernels import objects as kernels


def random_boxes(n, seed=0):
    corners = np.random.default_rng(seed).uniform(0, 30, (n, 2, 2))
    return np.sort(corners, axis=1).reshape(n, 4)


def xywh(boxes):
    return np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1)


def test_box_ious_are_those_of_pycocotools():
    boxes = random_boxes(60)
    for box in boxes[:10]:
        expected = coco_mask.iou(xywh(box[None]), xywh(boxes), np.zeros(60, np.uint8))[0]
        np.testing.assert_allclose(kernels.box_ious(box, boxes), expected, atol=1e-12)


def test_boxes_without_area_have_no_iou():
    assert kernels.box_ious([2, 2, 2, 5], [[2, 2, 2, 5], [0, 0, 9, 9]]).tolist() == [0, 0]
    assert kernels.box_ious([2, 2, 3, 5], np.empty((0, 4))).shape == (0,)


def test_box_gaps_are_distances_along_the_axes():
    box = [10, 10, 20, 20]
    others = [[20, 10, 25, 20], [23, 10, 25, 20], [0, 0, 7, 5], [12, 12, 14, 14], [22, 26, 30, 30]]
    assert kernels.box_gaps(box, others).tolist() == [0, 3, 5, 0, 6]
    for other, gap in zip(others, kernels.box_gaps(box, others), strict=True):
        assert (gap == 0) == shapely.box(*box).intersects(shapely.box(*other))


def test_the_ellipse_is_that_of_opencv():
    drawn = cv2.ellipse(np.zeros((41, 61), np.uint8), (30, 20), (30, 20), 0, 0, 360, 1, -1)
    ours = kernels.ellipse((41, 61))
    assert (drawn & ours).sum() / (drawn | ours).sum() > 0.97
    assert ours.sum() == pytest.approx(np.pi / 4 * 41 * 61, rel=0.01)


@given(height=st.integers(1, 60), width=st.integers(1, 60))
def test_the_ellipse_touches_every_side(height, width):
    pixels = kernels.ellipse((height, width))
    assert cv2.boundingRect(pixels) == (0, 0, width, height)
    np.testing.assert_array_equal(pixels, pixels[::-1, ::-1])
    assert ndimage.label(pixels)[1] == 1


@given(
    seed=st.integers(0, 99),
    angle=st.floats(0, np.pi),
    share=st.floats(0.01, 0.99),
    size=st.tuples(st.integers(1, 12), st.integers(2, 12)),
)
def test_a_cut_parts_the_pixels(seed, angle, share, size):
    pixels = (np.random.default_rng(seed).random(size) < 0.7).astype(np.uint8)
    pixels[0, :2] = 1
    one, other = kernels.cut(pixels, angle, share)
    np.testing.assert_array_equal(one + other, pixels)
    assert one.any()
    assert other.any()
    assert abs(int(one.sum()) - share * pixels.sum()) <= 1


def test_a_cut_runs_across_the_angle():
    whole = np.ones((4, 6), np.uint8)
    one, other = kernels.cut(whole, 0.0, 0.5)
    assert one[:, :3].all()
    assert other[:, 3:].all()
    one, other = kernels.cut(whole, np.pi / 2, 0.25)
    assert one[:1].all()
    assert other[1:].all()


@pytest.mark.parametrize("seed", range(4))
def test_connected_parts_are_those_of_scipy(seed):
    pixels = (np.random.default_rng(seed).random((15, 20)) < 0.25).astype(np.uint8)
    numbers, count = ndimage.label(pixels, np.ones((3, 3)))
    parts = kernels.connected_parts(pixels)
    assert {part.tobytes() for part in parts} == {
        (numbers == number).astype(np.uint8).tobytes() for number in range(1, count + 1)
    }
    areas = [int(part.sum()) for part in parts]
    assert areas == sorted(areas, reverse=True)


def test_an_empty_mask_has_no_parts():
    assert kernels.connected_parts(np.zeros((3, 4), np.uint8)) == []


@given(seed=st.integers(0, 99), gap=st.integers(0, 6))
def test_near_is_the_chessboard_distance(seed, gap):
    rng = np.random.default_rng(seed)
    one, other = (rng.random((2, 14, 17)) < 0.02).astype(np.uint8)
    one[0, 0] = other[13, 12] = 1
    distance = ndimage.distance_transform_cdt(1 - one, "chessboard")[other == 1].min()
    assert kernels.near(one, other, gap) == (distance - 1 <= gap)
