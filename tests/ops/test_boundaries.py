import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import ndimage
from skimage.segmentation import find_boundaries
from torch._subclasses.fake_tensor import FakeTensorMode

from noisyseg.labels import edges
from noisyseg.ops import boundary_band, dilate, erode, label_edges

DTYPES = st.sampled_from([np.uint8, np.int8, np.int16, np.int32, np.int64])
SIZES = st.tuples(st.integers(1, 3), st.integers(1, 10), st.integers(1, 10))
MODES = ("thick", "inner", "outer")


@st.composite
def maps(draw, numbers=(0, 1, 2, 5)):
    return draw(arrays.arrays(draw(DTYPES), draw(SIZES), elements=st.sampled_from(numbers)))


def blobs(size_hw=(90, 120), seed=0, sigma=6):
    smooth = cv2.GaussianBlur(np.random.default_rng(seed).normal(size=size_hw), (0, 0), sigma)
    return np.digitize(smooth, [-0.03, 0.0, 0.03]).astype(np.uint8)


def by_distance(labels, radius, ignore):
    """Returns (H, W) which pixels have a pixel of another class within the distance, class by class."""
    known, band = labels != ignore, np.zeros(labels.shape, bool)
    for number in np.unique(labels[known]):
        own = labels == number
        if (~own & known).any():
            band |= own & (ndimage.distance_transform_edt(own | ~known) <= radius)
    return band


