"""Weights of objects reach the losses of RoI heads and anchor heads, and every other head or loss is an error."""

import copy
import pickle

import pytest
import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData

pytest.importorskip("mmdet")
from mmdet.registry import MODELS, TASK_UTILS
from mmdet.structures import DetDataSample
from mmdet.structures.mask import BitmapMasks

OURS = {"type": "noisyseg.CrossEntropy"}
MASK = {"type": "noisyseg.CrossEntropy", "use_mask": True}
TRAIN = {
    "assigner": {
        "type": "mmdet.MaxIoUAssigner",
        "pos_iou_thr": 0.5,
        "neg_iou_thr": 0.5,
        "min_pos_iou": 0.5,
        "match_low_quality": False,
        "ignore_iof_thr": -1,
    },
    "sampler": {"type": "mmdet.RandomSampler", "num": 64, "pos_fraction": 0.5, "add_gt_as_proposals": True},
    "mask_size": 8,
    "pos_weight": -1,
    "debug": False,
}


@pytest.fixture(autouse=True)
def mmdet_scope():
    init_default_scope("mmdet")


def extractor(size):
    layer = {"type": "RoIAlign", "output_size": size, "sampling_ratio": 1}
    return {"type": "mmdet.SingleRoIExtractor", "roi_layer": layer, "out_channels": 4, "featmap_strides": [4]}


def bbox_head(**changes):
    return {
        "type": "mmdet.Shared2FCBBoxHead",
        "in_channels": 4,
        "fc_out_channels": 8,
        "roi_feat_size": 3,
        "num_classes": 3,
        "reg_class_agnostic": True,
        "bbox_coder": {"type": "mmdet.DeltaXYWHBBoxCoder"},
        "loss_cls": {"type": "mmdet.CrossEntropyLoss"},
        "loss_bbox": {"type": "mmdet.L1Loss"},
    } | changes


def mask_head(**changes):
    return {
        "type": "mmdet.FCNMaskHead",
        "num_convs": 1,
        "in_channels": 4,
        "conv_out_channels": 4,
        "num_classes": 3,
        "loss_mask": MASK,
    } | changes


def roi_head(head="mmdet.StandardRoIHead", **changes):
    torch.manual_seed(0)
    settings = {
        "type": "noisyseg.WeightedRoIHead",
        "head": head,
        "bbox_roi_extractor": extractor(3),
        "bbox_head": bbox_head(),
        "mask_roi_extractor": extractor(4),
        "mask_head": mask_head(),
        "train_cfg": Config(TRAIN),
    }
    return MODELS.build(settings | changes)


def cascade(**changes):
    return roi_head(
        "mmdet.CascadeRoIHead",
        num_stages=2,
        stage_loss_weights=[1, 0.5],
        bbox_head=[bbox_head(), bbox_head()],
        train_cfg=[Config(TRAIN), Config(TRAIN)],
        **changes,
    )


def run_roi(head, weights, seed=0):
    """Returns the losses of two images with two objects each, under the weights of the four objects."""
    rng = torch.Generator().manual_seed(seed)
    features = torch.randn(2, 4, 16, 16, generator=rng)
    boxes = torch.tensor([[4.0, 4, 30, 30], [20, 30, 60, 60]])
    samples, proposals = [], []
    for i in range(2):
        sample = DetDataSample(metainfo={"img_shape": (64, 64)})
        sample.gt_instances = InstanceData(bboxes=boxes + i, labels=torch.tensor([0, 2]))
        masks = torch.zeros(2, 64, 64, dtype=torch.uint8)
        masks[0, 8:25, 6:28], masks[1, 32:50, 25:60] = 1, 1
        sample.gt_instances.masks = BitmapMasks(masks.numpy(), 64, 64)
        sample.ignored_instances = InstanceData(bboxes=torch.zeros(0, 4), labels=torch.zeros(0, dtype=torch.long))
        if weights is not None:
            sample.gt_instances.weights = torch.tensor(weights[2 * i : 2 * i + 2])
        samples.append(sample)
        near = (boxes + i).repeat(6, 1) + 3 * torch.randn(12, 4, generator=rng)
        far = torch.tensor([[40.0, 2, 60, 20]]) + torch.randn(8, 4, generator=rng)
        proposals.append(InstanceData(bboxes=torch.cat([near, far])))
    torch.manual_seed(seed)
    return head.loss((features,), proposals, samples)


@pytest.mark.parametrize("build", [roi_head, cascade])
def test_weights_of_one_are_the_plain_head(build):
    head = build()
    plain = copy.deepcopy(head)
    plain.__class__ = type(head).__bases__[1]
    for part in (plain.bbox_head, plain.mask_head):
        for one in part if isinstance(part, torch.nn.ModuleList) else [part]:
            one.__class__ = type(one).__bases__[1]
    samplers = plain.bbox_sampler
    plain.bbox_sampler = [one.sampler for one in samplers] if isinstance(samplers, list) else samplers.sampler
    expected, found = run_roi(plain, None), run_roi(head, [1.0] * 4)
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value)


