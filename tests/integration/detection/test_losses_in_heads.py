"""Every loss trains in mmdet's heads, in each place where its maths allows, or says why it does not."""

import copy
import runpy
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from noisyseg.losses.elementwise import ElementwiseLoss
from noisyseg.losses.region import RegionLoss
from noisyseg.registry import MODELS

mmdet_models = pytest.importorskip("mmdet.models")

from mmdet.structures.mask import BitmapMasks  # noqa: E402
from mmengine.config import ConfigDict  # noqa: E402
from mmengine.model import BaseModel  # noqa: E402
from mmengine.structures import InstanceData  # noqa: E402

SIZE = 64  # of the images
METAS = [dict(img_shape=(SIZE, SIZE), pad_shape=(SIZE, SIZE), batch_input_shape=(SIZE, SIZE))] * 2
RCNN_L1 = dict(type="mmdet.SmoothL1Loss")
CODER = dict(type="mmdet.DeltaXYWHBBoxCoder", target_means=[0.0] * 4, target_stds=[1.0] * 4)


def pytest_generate_tests(metafunc):
    """Gives each test every row of the table of losses."""
    if "row" in metafunc.fixturenames:
        table = metafunc.config.rootpath / "tests" / "losses" / "canonical.py"
        rows = runpy.run_path(str(table))["CANONICAL"]
        ids = [", ".join(str(value) for value in row.values()).removeprefix("noisyseg.") for row in rows]
        metafunc.parametrize("row", rows, ids=ids)


@pytest.fixture(autouse=True)
def fixed_seed():
    torch.manual_seed(0)


def why_not(row, place):
    """Returns what the loss says where its maths does not allow the place; None where it has to train.

    Places: ``boxes`` (N, K) logits, ``points`` flat logits, ``rows`` one row of points an instance, ``instances`` maps
    of which each wants a value of its own, ``maps``.
    """
    loss = MODELS.get(row["type"])
    if loss.maps_only and place in ("boxes", "points"):
        return "is a ratio of areas|looks at neighbours"
    if getattr(loss, "spatial", False) and place == "rows":
        return "looks at neighbours"
    if row.get("mode") == "pooled" and place in ("rows", "instances"):
        return "needs mode='image'"
    return None


def has_sigmoid_form(row):
    try:
        MODELS.build(dict(row, use_sigmoid=True))
    except ValueError as error:
        if "has no sigmoid form" not in str(error):
            raise
        return False
    return True


def one_value_an_instance(row):
    """Returns the row in the sigmoid form, with one value for each instance."""
    per_instance = {"per_instance": True} if issubclass(MODELS.get(row["type"]), ElementwiseLoss) else {}
    return dict(row, use_sigmoid=True, **per_instance)


def check(row, place, build, losses, parameter):
    """Builds the head and trains it for two steps; or expects the error that the row has in this place."""
    if place != "softmax boxes" and not has_sigmoid_form(row):
        with pytest.raises(ValueError, match="has no sigmoid form"):
            build()
        return
    head = build()
    error = why_not(row, place.removeprefix("softmax "))
    if error is not None:
        with pytest.raises(ValueError, match=error):
            losses(head)
        return
    train_two_steps(head, lambda: losses(head), parameter(head))


def train_two_steps(head, losses, parameter):
    """Takes two steps and checks that the loss is finite and that its gradient reaches the parameter."""
    optimizer = torch.optim.SGD(head.parameters(), lr=0.01)
    for _ in range(2):
        before = parameter.detach().clone()
        optimizer.zero_grad()
        total, log = BaseModel.parse_losses(None, losses())
        total.backward()
        assert torch.isfinite(total)
        assert all(torch.isfinite(value) for value in log.values())
        assert torch.isfinite(parameter.grad).all()
        optimizer.step()
        assert (parameter != before).any()


