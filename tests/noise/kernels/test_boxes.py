import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as coco_mask
from shapely.geometry import box as shapely_box

from noisyseg.noise.kernels import boxes as kernels

BOX = np.array([10.0, 20.0, 50.0, 40.0])
NUMBERS = st.lists(st.floats(-0.4, 0.4), min_size=4, max_size=4).map(np.array)


@st.composite
def some_box(draw):
    x, y = draw(st.floats(-20, 80)), draw(st.floats(-20, 80))
    return np.array([x, y, x + draw(st.floats(0.5, 60)), y + draw(st.floats(0.5, 60))])


def test_shift_and_scale_by_hand():
    moved = kernels.shift_and_scale(BOX, np.array([0.1, -0.5, 0.5, -0.2]))
    # Centre (30, 30) + (4, -10), width 60, height 16.
    np.testing.assert_allclose(moved, [4, 12, 64, 28])


def test_move_sides_by_hand():
    np.testing.assert_allclose(kernels.move_sides(BOX, np.array([0.1, -0.5, 0.25, 0.2])), [14, 10, 60, 44])


def test_resample_by_hand():
    # The doubled box is x -10 .. 70, y 10 .. 50.
    np.testing.assert_allclose(kernels.resample(BOX, np.array([0.75, 0.25, 0.0, 0.5])), [10, 10, 50, 30])


@given(box=some_box(), numbers=NUMBERS)
def test_jitter_keeps_to_its_bounds(box, numbers):
    moved = kernels.shift_and_scale(box, numbers)
    sides, noisy = box[2:] - box[:2], moved[2:] - moved[:2]
    np.testing.assert_allclose((moved[:2] + moved[2:] - box[:2] - box[2:]) / 2 / sides, numbers[:2], atol=1e-9)
    np.testing.assert_allclose(noisy / sides, 1 + numbers[2:], atol=1e-9)
    np.testing.assert_allclose((kernels.move_sides(box, numbers) - box) / np.tile(sides, 2), numbers, atol=1e-9)


@given(box=some_box())
def test_zeros_leave_a_box_exactly_as_it_is(box):
    np.testing.assert_array_equal(kernels.shift_and_scale(box, np.zeros(4)), box)
    np.testing.assert_array_equal(kernels.move_sides(box, np.zeros(4)), box)


def test_many_boxes_at_once_are_one_after_the_other():
    rng = np.random.default_rng(0)
    corners = rng.uniform(0, 50, (30, 2))
    boxes = np.concatenate([corners, corners + rng.uniform(1, 30, (30, 2))], axis=1)
    numbers = rng.random((30, 4))
    for kernel in (kernels.shift_and_scale, kernels.move_sides, kernels.resample):
        single = [kernel(box, row) for box, row in zip(boxes, numbers, strict=True)]
        np.testing.assert_allclose(kernel(boxes, numbers), single, atol=1e-12)


def test_clip_cuts_at_the_image():
    boxes = np.array([[-5.0, 3, 30, 12], [40, -2, 90, 70], [100, 10, 120, 20]])
    by_hand = [[0, 3, 30, 12], [40, 0, 80, 60], [80, 10, 80, 20]]
    np.testing.assert_array_equal(kernels.clip(boxes, (60, 80)), by_hand)


@given(one=some_box(), other=some_box())
def test_iou_is_that_of_shapely(one, other):
    a, b = shapely_box(*one), shapely_box(*other)
    assert kernels.iou(one, other) == pytest.approx(a.intersection(b).area / a.union(b).area, abs=1e-9)


def test_iou_is_that_of_pycocotools_for_many_boxes():
    rng = np.random.default_rng(1)
    one = rng.uniform(0, 20, (50, 4))
    other = one + rng.uniform(-3, 3, (50, 4))
    for boxes in (one, other):
        boxes[:, 2:] = boxes[:, :2] + rng.uniform(1, 20, (50, 2))
    xywh = [np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1) for boxes in (one, other)]
    expected = np.diagonal(coco_mask.iou(*xywh, np.zeros(50, np.uint8)))
    np.testing.assert_allclose(kernels.iou(one, other), expected, atol=1e-12)


