"""Upsampling undoes the stride of centred layers, without a shift, at any size."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from noisyseg.ops.upsampling import upsample_strided


def by_hand(values, size_hw, stride):
    """Bilinear interpolation at p / stride in numpy, one axis after the other; np.interp keeps the last value."""
    for axis, size in zip((-2, -1), size_hw, strict=True):
        at, centres = np.arange(size) / stride, np.arange(values.shape[axis])
        values = np.apply_along_axis(lambda line, at=at, centres=centres: np.interp(at, centres, line), axis, values)
    return values


@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from([1, 2, 4, 8]), st.integers(0, 9))
def test_values_by_hand_at_any_size(height, width, stride, seed):
    small = (2, 3, -(-height // stride), -(-width // stride))
    values = torch.randn(small, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    found = upsample_strided(values, (height, width))
    np.testing.assert_allclose(found.numpy(), by_hand(values.numpy(), (height, width), stride), atol=1e-12)


@pytest.mark.parametrize(("kernel", "stride"), [(1, 2), (3, 2), (3, 4), (5, 4), (3, 8)])
def test_what_a_strided_layer_sees_stays_in_its_place(kernel, stride):
    rows, columns = torch.meshgrid(torch.arange(37.0), torch.arange(50.0), indexing="ij")
    ramp = (2 * rows - columns)[None, None]
    padded = F.pad(ramp, (kernel // 2,) * 4, mode="replicate")
    small = F.avg_pool2d(padded, kernel, stride)
    large = upsample_strided(small, (37, 50))
    inside = (..., slice(stride, 37 - 2 * stride), slice(stride, 50 - 2 * stride))
    torch.testing.assert_close(large[inside], ramp[inside])


def test_the_same_size_is_left_alone():
    values = torch.randn(1, 2, 5, 7)
    assert upsample_strided(values, (5, 7)) is values


def test_the_gradient():
    values = torch.randn(1, 2, 3, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: upsample_strided(x, (10, 8)), values)


def test_half_precision_keeps_its_type():
    values = torch.randn(1, 2, 3, 4).bfloat16()
    found = upsample_strided(values, (6, 7))
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found.float(), upsample_strided(values.float(), (6, 7)), atol=0.02, rtol=0.02)


@pytest.mark.parametrize(("small", "size"), [((3, 3), (7, 7)), ((4, 4), (8, 16)), ((5, 5), (4, 4))])
def test_sizes_that_no_stride_gives_are_refused(small, size):
    with pytest.raises(ValueError, match="times a power of two"):
        upsample_strided(torch.zeros(1, 1, *small), size)
