"""The heads: a grouped convolution written by hand, equal weights at first, and no class before another."""

import pytest
import torch
import torch.nn.functional as F

from noisyseg.integration.segmentation.edges import CASENetHead, SideEdgeHead
from noisyseg.ops.upsampling import upsample_strided

CHANNELS = (3, 4, 5, 6)
HEADS = [CASENetHead, SideEdgeHead]
every_head = pytest.mark.parametrize("head", HEADS)


def features(size=(17, 22), channels=CHANNELS, dtype=torch.float32):
    generator = torch.Generator().manual_seed(0)
    sizes = [tuple(-(-side // stride) for side in size) for stride in (1, 2, 4, 4)]
    return [torch.randn(2, c, *s, generator=generator, dtype=dtype) for c, s in zip(channels, sizes, strict=True)]


def build(head, num_classes=3, **settings):
    torch.manual_seed(0)
    return head(CHANNELS, num_classes, **settings)


@every_head
@pytest.mark.parametrize("num_classes", [1, 3, 20])
@pytest.mark.parametrize("size", [(16, 16), (17, 22), (5, 1)])
def test_shapes(head, num_classes, size):
    outputs = build(head, num_classes)(features(size))
    assert len(outputs) == (2 if head is CASENetHead else 5)
    assert {tuple(output.shape) for output in outputs} == {(2, num_classes, *size)}


@every_head
def test_the_fused_map_is_the_mean_of_the_sides_at_first(head):
    module, maps = build(head), features()
    sides = [upsample_strided(side(one), (17, 22)) for side, one in zip(module.sides, maps, strict=True)]
    torch.testing.assert_close(module(maps)[-1], sum(side.expand(2, 3, 17, 22) for side in sides) / 4)


def test_the_fusion_is_a_grouped_convolution():
    module, maps = build(CASENetHead), features()
    with torch.no_grad():
        module.fusion_weight.normal_()
        module.fusion_bias.normal_()
    fine = torch.cat([upsample_strided(module.sides[i](maps[i]), (17, 22)) for i in range(3)], 1)
    last, fused = module(maps)
    torch.testing.assert_close(last, upsample_strided(module.sides[3](maps[3]), (17, 22)))
    grouped = torch.cat([torch.cat([fine, last[:, k : k + 1]], 1) for k in range(3)], 1)
    expected = F.conv2d(grouped, module.fusion_weight.view(3, 4, 1, 1), module.fusion_bias, groups=3)
    torch.testing.assert_close(fused, expected)


@every_head
def test_classes_may_change_places(head):
    module, maps = build(head), features()
    with torch.no_grad():
        module.fusion_weight.normal_()
        module.fusion_bias.normal_()
    before = module(maps)
    order = torch.tensor([2, 0, 1])
    state = module.state_dict()
    module.load_state_dict({name: value[order] if len(value) == 3 else value for name, value in state.items()})
    for changed, first in zip(module(maps), before, strict=True):
        torch.testing.assert_close(changed, first[:, order])


@every_head
def test_features_are_chosen_by_their_index(head):
    maps = features()
    chosen = head([3, 6], 2, in_index=[0, 3])
    expected = head([3, 6], 2)
    expected.load_state_dict(chosen.state_dict())
    torch.testing.assert_close(chosen(maps), expected([maps[0], maps[3]]))


@every_head
def test_the_first_weights_of_the_sides_follow_the_config(head):
    module = build(head, init_cfg=dict(type="Constant", layer="Conv2d", val=0, bias=-2))
    module.init_weights()
    assert all((output == -2).all() for output in module(features()))


@every_head
def test_every_weight_learns(head):
    module = build(head)
    sum(output.square().sum() for output in module(features())).backward()
    assert all((weight.grad != 0).any() for weight in module.parameters())


@every_head
def test_autocast_to_half_precision_is_finite(head):
    with torch.autocast("cpu", torch.bfloat16):
        outputs = build(head)(features())
    assert all(output.isfinite().all() for output in outputs)


def test_wrong_settings():
    with pytest.raises(ValueError, match="num_classes: expected a whole number >= 1, not 0"):
        SideEdgeHead([3], 0)
    with pytest.raises(ValueError, match="two features or more"):
        CASENetHead([3], 1)
    with pytest.raises(ValueError, match="in_index: expected one for each of in_channels"):
        SideEdgeHead([3, 4], 1, in_index=[0])
    with pytest.raises(ValueError, match="expected 4 maps, as in_channels says, got 3"):
        build(CASENetHead)(features()[:3])