def instances(count, classes=3):
    """Returns boxes, labels and bitmap masks of one image."""
    starts = torch.randint(0, 30, (count, 2)).float()
    boxes = torch.cat((starts, starts + torch.tensor([30.0, 26.0])), 1)
    masks = np.zeros((count, SIZE, SIZE), np.uint8)
    for mask, (x1, y1, x2, y2) in zip(masks, boxes.int().tolist(), strict=True):
        mask[y1 + 3 : y2, x1 : x2 - 3] = 1
    labels = torch.randint(0, classes, (count,))
    return InstanceData(bboxes=boxes, labels=labels, masks=BitmapMasks(masks, SIZE, SIZE))


def test_a_box_head(row):
    """Softmax over the classes and the background, with label weights and an average factor."""
    rois = torch.cat((torch.zeros(9, 1), instances(9).bboxes), 1)
    labels, weights = torch.tensor([0, 1, 2, 3, 3, 3, 3, 3, 0]), torch.tensor([1.0, 1, 1, 1, 1, 1, 0, 1, 0])
    targets, features = torch.randn(9, 4), torch.randn(9, 2, 2, 2)

    def build():
        return mmdet_models.Shared2FCBBoxHead(
            in_channels=2, fc_out_channels=8, roi_feat_size=2, num_classes=3, loss_cls=row, loss_bbox=RCNN_L1,
            bbox_coder=CODER, reg_class_agnostic=True,
        )  # fmt: skip

    def losses(head):
        return head.loss(*head(features), rois, labels, weights, targets, torch.ones(9, 4))

    check(row, "softmax boxes", build, losses, lambda head: head.fc_cls.weight)
    if why_not(row, "boxes") is None:
        head = build()
        outputs = head(features)
        apart = head.loss(*outputs, rois, labels, weights, targets, torch.ones(9, 4), reduction_override="none")
        assert apart["loss_cls"].shape == (9,)
        assert (apart["loss_cls"][weights == 0] == 0).all()
        together = head.loss(*outputs, rois, labels, weights, targets, torch.ones(9, 4))["loss_cls"]
        torch.testing.assert_close(apart["loss_cls"].sum() / 7, together)


def anchor_head(kind, row, **settings):
    return kind(
        in_channels=4,
        feat_channels=4,
        anchor_generator=dict(type="mmdet.AnchorGenerator", scales=[4], ratios=[1.0], strides=[8, 16]),
        bbox_coder=CODER,
        loss_cls=dict(row, use_sigmoid=True),
        loss_bbox=RCNN_L1,
        **settings,
    )


def dense_losses(head, batch):
    features = [torch.randn(2, 4, 8, 8), torch.randn(2, 4, 4, 4)]
    return head.loss_by_feat(*head(features), batch, METAS)


def assigner(**settings):
    return dict(type="mmdet.MaxIoUAssigner", pos_iou_thr=0.4, neg_iou_thr=0.3, min_pos_iou=0.1, **settings)


def test_a_dense_head(row):
    """RetinaNet's: sigmoid, background without a channel; one image has no object."""
    batch = [instances(3, 4), instances(0, 4)]
    train_cfg = ConfigDict(assigner=assigner(), allowed_border=-1, pos_weight=-1, debug=False)
    check(
        row,
        "boxes",
        lambda: anchor_head(mmdet_models.RetinaHead, row, num_classes=4, stacked_convs=1, train_cfg=train_cfg),
        lambda head: dense_losses(head, batch),
        lambda head: head.retina_cls.weight,
    )


def test_a_region_proposal_head(row):
    """One channel: label 0 is an object and 1 the background."""
    batch = [instances(3, 1), instances(0, 1)]
    sampler = dict(type="mmdet.RandomSampler", num=16, pos_fraction=0.5, neg_pos_ub=-1, add_gt_as_proposals=False)
    train_cfg = ConfigDict(assigner=assigner(), sampler=sampler, allowed_border=-1, pos_weight=-1, debug=False)
    check(
        row,
        "boxes",
        lambda: anchor_head(mmdet_models.RPNHead, row, num_classes=1, train_cfg=train_cfg),
        lambda head: dense_losses(head, batch),
        lambda head: head.rpn_cls.weight,
    )


