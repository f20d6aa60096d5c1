import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from pycocotools import mask as coco_mask

from noisyseg.labels.kernels import runs as kernels

shapes = array_shapes(min_dims=2, max_dims=2, max_side=24)
frames = arrays(np.uint8, shapes, elements=st.integers(0, 1))
pairs = shapes.flatmap(lambda shape: st.tuples(*[arrays(np.uint8, shape, elements=st.integers(0, 1))] * 2))


def encode(frame):
    return coco_mask.encode(np.asfortranarray(frame))["counts"]


def runs_of(frame):
    return kernels.runs_of_window(frame, 0, 0, *frame.shape)


@given(frames, st.tuples(*[st.integers(0, 20)] * 4))
def test_a_window_gives_the_string_of_its_frame(pixels, margins):
    left, right, top, bottom = margins
    frame = np.pad(pixels, ((top, bottom), (left, right)))
    runs = kernels.runs_of_window(pixels, left, top, *frame.shape)
    assert kernels.packed(runs).tobytes() == encode(frame)
    status, parsed = kernels.parsed(np.frombuffer(encode(frame), np.uint8))
    assert status == kernels.FINE
    assert parsed.tolist() == runs.tolist() == kernels.joined(runs).tolist()


@given(frames)
def test_views_and_read_only_pixels_are_read_alike(pixels):
    runs = runs_of(pixels).tolist()
    wide = np.zeros((pixels.shape[0], 2 * pixels.shape[1]), np.uint8)
    wide[:, ::2] = pixels
    frozen = pixels.copy()
    frozen.setflags(write=False)
    assert runs_of(wide[:, ::2]).tolist() == runs_of(np.asfortranarray(pixels)).tolist() == runs
    assert runs_of(frozen).tolist() == runs


@given(frames)
def test_box_area_and_window_are_those_of_pycocotools(frame):
    runs, code = runs_of(frame), {"size": frame.shape, "counts": encode(frame)}
    x0, y0, x1, y1, area = kernels.box_and_area(runs, len(frame))
    assert area == coco_mask.area(code) == frame.sum()
    if area:
        rows, columns = np.nonzero(frame)
        assert (x0, y0, x1, y1) == (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        np.testing.assert_array_equal(kernels.window(runs, len(frame), x0, y0, x1, y1), frame[y0:y1, x0:x1])
    else:
        assert (x0, y0, x1, y1) == (0, 0, 0, 0)
    whole = kernels.window(runs, len(frame), 0, 0, frame.shape[1], frame.shape[0])
    np.testing.assert_array_equal(whole, coco_mask.decode(code))


@given(pairs)
def test_overlap_and_union_are_those_of_pixels(pair):
    one, other = pair
    assert kernels.overlap(runs_of(one), runs_of(other)) == (one & other).sum()
    assert kernels.union(runs_of(one), runs_of(other)).tolist() == runs_of(one | other).tolist()


def test_a_frame_larger_than_pycocotools_can_encode():
    height = width = 2**15
    runs = kernels.runs_of_window(np.ones((3, 2), np.uint8), width - 2, height - 3, height, width)
    assert runs.tolist() == [(width - 1) * height - 3, 3, height - 3, 3]
    assert kernels.box_and_area(runs, height) == (width - 2, height - 3, width, height, 6)
    assert kernels.parsed(kernels.packed(runs))[1].tolist() == runs.tolist()