def test_iou_without_area():
    assert kernels.iou(np.array([1.0, 1, 1, 5]), np.array([1.0, 1, 1, 5])) == 0


def window_of(frame):
    left, top, width, height = cv2.boundingRect(frame)
    return kernels.Window(left, top, frame[top : top + height, left : left + width])


def frame_of(window, size_hw):
    frame = np.zeros(size_hw, np.uint8)
    height, width = window.pixels.shape
    frame[window.top : window.top + height, window.left : window.left + width] = window.pixels
    return frame


@pytest.fixture
def blob():
    frame = np.zeros((60, 80), np.uint8)
    cv2.ellipse(frame, (40, 30), (15, 9), 25, 0, 360, 1, -1)
    cv2.circle(frame, (38, 28), 3, 0, -1)
    return frame


@pytest.mark.parametrize(("dx", "dy"), [(0, 0), (7, -5), (-30, 20), (60, 0)])
def test_a_warp_by_whole_pixels_shifts(blob, dx, dy):
    old = np.array([20.0, 15, 60, 45])
    warped = kernels.warp(window_of(blob), old, old + np.array([dx, dy, dx, dy]), blob.shape)
    expected = cv2.warpAffine(blob, np.array([[1.0, 0, dx], [0, 1, dy]]), blob.shape[::-1], flags=cv2.INTER_NEAREST)
    np.testing.assert_array_equal(frame_of(warped, blob.shape), expected)


def test_a_warp_to_the_double_size_repeats_pixels(blob):
    small = blob[15:45, 20:60]
    warped = kernels.warp(kernels.Window(2, 3, small), np.array([2.0, 3, 42, 33]), np.array([0.0, 0, 80, 60]), (60, 80))
    np.testing.assert_array_equal(frame_of(warped, (60, 80)), small.repeat(2, axis=0).repeat(2, axis=1))


@given(new=some_box())
def test_a_warp_takes_each_pixel_from_where_its_centre_comes_from(new):
    frame = np.zeros((60, 80), np.uint8)
    cv2.circle(frame, (30, 25), 12, 1, -1)
    old = np.array([17.5, 13.0, 42.5, 38.25])
    rows, columns = np.mgrid[:60, :80] + 0.5
    x = np.floor(old[0] + (columns - new[0]) * (old[2] - old[0]) / (new[2] - new[0])).astype(int)
    y = np.floor(old[1] + (rows - new[1]) * (old[3] - old[1]) / (new[3] - new[1])).astype(int)
    inside = (x >= 0) & (x < 80) & (y >= 0) & (y < 60)
    expected = np.where(inside, frame[y.clip(0, 59), x.clip(0, 79)], 0)
    warped = frame_of(kernels.warp(window_of(frame), old, new, (60, 80)), (60, 80))
    # The two ways of reckoning may differ where a centre comes from the very edge of a pixel.
    assert (warped != expected).mean() < 0.005


@pytest.mark.parametrize(
    ("box", "rows", "columns"),
    [
        ([30, 25, 50, 40], (25, 40), (30, 50)),
        ([30.5, 25.6, 50.5, 40.4], (26, 40), (30, 50)),
        ([30.51, 24.49, 50.51, 39.5], (24, 39), (31, 51)),
        ([-10, -10, 200, 200], (0, 60), (0, 80)),
        ([0, 0, 5, 5], (0, 0), (0, 0)),
    ],
)
def test_cut_keeps_pixels_whose_centres_are_inside(blob, box, rows, columns):
    expected = np.zeros_like(blob)
    inside = np.s_[slice(*rows), slice(*columns)]
    expected[inside] = blob[inside]
    np.testing.assert_array_equal(frame_of(kernels.cut(window_of(blob), np.array(box, float)), blob.shape), expected)