def test_the_box_loss_is_linear_in_the_weights():
    head = roi_head()
    single = [run_roi(head, [float(i == k) for i in range(4)])["loss_bbox"] for k in range(4)]
    weights = [0.5, 2.0, 0.25, 1.0]
    expected = sum(weight * one for weight, one in zip(weights, single, strict=True))
    assert min(single) > 0
    torch.testing.assert_close(run_roi(head, weights)["loss_bbox"], expected)
    # Classification leaves samples of weight 0 out of what it divides by, so none has weight 0 here.
    half, one, two = (run_roi(head, [weight] * 4)["loss_cls"] for weight in (0.5, 1.0, 2.0))
    torch.testing.assert_close(two - one, 2 * (one - half))
    assert two > one


def test_the_mask_loss_is_the_mean_by_weight():
    head = roi_head()
    calls = []
    head.mask_head.loss_mask.register_forward_pre_hook(lambda _, a, k: calls.append((*a, k)), with_kwargs=True)
    loss = run_roi(head, [0.5, 2.0, 0.25, 1.0])["loss_mask"]
    logits, targets, classes, more = calls[0]
    weights = more["image_weight"]
    # Samples of the first image come first; its objects of classes 0 and 2 weigh .5 and 2, the second's .25 and 1.
    small, large = weights[classes == 0], weights[classes == 2]
    assert small.unique_consecutive().tolist() == [0.5, 0.25]
    assert large.unique_consecutive().tolist() == [2.0, 1.0]
    chosen = logits[torch.arange(len(logits)), classes]
    values = F.binary_cross_entropy_with_logits(chosen, targets, reduction="none").mean(dim=(1, 2))
    torch.testing.assert_close(loss, (weights * values).sum() / weights.sum())


def test_objects_of_weight_zero_give_no_gradient_to_boxes_and_masks():
    head = roi_head()
    losses = run_roi(head, [0.0] * 4)
    assert losses["loss_bbox"] == 0
    assert losses["loss_mask"] == 0
    assert losses["loss_cls"] > 0  # the background
    (losses["loss_bbox"] + losses["loss_mask"]).backward()
    assert all((p.grad is None) or not p.grad.any() for p in head.mask_head.parameters())
    head.zero_grad()
    run_roi(head, [0.0, 1.0, 0.0, 1.0])["loss_mask"].backward()
    only = head.mask_head.conv_logits.weight.grad
    assert only[2].any()
    assert not only[0].any()


@pytest.mark.parametrize("parts", [["bbox"], ["mask"]])
def test_a_part_alone_can_be_weighted(parts):
    settings = {"mask_head": mask_head(loss_mask={"type": "mmdet.CrossEntropyLoss", "use_mask": True})}
    head = roi_head(parts=parts, **(settings if parts == ["bbox"] else {}))
    one, half = run_roi(head, [1.0] * 4), run_roi(head, [0.5, 1.0, 1.0, 1.0])
    for name, part in (("loss_bbox", "bbox"), ("loss_cls", "bbox"), ("loss_mask", "mask")):
        assert torch.isclose(one[name], half[name]) == (part not in parts)


def anchor_head(kind):
    head = {
        "type": "noisyseg.WeightedAnchorHead",
        "head": f"mmdet.{kind}",
        "num_classes": 1 if kind == "RPNHead" else 3,
        "in_channels": 4,
        "feat_channels": 4,
        "anchor_generator": {"type": "mmdet.AnchorGenerator", "scales": [2], "ratios": [1.0], "strides": [8]},
        "bbox_coder": {"type": "mmdet.DeltaXYWHBBoxCoder"},
        "loss_bbox": {"type": "mmdet.L1Loss"},
        "train_cfg": Config(TRAIN | {"allowed_border": 0}),
    }
    if kind == "RPNHead":
        head["loss_cls"] = {"type": "mmdet.CrossEntropyLoss", "use_sigmoid": True}
        head["train_cfg"].sampler.add_gt_as_proposals = False
    else:
        head["train_cfg"].sampler = {"type": "mmdet.PseudoSampler"}
    torch.manual_seed(0)
    return MODELS.build(head)


def run_anchors(head, weights):
    rng = torch.Generator().manual_seed(0)
    objects = InstanceData(
        bboxes=torch.tensor([[8.0, 8, 24, 24], [30, 30, 46, 47]]), labels=torch.zeros(2, dtype=torch.long)
    )
    if weights is not None:
        objects.weights = torch.tensor(weights)
    meta = {"img_shape": (64, 64), "pad_shape": (64, 64)}
    with torch.no_grad():
        outputs = head((torch.randn(1, 4, 8, 8, generator=rng),))
    torch.manual_seed(0)
    return {name: sum(value) for name, value in head.loss_by_feat(*outputs, [objects], [meta]).items()}


