"""Boxes put beside the object and drawn too large or too small."""

from __future__ import annotations

from collections.abc import Sequence

from numpy.random import Generator

from noisyseg.noise.boxes.box_noise import BoxNoise, MaskPolicy, check_level
from noisyseg.noise.kernels import boxes as kernels
from noisyseg.registry import TASK_UTILS


@TASK_UTILS.register_module()
class CenterScaleJitter(BoxNoise):
    """Shifts the centre of a box and scales its sides, each by a uniform share of its size.

    With numbers from U(-level, level) the centre moves by ``w * dx, h * dy`` and the sides become ``w * (1 + dw)`` and
    ``h * (1 + dh)``; drawn in this order.

    Args:
        level: Largest share, in [0, 1).
        prob: Share of the boxes that are hit, each by itself, in [0, 1].
        min_size: Shortest side of a noisy box, pixels; see :class:`BoxNoise`, which also says what becomes of others.
        iou_range: Lowest and highest IoU with the clean box; None for any.
        mask_policy: ``"keep"``, ``"warp"`` or ``"clip"``: what becomes of the mask, where there is one.
        decimals: Digits to which noisy boxes are rounded; None for all.

    Raises:
        ValueError: An argument is out of its range.

    Reference: OA-MIL, Liu et al., "Robust Object Detection with Inaccurate Bounding Boxes", ECCV 2022, levels 0.1 to
    0.4. The released code cuts boxes at [0, W - 1] x [0, H - 1] and keeps a clean box in place of one without area.
    """

    def __init__(
        self,
        level: float,
        prob: float = 1.0,
        min_size: float = 1.0,
        iou_range: Sequence[float] | None = None,
        mask_policy: MaskPolicy = "keep",
        decimals: int | None = None,
    ) -> None:
        super().__init__(prob, min_size, iou_range, mask_policy, decimals)
        check_level(level)
        self.level = level

    def moved(self, box: kernels.Floats, rng: Generator) -> kernels.Floats:
        """See the base class."""
        return kernels.shift_and_scale(box, rng.uniform(-self.level, self.level, 4))
