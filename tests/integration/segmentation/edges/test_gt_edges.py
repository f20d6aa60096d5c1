"""Edge labels of samples become targets; what is padded or ignored is not valid, and what is missing is named."""

import pytest
import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from skimage.morphology import dilation as dilated
from skimage.morphology import disk

from noisyseg.integration.segmentation.edges import edge_targets
from noisyseg.labels import LabelError

IGNORED = -(2**31)


def sample(bits, **fields):
    data = PixelData(data=torch.as_tensor(bits, dtype=torch.int32)[None])
    return SegDataSample(gt_edge_bits=data, metainfo={"img_path": "street/7.png"}, **fields)


def test_each_bit_is_a_class():
    targets, valid = edge_targets([sample([[0, 1], [6, IGNORED]])], (2, 2), 3, "cpu")
    assert targets.dtype == valid.dtype == torch.bool
    assert targets[0].int().tolist() == [[[0, 1], [0, 0]], [[0, 0], [1, 0]], [[0, 0], [1, 0]]]
    assert valid[0, 0].int().tolist() == [[1, 1], [1, 0]]


def test_all_31_classes():
    bits = torch.tensor([2**k for k in range(31)] + [2**31 - 1, IGNORED]).int()
    targets, valid = edge_targets([sample(bits[None])], (1, 33), 31, "cpu")
    assert torch.equal(targets[0, :, 0, :31], torch.eye(31, dtype=torch.bool))
    assert targets[0, :, 0, 31].all()
    assert valid[0, 0, 0].tolist() == [True] * 32 + [False]


def test_an_ignored_pixel_is_on_no_edge_whatever_its_bits():
    targets, valid = edge_targets([sample([[IGNORED + 3, 3]])], (1, 2), 2, "cpu")
    assert targets[0, :, 0].tolist() == [[False, True]] * 2
    assert valid[0, 0, 0].tolist() == [False, True]


def test_padding_behind_the_borders_is_ignored():
    small, large = sample(torch.ones(2, 3)), sample(torch.ones(4, 5))
    targets, valid = edge_targets([small, large], (4, 5), 1, "cpu")
    assert targets.shape == valid.shape == (2, 1, 4, 5)
    expected = torch.zeros(4, 5, dtype=torch.bool)
    expected[:2, :3] = True
    assert torch.equal(valid[0, 0], expected)
    assert torch.equal(targets[0, 0], expected)
    assert valid[1].all()


@pytest.mark.parametrize("radius", [1, 2, 3])
def test_dilation_is_that_of_a_disk(radius):
    bits = (torch.rand(12, 15, generator=torch.Generator().manual_seed(0)) < 0.05).int() * 2
    bits[0, 0] = bits[6, 3] = IGNORED
    targets, valid = edge_targets([sample(bits)], (12, 15), 2, "cpu", dilation=radius)
    expected = dilated((bits == 2).numpy(), disk(radius)) & (bits >= 0).numpy()
    assert targets[0, 1].numpy().tolist() == expected.tolist()
    assert not targets[0, 0].any()
    assert torch.equal(valid[0, 0], bits >= 0)


def test_a_sample_without_edges_is_named():
    without = SegDataSample(metainfo={"img_path": "street/8.png"})
    with pytest.raises(LabelError, match=r"street/8.png: expected gt_edge_bits"):
        edge_targets([sample(torch.zeros(2, 2)), without], (2, 2), 1, "cpu")


@pytest.mark.parametrize(
    ("bits", "message"),
    [
        (torch.zeros(1, 2, 2, dtype=torch.uint8), r"street/7.png: gt_edge_bits: expected \(1, H, W\) int32"),
        (torch.zeros(2, 2, 2, dtype=torch.int32), r"got \(2, 2, 2\) of torch.int32"),
        (torch.zeros(1, 2, 3, dtype=torch.int32), r"at most the size \(2, 2\) of the input, got \(2, 3\)"),
    ],
)
def test_labels_of_another_kind_are_named(bits, message):
    wrong = SegDataSample(gt_edge_bits=PixelData(data=bits), metainfo={"img_path": "street/7.png"})
    with pytest.raises(LabelError, match=message):
        edge_targets([wrong], (2, 2), 1, "cpu")


def test_classes_beyond_those_of_the_model_are_not_dropped():
    with pytest.raises(ValueError, match=r"street/7.png: .* classes 0..2, got the bits \[3, 30\]"):
        edge_targets([sample([[1, 4]]), sample([[1, 2**30 + 8]])], (1, 2), 3, "cpu")
