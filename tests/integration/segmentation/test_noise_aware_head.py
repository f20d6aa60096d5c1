"""Weights reach the losses of any head that leaves them to mmseg, and every other head or loss is an error."""

import copy
import pickle

import pytest
import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from torch import nn

from noisyseg.registry import MODELS

SMALL = {"in_channels": 4, "channels": 4, "num_classes": 3, "dropout_ratio": 0}
OURS = {"type": "noisyseg.CrossEntropy", "loss_name": "loss_ours"}
THEIRS = {"type": "mmseg.CrossEntropyLoss", "loss_name": "loss_ce"}


@pytest.fixture(autouse=True)
def mmseg_scope():
    init_default_scope("mmseg")


@MODELS.register_module(name="ContextProbe")
class ContextProbe(nn.Module):
    """A loss that asks for the samples."""

    loss_name = "loss_probe"

    def context(self, seg_logits, batch_data_samples):
        names = [sample.metainfo["img_path"] for sample in batch_data_samples]
        return {"size": tuple(seg_logits.shape), "names": names}

    def forward(self, pred, target, weight=None, *, ignore_index, image_weight=None, size, names):
        assert size == tuple(pred.shape)
        assert names == ["a", "b"]
        return pred.sum()


def build(head="mmseg.FCNHead", **settings):
    torch.manual_seed(0)
    return MODELS.build({"type": "noisyseg.NoiseAwareHead", "head": head, **SMALL, **settings}).train()


@pytest.fixture
def batch():
    """Returns features, and two samples 16 x 12: labels with an ignored corner, weights, and image weights."""
    rng = torch.Generator().manual_seed(0)
    samples = []
    for name, weight in (("a", 0.5), ("b", 2.0)):
        labels = torch.randint(0, 3, (1, 16, 12), generator=rng)
        labels[:, :3, :3] = 255
        levels = torch.randint(0, 256, (1, 16, 12), generator=rng, dtype=torch.uint8)
        sample = SegDataSample(
            gt_sem_seg=PixelData(data=labels),
            gt_weight_map=PixelData(data=levels),
            metainfo={"img_path": name, "img_shape": (16, 12), "image_weight": weight},
        )
        samples.append(sample)
    return [torch.randn(2, 4, 8, 6, generator=rng)], samples


def without(samples, *, pixel=False, image=False):
    """Returns copies of the samples that lack some weights."""
    kept = []
    for sample in samples:
        meta = {key: value for key, value in sample.metainfo.items() if not (image and key == "image_weight")}
        new = SegDataSample(gt_sem_seg=sample.gt_sem_seg, metainfo=meta)
        if not pixel:
            new.gt_weight_map = sample.gt_weight_map
        kept.append(new)
    return kept


def by_hand(head, features, samples, *, pixel, image):
    """Returns sum(w ce) / sum(w) and mean(w ce) over all pixels, with the weights w asked for."""
    labels = torch.cat([sample.gt_sem_seg.data for sample in samples])
    logits = F.interpolate(head(features), size=(16, 12), mode="bilinear", align_corners=False)
    weights = (labels != 255).float()
    if pixel:
        weights = weights * torch.cat([sample.gt_weight_map.data for sample in samples]) / 255
    if image:
        weights = weights * torch.tensor([sample.metainfo["image_weight"] for sample in samples]).reshape(2, 1, 1)
    values = F.cross_entropy(logits, labels, reduction="none", ignore_index=255)
    return (weights * values).sum() / weights.sum(), (weights * values).mean()


@pytest.mark.parametrize("pixel", [True, False], ids=["pixel", "-"])
@pytest.mark.parametrize("image", [True, False], ids=["image", "-"])
def test_the_losses_are_those_computed_by_hand(batch, pixel, image):
    features, samples = batch
    samples = without(samples, pixel=not pixel, image=not image)
    head = build(loss_decode=[OURS, THEIRS])
    losses = head.loss(features, samples, None)
    ours, theirs = by_hand(head, features, samples, pixel=pixel, image=image)
    torch.testing.assert_close(losses["loss_ours"], ours)
    torch.testing.assert_close(losses["loss_ce"], theirs)


