"""Work on a crop gives what the same work gives on the whole frame."""

import cv2
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from noisyseg.labels import Categories, Instances, Mask
from noisyseg.labels.coco import read_coco
from noisyseg.labels.rng import keyed_rng
from noisyseg.noise.kernels.masks import Part
from noisyseg.noise.masks import Approximation, Localization, Scale
from noisyseg.noise.masks.outlines import check_mode, filled, traced


def contours(frame):
    return cv2.findContours(frame, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)[0]


def scaled(frame, size, grow):
    return (cv2.dilate if grow else cv2.erode)(frame, np.ones((size, size), np.uint8))


def approximated(frame, tolerance):
    """The official operation, with OpenCV and shapely on the whole frame."""
    noisy = np.zeros_like(frame)
    for contour in contours(frame):
        if len(contour) >= 4:
            polygon = shapely.Polygon(contour[:, 0]).simplify(tolerance, preserve_topology=True)
            cv2.fillPoly(noisy, [np.array(polygon.exterior.coords).astype(np.int32)], 1)
    return noisy


def localized(frame, offsets):
    noisy, start = np.zeros_like(frame), 0
    for contour in contours(frame):
        moves = offsets[start : start + len(contour)]
        start += len(contour)
        cv2.fillPoly(noisy, [(contour[:, 0] + moves).astype(np.int32)], 1)
    assert start == len(offsets)
    return noisy


def assert_equals_the_whole_frame(labels, seed=0):
    """Compares each object's noise with the official operation on the full frame; empty masks stay empty in both."""
    clean = [mask.frame() for mask in labels.masks]
    sources = labels.source.tolist()
    for size in (3, 7):
        model = Scale(size)
        noisy, params = model.run(labels, keyed_rng(seed))
        for frame, mask, source in zip(clean, noisy.masks, sources, strict=True):
            np.testing.assert_array_equal(mask.frame(), scaled(frame, size, params["objects"][str(source)]["grow"]))
    for tolerance in (1, 5, 15):
        noisy = Approximation(tolerance, mode="official")(labels, keyed_rng(seed))
        for frame, mask in zip(clean, noisy.masks, strict=True):
            np.testing.assert_array_equal(mask.frame(), approximated(frame, tolerance))
    for sigma in (1, 4):
        noisy, params = Localization(sigma, mode="official").run(labels, keyed_rng(seed))
        for frame, mask, source in zip(clean, noisy.masks, sources, strict=True):
            offsets = params["objects"].get(str(source), {"offsets": []})["offsets"]
            np.testing.assert_array_equal(mask.frame(), localized(frame, np.reshape(offsets, (-1, 2))))


def instances(frames):
    masks = [Mask.from_frame(frame) for frame in frames]
    return Instances.from_masks(masks, [0] * len(masks), Categories.from_names("a"), frames[0].shape)


def test_on_frames_of_many_kinds(frames):
    for seed in range(5):
        assert_equals_the_whole_frame(instances(frames), seed)


@given(
    st.tuples(st.integers(1, 20), st.integers(1, 20)).flatmap(
        lambda s: arrays(np.uint8, (2, *s), elements=st.integers(0, 1))
    )
)
@settings(max_examples=60, deadline=None)
def test_on_random_frames_that_touch_every_border(frames):
    assert_equals_the_whole_frame(instances(frames))


def test_on_real_objects(coco_tiny_dir):
    coco = read_coco(coco_tiny_dir / "annotations" / "instances_val2017.json")
    compared = 0
    for image_id in list(coco.images)[:12]:
        labels = coco.instances(image_id)
        labels = labels.replace(crowd=np.zeros_like(labels.crowd))
        assert_equals_the_whole_frame(labels, image_id)
        compared += len(labels)
    assert compared > 60


@pytest.mark.parametrize("mode", ["fixed", "official"])
def test_tracing_counts_from_the_crop(frames, mode):
    for frame in frames:
        mask = Mask.from_frame(frame)
        parts, left, top = traced(mask, mode)
        vertices = np.concatenate([part.outer for part in parts])
        assert (left + vertices[:, 0].min(), top + vertices[:, 1].min()) == mask.box[:2]
        assert (left + vertices[:, 0].max() + 1, top + vertices[:, 1].max() + 1) == mask.box[2:]
        if mode == "fixed":
            np.testing.assert_array_equal(filled(parts, left, top, mask.size_hw).frame(), frame)


@pytest.mark.parametrize("layout", [np.ascontiguousarray, np.asfortranarray])
def test_tracing_does_not_depend_on_the_layout_in_memory(frames, layout):
    for frame in frames:
        (parts, *corner), (expected, *expected_corner) = (
            traced(Mask.from_crop(0, 0, pixels, frame.shape), "fixed") for pixels in (layout(frame), frame.copy())
        )
        assert corner == expected_corner
        for one, other in zip(parts, expected, strict=True):
            np.testing.assert_array_equal(one.outer, other.outer)


def test_no_parts_fill_nothing():
    assert filled([], 3, 4, (5, 6)).area == 0


@pytest.mark.parametrize("shift", [(-40, 0), (40, 0), (0, -40), (0, 40), (-40, -40), (40, 40)])
def test_what_leaves_the_frame_is_gone(shift):
    ring = np.array([[0, 0], [4, 0], [4, 4], [0, 4]], np.int32) + np.array(shift, np.int32)
    mask = filled([Part(ring)], 10, 10, (25, 30))
    assert mask.area == 0
    assert mask.frame().shape == (25, 30)


@given(st.lists(st.tuples(st.integers(-30, 60), st.integers(-30, 60)), min_size=3, max_size=9), st.integers(-20, 40))
@settings(max_examples=200, deadline=None)
def test_a_ring_across_the_border_is_filled_as_on_the_whole_frame(vertices, left):
    ring = np.array(vertices, np.int32)
    expected = np.zeros((25, 30), np.uint8)
    cv2.fillPoly(expected, [ring + np.array([left, 3], np.int32)], 1)
    np.testing.assert_array_equal(filled([Part(ring)], left, 3, (25, 30)).frame(), expected)


def test_an_unknown_mode_is_an_error():
    with pytest.raises(ValueError, match="mode: expected 'fixed' or 'official', got 'Official'"):
        check_mode("Official")
