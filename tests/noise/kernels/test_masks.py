import math
from collections import Counter

import cv2
import numpy as np
import orjson
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from pycocotools import mask as coco_mask
from scipy import ndimage

from noisyseg.labels import Mask
from noisyseg.labels.coco import read_coco
from noisyseg.noise.kernels import masks as kernels
from noisyseg.noise.kernels.masks import Part

frames = arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=16), elements=st.integers(0, 1))
RIGHT_TRIANGLE = np.triu(np.ones((26, 26), np.uint8))


def official_approximation(frame, tolerance):
    kept = [part for part in kernels.parts(frame, holes=False) if len(part.outer) >= 4]
    return kernels.fill(kernels.simplify(kept, tolerance), frame.shape)


def fixed_approximation(frame, tolerance):
    return kernels.fill(kernels.simplify(kernels.parts(frame, holes=True), tolerance), frame.shape)


def iou(one, other):
    union = (one | other).sum()
    return (one & other).sum() / union if union else 1.0


def disc(radius):
    frame = np.zeros((2 * radius + 41,) * 2, np.uint8)
    cv2.circle(frame, (radius + 20,) * 2, radius, 1, -1)
    return frame


def square(side):
    return np.pad(np.ones((side, side), np.uint8), 20)


def test_kernels_reproduce_the_authors_primitives(golden_dir, coco_tiny_dir):
    golden = orjson.loads((golden_dir / "coco_n_primitives.json").read_bytes())
    annotations = {}
    coco = read_coco(coco_tiny_dir / "annotations" / golden["annotations"])
    sizes = {image_id: (image["height"], image["width"]) for image_id, image in coco.images.items()}
    for annotation in coco.document["annotations"]:
        annotations[annotation["id"]] = annotation
    same_opencv = golden["opencv"] == cv2.__version__
    compared = Counter()
    for row in golden["rows"]:
        annotation = annotations[row["ann"]]
        frame = Mask.from_coco(annotation["segmentation"], sizes[annotation["image_id"]]).frame()
        match row["op"]:
            case "clean":
                ours = frame
            case "dilate" | "erode":
                ours = kernels.scale(frame, row["param"], row["op"] == "dilate")
            case "approximation":
                ours = official_approximation(frame, row["param"])
            case "localization":
                parts = kernels.parts(frame, holes=False)
                pairs = zip(parts, row["offsets"], strict=True)
                # The authors round the moved vertex, which is whole: rounding the move is the same.
                moved = [kernels.displace(part, np.rint(np.reshape(offsets, (-1, 2)))) for part, offsets in pairs]
                ours = kernels.fill(moved, frame.shape)
        theirs = coco_mask.decode(row["noisy"])
        if row["op"] in ("clean", "dilate", "erode") or same_opencv:
            np.testing.assert_array_equal(ours, theirs, err_msg=f"{row['op']} {row['param']} of {row['ann']}")
        else:
            assert iou(ours, theirs) >= 0.99
        compared[row["op"], row["param"]] += 1
    assert len(compared) == 13
    assert set(compared.values()) == {120}


@pytest.mark.parametrize(
    ("radius", "approximation", "erode", "dilate"),
    [
        (5, (0.444, 0.444, 0.444), (0.556, 0.259, 0.062), (0.628, 0.438, 0.325)),
        (10, (0.697, 0.382, 0.382), (0.760, 0.558, 0.382), (0.783, 0.633, 0.524)),
        (20, (0.932, 0.669, 0.669), (0.876, 0.761, 0.653), (0.882, 0.785, 0.704)),
        (50, (0.911, 0.911, 0.650), (0.950, 0.901, 0.853), (0.951, 0.905, 0.863)),
    ],
)
def test_strength_on_discs(radius, approximation, erode, dilate):
    frame = disc(radius)
    assert frame.sum() == {5: 81, 10: 317, 20: 1257, 50: 7845}[radius]
    got = [iou(official_approximation(frame, tolerance), frame) for tolerance in (5, 10, 15)]
    assert got == pytest.approx(approximation, abs=0.01)
    assert [iou(kernels.scale(frame, k, False), frame) for k in (3, 5, 7)] == pytest.approx(erode, abs=0.01)
    assert [iou(kernels.scale(frame, k, True), frame) for k in (3, 5, 7)] == pytest.approx(dilate, abs=0.01)


