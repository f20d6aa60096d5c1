"""RoI heads of mmdet that multiply the weights of the objects into their losses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, get_args

import torch
from mmdet.models.roi_heads import CascadeRoIHead, StandardRoIHead
from mmdet.models.roi_heads.base_roi_head import BaseRoIHead
from mmdet.models.roi_heads.bbox_heads import BBoxHead
from mmdet.models.roi_heads.mask_heads import FCNMaskHead
from mmdet.models.task_modules.assigners import AssignResult
from mmdet.models.task_modules.samplers import BaseSampler, SamplingResult
from mmdet.registry import MODELS as MMDET_MODELS
from mmengine.structures import InstanceData
from torch import Tensor

from noisyseg.integration.detection.weighted_losses import require_weighted, takes_image_weight, weights_of
from noisyseg.integration.host_subclasses import HostSubclass, host_class, host_subclass, overridden
from noisyseg.registry import MODELS

__all__ = ["WeightedBBoxHead", "WeightedMaskHead", "WeightedRoIHead", "WeightedSampler"]

Part = Literal["bbox", "mask"]
HEADS = {"bbox": "noisyseg.WeightedBBoxHead", "mask": "noisyseg.WeightedMaskHead"}


class WeightedSampler:
    """A sampler whose results know the weight of the object that each positive sample is assigned to.

    Args:
        sampler: A sampler of the host, which does the sampling.
    """

    def __init__(self, sampler: BaseSampler) -> None:
        self.sampler = sampler

    def sample(
        self,
        assign_result: AssignResult,
        pred_instances: InstanceData,
        gt_instances: InstanceData,
        **more: Any,  # noqa: ANN401 - passed on
    ) -> SamplingResult:
        """Returns the host's result, with ``pos_gt_weights``, (P,) float32."""
        result = self.sampler.sample(assign_result, pred_instances, gt_instances, **more)
        result.pos_gt_weights = weights_of(gt_instances)[result.pos_assigned_gt_inds.long()]
        return result


class WeightedRoI(HostSubclass):
    """What `WeightedRoIHead` adds to a RoI head."""

    def __init__(self, *args: Any, parts: Sequence[Part] = get_args(Part), **settings: Any) -> None:  # noqa: ANN401
        if isinstance(parts, str) or not parts or not set(parts) <= set(get_args(Part)):
            raise ValueError(f"parts: expected a list of {', '.join(get_args(Part))}, not {parts!r}")
        for part in parts:
            key = f"{part}_head"
            if settings.get(key) is not None:
                settings[key] = _weighted_config(settings[key], HEADS[part])
        super().__init__(*args, **settings)

    def init_assigner_sampler(self) -> None:
        """Builds assigners and samplers as the host does, and lets samplers keep weights."""
        super().init_assigner_sampler()
        if isinstance(self.bbox_sampler, list):
            self.bbox_sampler = [WeightedSampler(sampler) for sampler in self.bbox_sampler]
        elif self.bbox_sampler is not None:
            self.bbox_sampler = WeightedSampler(self.bbox_sampler)


class WeightedBBox(HostSubclass):
    """What `WeightedBBoxHead` adds to a box head."""

    def __init__(self, *args: Any, **settings: Any) -> None:  # noqa: ANN401 - the host's arguments
        super().__init__(*args, **settings)
        require_weighted(self, *[f"loss_{part}" for part in ("cls", "bbox") if getattr(self, f"loss_{part}", None)])

    def get_targets(
        self,
        sampling_results: list[SamplingResult],
        rcnn_train_cfg: dict,
        concat: bool = True,
    ) -> tuple:
        """Returns the host's targets, with the weights of objects in those of labels and boxes."""
        targets = super().get_targets(sampling_results, rcnn_train_cfg, concat=False)
        labels, label_weights, bbox_targets, bbox_weights = map(list, targets)
        for i, result in enumerate(sampling_results):
            weights = _weights_of(result)
            positive = len(weights)  # positive samples come first
            label_weights[i][:positive] *= weights
            bbox_weights[i][:positive] *= weights[:, None]
        targets = labels, label_weights, bbox_targets, bbox_weights
        return tuple(torch.cat(each) for each in targets) if concat else targets


class WeightedMask(HostSubclass):
    """What `WeightedMaskHead` adds to a mask head."""

    def __init__(self, *args: Any, **settings: Any) -> None:  # noqa: ANN401 - the host's arguments
        super().__init__(*args, **settings)
        if not takes_image_weight(self.loss_mask):
            raise ValueError(
                f"loss_mask: {type(self.loss_mask).__module__}.{type(self.loss_mask).__name__} takes no weight for "
                "each object; take a loss of noisyseg with use_mask=True, such as noisyseg.CrossEntropy"
            )

    def loss_and_target(
        self,
        mask_preds: Tensor,
        sampling_results: list[SamplingResult],
        batch_gt_instances: list[InstanceData],
        rcnn_train_cfg: dict,
    ) -> dict:
        """Returns loss and targets as the host does; the loss gets the weights of objects as ``image_weight``."""
        targets = self.get_targets(sampling_results, batch_gt_instances, rcnn_train_cfg)
        weights = torch.cat([_weights_of(result) for result in sampling_results])
        classes = torch.cat([result.pos_gt_labels for result in sampling_results])
        if self.class_agnostic:
            classes = torch.zeros_like(classes)
        loss = mask_preds.sum() if not len(mask_preds) else None
        if loss is None:
            loss = self.loss_mask(mask_preds, targets, classes, image_weight=weights)
        return {"loss_mask": {"loss_mask": loss}, "mask_targets": targets}


