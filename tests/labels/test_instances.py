import numpy as np
import pytest

from noisyseg.labels import Categories, Instances, LabelError, Mask, SemanticMap

CATEGORIES = Categories.from_names("abc")
FRAME = np.zeros((6, 8), np.uint8)
FRAME[1:3, 2:7] = 1


def instances(**changes):
    fields = {
        "size_hw": (6, 8),
        "categories": CATEGORIES,
        "boxes": np.array([[2.0, 1, 7, 3], [0, 0, 1, 1]]),
        "classes": np.array([2, 0]),
        "masks": (Mask.from_frame(FRAME), Mask.empty((6, 8))),
        "source": np.array([5, 9]),
        "crowd": np.array([False, True]),
    }
    return Instances(**fields | changes)


def test_boxes_made_from_masks_are_tight():
    labels = Instances.from_masks([Mask.from_frame(FRAME), Mask.empty((6, 8))], [2, 0], CATEGORIES, (6, 8))
    assert labels.boxes.tolist() == [[2, 1, 7, 3], [0, 0, 0, 0]]
    assert labels.source.tolist() == [1, 2]
    assert not labels.crowd.any()
    assert len(labels) == 2


def test_no_objects_are_labels_too():
    labels = Instances.from_masks([], [], CATEGORIES, (6, 8))
    assert len(labels) == 0
    assert labels.boxes.shape == (0, 4)


def test_take_picks_and_orders_every_field():
    labels = instances()
    taken = labels.take(np.array([1, 0]))
    assert taken.source.tolist() == [9, 5]
    assert taken.classes.tolist() == [0, 2]
    assert taken.crowd.tolist() == [True, False]
    assert taken.boxes.tolist() == [[0, 0, 1, 1], [2, 1, 7, 3]]
    assert taken.masks == labels.masks[::-1]
    assert instances(masks=None).take(np.array([0])).masks is None


def test_replace_leaves_the_original_alone():
    labels = instances()
    other = labels.replace(classes=np.array([1, 1]))
    assert labels.classes.tolist() == [2, 0]
    assert other.classes.tolist() == [1, 1]
    assert other.masks is labels.masks


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"size_hw": (0, 8)}, r"image size: expected rows and columns >= 1, got \(0, 8\)"),
        ({"boxes": np.zeros((3, 4))}, r"boxes: expected shape \(2, 4\), got \(3, 4\)"),
        ({"boxes": np.zeros((2, 5))}, r"boxes: expected shape \(2, 4\), got \(2, 5\)"),
        ({"source": np.array([1])}, r"source: expected shape \(2,\), got \(1,\)"),
        ({"crowd": np.zeros((2, 1), bool)}, r"crowd: expected shape \(2,\), got \(2, 1\)"),
        ({"boxes": np.full((2, 4), np.nan)}, "boxes: expected finite numbers"),
        ({"boxes": np.full((2, 4), np.inf)}, "boxes: expected finite numbers"),
        ({"classes": np.array([0, 3])}, r"classes: expected 0\.\.2, got \[0 3\]"),
        ({"classes": np.array([0, -1])}, r"classes: expected 0\.\.2, got \[-1  0\]"),
        ({"masks": (Mask.empty((6, 8)),)}, "masks: expected 2, one an object, got 1"),
        ({"masks": (Mask.empty((6, 8)), Mask.empty((8, 6)))}, r"masks: expected size \(6, 8\), got \(8, 6\)"),
    ],
)
def test_fields_that_do_not_fit_are_an_error(changes, problem):
    with pytest.raises(LabelError, match=problem):
        instances(**changes)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int64])
def test_a_semantic_map_knows_its_size(dtype):
    classes = np.array([[0, 1, 2], [255, 0, 0]], dtype)
    labels = SemanticMap(classes, CATEGORIES)
    assert labels.size_hw == (2, 3)
    assert labels.classes is classes


@pytest.mark.parametrize(
    ("classes", "problem"),
    [
        (np.zeros((2, 3, 1), np.uint8), r"expected \(H, W\) integers, got shape \(2, 3, 1\) of uint8"),
        (np.zeros((2, 3)), r"expected \(H, W\) integers, got shape \(2, 3\) of float64"),
        (np.zeros((0, 3), np.uint8), "image size: expected rows and columns >= 1"),
        (np.array([[0, 3, 254]], np.uint8), r"classes: expected 0\.\.2 or 255, got \[3, 254\]"),
        (np.array([[0, -1]], np.int16), r"classes: expected 0\.\.2 or 255, got \[-1\]"),
    ],
)
def test_a_map_with_other_values_is_an_error(classes, problem):
    with pytest.raises(LabelError, match=problem):
        SemanticMap(classes, CATEGORIES)