@settings(max_examples=150, deadline=None)
@given(labels=maps(), connectivity=st.sampled_from([4, 8]), background=st.sampled_from([0, 1, 5, 7, -1]))
def test_without_ignored_pixels_edges_are_those_of_scikit_image(labels, connectivity, background):
    for mode in MODES:
        # "outer" of int64 overflows in scikit-image: it takes the highest number of the dtype through a double.
        theirs = labels.astype(np.int32) if labels.dtype == np.int64 else labels
        expected = [find_boundaries(one, connectivity // 4, mode, background) for one in theirs]
        for ignore in (None, 255, 99):
            result = label_edges(torch.from_numpy(labels), connectivity, mode, background, ignore)
            np.testing.assert_array_equal(result, np.stack(expected))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("connectivity", [4, 8])
@pytest.mark.parametrize("dtype", [np.uint8, np.int16])
def test_edges_as_scikit_image_with_the_highest_and_lowest_numbers(mode, connectivity, dtype):
    held = np.iinfo(dtype)
    labels = np.random.default_rng(0).choice([held.min, 0, 3, held.max], (30, 40)).astype(dtype)
    result = label_edges(torch.from_numpy(labels), connectivity, mode, ignore_index=None)
    np.testing.assert_array_equal(result, find_boundaries(labels, connectivity // 4, mode))


def pairwise(labels, connectivity, ignore):
    """Returns the (H, W) thick edges of the definition, pixel by pixel."""
    found = np.zeros(labels.shape, bool)
    for (y, x), label in np.ndenumerate(labels):
        for (v, u), other in np.ndenumerate(labels):
            near = abs(y - v) + abs(x - u) == 1 or (connectivity == 8 and max(abs(y - v), abs(x - u)) == 1)
            found[y, x] |= near and label != other and ignore not in (label, other)
    return found


@settings(max_examples=60, deadline=None)
@given(labels=maps((0, 1, 100, 127)), connectivity=st.sampled_from([4, 8]), ignore=st.sampled_from([100, 127]))
def test_ignored_pixels_are_no_edges_and_make_none(labels, connectivity, ignore):
    labels = labels[0, :6, :6]
    thick, inner, outer = (
        label_edges(torch.from_numpy(labels), connectivity, mode, ignore_index=ignore) for mode in MODES
    )
    expected = pairwise(labels, connectivity, ignore)
    np.testing.assert_array_equal(thick, expected)
    np.testing.assert_array_equal(inner, expected & (labels != 0))
    # A background that is larger than a label would count as an object; here 0 is the smallest.
    touches_another_object = pairwise(np.where(labels == 0, ignore, labels), 8, ignore)
    np.testing.assert_array_equal(outer, expected & ((labels == 0) | touches_another_object))
    nearest = {4: "disk", 8: "square"}[connectivity]
    np.testing.assert_array_equal(boundary_band(torch.from_numpy(labels), 1, nearest, ignore), expected)


@settings(max_examples=100, deadline=None)
@given(labels=maps((0, 1, 3, 100)), radius=st.integers(0, 12), ignore=st.sampled_from([None, 100, 255]))
def test_a_band_is_what_the_distance_transform_says(labels, radius, ignore):
    band = boundary_band(torch.from_numpy(labels), radius, ignore_index=ignore)
    np.testing.assert_array_equal(band, np.stack([by_distance(one, radius, ignore) for one in labels]))
    if radius:
        np.testing.assert_array_equal(band, np.stack([edges.label_edges(one, radius, ignore) for one in labels]))
    else:
        assert not band.any()


def test_a_band_of_negative_labels():
    labels = torch.tensor([[-128, -128, -1, 127, 127, 127, -5, -5]], dtype=torch.int8)
    assert boundary_band(labels, 1, ignore_index=-1).int().tolist() == [[0, 0, 0, 0, 0, 1, 1, 0]]
    assert boundary_band(labels, 2, ignore_index=-1).int().tolist() == [[0, 1, 0, 1, 1, 1, 1, 1]]
    assert boundary_band(labels, 1, ignore_index=255).int().tolist() == [[0, 1, 1, 1, 0, 1, 1, 0]]


@pytest.mark.parametrize("shape", ["square", "disk"])
@pytest.mark.parametrize("radius", [1, 2, 5])
def test_the_band_of_a_mask_is_what_dilation_adds_and_erosion_takes(shape, radius):
    masks = torch.from_numpy(np.stack([blobs(seed=seed) > 1 for seed in range(3)]))
    band = boundary_band(masks, radius, shape)
    torch.testing.assert_close(band, dilate(masks, radius, shape) & ~erode(masks, radius, shape))
    torch.testing.assert_close(band, boundary_band(masks.long(), radius, shape))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    ("connectivity", "mode", "of_pieces"), [(4, "thick", 4), (8, "thick", 4), (4, "inner", 8), (8, "inner", 4)]
)
def test_edges_stay_connected_along_a_boundary(seed, connectivity, mode, of_pieces):
    """A region without holes that does not touch the border of the image has one boundary, so one piece of edge."""
    numbers, count = ndimage.label(np.pad(blobs(seed=seed), 2) > 1)
    found = []
    for number in range(1, count + 1):
        region = ndimage.binary_fill_holes(numbers == number)
        if ndimage.label(~region, np.ones((3, 3)))[1] > 1 or region.sum() < 4:
            continue
        edge = label_edges(torch.from_numpy(region), connectivity, mode).numpy()
        outside = label_edges(torch.from_numpy(~region), connectivity, mode).numpy()  # the other side, for "inner"
        window = np.ones((3, 3)) if of_pieces == 8 else None
        found += [ndimage.label(edge, window)[1], ndimage.label(outside, window)[1]]
    assert len(found) >= 4
    assert set(found) == {1}


@pytest.mark.parametrize("lead", [(), (3,), (2, 3)])
def test_any_axes_before_the_image_are_a_batch_in_any_order(lead):
    labels = torch.randint(0, 4, (*lead, 12, 9), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    for function in (lambda one: label_edges(one, 8, "outer", ignore_index=3), lambda one: boundary_band(one, 2)):
        result = function(labels)
        assert (result.shape, result.dtype) == (labels.shape, torch.bool)
        for alone, one in zip(labels.view(-1, 12, 9), result.view(-1, 12, 9), strict=True):
            torch.testing.assert_close(function(alone), one)
        torch.testing.assert_close(function(labels.transpose(-1, -2)), result.transpose(-1, -2))


def test_what_cannot_be_done_raises():
    labels = torch.zeros(4, 4, dtype=torch.uint8)
    with pytest.raises(ValueError, match="connectivity: expected 4 or 8, got 1"):
        label_edges(labels, 1)
    with pytest.raises(ValueError, match="mode: expected one of thick, inner, outer, got 'subpixel'"):
        label_edges(labels, mode="subpixel")
    with pytest.raises(ValueError, match="radius: expected a whole number >= 0, got -1"):
        boundary_band(labels, -1)
    for function in (label_edges, lambda one: boundary_band(one, 1)):
        with pytest.raises(ValueError, match=r"labels: expected bool or integers, got torch\.float32"):
            function(labels.float())
        with pytest.raises(ValueError, match=r"labels: expected \(\.\.\., H, W\), got \(4,\)"):
            function(labels[0])


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int64])
def test_the_host_never_waits_for_the_device(dtype):
    """On tensors without values, whatever brings a value to the host raises."""
    with FakeTensorMode():
        labels = torch.zeros(2, 9, 11, dtype=dtype)
        results = [boundary_band(labels, 3), *(label_edges(labels, 8, mode) for mode in MODES)]
    assert {(result.shape, result.dtype) for result in results} == {(labels.shape, torch.bool)}


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("mode", MODES)
def test_cuda_gives_what_the_cpu_gives_without_a_wait(mode):
    labels = torch.from_numpy(np.stack([blobs(seed=seed) for seed in range(3)]))
    on_cuda = labels.cuda()
    torch.cuda.set_sync_debug_mode("error")
    try:
        edge, band = label_edges(on_cuda, 8, mode, ignore_index=3), boundary_band(on_cuda, 5, ignore_index=3)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    torch.testing.assert_close(edge.cpu(), label_edges(labels, 8, mode, ignore_index=3))
    torch.testing.assert_close(band.cpu(), boundary_band(labels, 5, ignore_index=3))
