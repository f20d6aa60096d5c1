"""Outlines drawn with too few clicks: simplified polygons."""

from __future__ import annotations

from collections.abc import Mapping

from noisyseg.labels import Instances
from noisyseg.labels.rng import ObjectStreams
from noisyseg.noise.kernels import masks as kernels
from noisyseg.noise.masks.outlines import Mode, check_mode, filled, traced
from noisyseg.noise.model import Change, ObjectNoise, Params, mask_of
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

    def changes(self, labels: Instances, draws: Mapping[int, Params]) -> dict[int, Change]:
        """See the base class; all outlines of an image are simplified in one call."""
        outlines = {i: traced(mask_of(labels, i, self.op), self.mode) for i in draws}
        kept = {i: self._kept(parts) for i, (parts, _, _) in outlines.items()}
        simple = iter(kernels.simplify([part for parts in kept.values() for part in parts], self.tolerance))
        changes = {}
        for i, (_, left, top) in outlines.items():
            parts = [next(simple) for _ in kept[i]]
            changes[i] = Change(mask=filled(parts, left, top, labels.size_hw))
        return changes

    def _kept(self, parts: list[kernels.Part]) -> list[kernels.Part]:
        return parts if self.mode == "fixed" else [part for part in parts if len(part.outer) >= 4]
