"""Masks drawn too loosely or too tightly: dilate or erode by a square."""

from __future__ import annotations

from collections.abc import Mapping

from noisyseg.labels import Instances, Mask
from noisyseg.labels.rng import ObjectStreams
from noisyseg.noise.kernels import masks as kernels
from noisyseg.noise.model import Change, ObjectNoise, Params, mask_of
from noisyseg.registry import TASK_UTILS


@TASK_UTILS.register_module()
class Scale(ObjectNoise):
    """Dilates or erodes every mask, by the toss of a fair coin.

    A square of side s keeps ((s - 2r) / s)^2 of its area as IoU when eroded and (s / (s + 2r))^2 when dilated, with
    r = (size - 1) / 2. Small objects can vanish.

    Args:
        size: Side of the square structuring element in pixels of the original image, odd.

    Raises:
        ValueError: ``size`` is not an odd number >= 1; an even one would shift masks to one side.

    Reference: COCO-N "scale", arXiv 2406.10891.
    """

    def __init__(self, size: int) -> None:
        if size < 1 or size % 2 == 0:
            raise ValueError(f"size: expected an odd number >= 1, got {size}")
        self.size = size

    def draw(self, labels: Instances, i: int, streams: ObjectStreams) -> Params:
        """See the base class; one uniform number an object."""
        return {"grow": streams.uniform(self.op, int(labels.source[i])) < 0.5}

    def changes(self, labels: Instances, draws: Mapping[int, Params]) -> dict[int, Change]:
        """See the base class."""
        return {i: self._change(labels, i, drawn) for i, drawn in draws.items()}

    def _change(self, labels: Instances, i: int, draws: Params) -> Change:
        mask = mask_of(labels, i, self.op)
        left, top, pixels = mask.window(self.size)
        return Change(mask=Mask.from_crop(left, top, kernels.scale(pixels, self.size, draws["grow"]), mask.size_hw))
