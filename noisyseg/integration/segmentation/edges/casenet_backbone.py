"""The residual network of CASENet: fine where edges are drawn, coarse where they are named."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmseg.models.backbones import ResNet
from torch import Tensor

from noisyseg.registry import MODELS

__all__ = ["CASENetResNet"]


@MODELS.register_module()
class CASENetResNet(ResNet):
    """A residual network that gives its stem besides its stages, at strides 1, 2, 4, 8, 8 instead of 2, 4, ..., 32.

    The stem convolution has stride 1, the last stage too; dilation makes up for the reach that this costs. With
    ``depth=101`` and frozen batch norm (``norm_cfg=dict(type="BN", requires_grad=False), norm_eval=True``) it is
    CASENet's, with the names and shapes of mmseg's ``ResNet``, whose checkpoints load as they are.

    Differs from the released networks in the host's bottleneck: the stride is in the 3 x 3 convolution
    (``style="caffe"`` moves it to the 1 x 1).

    Args:
        depth: 18, 34, 50, 101 or 152.
        stem_stride: Of the first convolution: 1 as in CASENet, 2 as in mmseg, at a quarter of the cost.
        strides: Of the stages, the max-pool before them having 2.
        dilations: Of the stages.
        out_indices: Stages whose maps are given, besides the stem's; CASENet leaves out the third.
        **settings: Further arguments of mmseg's ``ResNet``.

    Raises:
        ValueError: ``stem_stride`` is neither 1 nor 2.

    Source:
        Yu et al., CASENet: Deep Category-Aware Semantic Edge Detection, CVPR 2017.
    """

    def __init__(
        self,
        depth: int,
        stem_stride: int = 1,
        strides: Sequence[int] = (1, 2, 2, 1),
        dilations: Sequence[int] = (2, 2, 2, 4),
        out_indices: Sequence[int] = (0, 1, 3),
        **settings: Any,  # noqa: ANN401 - the host's arguments
    ) -> None:
        if stem_stride not in (1, 2):
            raise ValueError(f"stem_stride: expected 1 or 2, not {stem_stride!r}")
        super().__init__(depth, strides=strides, dilations=dilations, out_indices=out_indices, **settings)
        first = self.stem[0] if self.deep_stem else self.conv1
        first.stride = (stem_stride, stem_stride)

    def forward(self, inputs: Tensor) -> tuple[Tensor, ...]:
        """Returns the maps of the stem and of the stages ``out_indices``, for (B, 3, H, W) of any H and W."""
        stem = self.stem(inputs) if self.deep_stem else self.relu(self.norm1(self.conv1(inputs)))
        maps, last = [stem], self.maxpool(stem)
        for index, name in enumerate(self.res_layers):
            last = getattr(self, name)(last)
            if index in self.out_indices:
                maps.append(last)
        return tuple(maps)

    def train(self, mode: bool = True) -> CASENetResNet:
        """Sets the mode, but for what is frozen, and returns the network, which the host's ``train`` does not."""
        super().train(mode)
        return self
