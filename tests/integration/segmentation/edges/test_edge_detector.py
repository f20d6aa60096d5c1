"""The detector: any size in, the same size out, losses that leave out what is ignored, predictions as 8-bit numbers."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmengine.registry import init_default_scope
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from noisyseg.integration.segmentation.edges import EdgeDetector, edge_targets
from noisyseg.labels import LabelError
from noisyseg.ops import edge_bits
from noisyseg.registry import MODELS

CASENET = dict(type="noisyseg.CASENetHead", in_channels=[8, 8, 16, 64], num_classes=2)
SIDES = dict(type="noisyseg.SideEdgeHead", in_channels=[8, 8, 16, 64], num_classes=2)
OF_HOST = dict(
    type="mmseg.FCNHead",
    in_channels=64,
    in_index=3,
    channels=4,
    num_convs=1,
    num_classes=2,
    out_channels=2,
    threshold=0.5,
    loss_decode=dict(type="mmseg.CrossEntropyLoss", avg_non_ignore=True),
)
HEADS = {"casenet": CASENET, "sides": SIDES, "host": OF_HOST}
every_head = pytest.mark.parametrize("kind", HEADS)


def build(kind="casenet", num_classes=2, **settings):
    init_default_scope("mmseg")
    torch.manual_seed(0)
    backbone = dict(
        type="noisyseg.CASENetResNet",
        depth=18,
        deep_stem=True,
        stem_channels=8,
        base_channels=8,
        norm_cfg=dict(type="mmengine.BN"),
    )
    head = {**HEADS[kind], "num_classes": num_classes}
    preprocessor = dict(type="mmseg.SegDataPreProcessor", size_divisor=8, test_cfg=dict(size_divisor=8))
    model = MODELS.build(
        dict(
            type="noisyseg.EdgeDetector",
            backbone=backbone,
            decode_head=head,
            data_preprocessor=preprocessor,
            **settings,
        )
    )
    model.init_weights()
    return model.train()


def labelled(size, seed=0, **meta):
    generator = torch.Generator().manual_seed(seed)
    bits = torch.randint(0, 4, (1, *size), generator=generator, dtype=torch.int32)
    bits[:, :2] = -(2**31)
    meta = {"img_path": f"{seed}.png", "ori_shape": size, "img_shape": size} | meta
    return SegDataSample(gt_edge_bits=PixelData(data=bits), metainfo=meta)


def images(*size, seed=0):
    return torch.randn(size[0], 3, *size[1:], generator=torch.Generator().manual_seed(seed))


@every_head
@pytest.mark.parametrize("size", [(32, 32), (33, 47), (40, 17), (9, 30)])
def test_logits_have_the_size_of_the_input(kind, size):
    outputs = build(kind).eval().edge_logits(images(2, *size))
    assert len(outputs) == {"casenet": 2, "sides": 5, "host": 1}[kind]
    assert {tuple(output.shape) for output in outputs} == {(2, 2, *size)}


def test_with_a_strided_stem_too():
    model = build()
    model.backbone.stem[0].stride = (2, 2)
    assert [tuple(output.shape) for output in model.edge_logits(images(2, 35, 50))] == [(2, 2, 35, 50)] * 2


@every_head
def test_losses_are_those_of_the_outputs(kind):
    model = build(kind, side_weight=0.5).eval()
    inputs, samples = images(2, 24, 31), [labelled((24, 31), seed) for seed in range(2)]
    losses = model(inputs, samples, mode="loss")
    targets, valid = edge_targets(samples, (24, 31), 2, "cpu")
    known = valid.expand_as(targets)
    *sides, fused = (
        F.binary_cross_entropy_with_logits(output[known], targets[known].float())
        for output in model.edge_logits(inputs)
    )
    torch.testing.assert_close(losses.pop("loss_fused"), fused)
    assert list(losses) == [f"loss_side{index}" for index in range(len(sides))]
    torch.testing.assert_close(list(losses.values()), [0.5 * side for side in sides])


def test_labels_are_dilated_for_the_loss_alone():
    plain, dilated = build().eval(), build(dilation=2).eval()
    inputs, samples = images(1, 16, 16), [labelled((16, 16))]
    samples[0].gt_edge_bits.data &= torch.rand(1, 16, 16).lt(0.1).int() * -1
    thick = edge_targets(samples, (16, 16), 2, "cpu", dilation=2)
    losses = dilated.loss(inputs, samples)
    torch.testing.assert_close(losses["loss_fused"], plain.edge_loss(plain.edge_logits(inputs)[-1], *thick))
    assert losses["loss_fused"] != plain.loss(inputs, samples)["loss_fused"]


@every_head
def test_what_is_padded_has_no_say(kind):
    model = build(kind).eval()
    inputs = images(1, 24, 24)
    small = labelled((17, 20))
    inputs.requires_grad_()
    model.edge_logits(inputs)
    outputs = model.edge_logits(inputs)
    for output in outputs:
        output.retain_grad()
    targets, valid = edge_targets([small], (24, 24), 2, "cpu")
    sum(model.edge_loss(output, targets, valid) for output in outputs).backward()
    for output in outputs:
        assert (output.grad[..., 17:, :] == 0).all()
        assert (output.grad[..., 20:] == 0).all()
        assert (output.grad[..., :2, :] == 0).all()
        assert (output.grad[..., 2:17, :20] != 0).all()


@every_head
def test_a_batch_without_labels_moves_nothing(kind):
    model = build(kind)
    sample = labelled((16, 16))
    sample.gt_edge_bits.data.fill_(-(2**31))
    total = sum(model.loss(images(1, 16, 16), [sample]).values())
    total.backward()
    assert total == 0
    gradients = [weight.grad for weight in model.parameters() if weight.grad is not None]
    assert gradients
    assert all((gradient == 0).all() for gradient in gradients)


def test_a_sample_without_edges_is_named():
    without = SegDataSample(metainfo={"img_path": "street/8.png"})
    with pytest.raises(LabelError, match=r"street/8.png: expected gt_edge_bits"):
        build().loss(images(1, 16, 16), [without])


def test_the_preprocessor_pads_images_of_a_batch_and_labels_follow():
    model = build()
    data = {"inputs": [torch.zeros(3, 19, 30), torch.zeros(3, 24, 20)]}
    data["data_samples"] = [labelled((19, 30)), labelled((24, 20), 1)]
    batch = model.data_preprocessor(data, training=True)
    assert batch["inputs"].shape == (2, 3, 24, 32)
    losses = model(**batch, mode="loss")
    assert all(loss.isfinite() for loss in losses.values())


@every_head
def test_autocast_to_half_precision_is_finite(kind):
    model = build(kind)
    with torch.autocast("cpu", torch.bfloat16):
        losses = model.loss(images(2, 19, 30), [labelled((19, 30), seed) for seed in range(2)])
    total = sum(losses.values())
    total.backward()
    assert total.dtype == torch.float32
    assert total.isfinite()
    assert all(w.grad.isfinite().all() for w in model.parameters() if w.grad is not None)


@every_head
@torch.no_grad()
def test_predictions_are_rounded_and_without_padding(kind):
    model = build(kind).eval()
    samples = [labelled((19, 30), seed) for seed in range(2)]
    batch = model.data_preprocessor({"inputs": [torch.zeros(3, 19, 30) + i for i in range(2)], "data_samples": samples})
    assert batch["inputs"].shape == (2, 3, 24, 32)
    predicted = model(**batch, mode="predict")
    assert predicted[0] is batch["data_samples"][0]
    for sample, logits in zip(predicted, model.edge_logits(batch["inputs"])[-1], strict=True):
        found = sample.edge_prob.data
        assert found.dtype == torch.uint8
        exact = 255 / (1 + np.exp(-logits[:, :19, :30].double().numpy()))
        assert np.abs(found.numpy() - exact).max() <= 0.5001


@torch.no_grad()
def test_predictions_have_the_size_of_the_file():
    model = build().eval()
    sample = labelled((16, 16), ori_shape=(32, 24))
    found = model.predict(images(1, 16, 16), [sample])[0].edge_prob.data
    logits = model.edge_logits(images(1, 16, 16))[-1]
    expected = F.interpolate(logits, (32, 24), mode="bilinear").sigmoid()[0]
    assert found.shape == (2, 32, 24)
    torch.testing.assert_close(found / 255, expected, atol=0.5 / 255 + 1e-6, rtol=0)


@pytest.mark.parametrize(("direction", "axes"), [("horizontal", [2]), ("vertical", [1]), ("diagonal", [1, 2])])
@torch.no_grad()
def test_a_mirrored_image_is_mirrored_back(direction, axes):
    model = build().eval()
    plain = model.predict(images(1, 16, 20), [labelled((16, 20))])[0].edge_prob.data
    mirrored = labelled((16, 20), flip=True, flip_direction=direction)
    assert torch.equal(model.predict(images(1, 16, 20), [mirrored])[0].edge_prob.data, plain.flip(axes))
    with pytest.raises(ValueError, match="flip_direction: expected one of horizontal, vertical, diagonal, not 'left'"):
        model.predict(images(1, 16, 20), [labelled((16, 20), flip=True, flip_direction="left")])


@torch.no_grad()
def test_without_samples_predictions_have_the_size_of_the_input():
    model = build().eval()
    inputs = images(2, 18, 20)
    assert [tuple(sample.edge_prob.shape) for sample in model.predict(inputs)] == [(18, 20)] * 2
    fused = model.edge_logits(inputs)[-1]
    torch.testing.assert_close(model(inputs), fused)
    torch.testing.assert_close(model.encode_decode(inputs, []), fused)


@pytest.mark.parametrize("kind", ["casenet", "sides"])
def test_it_learns_one_small_image_by_heart(kind):
    model = build(kind, num_classes=1)
    labels = torch.zeros(1, 24, 24, dtype=torch.int64)
    labels[:, 4:12, 3:20], labels[:, 15:22, 8:18] = 1, 2
    colours = torch.tensor([[1.0, -1.0, 0.0], [-1.0, 1.0, 0.5], [0.0, 0.0, -1.0]])
    inputs = colours[labels].permute(0, 3, 1, 2)
    sample = SegDataSample(gt_edge_bits=PixelData(data=(edge_bits(labels, 3, 1) != 0).int()), metainfo={})
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.03)
    for _ in range(40):
        losses = model.loss(inputs, [sample])
        optimizer.zero_grad()
        sum(losses.values()).backward()
        optimizer.step()
    with torch.no_grad():
        found = model.edge_logits(inputs)[-1] > 0
    expected = edge_targets([sample], (24, 24), 1, "cpu")[0]
    assert (found & expected).sum() > 0.95 * (found | expected).sum()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (dict(dilation=-1), "dilation: expected a whole number >= 0, not -1"),
        (dict(dilation=1.5), "dilation: expected a whole number >= 0"),
        (dict(side_weight=-0.1), "side_weight: expected a number >= 0"),
    ],
)
def test_wrong_settings(settings, message):
    with pytest.raises(ValueError, match=message):
        build(**settings)


def test_a_neck_stands_between():
    head = dict(type="noisyseg.SideEdgeHead", in_channels=[8, 8], num_classes=1, in_index=[0, 1])
    neck = dict(type="mmseg.FPN", in_channels=[8, 8, 16, 64], out_channels=8, num_outs=4)
    model = build(neck=neck)
    wide = MODELS.build(
        dict(
            type="noisyseg.EdgeDetector",
            backbone=dict(type="noisyseg.CASENetResNet", depth=18, stem_channels=8, base_channels=8),
            neck=neck,
            decode_head=head,
        )
    )
    assert isinstance(model, EdgeDetector)
    assert [tuple(output.shape) for output in wide.edge_logits(images(1, 16, 16))] == [(1, 1, 16, 16)] * 3
