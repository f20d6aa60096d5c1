"""Heads of mmdet on anchors that multiply the weights of the objects into their losses."""

from __future__ import annotations

from typing import Any

from mmdet.models.dense_heads import AnchorHead, RPNHead
from mmdet.models.task_modules.prior_generators import anchor_inside_flags
from mmdet.models.utils import unmap
from mmdet.registry import MODELS as MMDET_MODELS
from mmengine.structures import InstanceData
from torch import Tensor

from noisyseg.integration.detection.weighted_losses import require_weighted, weights_of
from noisyseg.integration.host_subclasses import HostSubclass, host_class, host_subclass, overridden
from noisyseg.registry import MODELS

__all__ = ["WeightedAnchorHead"]


class Weighted(HostSubclass):
    """What `WeightedAnchorHead` adds to a head."""

    def __init__(self, *args: Any, **settings: Any) -> None:  # noqa: ANN401 - the host's arguments
        super().__init__(*args, **settings)
        require_weighted(self, "loss_cls", "loss_bbox")

    def _get_targets_single(
        self,
        flat_anchors: Tensor,
        valid_flags: Tensor,
        gt_instances: InstanceData,
        img_meta: dict,
        gt_instances_ignore: InstanceData | None = None,
        unmap_outputs: bool = True,
    ) -> tuple:
        """Returns the host's targets of an image, with the weights of objects in those of labels and boxes."""
        targets = super()._get_targets_single(
            flat_anchors, valid_flags, gt_instances, img_meta, gt_instances_ignore, unmap_outputs
        )
        labels, label_weights, bbox_targets, bbox_weights, pos_inds, neg_inds, sampled = targets
        inside = anchor_inside_flags(
            flat_anchors, valid_flags, img_meta["img_shape"][:2], self.train_cfg["allowed_border"]
        )
        factors = label_weights.new_ones(int(inside.sum()))
        factors[pos_inds] = weights_of(gt_instances)[sampled.pos_assigned_gt_inds.long()].to(factors)
        if unmap_outputs:
            factors = unmap(factors, len(flat_anchors), inside, fill=1)
        label_weights, bbox_weights = label_weights * factors, bbox_weights * factors[:, None]
        return labels, label_weights, bbox_targets, bbox_weights, pos_inds, neg_inds, sampled


@MODELS.register_module()
def WeightedAnchorHead(head: str | type, **settings: Any) -> AnchorHead:  # noqa: ANN401, N802 - a name in configs
    """Returns a head on anchors (``mmdet.RPNHead``, ``mmdet.RetinaHead``) whose losses weigh each object.

    The weight of an object multiplies the classification and the box loss of each anchor that is assigned to it;
    anchors of the background count 1. What the host divides by, a number of anchors, stays.

    Args:
        head: Type of the host's head.
        **settings: The arguments of that head.

    Raises:
        ValueError: The head makes targets or losses in a way of its own (ATSS, GFL, SSD, PAA …), or a loss does
            not honour weights. When it runs: objects have no weights.
    """
    host = host_class(MMDET_MODELS, head, AnchorHead)
    changed = [
        *overridden(host, ["_get_targets_single", "get_targets", "loss_by_feat_single"], [AnchorHead]),
        *overridden(host, ["loss", "loss_by_feat"], [AnchorHead, RPNHead]),
    ]
    if changed:
        raise ValueError(
            f"head: {head} has a {' and a '.join(changed)} of its own, which weights would not reach; expected a head "
            "that leaves these to mmdet.AnchorHead, such as mmdet.RPNHead or mmdet.RetinaHead"
        )
    return host_subclass(Weighted, host)(**settings)
