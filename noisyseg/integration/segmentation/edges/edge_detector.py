"""A segmentor that gives the probability of an edge, for each class by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.structures import PixelData
from mmseg.models.segmentors.base import BaseSegmentor
from mmseg.structures import SegDataSample
from torch import Tensor

from noisyseg.integration.segmentation.edges.gt_edges import edge_targets
from noisyseg.ops.upsampling import upsample_strided
from noisyseg.registry import MODELS

__all__ = ["EDGE_PROB", "EdgeDetector"]

EDGE_PROB = "edge_prob"
"""Field of a predicted data sample: (K, H, W) uint8, 255 times the probability of an edge."""


@MODELS.register_module()
class EdgeDetector(BaseSegmentor):
    """Backbone, neck and head that find edges of K classes; a pixel may be on edges of several, or of none.

    The head is one of ours (`CASENetHead`, `SideEdgeHead`), or any decode head of mmseg with ``num_classes=K``, whose
    own loss is left aside. Inputs may have any size.

    Args:
        backbone: Config.
        decode_head: Config of a module with ``num_classes`` that turns features into logits: a list of (B, K, h, w),
            the fused ones last, or one tensor.
        neck: Config, where there is one.
        edge_loss: Config of a loss of (logits, targets, valid), applied to each output of the head.
        side_weight: Factor on the losses of all outputs but the last.
        dilation: Radius in pixels by which labelled edges are made thicker for the loss.
        data_preprocessor: Config; mmengine passes the one of the whole config.
        init_cfg: As of mmengine's ``BaseModule``.

    Raises:
        ValueError: ``dilation`` or ``side_weight`` is negative. When it runs: what `edge_targets` raises.
    """

    def __init__(
        self,
        backbone: Mapping[str, Any],
        decode_head: Mapping[str, Any],
        neck: Mapping[str, Any] | None = None,
        edge_loss: Mapping[str, Any] | None = None,
        side_weight: float = 1.0,
        dilation: int = 0,
        data_preprocessor: Mapping[str, Any] | None = None,
        init_cfg: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(data_preprocessor=data_preprocessor, init_cfg=init_cfg)
        if isinstance(dilation, bool) or not isinstance(dilation, int) or dilation < 0:
            raise ValueError(f"dilation: expected a whole number >= 0, not {dilation!r}")
        if not side_weight >= 0:
            raise ValueError(f"side_weight: expected a number >= 0, not {side_weight!r}")
        self.backbone = MODELS.build(backbone)
        if neck is not None:
            self.neck = MODELS.build(neck)
        self.decode_head = MODELS.build(decode_head)
        self.edge_loss = MODELS.build(edge_loss or dict(type="noisyseg.EdgeCrossEntropy"))
        self.side_weight, self.dilation = side_weight, dilation

    @property
    def num_classes(self) -> int:
        """K, as of the head."""
        return self.decode_head.num_classes

    def extract_feat(self, inputs: Tensor) -> tuple[Tensor, ...]:
        """Returns the features of backbone and neck."""
        features = self.backbone(inputs)
        return self.neck(features) if self.with_neck else features

    def edge_logits(self, inputs: Tensor) -> list[Tensor]:
        """Returns the logits of each output of the head, the fused one last.

        Args:
            inputs: (B, 3, H, W), of any H and W.

        Returns:
            (B, K, H, W) each; under autocast in its type.
        """
        size = tuple(inputs.shape[-2:])
        outputs = self.decode_head(self.extract_feat(inputs))
        if isinstance(outputs, Tensor):  # a head of mmseg, whose convention holds
            align = self.decode_head.align_corners
            return [F.interpolate(outputs, size, mode="bilinear", align_corners=align)]
        return [upsample_strided(output, size) for output in outputs]

    def loss(self, inputs: Tensor, data_samples: list[SegDataSample]) -> dict[str, Tensor]:
        """Returns ``loss_fused``, and ``loss_side0``, ``loss_side1``, ... where the head has sides."""
        logits = self.edge_logits(inputs)
        size = tuple(inputs.shape[-2:])
        targets, valid = edge_targets(data_samples, size, self.num_classes, inputs.device, self.dilation)
        *sides, fused = (self.edge_loss(output, targets, valid) for output in logits)
        losses = {f"loss_side{index}": self.side_weight * value for index, value in enumerate(sides)}
        return {**losses, "loss_fused": fused}

    def predict(self, inputs: Tensor, data_samples: list[SegDataSample] | None = None) -> list[SegDataSample]:
        """Returns the samples with ``edge_prob``: (K, H, W) uint8, ``round(255 σ(fused logit))``.

        Padding is cut off, a mirrored image mirrored back, and the logits resized (bilinear) to ``ori_shape``.
        """
        logits = self.edge_logits(inputs)[-1].float()
        samples = [SegDataSample() for _ in logits] if data_samples is None else data_samples
        for sample, of_image in zip(samples, logits, strict=True):
            own = _as_loaded(of_image, sample.metainfo)
            levels = own.sigmoid().mul_(255).round_().to(torch.uint8)
            sample.set_data({EDGE_PROB: PixelData(data=levels)})
        return samples

    def encode_decode(self, inputs: Tensor, batch_img_metas: list[dict]) -> Tensor:
        """Returns the fused logits (B, K, H, W)."""
        return self.edge_logits(inputs)[-1]

    def _forward(self, inputs: Tensor, data_samples: list[SegDataSample] | None = None) -> Tensor:
        return self.edge_logits(inputs)[-1]


def _as_loaded(logits: Tensor, meta: Mapping[str, Any]) -> Tensor:
    """Returns the (K, H, W) logits of one image in the frame of its file."""
    left, right, top, bottom = meta.get("img_padding_size", meta.get("padding_size", (0, 0, 0, 0)))
    logits = logits[:, top : logits.shape[1] - bottom, left : logits.shape[2] - right]
    if meta.get("flip"):
        direction = meta["flip_direction"]
        axes = {"horizontal": [2], "vertical": [1], "diagonal": [1, 2]}
        if direction not in axes:
            raise ValueError(f"flip_direction: expected one of {', '.join(axes)}, not {direction!r}")
        logits = logits.flip(axes[direction])
    size = tuple(meta.get("ori_shape", logits.shape[1:]))[:2]
    if tuple(logits.shape[1:]) == size:
        return logits
    return F.interpolate(logits[None], size, mode="bilinear", align_corners=False)[0]
