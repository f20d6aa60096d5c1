import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

from noisyseg.labels import LabelError, Mask
from noisyseg.labels.coco import read_coco

frames = arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=14), elements=st.integers(0, 1))
SQUARE = [[2, 1, 6, 1, 6, 4, 2, 4]]


def encode(frame):
    encoded = coco_mask.encode(np.asfortranarray(frame, dtype=np.uint8))
    return {"size": list(frame.shape), "counts": encoded["counts"].decode()}


def uncompressed(frame):
    flat = np.concatenate(([0], frame.T.ravel(), [2]))
    changes = np.flatnonzero(flat[1:] != flat[:-1])
    return {"size": list(frame.shape), "counts": np.diff(changes, prepend=0).tolist()}


def assert_holds(mask, frame):
    """Asserts that every view of `mask` agrees with the full frame, computed without our code."""
    np.testing.assert_array_equal(mask.frame(), frame)
    assert mask.size_hw == frame.shape
    assert mask.rle == encode(frame)
    assert mask.area == frame.sum()
    rows, columns = np.nonzero(frame)
    tight = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1) if rows.size else (0, 0, 0, 0)
    assert mask.box == tight
    left, top, pixels = mask.crop
    assert pixels.dtype == np.uint8
    assert pixels.sum() == frame.sum()
    np.testing.assert_array_equal(frame[top : top + pixels.shape[0], left : left + pixels.shape[1]], pixels)


@pytest.mark.parametrize("split", ["train2017", "val2017"])
def test_real_annotations_are_what_pycocotools_reads(coco_tiny_dir, split):
    path = coco_tiny_dir / "annotations" / f"instances_{split}.json"
    theirs, ours = COCO(str(path)), read_coco(path)
    compared = 0
    for image_id in ours.images:
        for annotation, mask in zip(ours.annotations_of(image_id), ours.instances(image_id).masks, strict=True):
            frame = theirs.annToMask(annotation)
            np.testing.assert_array_equal(mask.frame(), frame)
            assert mask.rle == encode(frame)
            assert mask.area == frame.sum()
            x, y, w, h = coco_mask.toBbox(mask.rle).tolist()
            assert mask.box == (x, y, x + w, y + h)
            assert Mask.from_crop(*mask.crop, mask.size_hw).rle == mask.rle
            assert mask.segmentation is annotation["segmentation"]
            compared += 1
    assert compared == len(ours.document["annotations"]) > 700


@given(frames)
def test_every_form_holds_the_same_pixels(frame):
    for mask in (
        Mask.from_frame(frame),
        Mask.from_frame(frame.astype(bool)),
        Mask.from_coco(encode(frame), frame.shape),
        Mask.from_coco(uncompressed(frame), frame.shape),
        Mask.from_crop(0, 0, frame, frame.shape),
        Mask.from_crop(0, 0, np.asfortranarray(frame), frame.shape),
    ):
        assert_holds(mask, frame)


@given(frames, st.tuples(*[st.integers(0, 5)] * 4))
def test_a_crop_stands_anywhere_in_the_frame(pixels, margins):
    left, right, top, bottom = margins
    frame = np.pad(pixels, ((top, bottom), (left, right)))
    assert_holds(Mask.from_crop(left, top, pixels, frame.shape), frame)


@given(
    st.lists(st.lists(st.floats(-10, 30), min_size=6, max_size=12).filter(lambda ring: len(ring) % 2 == 0), min_size=1)
)
@settings(max_examples=50)
def test_polygons_are_those_of_pycocotools(polygons):
    frame = coco_mask.decode(coco_mask.frPyObjects(polygons, 15, 20)).any(axis=2).astype(np.uint8)
    assert_holds(Mask.from_coco(polygons, (15, 20)), frame)


@pytest.mark.parametrize(
    "frame",
    [
        np.zeros((5, 7), np.uint8),
        np.ones((5, 7), np.uint8),
        np.ones((1, 1), np.uint8),
        np.eye(1, 35, 0, np.uint8).reshape(5, 7),
        np.eye(1, 35, 34, np.uint8).reshape(5, 7),
        np.repeat(np.array([[0, 0, 1, 1, 1, 0, 1]], np.uint8), 5, axis=0),
        np.indices((5, 7)).sum(axis=0).astype(np.uint8) % 2,
    ],
    ids=["empty", "whole", "one-by-one", "first-pixel", "last-pixel", "full-height-columns", "chessboard"],
)
def test_special_frames(frame):
    assert_holds(Mask.from_frame(frame), frame)
    assert_holds(Mask.from_coco(uncompressed(frame), frame.shape), frame)
    assert_holds(Mask.from_coco(Mask.from_frame(frame).segmentation, frame.shape), frame)


def test_an_empty_mask_and_holes():
    assert_holds(Mask.empty((4, 3)), np.zeros((4, 3), np.uint8))
    ring = np.ones((6, 6), np.uint8)
    ring[2:4, 2:4] = 0
    assert_holds(Mask.from_frame(ring), ring)


