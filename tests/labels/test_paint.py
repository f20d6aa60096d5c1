import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from noisyseg.labels import Categories, Instances, LabelError, Mask
from noisyseg.labels.paint import semantic_from_instances

CATEGORIES = Categories((3, 7), ("cat", "car"), (None, None))


def labels(frames, classes, categories=CATEGORIES):
    return Instances.from_masks([Mask.from_frame(frame) for frame in frames], classes, categories, (5, 6))


def test_no_objects_are_background():
    painted = semantic_from_instances(labels([], []), background="sky")
    assert painted.classes.dtype == np.uint8
    np.testing.assert_array_equal(painted.classes, np.zeros((5, 6)))
    assert painted.categories.names == ("sky", "cat", "car")


def test_later_objects_cover_earlier_ones():
    one, two = np.zeros((2, 5, 6), np.uint8)
    one[1:4, 1:4] = two[2:5, 2:6] = 1
    expected = np.array(
        [
            [0, 0, 0, 0, 0, 0],
            [0, 2, 2, 2, 0, 0],
            [0, 2, 1, 1, 1, 1],
            [0, 2, 1, 1, 1, 1],
            [0, 0, 1, 1, 1, 1],
        ]
    )
    np.testing.assert_array_equal(semantic_from_instances(labels([one, two], [1, 0])).classes, expected)


@given(arrays(np.uint8, (4, 5, 6), elements=st.integers(0, 1)), arrays(np.int64, 4, elements=st.integers(0, 1)))
def test_each_pixel_has_the_class_of_the_last_object_on_it(frames, classes):
    painted = semantic_from_instances(labels(frames, classes)).classes
    stack = np.concatenate([np.zeros((1, 5, 6), int), frames * (classes + 1)[:, None, None]])
    last = len(stack) - 1 - (stack[::-1] > 0).argmax(axis=0)
    np.testing.assert_array_equal(painted, np.where(stack.any(axis=0), np.take_along_axis(stack, last[None], 0)[0], 0))


def test_crowds_are_ignored_pixels():
    frame = np.eye(5, 6, dtype=np.uint8)
    crowd = labels([frame], [1]).replace(crowd=np.array([True]))
    np.testing.assert_array_equal(semantic_from_instances(crowd).classes, frame * 255)


def test_boxes_alone_are_an_error():
    with pytest.raises(LabelError, match="painting needs masks, but the labels have boxes only"):
        semantic_from_instances(labels([np.eye(5, 6)], [0]).replace(masks=None))


def test_more_classes_than_fit_a_byte_are_an_error():
    most = Categories.from_names(map(str, range(254)))
    assert semantic_from_instances(labels([np.eye(5, 6)], [253], most)).classes.max() == 254
    with pytest.raises(LabelError, match="at most 254 classes, got 255"):
        semantic_from_instances(labels([], [], Categories.from_names(map(str, range(255)))))