def test_weights_of_one_and_no_weights_are_the_plain_head(batch):
    features, samples = batch
    torch.manual_seed(0)
    plain = MODELS.build({"type": "mmseg.FCNHead", **SMALL, "loss_decode": [OURS, THEIRS]})
    head = build(loss_decode=[OURS, THEIRS])
    head.load_state_dict(plain.state_dict())
    bare = without(samples, pixel=True, image=True)
    expected = plain.loss(features, bare, None)
    for sample in samples:
        sample.gt_weight_map.data = torch.full_like(sample.gt_weight_map.data, 255)
        sample.set_metainfo({"image_weight": 1.0})
    for given in (samples, bare):
        losses = head.loss(features, given, None)
        assert losses.keys() == expected.keys()
        for name, value in expected.items():
            torch.testing.assert_close(losses[name], value)


def test_pixels_of_weight_zero_have_no_gradient(batch):
    _, samples = batch
    for sample in samples:
        sample.gt_weight_map.data[..., 8:, :] = 0
    logits = torch.randn(2, 3, 16, 12, requires_grad=True)
    build(loss_decode=OURS).loss_by_feat(logits, samples)["loss_ours"].backward()
    seen = (logits.grad != 0).any(dim=1)
    assert not seen[:, 8:].any()
    assert not seen[:, :3, :3].any()
    assert seen[:, 3:8].float().mean() > 0.9


def test_losses_of_one_name_are_added_up(batch):
    features, samples = batch
    once = build(loss_decode=OURS).loss(features, samples, None)["loss_ours"]
    twice = build(loss_decode=[OURS, OURS]).loss(features, samples, None)["loss_ours"]
    torch.testing.assert_close(twice, 2 * once)


def test_a_pixel_sampler_multiplies_the_weights(batch):
    features, samples = batch
    head = build(loss_decode=OURS, sampler={"type": "mmseg.OHEMPixelSampler", "min_kept": 40})
    labels = torch.cat([sample.gt_sem_seg.data for sample in samples])
    logits = F.interpolate(head(features), size=(16, 12), mode="bilinear", align_corners=False)
    kept = head.sampler.sample(logits, labels.unsqueeze(1))
    assert 0 < kept.sum() < (labels != 255).sum()
    weights = kept * torch.cat([sample.gt_weight_map.data for sample in samples]) / 255
    weights = weights * torch.tensor([0.5, 2.0]).reshape(2, 1, 1)
    values = F.cross_entropy(logits, labels, reduction="none", ignore_index=255)
    expected = (weights * values).sum() / weights.sum()
    torch.testing.assert_close(head.loss(features, samples, None)["loss_ours"], expected)
    # The sampler alone, for a loss that is to see no weights.
    head.unweighted = ("loss_ours",)
    torch.testing.assert_close(head.loss(features, samples, None)["loss_ours"], (kept * values).sum() / kept.sum())


def test_a_loss_may_be_left_without_weights(batch):
    features, samples = batch
    lovasz = {"type": "mmseg.LovaszLoss", "reduction": "none", "loss_name": "loss_lovasz"}
    head = build(loss_decode=[OURS, lovasz], unweighted=["loss_lovasz"])
    weighted = head.loss(features, samples, None)
    bare = head.loss(features, without(samples, pixel=True, image=True), None)
    torch.testing.assert_close(weighted["loss_lovasz"], bare["loss_lovasz"])
    assert not torch.isclose(weighted["loss_ours"], bare["loss_ours"])


def test_a_loss_gets_the_context_that_it_asks_for(batch):
    features, samples = batch
    assert "loss_probe" in build(loss_decode={"type": "noisyseg.ContextProbe"}).loss(features, samples, None)


@pytest.mark.parametrize(
    ("loss", "name"),
    [("DiceLoss", "loss_dice"), ("TverskyLoss", "loss_tversky"), ("FocalLoss", "loss_focal")],
)
def test_a_loss_of_the_host_that_drops_pixel_weights_is_an_error(loss, name):
    with pytest.raises(ValueError, match=rf"loss_decode {name}: .*\.{loss} does not honour a weight for each pixel"):
        build(loss_decode=[OURS, {"type": f"mmseg.{loss}"}])


@pytest.mark.parametrize("head", ["DAHead", "EncHead", "STDCHead", "DDRHead", "PIDHead", "PointHead"])
def test_a_head_with_losses_of_its_own_is_an_error(head):
    with pytest.raises(ValueError, match=rf"mmseg\.{head} has a loss.* of its own, which weights would not reach"):
        build(f"mmseg.{head}")


