import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from pycocotools import mask as coco_mask

from noisyseg.labels import LabelError, rle

frames = arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=12), elements=st.integers(0, 1))


def runs_by_hand(frame):
    """Returns the run lengths of a frame, counted pixel by pixel."""
    runs, value = [0], 0
    for pixel in frame.T.ravel().tolist():
        if pixel != value:
            runs.append(0)
            value = pixel
        runs[-1] += 1
    return runs


def encode(frame):
    return coco_mask.encode(np.asfortranarray(frame))["counts"].decode()


windows = st.tuples(frames, st.tuples(*[st.integers(0, 3)] * 2), st.booleans())


def test_no_windows_are_no_strings():
    assert rle.strings_from_crops([], (3, 4)) == []


@given(st.lists(windows, min_size=1, max_size=5), st.tuples(*[st.integers(0, 2)] * 2))
def test_windows_give_the_strings_of_their_frames(placed, beyond):
    height = max(pixels.shape[0] + top for pixels, (_, top), _ in placed) + beyond[0]
    width = max(pixels.shape[1] + left for pixels, (left, _), _ in placed) + beyond[1]
    crops, expected = [], []
    for pixels, (left, top), transposed in placed:
        frame = np.zeros((height, width), np.uint8)
        frame[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
        crops.append((left, top, np.asfortranarray(pixels) if transposed else pixels))
        expected.append(encode(frame))
    assert rle.strings_from_crops(crops, (height, width)) == expected


@given(frames)
def test_strings_are_those_of_pycocotools_in_both_directions(frame):
    runs = np.array(runs_by_hand(frame))
    text = rle.string_from_runs(runs, frame.shape)
    assert text == encode(frame)
    assert rle.runs_from_string(text).tolist() == runs.tolist()


@given(frames)
def test_strings_of_large_frames_are_packed_alike(frame):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rle, "LARGE_FRAME", 0)
        assert rle.strings_from_crops([(0, 0, frame)], frame.shape) == [encode(frame)]
        assert rle.string_from_runs(np.array(runs_by_hand(frame)), frame.shape) == encode(frame)


@given(st.lists(st.integers(0, 2**31), min_size=1, max_size=30))
def test_long_runs_go_there_and_back(lengths):
    # pycocotools writes past its buffer for some of these.
    runs = np.array(lengths, np.int64)
    runs[1:] += 1
    size_hw = (int(runs.sum()) or 1, 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rle, "LARGE_FRAME", 0)
        assert rle.runs_from_string(rle.string_from_runs(runs, size_hw)).tolist() == runs.tolist()


def test_runs_that_are_all_long_do_no_harm():
    runs = [2**24, 2**24 + 1, 2**24 + 5, 2**26]
    strings = {rle.string_from_runs(np.array(runs), (sum(runs), 1)) for _ in range(500)}
    assert [rle.runs_from_string(text).tolist() for text in strings] == [runs]


@given(frames, st.tuples(*[st.integers(0, 40)] * 4))
def test_a_crop_is_the_tight_window_of_the_frame(pixels, margins):
    left, right, top, bottom = margins
    frame = np.pad(pixels, ((top, bottom), (left, right)))
    x, y, crop = rle.crop_from_string(encode(frame), frame.shape)
    again = np.zeros_like(frame)
    again[y : y + crop.shape[0], x : x + crop.shape[1]] = crop
    np.testing.assert_array_equal(again, frame)
    if frame.any():
        rows, columns = np.nonzero(frame)
        assert (x, y, *crop.shape) == (columns.min(), rows.min(), np.ptp(rows) + 1, np.ptp(columns) + 1)
    assert crop.flags.f_contiguous


def test_a_string_with_needless_digits_is_read_as_pycocotools_does():
    # 'P1' is 0 + 32 * 1 = 32; 'S0' is 3 + 32 * 0, which one digit would hold; '>' is 14.
    text = "P1S0>"
    assert rle.runs_from_string(text).tolist() == [32, 3, 14]
    left, top, pixels = rle.crop_from_string(text, (7, 7))
    assert (left, top, pixels.tolist()) == (4, 4, [[1], [1], [1]])


@given(st.lists(st.integers(0, 3), min_size=1, max_size=12))
def test_empty_runs_are_joined(lengths):
    runs = np.array(lengths)
    frame = np.repeat(np.arange(runs.size) % 2, runs)[:, None]
    if frame.size:
        assert rle.joined(runs).tolist() == runs_by_hand(frame)


@given(st.text(st.characters(min_codepoint=48, max_codepoint=111), max_size=30))
def test_any_string_is_read_like_pycocotools_or_is_an_error(text):
    try:
        runs = rle.runs_from_string(text)
        rle.check_runs(runs, (6, 7))
    except LabelError:
        return
    expected = coco_mask.decode({"size": (6, 7), "counts": text})
    np.testing.assert_array_equal(np.repeat(np.arange(runs.size) % 2, runs), expected.T.ravel())


@pytest.mark.parametrize(
    ("counts", "problem"),
    [
        ("é0", "printable ASCII"),
        ("0/", "characters '0' to 'o', got others"),
        ("0p", "characters '0' to 'o', got others"),
        ("0\n", "characters '0' to 'o', got others"),
        ("00P", "the last number is cut off"),
        ("P" * 7 + "0", "at most 32 bits, got a longer one"),
    ],
)
def test_a_broken_string_is_an_error(counts, problem):
    with pytest.raises(LabelError, match=problem):
        rle.runs_from_string(counts)


@pytest.mark.parametrize(
    ("runs", "size_hw", "problem"),
    [
        ([3, -1, 4], (2, 3), "run lengths >= 0, got a negative one"),
        ([3, 4], (2, 3), r"sum to 6 \(2 x 3\), got 7"),
        ([], (2, 3), r"sum to 6 \(2 x 3\), got 0"),
        ([2**32], (2**16, 2**16), r"fewer than 2\^32 pixels, got 65536 x 65536"),
    ],
)
def test_runs_that_do_not_fill_the_frame_are_an_error(runs, size_hw, problem):
    with pytest.raises(LabelError, match=problem):
        rle.check_runs(np.array(runs, np.int64), size_hw)


def test_a_cut_string_of_a_real_mask_is_an_error():
    counts = encode(np.eye(40, 50, dtype=np.uint8))
    for stop in range(len(counts)):
        with pytest.raises(LabelError, match="RLE"):
            rle.check_runs(rle.runs_from_string(counts[:stop]), (40, 50))
