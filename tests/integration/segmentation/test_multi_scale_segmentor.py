"""Losses at several scales are those of the segmentor at each, and the tracker counts what the first one predicts."""

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.multiprocessing as mp
import torch.nn.functional as F
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.structures import PixelData
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.structures import SegDataSample
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from noisyseg.integration.segmentation import multi_scale_segmentor
from noisyseg.losses import multi_scale_consistency
from noisyseg.registry import MODELS

TINY = Path(__file__).resolve().parents[2] / "tiny_unet.py"
SCALES = (1.0, 0.75, 1.5)
FAR_APART = dict(type="Normal", std=1.0, override=dict(name="conv_seg"))  # logits that open the gate
KINDS = ("plain", "auxiliary", "cascade", "binary")


@MODELS.register_module(name="ReplayedBackbone")
class ReplayedBackbone(nn.Module):
    """Gives the features it was told to, one after the other."""

    def forward(self, inputs):
        return [self.features.pop(0)]


@MODELS.register_module(name="FeaturesAsLogits")
class FeaturesAsLogits(BaseDecodeHead):
    def forward(self, inputs):
        return self._transform_inputs(inputs)


@MODELS.register_module(name="ScaleProbe")
class ScaleProbe(nn.Module):
    """A loss that keeps what it was given."""

    loss_name = "loss_probe"

    def __init__(self):
        super().__init__()
        self.seen = []

    def context(self, seg_logits, batch_data_samples):
        return {"samples": batch_data_samples}

    def forward(self, pred, target, weight=None, *, ignore_index, image_weight=None, samples=None):
        self.seen.append((pred.detach(), weight, samples))
        return pred.square().mean()


def segmentor_of(kind="plain", **head):
    init_default_scope("mmseg")
    segmentor = Config.fromfile(TINY).model
    first = segmentor.decode_head
    first.update(dict(dropout_ratio=0.5, num_classes=3, init_cfg=FAR_APART) | head)
    if kind == "auxiliary":
        segmentor.auxiliary_head = [dict(first, in_index=0, in_channels=8, num_convs=1), dict(first)]
    if kind == "cascade":
        second = dict(first, type="OCRHead", ocr_channels=4)
        del second["num_convs"]
        segmentor.update(type="CascadeEncoderDecoder", num_stages=2, decode_head=[dict(first), second])
    if kind == "binary":
        first.update(
            num_classes=2, out_channels=1, threshold=0.5, loss_decode=dict(type="CrossEntropyLoss", use_sigmoid=True)
        )
    return segmentor


def build(kind="plain", head=None, **settings):
    torch.manual_seed(0)
    segmentor = segmentor_of(kind, **(head or {}))
    model = MODELS.build(dict(type="noisyseg.MultiScaleConsistency", segmentor=segmentor, **settings))
    model.init_weights()
    return model.train()


def build_plain(kind="plain", **head):
    torch.manual_seed(0)
    model = MODELS.build(segmentor_of(kind, **head))
    model.init_weights()
    return model.train()


def batch(classes=3, size=(32, 32), images=2, seed=0, **maps):
    """A padded batch with ignored labels; ``maps`` have the sizes of their images, one row and two columns less."""
    generator = torch.Generator().manual_seed(seed)
    samples = []
    for index in range(images):
        labels = torch.randint(0, classes, (1, *size), generator=generator)
        labels[:, :3] = labels[:, -1] = 255
        labels[..., -2:] = 255
        small = (size[0] - 1, size[1] - 2)
        fields = {name: torch.randint(0, classes, (1, *small), generator=generator).byte() for name in maps}
        for name in maps:
            fields[name][0, 0, :5] = 255
        samples.append(
            SegDataSample(
                gt_sem_seg=PixelData(data=labels),
                **{name: PixelData(data=pixels) for name, pixels in fields.items()},
                metainfo={"img_path": f"{index}.png", "img_shape": small, "ori_shape": size, "pad_shape": size},
            )
        )
    return torch.randn(images, 3, *size, generator=generator), samples


def losses_and_gradients(model, inputs, samples):
    torch.manual_seed(1)
    losses = model(inputs, samples, mode="loss")
    model.zero_grad()
    sum(value for name, value in losses.items() if "loss" in name).backward()
    return losses, {name: parameter.grad for name, parameter in model.named_parameters()}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("tracker", [None, {"compare": "current"}])
