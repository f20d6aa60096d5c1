import copy

import pytest

pytest.importorskip("mmseg")

import numpy as np
import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from noisyseg.labels import LabelError
from noisyseg.registry import MODELS

DETECTOR = dict(
    type="noisyseg.EdgeDetector",
    data_preprocessor=dict(type="mmseg.SegDataPreProcessor", mean=[0.0] * 3, std=[255.0] * 3),
    backbone=dict(
        type="noisyseg.CASENetResNet",
        depth=18,
        deep_stem=True,
        stem_channels=4,
        base_channels=4,
        norm_cfg=dict(type="mmengine.BN"),
    ),
    decode_head=dict(type="noisyseg.CASENetHead", in_channels=[4, 4, 8, 32], num_classes=2),
)


def build(stage=None, seed=0, detector=None, shift=None, **settings):
    torch.manual_seed(seed)
    model = MODELS.build(
        dict(
            type="noisyseg.PNTEdge",
            detector={**copy.deepcopy(DETECTOR), **(detector or {})},
            shift=dict(type="noisyseg.PixelShiftField", channels=4, **(shift or {})),
            stage=stage,
            **settings,
        )
    )
    model.init_weights()
    return model.train()


def unsettle(model):
    """Lets the field be anything but zero, and the detector be confident of some edges."""
    torch.manual_seed(1)
    torch.nn.init.normal_(model.shift.shift.weight)
    for side in model.detector.decode_head.sides:
        torch.nn.init.normal_(side.weight, std=0.5)
    return model


@pytest.fixture
def batch():
    """Two images of 30 x 31 pixels with the edges of two classes, and the edges of the images."""
    rng = np.random.default_rng(0)
    inputs = torch.from_numpy(rng.random((2, 3, 30, 31), np.float32))
    samples = []
    for index in range(2):
        bits = np.zeros((30, 31), np.int32)
        bits[5 + index : 25, 10] |= 1
        bits[12, 4:28] |= 2
        bits[28:] = -(2**31)
        sample = SegDataSample(gt_edge_bits=PixelData(data=torch.from_numpy(bits[None])))
        edges = (rng.random((1, 30, 31)) < 0.1).astype(np.uint8)
        sample.set_data({"gt_image_edges": PixelData(data=torch.from_numpy(edges))})
        samples.append(sample)
    return inputs, samples


def total(losses):
    return sum(value for name, value in losses.items() if "loss" in name)


def learned(model, part):
    return [p for p in getattr(model, part).parameters() if p.grad is not None and p.grad.any()]


@pytest.mark.parametrize(
    ("stage", "learns", "rests"),
    [("warmup", "detector", "shift"), ("shift", "shift", "detector"), ("edge", "detector", "shift")],
)
def test_one_part_learns_in_each_stage(batch, stage, learns, rests):
    model = unsettle(build(stage))
    before = copy.deepcopy(model.state_dict())
    losses = model.loss(*batch)
    total(losses).backward()
    assert len(learned(model, learns)) > 5
    assert all(parameter.grad is None for parameter in getattr(model, rests).parameters())
    after = model.state_dict()
    moved = {name.partition(".")[0] for name in after if not torch.equal(after[name], before[name])}
    assert moved == ({learns} if stage != "edge" else set())  # running statistics


def test_stages_follow_each_other(batch):
    model = unsettle(build())
    parts = dict(warmup={"detector"}, shift={"shift"}, edge={"detector"}, joint={"detector", "shift"})
    for stage in ("warmup", "shift", "edge", "joint", "shift", "joint", "warmup"):
        model.set_stage(stage)
        total(model.loss(*batch)).backward()
        learning = {name.partition(".")[0] for name, p in model.named_parameters() if p.grad is not None}
        assert learning == parts[stage]


def test_a_joint_step_is_a_step_of_the_field_and_one_of_the_edges(batch):
    """Neither part feels the loss of the other one."""
    model = unsettle(build(smoothness_weight=0.5))
    gradients, losses = {}, {}
    for stage in ("shift", "edge", "joint"):
        model.set_stage(stage)
        model.zero_grad()
        model.eval()
        losses[stage] = model.loss(*batch)
        total(losses[stage]).backward()
        gradients[stage] = {k: p.grad.clone() for k, p in model.named_parameters() if p.grad is not None}
    apart = gradients["shift"] | gradients["edge"]
    assert gradients["joint"].keys() == apart.keys()
    for name, gradient in gradients["joint"].items():
        assert torch.allclose(gradient, apart[name], rtol=1e-4, atol=1e-8), name
    assert losses["joint"].keys() == (losses["shift"] | losses["edge"]).keys()
    for name, value in (losses["shift"] | losses["edge"]).items():
        assert losses["joint"][name].item() == pytest.approx(value.item()), name


