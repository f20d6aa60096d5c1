import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from torch._subclasses.fake_tensor import FakeTensorMode

from noisyseg.ops import confusion_counts

DTYPES = st.sampled_from([np.uint8, np.int16, np.int32, np.int64])


def pair(dtype=torch.int64, size=(2, 7, 9), classes=5, ignored=0.2):
    generator = torch.Generator().manual_seed(0)
    labels, predicted = (torch.randint(0, classes, size, generator=generator).to(dtype) for _ in range(2))
    labels[torch.rand(size, generator=generator) < ignored] = 255
    return labels, predicted


@st.composite
def batches(draw):
    size = draw(st.tuples(st.integers(1, 3), st.integers(1, 6), st.integers(1, 6)))
    labels = draw(arrays.arrays(draw(DTYPES), size, elements=st.sampled_from([0, 1, 2, 3, 100])))
    return labels, draw(arrays.arrays(draw(DTYPES), size, elements=st.integers(0, 3)))


@settings(max_examples=80, deadline=None)
@given(batch=batches())
def test_as_a_histogram_of_pairs(batch):
    labels, predicted = batch
    counts = confusion_counts(torch.from_numpy(labels), torch.from_numpy(predicted), 4, ignore_index=100).numpy()
    rows, columns = np.where(labels == 100, 4, labels).astype(int).ravel(), predicted.astype(int).ravel()
    np.testing.assert_array_equal(counts, np.histogram2d(rows, columns, (np.arange(6), np.arange(5)))[0])
    assert (counts.dtype, counts.sum()) == (np.int64, labels.size)


def test_hits_labelled_and_predicted_pixels_of_each_class():
    labels, predicted = pair()
    counts = confusion_counts(labels, predicted, 5)
    known = labels != 255
    for k in range(5):
        assert counts[k, k] == ((labels == k) & (predicted == k)).sum()
        assert counts[k].sum() == (labels == k).sum()
        assert counts[:5, k].sum() == (known & (predicted == k)).sum()
        assert counts[5, k] == (~known & (predicted == k)).sum()


def test_counts_of_two_halves_add_up():
    labels, predicted = pair(size=(4, 6, 6))
    halves = (confusion_counts(labels[part], predicted[part], 5) for part in (slice(0, 2), slice(2, 4)))
    torch.testing.assert_close(sum(halves), confusion_counts(labels, predicted, 5))


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int16, torch.int32])
def test_every_dtype_and_order_of_memory_gives_the_same(dtype):
    labels, predicted = pair()
    expected = confusion_counts(labels, predicted, 5)
    torch.testing.assert_close(confusion_counts(labels.to(dtype), predicted.to(torch.uint8), 5), expected)
    moved = (one.to(dtype).permute(2, 0, 1) for one in (labels, predicted))
    torch.testing.assert_close(confusion_counts(*moved, 5), expected)


def test_more_classes_than_a_byte_holds():
    labels = torch.tensor([0, 255, 7], dtype=torch.uint8)
    counts = confusion_counts(labels, torch.tensor([299, 1, 299]), 300)
    assert counts.shape == (301, 300)
    assert counts.nonzero().tolist() == [[0, 299], [7, 299], [300, 1]]


@pytest.mark.parametrize("ignore", [255, 0, 3, -100])
def test_any_number_can_stand_for_ignored(ignore):
    labels = torch.tensor([1, ignore, 2])
    counts = confusion_counts(labels, torch.tensor([1, 2, 3]), 4, ignore_index=ignore)
    assert counts.nonzero().tolist() == [[1, 1], [2, 3], [4, 2]]


def test_no_pixels_give_zeros():
    counts = confusion_counts(torch.zeros(0, 4, 4, dtype=torch.uint8), torch.zeros(0, 4, 4, dtype=torch.int64), 3)
    assert counts.tolist() == [[0] * 3] * 4


@pytest.mark.parametrize(
    ("labels", "predicted", "message"),
    [
        ([0, 3], [0, 0], r"labels: expected 0\.\.2 or 255, got 0\.\.3"),
        ([0, -1], [0, 0], r"labels: expected 0\.\.2 or 255, got -1\.\.0"),
        ([0, 254], [0, 0], r"labels: expected 0\.\.2 or 255, got 0\.\.254"),
        ([0, 1], [0, 3], r"predicted: expected 0\.\.2, got 0\.\.3"),
        ([0, 1], [255, 0], r"predicted: expected 0\.\.2, got 0\.\.255"),
        ([2, 1], [-1, 0], r"predicted: expected 0\.\.2, got -1\.\.0"),
        ([0, 1, 2], [0, 1], r"expected one shape, got labels \(3,\), predicted \(2,\)"),
        ([0.0, 1.0], [0, 1], r"labels: expected integers, got torch\.float32"),
        ([0, 1], [False, True], r"predicted: expected integers, got torch\.bool"),
    ],
)
def test_what_is_no_class_raises(labels, predicted, message):
    with pytest.raises(ValueError, match=message):
        confusion_counts(torch.tensor(labels), torch.tensor(predicted), 3)


def test_the_host_never_waits_for_the_device():
    """On tensors without values, whatever brings a value to the host raises: ``item``, ``bincount``, ``bool``."""
    with FakeTensorMode():
        labels = torch.zeros(2, 4, 5, dtype=torch.uint8, device="cuda")
        counts = confusion_counts(labels, torch.zeros(2, 4, 5, dtype=torch.int64, device="cuda"), 7)
    assert (counts.shape, counts.dtype, counts.device.type) == ((8, 7), torch.int64, "cuda")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_gives_what_the_cpu_gives_without_a_wait():
    labels, predicted = pair(size=(3, 50, 70))
    on_cuda = labels.cuda(), predicted.cuda()
    torch.cuda.set_sync_debug_mode("error")
    try:
        counts = confusion_counts(*on_cuda, 5)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    torch.testing.assert_close(counts.cpu(), confusion_counts(labels, predicted, 5))