def test_one_scale_is_the_segmentor_bit_for_bit(kind, tracker):
    model, plain = build(kind, scales=(1.0,), weight=0, tracker=tracker), build_plain(kind)
    inputs, samples = batch(2 if kind == "binary" else 3)
    for _ in range(2):
        (ours, grads), (theirs, others) = (losses_and_gradients(one, inputs, samples) for one in (model, plain))
        assert list(ours) == list(theirs)
        assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
        assert list(grads) == ["segmentor." + name for name in others]
        assert all(torch.equal(grads["segmentor." + name], grad) for name, grad in others.items())
    state = model.state_dict()
    assert torch.equal(state.pop("scale_weights.numbers"), torch.ones(1))
    assert list(state) == ["segmentor." + name for name in plain.state_dict()]
    assert all(torch.equal(state["segmentor." + name], value) for name, value in plain.state_dict().items())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("average", ["sum", "mean"])
def test_several_scales_are_the_segmentor_at_each(kind, average):
    settings = dict(scales=SCALES, weight=0.5, threshold=0.4, average=average)
    model, plain = build(kind, head=dict(dropout_ratio=0), **settings), build_plain(kind, dropout_ratio=0)
    inputs, samples = batch(2 if kind == "binary" else 3)
    with torch.no_grad():
        model.scale_weights.numbers.copy_(torch.tensor([1.0, 0.5, 2.0]))
    losses, grads = losses_and_gradients(model, inputs, samples)
    weights = torch.tensor([1.0, 0.5, 2.0], requires_grad=True)
    heads = list(plain.decode_head) if kind == "cascade" else [plain.decode_head]
    expected, logits = {}, []
    for scale, weight in zip(SCALES, weights.softmax(0), strict=True):
        side = int(32 * scale)
        features = plain.extract_feat(F.interpolate(inputs, (side, side), mode="bilinear"))
        if kind == "auxiliary" and scale == 1:
            expected |= plain._auxiliary_head_forward_train(features, samples)
        z = None
        for stage, head in enumerate(heads):
            z = head(features) if z is None else head(features, z)
            name = f"decode_{stage}.loss_ce" if kind == "cascade" else "decode.loss_ce"
            found = head.loss_by_feat(weight * F.interpolate(z, (32, 32), mode="bilinear"), samples)
            share = found["loss_ce"] / (3 if average == "mean" else 1)
            expected[name] = expected[name] + share if name in expected else share
            if scale == 1:
                expected[name.replace("loss_ce", "acc_seg")] = found["acc_seg"]
        logits.append(F.interpolate(z, (32, 32), mode="bilinear"))
    valid = torch.stack([sample.gt_sem_seg.data[0] for sample in samples]) != 255
    held = multi_scale_consistency(logits, weights.softmax(0), valid, threshold=0.4)
    assert held > 0
    expected["loss_consistency"] = 0.5 * held / (3 if average == "mean" else 1)
    assert losses.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(losses[name], value)
    sum(value for name, value in expected.items() if "loss" in name).backward()
    torch.testing.assert_close(grads.pop("scale_weights.numbers"), weights.grad)
    for name, parameter in plain.named_parameters():
        torch.testing.assert_close(grads["segmentor." + name], parameter.grad, rtol=1e-3, atol=1e-6)


def test_the_released_cross_entropy(golden_dir):
    golden = np.load(golden_dir / "adele_consistency.npz")
    init_default_scope("mmseg")
    head = dict(type="FeaturesAsLogits", in_channels=4, channels=4, num_classes=4, in_index=0)
    segmentor = dict(
        type="EncoderDecoder",
        backbone=dict(type="noisyseg.ReplayedBackbone"),
        decode_head=dict(head, type="noisyseg.FeaturesAsLogits", loss_decode=dict(type="CrossEntropyLoss")),
        data_preprocessor=dict(type="SegDataPreProcessor", size_divisor=1),
    )
    model = MODELS.build(dict(type="noisyseg.MultiScaleConsistency", segmentor=segmentor, weight=0))
    for logits, numbers, labels, expected in zip(
        *(golden[name] for name in ("logits", "weight", "labels", "voc_ce")), strict=True
    ):
        model.segmentor.backbone.features = list(torch.tensor(logits))
        with torch.no_grad():
            model.scale_weights.numbers.copy_(torch.tensor(numbers))
        samples = [SegDataSample(gt_sem_seg=PixelData(data=torch.tensor(y[None]))) for y in labels]
        losses = model(torch.zeros(2, 3, 12, 10), samples, mode="loss")
        assert losses["decode.loss_ce"].item() == pytest.approx(expected, abs=1e-5)
        assert "loss_consistency" not in losses