def test_labels_in_a_band_are_drawn_to_its_crest(batch, monkeypatch):
    inputs, samples = batch
    columns = torch.arange(31.0)
    # Both classes see their edges two columns beside the label of the first, in a band that holds the labels.
    band = (3 - 0.2 * (columns - 12).square()).expand(2, 2, 30, 31)
    losses = {}
    for target in ("nearest", "aligned"):
        model = build("shift", target=target, target_weight=1.0)
        monkeypatch.setattr(model.detector, "edge_logits", lambda _: [band])
        losses[target] = model.loss(inputs, samples)["loss_target"]
    labels = sum(int(((sample.gt_edge_bits.data > 0) & (sample.gt_edge_bits.data & 1 > 0)).sum()) for sample in samples)
    assert losses["nearest"] < losses["aligned"]
    assert losses["aligned"] * (2 * 2 * 28 * 31) >= 4 * 0.8 * labels  # the first class moves by two columns
    assert losses["aligned"].requires_grad


def test_what_a_config_freezes_stays_frozen(batch):
    backbone = {**DETECTOR["backbone"], "frozen_stages": 1}
    model = build("warmup", detector=dict(backbone=backbone))
    model.set_stage("edge")
    model.train()
    total(model.loss(*batch)).backward()
    assert model.detector.backbone.stem[0].weight.grad is None
    assert model.detector.backbone.layer3[0].conv1.weight.grad is not None


def test_without_a_shift_the_edge_stage_is_the_warm_up(batch):
    model = build("edge")
    edge = model.loss(*batch)
    with torch.no_grad():
        warmup = model.detector.loss(*batch)
    assert {name: edge[name].item() for name in warmup} == pytest.approx({k: v.item() for k, v in warmup.items()}, 1e-4)
    assert all(value == 0 for name, value in edge.items() if "unreached" in name)


def swapped(samples):
    """Returns the samples with their two classes exchanged."""
    samples = copy.deepcopy(samples)
    for sample in samples:
        bits = sample.gt_edge_bits.data
        sample.gt_edge_bits.data = (bits & -(2**31)) | ((bits & 1) << 1) | ((bits >> 1) & 1)
    return samples


@pytest.mark.parametrize("stage", ["shift", "edge", "joint"])
def test_the_order_of_classes_does_not_matter(batch, stage):
    inputs, samples = batch
    model = unsettle(build(stage)).eval()
    before = model.loss(inputs, samples)
    head = model.detector.decode_head
    with torch.no_grad():
        for tensor in (head.sides[-1].weight, head.sides[-1].bias, head.fusion_weight, head.fusion_bias):
            tensor.copy_(tensor.flip(0))
        first = model.shift.full[0][0].weight
        first[:, 3:] = first[:, [4, 3, 6, 5]]
    after = model.loss(inputs, swapped(samples))
    assert {k: v.item() for k, v in after.items()} == pytest.approx({k: v.item() for k, v in before.items()}, rel=1e-4)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("stage", ["shift", "edge", "joint"])
def test_two_images_are_the_mean_of_each(batch, stage, reduction):
    inputs, samples = batch
    model = unsettle(build(stage, detector=dict(edge_loss=dict(type="noisyseg.EdgeCrossEntropy", reduction=reduction))))
    model.eval()
    inputs[0] *= 0.3  # each image is normalised by itself
    samples[1].gt_edge_bits.data[:] = 1
    samples[0].gt_edge_bits.data[samples[0].gt_edge_bits.data < 0] = 0
    both = model.loss(inputs, samples)
    alone = [model.loss(inputs[i : i + 1], samples[i : i + 1]) for i in range(2)]
    for name in (name for name in both if "loss" in name):
        mean = (alone[0][name] + alone[1][name]) / 2
        assert both[name].item() == pytest.approx(mean.item(), rel=1e-3, abs=1e-6), name


def test_sums_are_the_means_times_pixels_and_classes(batch):
    model = unsettle(build("shift")).eval()
    for sample in batch[1]:
        sample.gt_edge_bits.data.clamp_(min=0)
    mean = model.loss(*batch)
    model.detector.edge_loss.reduction = "sum"
    ratios = {name: (value / mean[name]).item() for name, value in model.loss(*batch).items() if "loss" in name}
    assert ratios == pytest.approx(dict.fromkeys(ratios, 2 * 30 * 31), rel=1e-4)
    assert len(ratios) == 3


def test_ignored_pixels_have_no_gradient(batch, monkeypatch):
    inputs, samples = batch
    model = unsettle(build("edge")).eval()
    with torch.no_grad():
        outputs = model.detector.edge_logits(inputs)
    for output in outputs:
        output.requires_grad_()
    monkeypatch.setattr(model.detector, "edge_logits", lambda inputs: outputs)
    field = torch.full((2, 2, 30, 31), 0.2, requires_grad=True)
    monkeypatch.setattr(model.shift, "forward", lambda image, confident, labels: field)
    total(model.loss(inputs, samples)).backward()
    for output in outputs:
        assert not output.grad[..., 28:, :].any()
        assert output.grad[..., :27, :].all()
    model.set_stage("shift")
    total(model.loss(inputs, samples)).backward()
    assert not field.grad[..., 28:, :].any()
    assert field.grad[..., :26, :].any()