@pytest.mark.parametrize("kind", ["RPNHead", "RetinaHead"])
def test_anchor_losses_are_linear_in_the_weights_and_plain_for_ones(kind):
    head = anchor_head(kind)
    plain = copy.deepcopy(head)
    plain.__class__ = type(head).__bases__[1]
    expected, ones = run_anchors(plain, None), run_anchors(head, [1.0, 1.0])
    first, none = run_anchors(head, [1.0, 0.0]), run_anchors(head, [0.0, 0.0])
    both = run_anchors(head, [0.5, 2.0])
    for name, value in expected.items():
        torch.testing.assert_close(ones[name], value)
        second = ones[name] - first[name]
        torch.testing.assert_close(both[name], none[name] + 0.5 * (first[name] - none[name]) + 2 * second)
        assert first[name] != ones[name] != none[name]
    assert none["loss_rpn_bbox" if kind == "RPNHead" else "loss_bbox"] == 0


def test_objects_without_weights_are_an_error():
    for run in (lambda: run_roi(roi_head(), None), lambda: run_anchors(anchor_head("RPNHead"), None)):
        with pytest.raises(ValueError, match=r"expected objects with weights: load them with noisyseg\.LoadInstance"):
            run()


def test_a_weighted_box_head_needs_the_weighted_roi_head():
    head = roi_head()
    head.bbox_sampler = head.bbox_sampler.sampler
    with pytest.raises(ValueError, match="a WeightedBBoxHead or WeightedMaskHead needs a WeightedRoIHead"):
        run_roi(head, [1.0] * 4)


@pytest.mark.parametrize(
    "head", ["PointRendRoIHead", "MaskScoringRoIHead", "DynamicRoIHead", "HybridTaskCascadeRoIHead", "SparseRoIHead"]
)
def test_a_roi_head_with_losses_of_its_own_is_an_error(head):
    with pytest.raises(
        ValueError, match=rf"head: mmdet\.{head} has a .*loss of its own, which weights would not reach"
    ):
        roi_head(f"mmdet.{head}")


@pytest.mark.parametrize("head", ["SABLHead", "DIIHead"])
def test_a_box_head_with_targets_of_its_own_is_an_error(head):
    with pytest.raises(ValueError, match=rf"head: mmdet\.{head} has a get_targets.* of its own"):
        roi_head(bbox_head=bbox_head(type=f"mmdet.{head}"))


@pytest.mark.parametrize("head", ["ATSSHead", "SSDHead", "PISARetinaHead"])
def test_an_anchor_head_with_losses_of_its_own_is_an_error(head):
    with pytest.raises(ValueError, match=rf"head: mmdet\.{head} has a .* of its own, which weights would not reach"):
        MODELS.build({"type": "noisyseg.WeightedAnchorHead", "head": f"mmdet.{head}"})


@pytest.mark.parametrize("head", ["FCOSHead", "SOLOHead", "Mask2FormerHead"])
def test_a_head_without_anchors_is_an_error(head):
    with pytest.raises(ValueError, match=rf"head: expected the type of a mmdet\.AnchorHead, not 'mmdet\.{head}'"):
        MODELS.build({"type": "noisyseg.WeightedAnchorHead", "head": f"mmdet.{head}"})


def test_a_mask_head_of_another_kind_is_an_error():
    with pytest.raises(ValueError, match=r"head: mmdet\.DynamicMaskHead has a .*loss_and_target of its own"):
        roi_head(mask_head=mask_head(type="mmdet.DynamicMaskHead"))


def test_losses_that_cannot_take_weights_are_errors():
    with pytest.raises(ValueError, match=r"loss_cls: .*\.GHMC is not known to honour a weight for each box"):
        roi_head(bbox_head=bbox_head(loss_cls={"type": "mmdet.GHMC"}))
    with pytest.raises(ValueError, match=r"loss_mask: .*\.CrossEntropyLoss takes no weight for each object"):
        roi_head(mask_head=mask_head(loss_mask={"type": "mmdet.CrossEntropyLoss", "use_mask": True}))
    assert run_roi(roi_head(bbox_head=bbox_head(loss_cls=OURS)), [0.5] * 4)["loss_cls"] > 0


@pytest.mark.parametrize("parts", [[], "bbox", ["box"]])
def test_parts_that_mean_nothing_are_errors(parts):
    with pytest.raises(ValueError, match="parts: expected a list of bbox, mask, not"):
        roi_head(parts=parts)


def test_heads_can_be_copied_and_pickled():
    head = roi_head()
    expected = run_roi(head, [0.5, 1.0, 0.0, 2.0])
    for other in (copy.deepcopy(head), pickle.loads(pickle.dumps(head))):
        assert type(other.mask_head) is type(head.mask_head)
        torch.testing.assert_close(run_roi(other, [0.5, 1.0, 0.0, 2.0])["loss_mask"], expected["loss_mask"])


def test_the_wrapped_sampler_is_the_hosts():
    assert isinstance(roi_head().bbox_sampler.sampler, TASK_UTILS.get("mmdet.RandomSampler"))
