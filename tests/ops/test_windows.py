import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import ndimage
from skimage.morphology import disk

from noisyseg.ops.windows import window_max, window_min, window_or


@st.composite
def maps(draw):
    """Returns an (H, W) map of some integer dtype, with its lowest and highest numbers in it."""
    dtype = draw(st.sampled_from([np.uint8, np.int8, np.int16, np.int32]))
    held = np.iinfo(dtype)
    size = draw(st.tuples(st.integers(1, 9), st.integers(1, 14)))
    return draw(arrays.arrays(dtype, size, elements=st.sampled_from([held.min, held.min + 1, 1, 5, held.max])))


@settings(max_examples=100, deadline=None)
@given(values=maps(), radius=st.integers(0, 16), shape=st.sampled_from(["square", "disk"]))
def test_as_scipy_over_the_whole_range_of_a_dtype(values, radius, shape):
    window = disk(radius) if shape == "disk" else np.ones((2 * radius + 1,) * 2)
    held, tensor = np.iinfo(values.dtype), torch.from_numpy(values)
    expected = ndimage.maximum_filter(values, footprint=window, mode="constant", cval=held.min)
    np.testing.assert_array_equal(window_max(tensor, radius, shape), expected)
    expected = ndimage.minimum_filter(values, footprint=window, mode="constant", cval=held.max)
    np.testing.assert_array_equal(window_min(tensor, radius, shape), expected)


@settings(max_examples=60, deadline=None)
@given(values=maps(), radius=st.integers(0, 16), shape=st.sampled_from(["square", "disk"]))
def test_the_bits_of_a_window_are_those_of_its_pixels_one_by_one(values, radius, shape):
    window = disk(radius) if shape == "disk" else np.ones((2 * radius + 1,) * 2)
    found = window_or(torch.from_numpy(values), radius, shape).numpy()
    assert found.dtype == values.dtype
    for place in range(8 * values.dtype.itemsize):
        expected = ndimage.maximum_filter(values >> place & 1, footprint=window, mode="constant", cval=0)
        np.testing.assert_array_equal(found >> place & 1, expected)


@pytest.mark.parametrize("dtype", [torch.int64, torch.bool])
def test_extremes_of_the_widest_and_of_the_narrowest_dtype(dtype):
    low, high = (False, True) if dtype == torch.bool else (torch.iinfo(dtype).min, torch.iinfo(dtype).max)
    values = torch.tensor([[low, low, low, high, high]], dtype=dtype)
    assert window_max(values, 1).tolist() == [[low, low, high, high, high]]
    assert window_min(values, 1).tolist() == [[low, low, low, low, high]]


@pytest.mark.parametrize("shape", ["square", "disk"])
@pytest.mark.parametrize("size", [(0, 5), (5, 0), (0, 4, 5), (2, 0, 5)])
def test_without_pixels_there_is_nothing_to_do(shape, size):
    assert window_max(torch.zeros(size, dtype=torch.uint8), 3, shape).shape == size


@pytest.mark.parametrize("shape", ["square", "disk"])
@pytest.mark.parametrize("size", [(1, 1), (1, 6), (6, 1), (4, 5)])
@pytest.mark.parametrize("radius", [0, 1, 2, 10**9])
def test_the_result_is_a_tensor_of_its_own(shape, size, radius):
    values = torch.arange(size[0] * size[1], dtype=torch.uint8).view(size)
    result = window_min(values, radius, shape)
    assert result.untyped_storage().nbytes() == values.numel()  # neither the input nor a part of larger memory
    assert result.is_contiguous()
    result.fill_(77)
    assert values.flatten().tolist() == list(range(values.numel()))


@pytest.mark.parametrize(
    ("values", "radius", "shape", "message"),
    [
        (torch.zeros(3, 3), 1, "square", "values: expected bool or integers, got torch.float32"),
        (torch.zeros(3, 3, dtype=torch.complex64), 1, "square", "expected bool or integers"),
        (torch.zeros(3, dtype=torch.uint8), 1, "square", r"values: expected \(\.\.\., H, W\), got \(3,\)"),
        (torch.zeros(3, 3, dtype=torch.uint8), -1, "square", "radius: expected a whole number >= 0, got -1"),
        (torch.zeros(3, 3, dtype=torch.uint8), 1.5, "disk", "radius: expected a whole number >= 0, got 1.5"),
        (torch.zeros(3, 3, dtype=torch.uint8), True, "disk", "radius: expected a whole number >= 0, got True"),
        (torch.zeros(3, 3, dtype=torch.uint8), 1, "ring", "shape: expected one of square, disk, got 'ring'"),
    ],
)
def test_wrong_arguments_raise(values, radius, shape, message):
    with pytest.raises(ValueError, match=message):
        window_max(values, radius, shape)