def test_the_state_and_the_first_weights_are_those_of_a_plain_segmentor():
    model, plain = build(), build_plain()
    for name, value in plain.state_dict().items():
        assert torch.equal(model.segmentor.state_dict()[name], value)
    changed = {name: value + 1 for name, value in plain.state_dict().items()}
    assert model.load_state_dict(changed, strict=False) == (["scale_weights.numbers"], [])
    for name, value in model.segmentor.state_dict().items():
        assert torch.equal(value, changed[name])
    other = build()
    other.load_state_dict(model.state_dict())
    assert torch.equal(other.segmentor.decode_head.conv_seg.bias, changed["decode_head.conv_seg.bias"])


def test_weights_that_are_not_learned_are_no_parameters():
    model = build(learn_weights=False)
    assert all(name.startswith("segmentor.") for name, _ in model.named_parameters())
    assert "scale_weights.numbers" in model.state_dict()


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, [(32, 48), (22, 34), (48, 72)]),
        ({"size_divisor": 4}, [(32, 48), (24, 32), (48, 72)]),
        ({"size_divisor": 32}, [(32, 48), (32, 32), (64, 64)]),
    ],
)
def test_resized_inputs_have_sides_that_the_network_takes(settings, expected):
    model = build(scales=(1.0, 0.7, 1.5), tracker={"compare": "current"}, **settings)
    seen = []
    model.segmentor.backbone.register_forward_pre_hook(lambda _, inputs: seen.append(tuple(inputs[0].shape[2:])))
    model(*batch(size=(32, 48)), mode="loss")
    assert seen == expected
    segmentor = segmentor_of()
    segmentor.data_preprocessor = dict(type="SegDataPreProcessor", size_divisor=8)
    assert MODELS.build(dict(type="noisyseg.MultiScaleConsistency", segmentor=segmentor)).size_divisor == 8


def test_every_loss_sees_weighted_logits_with_pixel_weights_and_samples():
    head = dict(type="noisyseg.NoiseAwareHead", head="mmseg.FCNHead", expects=["pixel"])
    head["loss_decode"] = dict(type="noisyseg.ScaleProbe")
    model = build(head=dict(head, dropout_ratio=0), scales=SCALES)
    inputs, samples = batch(gt_weight_map=True)
    with torch.no_grad():
        model.scale_weights.numbers.copy_(torch.tensor([0.0, 0.0, 500.0]))
    model(inputs, samples, mode="loss")
    seen = model.segmentor.decode_head.loss_decode.seen
    assert [pred.shape for pred, _, _ in seen] == [(2, 3, 32, 32)] * 3
    assert (seen[0][0] == 0).all()
    assert (seen[2][0] != 0).any()
    assert all(torch.equal(weight, seen[0][1]) and given is samples for _, weight, given in seen)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scales", [(1.0,), SCALES])
def test_the_tracker_counts_what_the_first_scale_predicts(kind, scales):
    K = 2 if kind == "binary" else 3
    settings = dict(scales=scales, weight=len(scales) - 1, tracker={"clean": True})
    model = build(kind, head=dict(dropout_ratio=0), **settings)
    inputs, samples = batch(K, gt_given_map=True, gt_clean_map=True)
    twin = copy.deepcopy(model.segmentor)
    for _ in range(2):  # two batches of an accumulated gradient
        model(inputs, samples, mode="loss")
    model.tracker.close_window(0.5)
    ((centre, counts, clean_counts, fates),) = model.tracker.drain()
    logits = F.interpolate(twin(inputs, mode="tensor"), (32, 32), mode="bilinear")
    predicted = (logits[:, 0] > 0) if kind == "binary" else logits.argmax(1)
    maps = {}
    for name, found in (("gt_given_map", counts), ("gt_clean_map", clean_counts)):
        maps[name] = torch.stack([F.pad(getattr(s, name).data[0], (0, 2, 0, 1), value=255) for s in samples])
        for row, label in enumerate([*range(K), 255]):
            for c in range(K):
                assert found[row, c] == 2 * ((maps[name] == label) & (predicted == c)).sum().item()
    given, clean = maps.values()
    wrong = (given != 255) & (clean != 255) & (given != clean)
    assert fates.sum() == 2 * wrong.sum().item()
    assert fates[:, 0].sum() == 2 * (wrong & (predicted == clean)).sum().item()
    assert fates[:, 1].sum() == 2 * (wrong & (predicted == given)).sum().item()
    assert centre == 0.5
    assert counts.sum() == 2 * 2 * 32 * 32