@pytest.mark.parametrize(
    "runs", [[10, 0, 10, 5, 75], [10, 5, 85, 0], [0, 0, 100], [20, 3, 0, 4, 73], [0, 7, 0, 0, 93, 0]]
)
def test_empty_runs_are_no_pixels(runs):
    frame = np.repeat(np.arange(len(runs)) % 2, runs).astype(np.uint8).reshape(10, 10).T
    packed = coco_mask.frPyObjects({"size": [10, 10], "counts": runs}, 10, 10)["counts"].decode()
    for counts in (runs, packed):
        segmentation = {"size": [10, 10], "counts": counts}
        mask = Mask.from_coco(segmentation, (10, 10))
        assert_holds(mask, frame)
        assert mask.segmentation is segmentation


@given(frames, st.data())
def test_iou_by_hand(frame, data):
    other = data.draw(arrays(np.uint8, frame.shape, elements=st.integers(0, 1)))
    union = (frame | other).sum()
    expected = (frame & other).sum() / union if union else 1.0
    assert Mask.from_frame(frame).iou(Mask.from_frame(other)) == pytest.approx(expected)


@given(frames, st.tuples(*[st.integers(0, 5)] * 4), st.integers(0, 6))
def test_a_window_is_the_crop_with_a_margin_cut_at_the_frame(pixels, margins, margin):
    left, right, top, bottom = margins
    frame = np.pad(pixels, ((top, bottom), (left, right)))
    x, y, wide = Mask.from_crop(left, top, pixels, frame.shape).window(margin)
    height, width = wide.shape
    assert (x, y) == (max(left - margin, 0), max(top - margin, 0))
    assert (x + width, y + height) == (
        min(left + pixels.shape[1] + margin, frame.shape[1]),
        min(top + pixels.shape[0] + margin, frame.shape[0]),
    )
    np.testing.assert_array_equal(frame[y : y + height, x : x + width], wide)


def test_a_window_is_a_copy():
    pixels = np.ones((2, 2), np.uint8)
    Mask.from_crop(1, 1, pixels, (4, 4)).window(0).pixels[:] = 0
    assert pixels.all()


def test_what_was_read_is_written_as_it_was():
    for segmentation in (SQUARE, {"size": [5, 8], "counts": [40]}, {"size": [5, 8], "counts": "X1", "x": 1}):
        mask = Mask.from_coco(segmentation, (5, 8))
        assert mask.segmentation is segmentation
        assert mask.rle["counts"] == Mask.from_frame(mask.frame()).rle["counts"]
    made = Mask.from_frame(np.eye(3, dtype=np.uint8))
    assert made.segmentation == made.rle
    assert type(made.segmentation["counts"]) is str


@pytest.mark.parametrize(
    ("segmentation", "problem"),
    [
        (None, "expected polygons or RLE, got NoneType"),
        ("abc", "expected polygons or RLE, got str"),
        ([], r"at least one polygon, got \[\]"),
        ([[1, 1, 5, 5]], "polygon 0: expected an even count >= 6 of coordinates, got 4"),
        ([[1, 1, 5, 5, float("nan"), 1]], "polygon 0: expected finite coordinates"),
        ({}, r"RLE size: expected the image's \[5, 8\] \(rows, columns\), got None"),
        ({"size": [8, 5], "counts": "X1"}, r"RLE size: expected the image's \[5, 8\] .*got \[8, 5\]"),
        ({"size": [5.0, 8], "counts": "X1"}, "RLE size: expected the image's"),
        ({"size": [5, 8, 1], "counts": "X1"}, "RLE size: expected the image's"),
        ({"size": [5, 8]}, "RLE counts: expected a string or whole numbers, got NoneType"),
        ({"size": [5, 8], "counts": b"X1"}, "RLE counts: expected a string or whole numbers, got bytes"),
        ({"size": [5, 8], "counts": [20.0, 20]}, "RLE counts: expected a string or whole numbers, got list"),
        ({"size": [5, 8], "counts": [2**70]}, "RLE counts: expected a string or whole numbers"),
        ({"size": [5, 8], "counts": [41, -1]}, "run lengths >= 0, got a negative one"),
        ({"size": [5, 8], "counts": [20, 19]}, r"sum to 40 \(5 x 8\), got 39"),
        ({"size": [5, 8], "counts": []}, r"sum to 40 \(5 x 8\), got 0"),
        ({"size": [5, 8], "counts": ""}, r"sum to 40 \(5 x 8\), got 0"),
        ({"size": [5, 8], "counts": "X"}, "the last number is cut off"),
        ({"size": [5, 8], "counts": "X2"}, r"sum to 40 \(5 x 8\), got 72"),
        ({"size": [5, 8], "counts": [-(2**63) - 1]}, "RLE"),
    ],
)
def test_what_cannot_be_rasterised_is_an_error(segmentation, problem):
    with pytest.raises(LabelError, match=problem):
        Mask.from_coco(segmentation, (5, 8))
