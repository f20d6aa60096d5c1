import importlib

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import ndimage
from skimage.morphology import disk
from torch._subclasses.fake_tensor import FakeTensorMode

from noisyseg.labels.edges import class_edges
from noisyseg.ops import edge_bits, expand_bits, ignored_bits
from noisyseg.ops.edge_bits import IGNORED_BITS


@st.composite
def cases(draw):
    """Returns labels, K, the ignored label and numbers of objects (or None), alone or with an axis before them."""
    count = draw(st.integers(1, 31))
    ignore = draw(st.sampled_from([None, 255, 99, -1]))
    dtypes = [np.int16, np.int32, np.int64] + ([np.uint8] if ignore != -1 else [])
    few = draw(st.lists(st.integers(0, count - 1), min_size=1, max_size=3)) + ([] if ignore is None else [ignore])
    size = draw(st.tuples(st.integers(1, 9), st.integers(1, 12)))
    labels = draw(arrays.arrays(draw(st.sampled_from(dtypes)), size, elements=st.sampled_from(few)))
    held = np.iinfo(draw(st.sampled_from([np.uint8, np.int32, np.int64])))
    numbers = arrays.arrays(held.dtype, size, elements=st.sampled_from([held.min, 7, held.max]))
    return labels, count, ignore, draw(st.none() | numbers)


@settings(max_examples=120, deadline=None)
@given(case=cases(), radius=st.integers(1, 6))
def test_bits_are_the_channels_of_class_edges(case, radius):
    labels, count, ignore, objects = case
    bits = edge_bits(
        torch.from_numpy(labels), count, radius, None if objects is None else torch.from_numpy(objects), ignore
    )
    assert (bits.shape, bits.dtype) == (labels.shape, torch.int32)
    np.testing.assert_array_equal(expand_bits(bits, count), class_edges(labels, count, radius, objects, ignore))
    np.testing.assert_array_equal(ignored_bits(bits), labels == (-999 if ignore is None else ignore))
    assert (bits[ignored_bits(bits)] == IGNORED_BITS).all()
    assert (bits >> count == 0).logical_or(ignored_bits(bits)).all()


def test_where_nothing_is_ignored_edges_are_those_of_the_largest_and_smallest_label_in_a_disk():
    smooth = cv2.GaussianBlur(np.random.default_rng(0).normal(size=(90, 120)), (0, 0), 6)
    labels = np.digitize(smooth, [-0.03, 0.0, 0.03]).astype(np.uint8)
    for radius in (1, 2, 5):
        bits = edge_bits(torch.from_numpy(labels), 4, radius)
        highest, lowest = (
            filtered(labels, footprint=disk(radius), mode="nearest")
            for filtered in (ndimage.maximum_filter, ndimage.minimum_filter)
        )
        np.testing.assert_array_equal(bits != 0, highest != lowest)


def test_two_classes_on_one_row():
    labels = torch.tensor([[0, 0, 0, 1, 1, 255, 2, 2]])
    assert edge_bits(labels, 3, 1).tolist() == [[0, 0, 3, 3, 0, IGNORED_BITS, 0, 0]]
    assert edge_bits(labels, 3, 2).tolist() == [[0, 3, 3, 3, 7, IGNORED_BITS, 6, 0]]
    objects = torch.tensor([[1, 2, 2, 0, 0, 0, 0, 1]])
    assert edge_bits(labels, 3, 1, objects).tolist() == [[1, 1, 3, 3, 0, IGNORED_BITS, 4, 4]]


def test_thirty_one_classes_each_have_their_bit():
    labels = torch.arange(31).repeat_interleave(3).repeat(4, 1)
    bits = edge_bits(labels, 31, 1)
    assert bits.min() >= 0
    edges = expand_bits(bits, 31)
    assert edges.any(dim=(1, 2)).all()
    np.testing.assert_array_equal(edges, class_edges(labels.numpy(), 31, 1))


