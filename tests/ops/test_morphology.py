import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from skimage import morphology
from torch._subclasses.fake_tensor import FakeTensorMode

from noisyseg.ops import closing, dilate, erode, opening

MASKS = arrays.arrays(bool, st.tuples(st.integers(1, 4), st.integers(1, 20), st.integers(1, 20)))
SHAPES = st.sampled_from(["square", "disk"])
OPERATIONS = (dilate, erode, opening, closing)


def kernel(radius, shape):
    return morphology.disk(radius) if shape == "disk" else np.ones((2 * radius + 1,) * 2, np.uint8)


def by_opencv(operation, masks, radius, shape):
    return np.stack([cv2.morphologyEx(mask.view(np.uint8), operation, kernel(radius, shape)) for mask in masks])


@settings(max_examples=150, deadline=None)
@given(masks=MASKS, radius=st.integers(0, 24), shape=SHAPES)
def test_bit_for_bit_as_opencv(masks, radius, shape):
    tensor = torch.from_numpy(masks)
    np.testing.assert_array_equal(dilate(tensor, radius, shape), by_opencv(cv2.MORPH_DILATE, masks, radius, shape))
    np.testing.assert_array_equal(erode(tensor, radius, shape), by_opencv(cv2.MORPH_ERODE, masks, radius, shape))
    np.testing.assert_array_equal(opening(tensor, radius, shape), by_opencv(cv2.MORPH_OPEN, masks, radius, shape))
    np.testing.assert_array_equal(closing(tensor, radius, shape), by_opencv(cv2.MORPH_CLOSE, masks, radius, shape))


@pytest.mark.parametrize("shape", ["square", "disk"])
@pytest.mark.parametrize("radius", range(10))
def test_as_opencv_and_scikit_image_on_a_real_size(radius, shape):
    smooth = cv2.GaussianBlur(np.random.default_rng(radius).random((130, 210)), (0, 0), 3)
    mask = np.ascontiguousarray(smooth > 0.52)
    grown, shrunk = (function(torch.from_numpy(mask), radius, shape) for function in (dilate, erode))
    assert not radius or (mask.sum() < grown.sum() < mask.size and shrunk.sum() < mask.sum())
    np.testing.assert_array_equal(grown, by_opencv(cv2.MORPH_DILATE, [mask], radius, shape)[0])
    np.testing.assert_array_equal(shrunk, by_opencv(cv2.MORPH_ERODE, [mask], radius, shape)[0])
    np.testing.assert_array_equal(grown, morphology.dilation(mask, kernel(radius, shape)))
    np.testing.assert_array_equal(shrunk, morphology.erosion(mask, kernel(radius, shape)))


@pytest.mark.parametrize("shape", ["square", "disk"])
@pytest.mark.parametrize("radius", range(1, 32))
def test_one_pixel_grows_to_the_window(radius, shape):
    masks = torch.zeros(1, 70, 70, dtype=torch.bool)
    masks[0, 35, 35] = True
    part = slice(35 - radius, 35 + radius + 1)
    grown = dilate(masks, radius, shape)
    np.testing.assert_array_equal(grown[0, part, part], kernel(radius, shape))
    assert int(grown.sum()) == kernel(radius, shape).sum()


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("shape", ["square", "disk"])
def test_empty_and_full_masks_stay(operation, shape):
    for masks in (torch.zeros(2, 5, 7, dtype=torch.bool), torch.ones(2, 5, 7, dtype=torch.bool)):
        for radius in (0, 1, 3, 30):
            torch.testing.assert_close(operation(masks, radius, shape), masks)


@settings(max_examples=30, deadline=None)
@given(masks=MASKS, radius=st.integers(0, 9), shape=SHAPES)
def test_to_grow_a_mask_is_to_shrink_the_rest(masks, radius, shape):
    tensor = torch.from_numpy(masks)
    torch.testing.assert_close(dilate(tensor, radius, shape), ~erode(~tensor, radius, shape))


@pytest.mark.parametrize("shape", ["square", "disk"])
@pytest.mark.parametrize("lead", [(), (1,), (3,), (2, 3), (2, 1, 3)])
def test_any_axes_before_the_image_are_a_batch(shape, lead):
    masks = torch.rand((*lead, 9, 11), generator=torch.Generator().manual_seed(0)) < 0.1
    grown = dilate(masks, 2, shape)
    assert grown.shape == masks.shape
    for alone, one in zip(masks.view(-1, 9, 11), grown.view(-1, 9, 11), strict=True):
        torch.testing.assert_close(dilate(alone, 2, shape), one)


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("shape", ["square", "disk"])
def test_memory_in_any_order(operation, shape):
    whole = torch.rand(18, 3, 40, generator=torch.Generator().manual_seed(0)) < 0.3
    for masks in (
        whole.permute(1, 0, 2),
        whole.permute(1, 2, 0),
        whole.transpose(0, 1)[:, 1::2, ::3],
        whole[:1].expand(5, 3, 40),
    ):
        before = masks.clone()
        torch.testing.assert_close(operation(masks, 3, shape), operation(masks.contiguous(), 3, shape))
        torch.testing.assert_close(masks, before)


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("dtype", [torch.uint8, torch.int64, torch.float32])
def test_masks_have_to_be_bool(operation, dtype):
    with pytest.raises(ValueError, match=f"masks: expected torch.bool, got {dtype}"):
        operation(torch.zeros(3, 3, dtype=dtype), 1)


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("shape", ["square", "disk"])
def test_the_host_never_waits_for_the_device(operation, shape):
    """On tensors without values, whatever brings a value to the host raises."""
    with FakeTensorMode():
        masks = torch.zeros(2, 9, 11, dtype=torch.bool)
        result = operation(masks, 3, shape)
    assert (result.shape, result.dtype) == (masks.shape, torch.bool)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("shape", ["square", "disk"])
@pytest.mark.parametrize("radius", [0, 1, 4, 15, 300])
def test_cuda_gives_what_the_cpu_gives_without_a_wait(operation, shape, radius):
    masks = torch.rand(3, 97, 131, generator=torch.Generator().manual_seed(0)) < 0.2
    on_cuda = masks.cuda()
    torch.cuda.set_sync_debug_mode("error")
    try:
        result = operation(on_cuda, radius, shape)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    torch.testing.assert_close(result.cpu(), operation(masks, radius, shape))
