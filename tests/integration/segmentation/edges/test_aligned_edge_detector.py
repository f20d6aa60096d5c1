"""The detector whose labels move: plain before the alignment starts, and on aligned labels after."""

import pytest
import torch
from mmengine.registry import init_default_scope
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from noisyseg.integration.segmentation.edges import AlignedEdgeDetector
from noisyseg.registry import MODELS
from noisyseg.transitions import align_edges


def build(**settings):
    init_default_scope("mmseg")
    torch.manual_seed(0)
    backbone = dict(type="noisyseg.CASENetResNet", depth=18, deep_stem=True, stem_channels=4, base_channels=4)
    head = dict(type="noisyseg.CASENetHead", in_channels=[4, 4, 8, 32], num_classes=1)
    return MODELS.build(dict(type="noisyseg.AlignedEdgeDetector", backbone=backbone, decode_head=head, **settings))


def batch(column=12):
    """Two grey images and labels that are a vertical line."""
    bits = torch.zeros(1, 16, 24, dtype=torch.int32)
    bits[..., column] = 1
    samples = [SegDataSample(gt_edge_bits=PixelData(data=bits)) for _ in range(2)]
    return torch.zeros(2, 3, 16, 24), samples


def seeing(model, column):
    """Let the model see an edge in a column, whatever the image."""
    logits = torch.full((2, 1, 16, 24), -3.0)
    logits[..., column] = 3.0
    model.edge_logits = lambda inputs: [logits.clone().requires_grad_(), logits.clone().requires_grad_()]
    return logits


def test_labels_move_after_the_start_and_not_before():
    model = build(start=2)
    seeing(model, 9)
    losses = [model.loss(*batch()) for _ in range(4)]
    assert ["moved" in one for one in losses] == [False, False, True, True]
    assert float(losses[2]["moved"]) == 1
    assert losses[2]["loss_fused"].item() < 0.1 < losses[0]["loss_fused"].item()


def test_the_loss_is_that_of_the_aligned_labels():
    model = build(start=0, radius=4.0, across=2.0)
    logits = seeing(model, 10)
    loss = model.loss(*batch())
    given = torch.zeros(2, 1, 16, 24, dtype=torch.bool)
    given[..., 12] = True
    valid = torch.ones_like(given)
    aligned = align_edges(logits.sigmoid(), given, valid, radius=4.0, across=2.0)
    assert torch.equal(loss["loss_fused"], model.edge_loss(logits, aligned, valid))
    assert torch.equal(loss["loss_side0"], loss["loss_fused"])


def test_the_start_counts_the_batches_before_a_checkpoint():
    model = build(start=2)
    seeing(model, 9)
    for _ in range(2):
        model.loss(*batch())
    other = build(start=2)
    other.load_state_dict(model.state_dict())
    seeing(other, 9)
    assert "moved" in other.loss(*batch())


def test_it_learns_and_predicts_as_a_detector():
    model = build(start=0)
    inputs, samples = batch()
    losses = model.loss(inputs + torch.randn(inputs.shape, generator=torch.Generator().manual_seed(0)), samples)
    sum(value for name, value in losses.items() if "loss" in name).backward()
    assert model.decode_head.fusion_weight.grad.abs().sum() > 0
    predicted = model.eval().predict(inputs, [SegDataSample(metainfo=dict(ori_shape=(16, 24))) for _ in range(2)])
    assert predicted[0].edge_prob.data.shape == (1, 16, 24)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (dict(start=-1), "start: expected a whole number of batches >= 0, not -1"),
        (dict(start=0.5), "start: expected a whole number of batches >= 0, not 0.5"),
        (dict(start=100, radius=-1), "radius: expected a finite number >= 0"),
        (dict(start=100, passes=0), "passes: expected at least 1"),
    ],
)
def test_wrong_settings_are_refused_before_the_training(settings, message):
    with pytest.raises(ValueError, match=message):
        AlignedEdgeDetector(
            **settings,
            backbone=dict(type="noisyseg.CASENetResNet", depth=18),
            decode_head=dict(type="noisyseg.CASENetHead", in_channels=[64, 64, 128, 512], num_classes=1),
        )