@pytest.mark.parametrize("class_agnostic", [False, True])
def test_a_mask_head(row, class_agnostic):
    batch = [instances(3, 4), instances(2, 4)]
    chosen = [torch.tensor([0, 2, 1, 1]), torch.tensor([1])]

    def build():
        return mmdet_models.FCNMaskHead(
            num_convs=1, in_channels=2, conv_out_channels=2, num_classes=4, class_agnostic=class_agnostic,
            loss_mask=dict(row, use_mask=True),
        )  # fmt: skip

    def results(chosen):
        return [
            SimpleNamespace(pos_priors=i.bboxes[c], pos_assigned_gt_inds=c, pos_gt_labels=i.labels[c])
            for i, c in zip(batch, chosen, strict=True)
        ]

    def losses(head, chosen=chosen):
        features = torch.randn(sum(map(len, chosen)), 2, 4, 4)
        target_cfg = ConfigDict(mask_size=8)
        return head.loss_and_target(head(features), results(chosen), batch, target_cfg)["loss_mask"]

    check(row, "maps", build, losses, lambda head: head.conv_logits.weight)
    if has_sigmoid_form(row):
        nobody = losses(build(), [torch.zeros(0, dtype=torch.long)] * 2)["loss_mask"]
        nobody.backward()
        assert nobody == 0


def solo_head(loss_mask, loss_cls):
    return mmdet_models.SOLOHead(
        num_classes=4, in_channels=4, feat_channels=4, stacked_convs=1, strides=(4, 8), num_grids=[4, 3],
        scale_ranges=((1, 25), (20, 90)), norm_cfg=None, loss_mask=loss_mask, loss_cls=loss_cls,
    )  # fmt: skip


FOCAL = dict(type="mmdet.FocalLoss", use_sigmoid=True)
DICE = dict(type="mmdet.DiceLoss", use_sigmoid=True)


def solo_losses(head, batch):
    features = [torch.randn(2, 4, 16, 16), torch.randn(2, 4, 8, 8)]
    return head.loss_by_feat(*head(features), batch, METAS)


def test_the_masks_of_solo(row):
    """One value an instance, summed over the levels, one of which has no instance."""
    batch = [instances(3, 4), instances(2, 4)]
    check(
        row,
        "instances" if issubclass(MODELS.get(row["type"]), RegionLoss) else "maps",
        lambda: solo_head(one_value_an_instance(row), FOCAL),
        lambda head: solo_losses(head, batch),
        lambda head: head.conv_mask_list[1].weight,
    )


def test_solo_without_instances():
    head = solo_head(dict(type="noisyseg.NoiseRobustDice", use_sigmoid=True), FOCAL)
    total, _ = BaseModel.parse_losses(None, solo_losses(head, [instances(0), instances(0)]))
    total.backward()
    assert torch.isfinite(total)


def test_the_classes_of_solo(row):
    check(
        row,
        "boxes",
        lambda: solo_head(DICE, dict(row, use_sigmoid=True)),
        lambda head: solo_losses(head, [instances(3, 4), instances(2, 4)]),
        lambda head: head.conv_cls.weight,
    )


ATTENTION = dict(embed_dims=8, num_heads=2, dropout=0.0, batch_first=True)
FEED_FORWARD = dict(embed_dims=8, feedforward_channels=8, num_fcs=2, ffn_drop=0.0, act_cfg=dict(type="ReLU"))