@pytest.mark.parametrize("loss", ["plain", "several", "sampled"])
def test_counting_at_one_scale_resizes_nothing_again(monkeypatch, loss):
    one = dict(type="CrossEntropyLoss", loss_name="loss_a")
    head = {
        "plain": {},
        "several": dict(loss_decode=[one, dict(one, loss_name="loss_b")]),
        "sampled": dict(sampler=dict(type="OHEMPixelSampler", min_kept=9)),
    }[loss]
    inputs, samples = batch()
    resized = []
    resize = F.interpolate
    monkeypatch.setattr(F, "interpolate", lambda *args, **settings: resized.append(1) or resize(*args, **settings))
    build_plain(**head)(inputs, samples, mode="loss")
    expected, resized[:] = len(resized), []
    model = build(head=head, scales=(1.0,), weight=0, tracker={"compare": "current"})
    model(inputs, samples, mode="loss")
    assert len(resized) == expected > 0
    model.tracker.close_window(0)
    assert model.tracker.drain()[0][1].sum() == 2 * 32 * 32
    decode = model.segmentor.decode_head.loss_decode
    assert not any(module._forward_pre_hooks for module in decode.modules())


@pytest.mark.parametrize("classes", [2, 5, 300])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_predicted_class_is_the_lowest_of_the_surest(classes, dtype):
    generator = torch.Generator().manual_seed(0)
    logits = torch.randint(-9, 1, (2, classes, 7, 5), generator=generator).to(dtype)  # full of ties
    logits[0, :, 0] = float("-inf")
    expected = torch.from_numpy(logits.float().numpy().argmax(1))
    assert torch.equal(multi_scale_segmentor._surest(logits), expected)


def test_the_tracker_can_compare_with_the_labels_in_force():
    model = build(scales=(1.0,), weight=0, tracker={"compare": "current"})
    inputs, samples = batch(gt_given_map=True)
    model(inputs, samples, mode="loss")
    model.tracker.close_window(0)
    labels = torch.stack([sample.gt_sem_seg.data for sample in samples])
    expected = [(labels == label).sum().item() for label in (0, 1, 2, 255)]
    assert model.tracker.drain()[0][1].sum(1).tolist() == expected


@pytest.mark.parametrize(
    ("tracker", "maps", "message"),
    [
        ({}, [], r"gt_given_map: .* and 0.png has none; .*LoadStoredLabels\(keep_given=True\).*noisyseg.PackSegInputs"),
        ({"clean": True}, ["gt_given_map"], r"gt_clean_map: .* and 0.png has none; .*noisyseg.LoadCleanMap"),
    ],
)
def test_labels_that_the_tracker_misses_are_an_error(tracker, maps, message):
    model = build(scales=(1.0,), weight=0, tracker=tracker)
    with pytest.raises(ValueError, match=message):
        model(*batch(**dict.fromkeys(maps)), mode="loss")


def test_a_map_larger_than_the_labels_is_an_error():
    model = build(scales=(1.0,), weight=0, tracker={})
    inputs, samples = batch()
    for sample in samples:
        sample.gt_given_map = PixelData(data=torch.zeros(1, 33, 32, dtype=torch.uint8))
    with pytest.raises(ValueError, match=r"gt_given_map: expected at most the labels' size .*\(33, 32\): 0.png"):
        model(inputs, samples, mode="loss")


def test_not_a_number_reaches_the_loss_and_does_not_stop_the_tracker():
    model = build(scales=(1.0,), weight=0, tracker={"compare": "current"})
    with torch.no_grad():
        model.segmentor.decode_head.conv_seg.bias.fill_(float("nan"))
    losses = model(*batch(), mode="loss")
    assert losses["decode.loss_ce"].isnan()
    model.tracker.close_window(0)
    assert model.tracker.drain()[0][1].sum() == 2 * 32 * 32


@pytest.mark.parametrize("scales", [(1.0,), SCALES])
def test_losses_are_float32_under_autocast(scales):
    model = build(scales=scales, weight=len(scales) - 1, threshold=0.4, tracker={"compare": "current"})
    with torch.autocast("cpu", dtype=torch.bfloat16):
        losses, grads = losses_and_gradients(model, *batch())
    assert {value.dtype for value in losses.values()} == {torch.float32}
    assert all(grad is not None and grad.isfinite().all() for grad in grads.values())