@pytest.mark.parametrize("lead", [(), (3,), (2, 3), (0,)])
def test_any_axes_before_the_image_are_a_batch(lead):
    labels = torch.randint(0, 9, (*lead, 12, 9), generator=torch.Generator().manual_seed(0))
    bits = edge_bits(labels, 9, 2, labels // 2, ignore_index=8)
    edges = expand_bits(bits, 9)
    assert (bits.shape, edges.shape) == (labels.shape, (*lead, 9, 12, 9))
    alone = zip(labels.reshape(-1, 12, 9), bits.reshape(-1, 12, 9), edges.reshape(-1, 9, 12, 9), strict=True)
    for one, expected, channels in alone:
        torch.testing.assert_close(edge_bits(one, 9, 2, one // 2, ignore_index=8), expected)
        torch.testing.assert_close(expand_bits(expected, 9), channels)


@pytest.mark.parametrize("count", [1, 7, 8, 9, 16, 31])
def test_channels_are_the_bits_in_order(count):
    bits = torch.randint(-(2**31), 2**31 - 1, (6, 7), dtype=torch.int32, generator=torch.Generator().manual_seed(0))
    # Bit 31 wins: an ignored pixel is on no edge, whatever its other bits.
    expected = [[(number >> k) & 1 if number >= 0 else 0 for number in bits.flatten().tolist()] for k in range(count)]
    edges = expand_bits(bits, count)
    assert edges.flatten(1).int().tolist() == expected
    assert not expand_bits(torch.full((2, 2), IGNORED_BITS, dtype=torch.int32), count).any()


def test_the_input_stays_as_it_was():
    labels, objects = torch.tensor([[0, 1, 255]], dtype=torch.int32), torch.tensor([[1, 1, 2]])
    edge_bits(labels, 2, 1, objects)
    assert (labels.tolist(), objects.tolist()) == ([[0, 1, 255]], [[1, 1, 2]])


@pytest.mark.parametrize(
    ("labels", "settings", "message"),
    [
        ([[0, 3, 7]], {}, r"labels: expected 0\.\.2 or 255, got \[3, 7\]"),
        ([[0, -1]], {}, r"labels: expected 0\.\.2 or 255, got \[-1\]"),
        ([[0, 2**32]], {}, r"labels: expected 0\.\.2 or 255, got \[4294967296\]"),
        ([[0, 255]], {"ignore_index": None}, r"labels: expected 0\.\.2, got \[255\]"),
        ([0, 1], {}, r"labels: expected \(\.\.\., H, W\), got \(2,\)"),
        ([[0.0, 1.0]], {}, r"labels: expected integers, got torch\.float32"),
        ([[True, False]], {}, r"labels: expected integers, got torch\.bool"),
        ([[0, 1]], {"instances": torch.zeros(2, 2, dtype=torch.int32)}, r"instances: expected \(1, 2\), got \(2, 2\)"),
        ([[0, 1]], {"instances": torch.zeros(1, 2)}, r"instances: expected integers, got torch\.float32"),
        ([[0, 1]], {"radius": 0}, "radius: expected a whole number >= 1, got 0"),
        ([[0, 1]], {"radius": 1.5}, r"radius: expected a whole number >= 1, got 1\.5"),
        ([[0, 1]], {"num_classes": 0}, r"num_classes: expected 1\.\.31, got 0"),
        ([[0, 1]], {"num_classes": 32}, r"num_classes: expected 1\.\.31, got 32"),
    ],
)
def test_what_cannot_be_drawn_raises(labels, settings, message):
    with pytest.raises(ValueError, match=message):
        edge_bits(torch.tensor(labels), **{"num_classes": 3, "radius": 2} | settings)


def test_what_are_no_bits_raises():
    for function in (ignored_bits, lambda bits: expand_bits(bits, 3)):
        with pytest.raises(ValueError, match=r"bits: expected \(\.\.\., H, W\) int32, got \(2, 2\) of torch\.int64"):
            function(torch.zeros(2, 2, dtype=torch.int64))
    with pytest.raises(ValueError, match=r"num_classes: expected 1\.\.31, got 32"):
        expand_bits(torch.zeros(2, 2, dtype=torch.int32), 32)


def test_the_host_never_waits_for_the_device(monkeypatch):
    """On tensors without values, whatever brings a value to the host raises; `require` itself does so on the CPU."""
    # The package has a function of the module's name.
    module = importlib.import_module("noisyseg.ops.edge_bits")
    monkeypatch.setattr(module, "require", lambda holds, message: None)
    with FakeTensorMode():
        labels = torch.zeros(2, 9, 11, dtype=torch.uint8)
        bits = edge_bits(labels, 19, 2, torch.zeros(2, 9, 11, dtype=torch.int32))
        edges, ignored = expand_bits(bits, 19), ignored_bits(bits)
    assert (bits.shape, bits.dtype) == (labels.shape, torch.int32)
    assert (edges.shape, edges.dtype, ignored.dtype) == ((2, 19, 9, 11), torch.bool, torch.bool)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_gives_what_the_cpu_gives_without_a_wait():
    labels = torch.randint(0, 19, (2, 20, 30), dtype=torch.uint8).repeat_interleave(5, -1)
    labels[:, :3] = 255
    on_cuda = labels.cuda()
    torch.cuda.set_sync_debug_mode("error")
    try:
        bits = edge_bits(on_cuda, 19, 2, on_cuda)
        edges = expand_bits(bits, 19)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    torch.testing.assert_close(bits.cpu(), edge_bits(labels, 19, 2, labels))
    torch.testing.assert_close(edges.cpu(), expand_bits(bits.cpu(), 19))