@pytest.mark.parametrize(
    ("radius", "expected"),
    [(5, (0.60, 0.46, 0.36)), (10, (0.76, 0.66, 0.55)), (20, (0.87, 0.80, 0.74)), (50, (0.95, 0.92, 0.88))],
)
def test_strength_of_localization_on_discs(radius, expected):
    frame = disc(radius)
    (part,) = kernels.parts(frame, holes=False)
    rng = np.random.default_rng(radius)
    for sigma, mean in zip((2, 3, 4), expected, strict=True):
        moved = [kernels.displace(part, np.rint(rng.normal(0, sigma, part.outer.shape))) for _ in range(60)]
        assert np.mean([iou(kernels.fill([m], frame.shape), frame) for m in moved]) == pytest.approx(mean, abs=0.03)


def test_strength_on_a_square():
    frame = square(21)
    for tolerance, expected in ((5, 1), (10, 1), (15, 0.524)):
        assert iou(official_approximation(frame, tolerance), frame) == pytest.approx(expected, abs=0.01)
    for size in (3, 5, 7):
        rho = (size - 1) // 2
        assert iou(kernels.scale(frame, size, False), frame) == pytest.approx(((21 - 2 * rho) / 21) ** 2)
        assert iou(kernels.scale(frame, size, True), frame) == pytest.approx((21 / (21 + 2 * rho)) ** 2)


@pytest.mark.parametrize(
    "frame",
    [np.pad(RIGHT_TRIANGLE, 3), np.pad(np.ones((1, 9), np.uint8), 3), np.pad(np.eye(7, dtype=np.uint8), 3), square(1)],
    ids=["triangle", "line", "diagonal", "pixel"],
)
def test_what_has_fewer_than_four_vertices_vanishes_officially_and_stays_when_fixed(frame):
    assert not official_approximation(frame, 5).any()
    np.testing.assert_array_equal(fixed_approximation(frame, 5), frame)
    if frame.sum() > 300:
        assert frame.sum() == 351


def test_a_ring_is_filled_officially_and_stays_a_ring_when_fixed():
    frame = np.pad(np.ones((40, 40), np.uint8), 5)
    frame[15:35, 15:35] = 0
    np.testing.assert_array_equal(fixed_approximation(frame, 0.5), frame)
    np.testing.assert_array_equal(official_approximation(frame, 0.5), ndimage.binary_fill_holes(frame))


def test_scale_at_the_border():
    frame = np.zeros((30, 30), np.uint8)
    frame[5:15, 0:10] = 1
    eroded, dilated = np.zeros((2, 30, 30), np.uint8)
    eroded[7:13, 0:8] = dilated[3:17, 0:12] = 1
    np.testing.assert_array_equal(kernels.scale(frame, 5, False), eroded)
    np.testing.assert_array_equal(kernels.scale(frame, 5, True), dilated)


@given(frames, st.sampled_from([1, 3, 5, 7]))
def test_scale_is_a_chebyshev_distance(frame, size):
    def reach(pixels):
        """Returns whether a pixel of `pixels` lies within the distance (size - 1) / 2."""
        return ndimage.maximum_filter(pixels, size, mode="constant", cval=0)

    np.testing.assert_array_equal(kernels.scale(frame, size, True), reach(frame))
    np.testing.assert_array_equal(kernels.scale(frame, size, False), 1 - reach(1 - frame))
    assert kernels.scale(frame, 1, True).tolist() == frame.tolist()


@given(frames)
def test_parts_with_holes_fill_to_the_same_mask(frame):
    np.testing.assert_array_equal(kernels.fill(kernels.parts(frame, holes=True), frame.shape), frame)


