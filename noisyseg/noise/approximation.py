"""Outlines drawn with too few clicks: simplified polygons."""

from __future__ import annotations

from noisyseg.labels import Instances
from noisyseg.labels.rng import ObjectStreams
from noisyseg.noise.kernels import masks as kernels
from noisyseg.noise.model import Change, ObjectNoise, Params, mask_of
from noisyseg.noise.outlines import Mode, check_mode, filled, traced
from noisyseg.registry import TASK_UTILS


@TASK_UTILS.register_module()
class Approximation(ObjectNoise):
    """Simplifies the outline of every mask by Douglas-Peucker and fills it; draws nothing.

    Args:
        tolerance: Largest distance in pixels by which the outline may move, > 0.
        mode: ``"fixed"`` keeps parts that are too small to simplify, and holes; ``"official"`` drops a part whose
            outline has fewer than four vertices (a triangle, a line, a pixel) and fills holes, as the authors' code
            does.

    Raises:
        ValueError: ``tolerance`` is not positive, or the mode is unknown.

    Reference: COCO-N "approximation", arXiv 2406.10891.
    """

    def __init__(self, tolerance: float, mode: Mode = "fixed") -> None:
        if not tolerance > 0:
            raise ValueError(f"tolerance: expected pixels > 0, got {tolerance}")
        check_mode(mode)
        self.tolerance, self.mode = tolerance, mode

    def draw(self, labels: Instances, i: int, streams: ObjectStreams) -> Params:
        """See the base class; nothing is drawn."""
        return {}

    def change(self, labels: Instances, i: int, draws: Params) -> Change:
        """See the base class."""
        mask = mask_of(labels, i, self.op)
        parts, left, top = traced(mask, self.mode)
        if self.mode == "official":
            parts = [part for part in parts if len(part.outer) >= 4]
        return Change(mask=filled([kernels.simplify(p, self.tolerance) for p in parts], left, top, mask.size_hw))
