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


@given(frames)
def test_strings_are_those_of_pycocotools_in_both_directions(frame):
    runs = np.array(runs_by_hand(frame))
    text = rle.string_from_runs(runs)
    assert text == encode(frame)
    assert rle.runs_from_string(text).tolist() == runs.tolist()


@given(st.lists(st.integers(0, 2**31), min_size=1, max_size=30))
def test_long_runs_go_there_and_back(lengths):
    # pycocotools writes past its buffer for some of these.
    runs = np.array(lengths, np.int64)
    runs[1:] += 1
    assert rle.runs_from_string(rle.string_from_runs(runs)).tolist() == runs.tolist()


def test_runs_that_are_all_long_do_no_harm():
    runs = [2**24, 2**24 + 1, 2**24 + 5, 2**26]
    strings = {rle.string_from_runs(np.array(runs)) for _ in range(500)}
    assert [rle.runs_from_string(text).tolist() for text in strings] == [runs]


def test_a_string_with_needless_digits_is_read_as_pycocotools_does():
    # 'P1' is 0 + 32 * 1 = 32; 'S0' is 3 + 32 * 0, which one digit would hold; '>' is 14.
    text = "P1S0>"
    assert rle.runs_from_string(text).tolist() == [32, 3, 14]


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