@given(frames)
def test_parts_without_holes_fill_to_the_mask_without_holes(frame):
    parts = kernels.parts(frame, holes=False)
    np.testing.assert_array_equal(kernels.fill(parts, frame.shape), ndimage.binary_fill_holes(frame))
    outermost = ndimage.label(ndimage.binary_fill_holes(frame), np.ones((3, 3)))[1]
    assert len(parts) == outermost


@given(frames, st.tuples(st.integers(0, 9), st.integers(0, 9)))
def test_fill_can_be_moved_inside_the_frame(frame, offset):
    x, y = offset
    parts = kernels.parts(frame, holes=True)
    moved = kernels.fill(parts, (40, 40), (x, y))
    expected = np.zeros((40, 40), np.uint8)
    expected[y : y + frame.shape[0], x : x + frame.shape[1]] = frame
    np.testing.assert_array_equal(moved, expected)


def test_fill_of_nothing_is_empty():
    assert kernels.parts(np.zeros((3, 4), np.uint8), holes=True) == []
    assert not kernels.fill([], (3, 4)).any()


def test_a_self_crossing_ring_is_filled_even_odd_with_its_outline():
    ring = np.array([[0, 0], [8, 0], [8, 8], [2, 8], [2, 2], [6, 2], [6, 6], [0, 6]], np.int32)
    filled = kernels.fill([Part(ring)], (9, 9))
    assert filled[4, 4] == 0
    assert filled[2:7, 2].all()


@given(frames)
def test_displacing_by_nothing_is_the_identity_and_by_a_constant_a_shift(frame):
    for part in kernels.parts(frame, holes=True):
        count = len(part.outer) + sum(map(len, part.holes))
        still = kernels.displace(part, np.zeros((count, 2)))
        shifted = kernels.displace(part, np.tile([3, -2], (count, 1)))
        for ring, same, other in zip(
            (part.outer, *part.holes), (still.outer, *still.holes), (shifted.outer, *shifted.holes), strict=True
        ):
            np.testing.assert_array_equal(same, ring)
            np.testing.assert_array_equal(other, ring + np.array([3, -2]))


def test_displacing_takes_the_outer_ring_first_and_leaves_the_input_alone():
    part = Part(np.zeros((2, 2), np.int32), (np.zeros((1, 2), np.int32),))
    moved = kernels.displace(part, np.array([[1, 2], [3, 4], [5, 6]]))
    assert [ring.tolist() for ring in (moved.outer, *moved.holes)] == [[[1, 2], [3, 4]], [[5, 6]]]
    assert not part.outer.any()
    assert moved.outer.dtype == np.int32


@given(st.lists(frames, max_size=3), st.sampled_from([0.5, 2, 5, 15]))
@settings(max_examples=60)
def test_simplify_treats_each_ring_by_itself(many, tolerance):
    parts = [part for frame in many for part in kernels.parts(frame, holes=True)]
    simple = kernels.simplify(parts, tolerance)
    assert len(simple) == len(parts)
    for part, after in zip(parts, simple, strict=True):
        for ring, got in zip((part.outer, *part.holes), (after.outer, *after.holes), strict=True):
            expected = ring
            if len(ring) >= 4:
                polygon = shapely.Polygon(ring).simplify(tolerance, preserve_topology=True)
                expected = np.array(polygon.exterior.coords).astype(np.int32)
            np.testing.assert_array_equal(got, expected)
            assert got.dtype == np.int32


@given(frames, st.sampled_from([1.0, 3.0]))
@settings(max_examples=60)
def test_simplify_moves_no_outline_farther_than_the_tolerance(frame, tolerance):
    for part in kernels.parts(frame, holes=False):
        if len(part.outer) >= 4:
            (after,) = kernels.simplify([part], tolerance)
            distance = shapely.hausdorff_distance(shapely.linearrings(part.outer), shapely.linearrings(after.outer))
            assert distance <= tolerance + math.sqrt(2) / 2
