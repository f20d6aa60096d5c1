"""Outlines clicked with an unsteady hand: every vertex moves by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from noisyseg.labels import Instances
from noisyseg.labels.rng import ObjectStreams
from noisyseg.noise.kernels import masks as kernels
from noisyseg.noise.masks.outlines import Mode, check_mode, filled, traced
from noisyseg.noise.model import Change, ObjectNoise, Params, mask_of
from noisyseg.registry import TASK_UTILS


@TASK_UTILS.register_module()
class Localization(ObjectNoise):
    """Moves each vertex of the outline by a rounded Gaussian and fills what results.

    Vertices are the direction changes of the pixel outline, so smooth shapes move in many places and rectangles in
    four; filling paints the outline too, so small and thin shapes grow.

    Args:
        sigma: Standard deviation of the move along each axis, pixels, > 0.
        mode: ``"fixed"`` moves the outlines of holes as well; ``"official"`` fills holes, as the authors' code does.

    Raises:
        ValueError: ``sigma`` is not positive, or the mode is unknown.

    Reference: COCO-N "localization", arXiv 2406.10891.
    """

    def __init__(self, sigma: float, mode: Mode = "fixed") -> None:
        if not sigma > 0:
            raise ValueError(f"sigma: expected pixels > 0, got {sigma}")
        check_mode(mode)
        self.sigma, self.mode = sigma, mode

    def draw(self, labels: Instances, i: int, streams: ObjectStreams) -> Params | None:
        """See the base class; ``offsets`` are flat ``dx, dy`` over the rings of all parts, in OpenCV's order."""
        parts, _, _ = traced(mask_of(labels, i, self.op), self.mode)
        vertices = sum(len(part.outer) + sum(map(len, part.holes)) for part in parts)
        if not vertices:
            return None
        moves = streams.of(self.op, int(labels.source[i])).standard_normal(2 * vertices)
        moves *= self.sigma
        # Vertices are whole numbers, so rounding the move is rounding the moved vertex.
        return {"offsets": np.rint(moves, out=moves).astype(np.int32)}

    def changes(self, labels: Instances, draws: Mapping[int, Params]) -> dict[int, Change]:
        """See the base class."""
        return {i: self._change(labels, i, drawn) for i, drawn in draws.items()}

    def _change(self, labels: Instances, i: int, draws: Params) -> Change:
        mask = labels.masks[i]
        parts, left, top = traced(mask, self.mode)
        offsets = np.asarray(draws["offsets"], np.int32).reshape(-1, 2)
        moved, start = [], 0
        for part in parts:
            stop = start + len(part.outer) + sum(map(len, part.holes))
            moved.append(kernels.displace(part, offsets[start:stop]))
            start = stop
        return Change(mask=filled(moved, left, top, mask.size_hw))

    def describe(self, draws: Params) -> list[dict[str, Any]]:
        """See the base class; thousands of offsets are counted, not listed: the seed gives them again."""
        return [{"op": self.op, "params": self.settings, "draws": {"vertices": len(draws["offsets"]) // 2}}]