def mask2former_head(**losses):
    """Returns the head for 2 things and 1 stuff; its decoder takes no part in the tests."""
    config = dict(
        in_channels=[4, 4, 4, 4],
        feat_channels=8,
        out_channels=8,
        num_things_classes=2,
        num_stuff_classes=1,
        num_queries=5,
        num_transformer_feat_level=3,
        pixel_decoder=dict(
            type="mmdet.MSDeformAttnPixelDecoder",
            num_outs=3,
            norm_cfg=dict(type="GN", num_groups=2),
            act_cfg=dict(type="ReLU"),
            encoder=dict(
                num_layers=1,
                layer_cfg=dict(self_attn_cfg=dict(num_levels=3, num_points=1, **ATTENTION), ffn_cfg=dict(FEED_FORWARD)),
            ),
            positional_encoding=dict(num_feats=4, normalize=True),
        ),
        positional_encoding=dict(num_feats=4, normalize=True),
        transformer_decoder=dict(
            return_intermediate=True,
            num_layers=1,
            layer_cfg=dict(self_attn_cfg=dict(ATTENTION), cross_attn_cfg=dict(ATTENTION), ffn_cfg=dict(FEED_FORWARD)),
            init_cfg=None,
        ),
        loss_cls=dict(type="mmdet.CrossEntropyLoss", class_weight=[1.0, 1.0, 1.0, 0.1]),
        loss_mask=dict(type="mmdet.CrossEntropyLoss", use_sigmoid=True),
        loss_dice=dict(type="mmdet.DiceLoss", naive_dice=True, eps=1.0),
        train_cfg=dict(
            num_points=20,
            oversample_ratio=3.0,
            importance_sample_ratio=0.75,
            assigner=dict(type="mmdet.HungarianAssigner", match_costs=[dict(type="mmdet.ClassificationCost")]),
            sampler=dict(type="mmdet.MaskPseudoSampler"),
        ),
    )
    return mmdet_models.Mask2FormerHead(**ConfigDict(copy.deepcopy(config | losses)))


def mask2former_losses(head, batch):
    """Returns the losses of one decoder layer on predictions that are functions of the head's own parameters."""
    queries = head.query_feat.weight.unsqueeze(0).expand(2, -1, -1)
    masks = torch.einsum("nqc,nchw->nqhw", head.mask_embed(queries), torch.randn(2, 8, 16, 16))
    return head.loss_by_feat([head.cls_embed(queries)], [masks], batch, METAS)


def segments(count):
    """Returns labels and mask tensors of one image, as Mask2Former's panoptic ground truth."""
    gt = instances(count)
    return InstanceData(labels=gt.labels, masks=gt.masks.to_tensor(torch.long, "cpu"))


@pytest.mark.parametrize(
    ("place", "kind", "parameter"),
    [
        ("loss_cls", "softmax boxes", "cls_embed"),
        ("loss_mask", "points", "mask_embed"),
        ("loss_dice", "rows", "mask_embed"),
    ],
)
def test_mask2former(row, place, kind, parameter):
    """Class weights, which the head reads from the config; flat points; and one row of points an instance."""
    if place == "loss_cls":
        config = dict(row, class_weight=[1.0, 1.0, 1.0, 0.1])
    elif place == "loss_mask":
        config = dict(row, use_sigmoid=True)
    else:
        config = one_value_an_instance(row)
    batch = [segments(3), segments(2)]

    def only(head):
        return {place: mask2former_losses(head, batch)[place]}

    def last_layer(head):
        module = getattr(head, parameter)
        return module.weight if parameter == "cls_embed" else module[-1].weight

    check(row, kind, lambda: mask2former_head(**{place: config}), only, last_layer)


def test_mask2former_without_instances(row):
    if not has_sigmoid_form(row):
        pytest.skip("has no sigmoid form, and says so in the other tests")
    head = mask2former_head(loss_dice=one_value_an_instance(row))
    total, _ = BaseModel.parse_losses(None, mask2former_losses(head, [segments(0), segments(0)]))
    total.backward()
    assert torch.isfinite(total)
