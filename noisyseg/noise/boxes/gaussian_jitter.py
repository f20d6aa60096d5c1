"""Boxes each of whose sides is off by a Gaussian."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.random import Generator

from noisyseg.noise.boxes.box_noise import BoxNoise, MaskPolicy
from noisyseg.noise.kernels import boxes as kernels
from noisyseg.registry import TASK_UTILS


@TASK_UTILS.register_module()
class GaussianJitter(BoxNoise):
    """Moves each side of a box by a Gaussian share of its size.

    The left and the right side move by ``gamma * w * N(0, 1)``, the upper and the lower one by ``gamma * h * N(0, 1)``,
    each by itself; drawn in the order left, top, right, bottom.

    Args:
        gamma: Standard deviation as a share of the sides, >= 0.
        prob: Share of the boxes that are hit, each by itself, in [0, 1].
        min_size: Shortest side of a noisy box, pixels; see :class:`BoxNoise`, which also says what becomes of others.
        iou_range: Lowest and highest IoU with the clean box; None for any.
        mask_policy: ``"keep"``, ``"warp"`` or ``"clip"``: what becomes of the mask, where there is one.
        decimals: Digits to which noisy boxes are rounded; None for all.

    Raises:
        ValueError: An argument is out of its range.

    Reference: arXiv 2206.05708, gamma 0.05 and 0.1. The paper's formula is not verified.
    """

    def __init__(
        self,
        gamma: float,
        prob: float = 1.0,
        min_size: float = 1.0,
        iou_range: Sequence[float] | None = None,
        mask_policy: MaskPolicy = "keep",
        decimals: int | None = None,
    ) -> None:
        super().__init__(prob, min_size, iou_range, mask_policy, decimals)
        if not 0 <= gamma < np.inf:
            raise ValueError(f"gamma: expected a share of the box's sides >= 0, got {gamma}")
        self.gamma = gamma

    def moved(self, box: kernels.Floats, rng: Generator) -> kernels.Floats:
        """See the base class."""
        return kernels.move_sides(box, rng.normal(0.0, self.gamma, 4))