def test_predictions_are_those_of_the_segmentor():
    model = build().eval()
    inputs, _ = batch()
    logits, expected = (
        torch.stack([sample.seg_logits.data for sample in network(inputs, mode="predict")])
        for network in (model, model.segmentor)
    )
    assert torch.equal(logits, expected)
    assert torch.equal(model(inputs, mode="tensor"), model.segmentor(inputs, mode="tensor"))
    assert torch.equal(model.extract_feat(inputs)[0], model.segmentor.extract_feat(inputs)[0])
    meta = [{"img_shape": inputs.shape[2:]}] * 2
    assert torch.equal(model.encode_decode(inputs, meta), model.segmentor.encode_decode(inputs, meta))
    assert (model.num_classes, model.out_channels, model.align_corners) == (3, 3, False)


def test_a_step_that_fails_leaves_the_heads_as_they_were():
    model = build()
    with pytest.raises(AttributeError):
        model(batch()[0], [SegDataSample()] * 2, mode="loss")
    assert "loss_by_feat" not in vars(model.segmentor.decode_head)


def test_a_head_with_losses_of_its_own_is_refused_unless_nothing_is_added():
    segmentor = segmentor_of(type="DAHead", pam_channels=2)
    del segmentor.decode_head["num_convs"]
    config = dict(type="noisyseg.MultiScaleConsistency", segmentor=segmentor)
    for settings in ({}, dict(scales=(1.0,), weight=0, tracker={})):
        with pytest.raises(ValueError, match="DAHead has a loss_by_feat of its own, so that it has no logits"):
            MODELS.build(dict(copy.deepcopy(config), **settings))
    model = MODELS.build(dict(copy.deepcopy(config), scales=(1.0,), weight=0))
    assert "decode.pam.loss_ce" in model(*batch(), mode="loss")
    teacher = dict(type="noisyseg.TeacherStudentSegmentor", segmentor=segmentor_of())
    with pytest.raises(ValueError, match=r"expected a mmseg\.EncoderDecoder, not TeacherStudentSegmentor"):
        MODELS.build(dict(config, segmentor=teacher))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"scales": (0.7, 1.0)}, "scales: expected numbers > 0, the first of them 1"),
        ({"scales": ()}, "scales: expected numbers > 0"),
        ({"scales": (1.0, -2.0)}, "scales: expected numbers > 0"),
        ({"scales": (1.0,)}, "weight: one scale has nothing to be consistent with"),
        ({"weight": -1}, "weight: expected a finite number >= 0, not -1"),
        ({"threshold": 1.0}, r"threshold: expected a probability in \(0, 1\), such as 0.8, not 1.0"),
        ({"gate": "batch"}, "gate: expected one of pixel, image, not 'batch'"),
        ({"average": "median"}, "average: expected one of sum, mean, not 'median'"),
        ({"size_divisor": 0}, "size_divisor: expected a whole number >= 1, not 0"),
        ({"tracker": {"compare": "both"}}, "compare: expected one of given, current, not 'both'"),
    ],
)
def test_bad_settings_raise(settings, message):
    with pytest.raises(ValueError, match=message):
        build(**settings)


def train_one_rank(rank, folder):
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", f"file://{folder}/store", world_size=2, rank=rank)
    model = build(tracker={"compare": "current"}, threshold=0.4)
    wrapped = DistributedDataParallel(model)  # raises in the second step if a parameter had no part in the first
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    for seed in range(3):
        losses = wrapped(*batch(seed=10 * rank + seed), mode="loss")
        optimizer.zero_grad()
        sum(value for name, value in losses.items() if "loss" in name).backward()
        optimizer.step()
    model.tracker.close_window(0)
    torch.save((model.scale_weights.numbers.detach(), model.tracker.drain()), f"{folder}/{rank}.pth")
    torch.distributed.destroy_process_group()


def test_two_processes_learn_the_same_weights_and_count_together(tmp_path):
    mp.spawn(train_one_rank, (str(tmp_path),), nprocs=2)
    (first, windows), (second, others) = (torch.load(tmp_path / f"{r}.pth", weights_only=False) for r in range(2))
    assert torch.equal(first, second)
    assert (first != 1).all()
    labels = torch.stack([s.gt_sem_seg.data for r in range(2) for i in range(3) for s in batch(seed=10 * r + i)[1]])
    for ((_, counts, _, _),) in (windows, others):
        assert counts.sum(1).tolist() == [(labels == label).sum().item() for label in (0, 1, 2, 255)]
