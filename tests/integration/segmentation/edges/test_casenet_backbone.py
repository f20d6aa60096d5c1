"""CASENet's backbone is the host's residual network but for its strides, at any size."""

import pytest
import torch
from mmseg.models.backbones import ResNet

from noisyseg.integration.segmentation.edges import CASENetResNet

NARROW = dict(stem_channels=4, base_channels=4, norm_cfg=dict(type="BN"))


def halved(size, times):
    for _ in range(times):
        size = tuple(-(-side // 2) for side in size)
    return size


@pytest.mark.parametrize("size", [(64, 64), (31, 45), (33, 16), (1, 7)])
@pytest.mark.parametrize(
    "settings", [{}, {"deep_stem": True}, {"stem_stride": 2}, {"out_indices": (0, 1, 2, 3)}], ids=str
)
def test_sizes_and_channels(size, settings):
    model = CASENetResNet(18, **NARROW, **settings).eval()
    maps = model(torch.randn(1, 3, *size))
    first = settings.get("stem_stride", 1) - 1
    stages = settings.get("out_indices", (0, 1, 3))
    halvings = [0, *(min(1 + index, 3) for index in stages)]
    assert [tuple(found.shape[-2:]) for found in maps] == [halved(size, first + times) for times in halvings]
    assert [found.shape[1] for found in maps] == [4, *(4 * 2**index for index in stages)]


def test_strides_and_dilations_are_those_of_the_paper():
    model = CASENetResNet(101)
    assert model.conv1.stride == (1, 1)
    assert model.maxpool.stride == 2
    strides = [getattr(model, name)[0].conv2.stride for name in model.res_layers]
    assert strides == [(1, 1), (2, 2), (2, 2), (1, 1)]
    dilations = [{block.conv2.dilation for block in getattr(model, name)} for name in model.res_layers]
    assert dilations == [{(2, 2)}, {(2, 2)}, {(2, 2)}, {(4, 4)}]


def test_weights_of_the_host_load_and_with_its_strides_the_maps_are_the_hosts():
    host = ResNet(50, **NARROW)
    host.eval()
    ours = CASENetResNet(
        50, stem_stride=2, strides=(1, 2, 2, 2), dilations=(1, 1, 1, 1), out_indices=(0, 1, 2, 3), **NARROW
    ).eval()
    ours.load_state_dict(host.state_dict())
    CASENetResNet(50, **NARROW).load_state_dict(host.state_dict())
    inputs = torch.randn(1, 3, 65, 50)
    for expected, found in zip(host(inputs), ours(inputs)[1:], strict=True):
        torch.testing.assert_close(found, expected)


def test_frozen_batch_norm_stays_frozen():
    model = CASENetResNet(
        18, stem_channels=4, base_channels=4, norm_cfg=dict(type="BN", requires_grad=False), norm_eval=True
    )
    model.train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    sum(found.sum() for found in model(torch.randn(2, 3, 16, 16))).backward()
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert model.conv1.weight.grad is not None
    assert model.norm1.weight.grad is None


def test_the_mode_is_set_and_the_network_returned():
    model = CASENetResNet(18, **NARROW)
    assert model.eval() is model.train() is model
    assert model.norm1.training
    assert not model.eval().norm1.training


def test_other_strides_of_the_stem_are_refused():
    with pytest.raises(ValueError, match="stem_stride: expected 1 or 2, not 4"):
        CASENetResNet(18, stem_stride=4)