@MODELS.register_module()
def WeightedRoIHead(head: str | type, **settings: Any) -> BaseRoIHead:  # noqa: ANN401, N802 - a name in configs
    """Returns a RoI head whose box and mask losses weigh each object.

    Over a base, this is all that a config changes; box and mask heads become `WeightedBBoxHead`, `WeightedMaskHead`::

        roi_head = dict(type="noisyseg.WeightedRoIHead", head="mmdet.StandardRoIHead")

    Args:
        head: Type of the host's RoI head: ``mmdet.StandardRoIHead``, ``mmdet.CascadeRoIHead``, or one that leaves its
            losses to them.
        **settings: The arguments of that head, and ``parts``: which losses are weighted, of ``bbox`` and ``mask``; both
            unless it is given.

    Raises:
        ValueError: The head, or its box or mask head, computes losses in a way of its own, or a loss does not honour
            weights. When it runs: objects have no weights.
    """
    host = host_class(MMDET_MODELS, head, BaseRoIHead)
    methods = ["loss", "bbox_loss", "mask_loss", "init_assigner_sampler", "init_bbox_head", "init_mask_head"]
    if all(overridden(host, methods, [base]) for base in (StandardRoIHead, CascadeRoIHead)):
        changed = overridden(host, methods, [StandardRoIHead, CascadeRoIHead])
        raise ValueError(_refusal(head, changed, "mmdet.StandardRoIHead or mmdet.CascadeRoIHead"))
    return host_subclass(WeightedRoI, host)(**settings)


@MODELS.register_module()
def WeightedBBoxHead(head: str | type, **settings: Any) -> BBoxHead:  # noqa: ANN401, N802 - a name in configs
    """Returns a box head whose losses weigh each object; for use in a `WeightedRoIHead`.

    The weight of an object multiplies the classification and the box loss of each sample that is assigned to it;
    samples of the background count 1. The host divides both losses by a number of samples, not by the sum of the
    weights; only objects of weight 0 do not count in it.

    Args:
        head: Type of the host's box head, such as ``mmdet.Shared2FCBBoxHead``.
        **settings: The arguments of that head.

    Raises:
        ValueError: The head makes its targets or losses in a way of its own (SABL, DII …), or a loss does not
            honour weights.
    """
    host = host_class(MMDET_MODELS, head, BBoxHead)
    if changed := overridden(host, ["get_targets", "_get_targets_single", "loss_and_target", "loss"], [BBoxHead]):
        raise ValueError(_refusal(head, changed, "mmdet.BBoxHead, such as mmdet.Shared2FCBBoxHead"))
    return host_subclass(WeightedBBox, host)(**settings)


@MODELS.register_module()
def WeightedMaskHead(head: str | type, **settings: Any) -> FCNMaskHead:  # noqa: ANN401, N802 - a name in configs
    """Returns a mask head whose loss weighs each object; for use in a `WeightedRoIHead`.

    The loss gets the objects' weights as ``image_weight``, and divides by their sum.

    Args:
        head: Type of the host's mask head, such as ``mmdet.FCNMaskHead``.
        **settings: The arguments of that head; ``loss_mask`` must be a loss of noisyseg with ``use_mask=True``.

    Raises:
        ValueError: The head computes its loss in a way of its own, or its loss takes no weights.
    """
    host = host_class(MMDET_MODELS, head, FCNMaskHead)
    if changed := overridden(host, ["get_targets", "loss_and_target"], [FCNMaskHead]):
        raise ValueError(_refusal(head, changed, "mmdet.FCNMaskHead"))
    return host_subclass(WeightedMask, host)(**settings)


def _refusal(head: str | type, changed: list[str], expected: str) -> str:
    return (
        f"head: {head} has a {' and a '.join(changed)} of its own, which weights would not reach; expected a head that "
        f"leaves these to {expected}"
    )


def _weighted_config(config: dict | list, made_by: str) -> dict | list:
    """Returns the config of a head, or of one for each stage, with the host's type as ``head``."""
    if isinstance(config, list | tuple):
        return [_weighted_config(stage, made_by) for stage in config]
    if config["type"] == made_by:
        return config
    changed = config.copy()
    changed.update(type=made_by, head=config["type"])
    return changed


def _weights_of(result: SamplingResult) -> Tensor:
    """Returns the weight of the object of each positive sample.

    Raises:
        ValueError: The sampler keeps none.
    """
    if not hasattr(result, "pos_gt_weights"):
        raise ValueError(
            "expected samples with weights; a WeightedBBoxHead or WeightedMaskHead needs a WeightedRoIHead"
        )
    return result.pos_gt_weights