def test_a_batch_without_labels_or_confidence_is_no_problem(batch):
    inputs, samples = batch
    for sample in samples:
        sample.gt_edge_bits.data[:] = 0
    model = build("shift", threshold=0.999)
    losses = model.loss(inputs, samples)
    total(losses).backward()
    assert losses["unsure_images"] == 1
    assert losses["loss_target"] == losses["loss_complexity"] == 0
    assert all(p.grad.isfinite().all() for p in model.shift.parameters() if p.grad is not None)


def test_half_precision_leaves_coordinates_alone(batch, monkeypatch):
    from noisyseg.transitions import shift_terms

    types = []
    real = shift_terms.warp
    monkeypatch.setattr(
        shift_terms, "warp", lambda values, field, *rest: types.append(field.dtype) or real(values, field, *rest)
    )
    for stage in ("shift", "edge", "joint"):
        model = unsettle(build(stage))
        exact = total(model.loss(*batch))
        with torch.autocast("cpu", dtype=torch.bfloat16):
            losses = model.loss(*batch)
            assert model.detector.extract_feat(batch[0])[-1].dtype == torch.bfloat16
        total(losses).backward()
        assert total(losses).item() == pytest.approx(exact.item(), rel=0.1)
    assert set(types) == {torch.float32}


def test_predicts_like_its_detector(batch):
    model = build("edge").eval()
    own = model.predict(*batch)[0].edge_prob.data
    assert torch.equal(own, model.detector.predict(*batch)[0].edge_prob.data)
    assert own.shape == (2, 30, 31)
    labels = torch.zeros(2, 2, 30, 31, dtype=torch.bool)
    assert model.predict_shift(batch[0], labels).shape == (2, 2, 30, 31)


def test_a_field_leaves_the_first_weights_of_the_detector_alone():
    torch.manual_seed(0)
    plain = MODELS.build(copy.deepcopy(DETECTOR))
    plain.init_weights()
    expected = plain.state_dict()
    for name, value in build().detector.state_dict().items():
        assert torch.equal(value, expected[name]), name


def test_in_the_joint_stage_both_parts_compute_as_in_training(batch):
    model = unsettle(build("joint"))
    before = copy.deepcopy(model.state_dict())
    model.loss(*batch)
    moved = {
        name.partition(".")[0] for name, value in model.state_dict().items() if not torch.equal(value, before[name])
    }
    assert moved == {"detector", "shift"}


def test_what_reads_a_repeated_border_reaches_it(batch, monkeypatch):
    model = build("edge", padding="border")
    outward = torch.zeros(2, 2, 30, 31)
    outward[:, 0, :4] = -4.0  # rows 0 to 3 read the first row or what lies above it
    monkeypatch.setattr(model.shift, "forward", lambda image, confident, labels: outward)
    reached = []
    monkeypatch.setattr(
        "noisyseg.integration.segmentation.edges.pnt_edge.unreached_sum",
        lambda logits, reach, valid: reached.append(reach) or logits.sum() * 0,
    )
    model.loss(*batch)
    assert reached[0][:, 0, 0].all()
    assert not reached[0][:, 0, 1:4].any()


def test_the_state_of_a_plain_detector_loads():
    torch.manual_seed(3)
    plain = MODELS.build({**copy.deepcopy(DETECTOR)})
    model = build()
    missing, unexpected = model.load_state_dict(plain.state_dict(), strict=False)
    assert unexpected == []
    assert all(name.startswith("shift.") for name in missing)
    assert torch.equal(model.detector.decode_head.sides[0].weight, plain.decode_head.sides[0].weight)
    model.load_state_dict(build(seed=5).state_dict())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (dict(stage="both"), "stage: expected one of warmup, shift, edge, joint"),
        (dict(confidence="sure"), "confidence: expected one of mask, probability"),
        (dict(target="far"), "target: expected one of nearest, aligned"),
        (dict(threshold=0), "threshold: expected a probability"),
        (dict(target_weight=-1), "target_weight: expected a finite number"),
        (dict(smoothness_weight=float("inf")), "smoothness_weight: expected a finite number"),
        (dict(limit=0), "limit: expected pixels > 0"),
        (dict(window=4), "window: expected an odd number"),
        (dict(padding="reflect"), "padding: expected one of zeros, border"),
        (dict(shift=dict(num_classes=3)), "expected the detector's 2 classes, got 3"),
        (dict(detector=dict(edge_loss=dict(type="mmengine.L1Loss"))), "is not in"),
    ],
)
def test_wrong_settings_say_what_was_expected(settings, message):
    with pytest.raises((ValueError, KeyError), match=message):
        build(**settings)


def test_what_is_missing_is_named(batch):
    inputs, samples = batch
    with pytest.raises(ValueError, match="no stage"):
        build().loss(inputs, samples)
    del samples[1].gt_image_edges
    samples[1].set_metainfo(dict(img_path="b.png"))
    with pytest.raises(LabelError, match=r"b\.png.*gt_image_edges"):
        build("shift").loss(inputs, samples)
    assert "loss_complexity" not in build("shift", complexity_weight=0).loss(inputs, samples)
