"""Boxes drawn anywhere about the object."""

from __future__ import annotations

from collections.abc import Sequence

from numpy.random import Generator

from noisyseg.noise.boxes.box_noise import BoxNoise, MaskPolicy
from noisyseg.noise.kernels import boxes as kernels
from noisyseg.registry import TASK_UTILS


@TASK_UTILS.register_module()
class ResampledBox(BoxNoise):
    """Draws a box anew inside the doubled box: two uniform positions along x and two along y.

    Nearly destroys the box: the mean IoU with the clean one is 0.15, and a quarter do not touch it.

    Args:
        prob: Share of the boxes that are hit, each by itself, in [0, 1].
        min_size: Shortest side of a noisy box, pixels; see :class:`BoxNoise`, which also says what becomes of others.
        iou_range: Lowest and highest IoU with the clean box; None for any.
        mask_policy: ``"keep"``, ``"warp"`` or ``"clip"``: what becomes of the mask, where there is one.
        decimals: Digits to which noisy boxes are rounded; None for all.

    Raises:
        ValueError: An argument is out of its range.

    Reference: localization noise of UNA, arXiv 2312.13822, which rounds to two decimals, hits an exact number of boxes
    (``noisyseg.Exactly``) and takes the central half of the clean box in place of one with a side below 1e-5.
    """

    def __init__(
        self,
        prob: float = 1.0,
        min_size: float = 1.0,
        iou_range: Sequence[float] | None = None,
        mask_policy: MaskPolicy = "keep",
        decimals: int | None = 2,
    ) -> None:
        super().__init__(prob, min_size, iou_range, mask_policy, decimals)

    def moved(self, box: kernels.Floats, rng: Generator) -> kernels.Floats:
        """See the base class."""
        return kernels.resample(box, rng.random(4))