@pytest.mark.parametrize("head", ["mmseg.Mask2FormerHead", "mmseg.ResNet"])
def test_what_is_no_decode_head_is_an_error(head):
    with pytest.raises(ValueError, match=rf"head: expected the type of a mmseg\.BaseDecodeHead, not '{head}'"):
        build(head)


def test_an_unknown_head_is_an_error():
    with pytest.raises(ValueError, match=r"head: nothing is registered as 'mmseg\.NoHead'; expected the type"):
        build("mmseg.NoHead")


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"expects": ["pixels"]}, r"expects: expected a list of pixel, image, not \['pixels'\]"),
        ({"expects": "pixel"}, "expects: expected a list of pixel, image, not 'pixel'"),
        ({"unweighted": ["loss_x"]}, r"unweighted: expected a list of names among loss_ours, not \['loss_x'\]"),
    ],
)
def test_settings_that_mean_nothing_are_errors(settings, problem):
    with pytest.raises(ValueError, match=problem):
        build(loss_decode=OURS, **settings)


@pytest.mark.parametrize("kind", ["pixel", "image"])
def test_weights_that_got_lost_are_missed(batch, kind):
    features, samples = batch
    head = build(loss_decode=OURS, expects=[kind])
    head.loss(features, samples, None)
    with pytest.raises(ValueError, match=rf"expected {kind} weights, got samples without: load them"):
        head.loss(features, without(samples, **{kind: True}), None)


def test_weights_of_some_samples_only_are_an_error(batch):
    features, samples = batch
    head = build(loss_decode=OURS)
    first, second = samples[0], without(samples, pixel=True)[1]
    with pytest.raises(ValueError, match="gt_weight_map: expected it in all samples of a batch or in none; b has none"):
        head.loss(features, [first, second], None)
    second = without(samples, image=True)[1]
    with pytest.raises(ValueError, match="image_weight: expected it in all samples of a batch or in none; b has none"):
        head.loss(features, [first, second], None)


def test_weights_of_another_size_or_type_are_an_error(batch):
    features, samples = batch
    head = build(loss_decode=OURS)
    samples[1].set_metainfo({"img_shape": (16, 10)})
    with pytest.raises(ValueError, match=r"gt_weight_map: expected uint8 of shape \(1, 16, 10\), .* \(1, 16, 12\): b"):
        head.loss(features, samples, None)
    samples[1].set_metainfo({"img_shape": (16, 12)})
    samples[1].gt_weight_map.data = samples[1].gt_weight_map.data.float()
    with pytest.raises(ValueError, match=r"expected uint8 of shape \(1, 16, 12\), .* got torch\.float32"):
        head.loss(features, samples, None)


def test_heads_can_be_copied_and_pickled(batch):
    features, samples = batch
    head = build(loss_decode=OURS)
    expected = head.loss(features, samples, None)["loss_ours"]
    for other in (copy.deepcopy(head), pickle.loads(pickle.dumps(head))):
        assert type(other) is type(head)
        torch.testing.assert_close(other.loss(features, samples, None)["loss_ours"], expected)
    assert type(build(loss_decode=OURS)) is type(head)


def test_a_config_changes_the_heads_of_its_base(tmp_path, batch):
    (tmp_path / "leaf.py").write_text(
        "_base_ = 'mmseg::_base_/models/fcn_r50-d8.py'\n"
        "aware = dict(type='noisyseg.NoiseAwareHead', head='mmseg.FCNHead')\n"
        "small = dict(in_channels=4, channels=4, num_classes=3, in_index=0, norm_cfg=dict(type='mmengine.BN'))\n"
        "model = dict(decode_head=dict(**aware, **small), auxiliary_head=dict(**aware, **small))"
    )
    _, samples = batch
    config = Config.fromfile(tmp_path / "leaf.py").model
    for name in ("decode_head", "auxiliary_head"):
        head = MODELS.build(config[name])
        assert type(head).__name__ == "NoiseAwareFCNHead"
        weighted = head.loss_by_feat(torch.ones(2, 3, 8, 6), samples)["loss_ce"]
        bare = head.loss_by_feat(torch.ones(2, 3, 8, 6), without(samples, pixel=True, image=True))["loss_ce"]
        assert not torch.isclose(weighted, bare)
