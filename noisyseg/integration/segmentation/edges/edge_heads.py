"""Heads that find edges at several scales and fuse them: CASENet's, and the plain one of HED."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from noisyseg.ops.upsampling import upsample_strided
from noisyseg.registry import MODELS

__all__ = ["CASENetHead", "SideEdgeHead"]

SIDE_INIT = dict(type="mmengine.Normal", layer="Conv2d", std=0.01)


class _FusedSides(BaseModule):
    """Side outputs, and for each class a weighted sum of those that tell of it, the weights equal at first.

    Args:
        in_channels: Of the features that are used, finest first.
        num_classes: K.
        in_index: Which of the backbone's maps these are; None takes all.
        init_cfg: First weights of the sides.

    Raises:
        ValueError: ``num_classes`` < 1, no features, or not one index a feature.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        num_classes: int,
        in_index: Sequence[int] | None = None,
        init_cfg: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(init_cfg=dict(SIDE_INIT if init_cfg is None else init_cfg))
        if num_classes < 1:
            raise ValueError(f"num_classes: expected a whole number >= 1, not {num_classes!r}")
        if not in_channels or (in_index is not None and len(in_index) != len(in_channels)):
            raise ValueError(f"in_index: expected one for each of in_channels {in_channels!r}, not {in_index!r}")
        self.in_channels, self.num_classes = tuple(in_channels), num_classes
        self.in_index = None if in_index is None else tuple(in_index)
        sides = len(self.in_channels)
        self.sides = nn.ModuleList(
            nn.Conv2d(channels, self.side_channels(index), 1) for index, channels in enumerate(self.in_channels)
        )
        # A grouped 1 x 1 convolution over (class, side), written as what it is.
        self.fusion_weight = nn.Parameter(torch.full((num_classes, sides), 1 / sides))
        self.fusion_bias = nn.Parameter(torch.zeros(num_classes))

    def side_channels(self, index: int) -> int:
        """Returns how many channels a side has: K, or 1 for all classes."""
        raise NotImplementedError

    def side_maps(self, features: Sequence[Tensor]) -> list[Tensor]:
        """Returns the logits of each side at the size of the finest feature, (B, K or 1, h, w)."""
        if self.in_index is not None:
            features = [features[index] for index in self.in_index]
        if len(features) != len(self.sides):
            raise ValueError(f"features: expected {len(self.sides)} maps, as in_channels says, got {len(features)}")
        size = tuple(features[0].shape[-2:])
        return [upsample_strided(side(feature), size) for side, feature in zip(self.sides, features, strict=True)]

    def fuse(self, sides: Sequence[Tensor]) -> Tensor:
        """Returns (B, K, h, w): for each class the sides, times the class' weights."""
        weights = self.fusion_weight.to(sides[0].dtype)[..., None, None]
        fused = self.fusion_bias.to(sides[0].dtype)[:, None, None]
        for index, side in enumerate(sides):
            fused = fused + side * weights[:, index]
        return fused


@MODELS.register_module()
class CASENetHead(_FusedSides):
    """CASENet's head: the fine sides say where there is any edge, the coarsest says of which class.

    All sides but the last are one channel for all classes. The fused logit of a class is a weighted sum of these and
    of its own channel of the last side; with four sides each weight is 1/4 at first. Gives the last side and the fused
    map, which both have a loss.

    Takes the maps of any backbone whose strides are powers of two. Differs in the upsampling, which the released
    networks do by fixed transposed convolutions: here too it is bilinear, fixed and centred, for any size.

    Args:
        in_channels: Of the features that are used, finest first; CASENet-101: 64, 256, 512, 2048.
        num_classes: K.
        in_index: Which of the backbone's maps these are; None takes all.
        init_cfg: First weights of the sides; None means normal with standard deviation 0.01.

    Raises:
        ValueError: ``num_classes`` < 1, fewer than two features, or not one index a feature.

    Source:
        Yu et al., CASENet: Deep Category-Aware Semantic Edge Detection, CVPR 2017.
    """

    def __init__(
        self,
        in_channels: Sequence[int],
        num_classes: int,
        in_index: Sequence[int] | None = None,
        init_cfg: Mapping[str, Any] | None = None,
    ) -> None:
        if len(in_channels) < 2:
            raise ValueError(f"in_channels: expected two features or more, not {in_channels!r}")
        super().__init__(in_channels, num_classes, in_index, init_cfg)

    def side_channels(self, index: int) -> int:
        """Returns K for the last side, 1 for the others."""
        return self.num_classes if index == len(self.in_channels) - 1 else 1

    def forward(self, features: Sequence[Tensor]) -> list[Tensor]:
        """Returns the logits of the last side and the fused ones, (B, K, h, w) each, at the finest feature's size."""
        sides = self.side_maps(features)
        return [sides[-1], self.fuse(sides)]


@MODELS.register_module()
class SideEdgeHead(_FusedSides):
    """A plain head of several scales: each feature gives all classes, and a weighted sum of these is the result.

    With one class it is HED's. Each side and the fused map have a loss.

    Args:
        in_channels: Of the features that are used, finest first.
        num_classes: K.
        in_index: Which of the backbone's maps these are; None takes all.
        init_cfg: First weights of the sides; None means normal with standard deviation 0.01.

    Raises:
        ValueError: ``num_classes`` < 1, no features, or not one index a feature.

    Source:
        Xie and Tu, Holistically-Nested Edge Detection, ICCV 2015.
    """

    def side_channels(self, index: int) -> int:
        """Returns K."""
        return self.num_classes

    def forward(self, features: Sequence[Tensor]) -> list[Tensor]:
        """Returns the logits of all sides and, last, the fused ones, (B, K, h, w) at the finest feature's size."""
        sides = self.side_maps(features)
        return [*sides, self.fuse(sides)]
