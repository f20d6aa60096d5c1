"""One object annotated as several."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

from noisyseg.labels import Instances, Mask
from noisyseg.labels.rng import ObjectStreams
from noisyseg.noise.kernels import objects as kernels
from noisyseg.noise.model import Change, ObjectNoise, Params, mask_of
from noisyseg.registry import TASK_UTILS


@TASK_UTILS.register_module()
class Split(ObjectNoise):
    """Annotates one object as several, which together cover it and do not overlap.

    The largest piece keeps the annotation; each other one becomes a new annotation, of the same class, that names the
    first one as its source.

    Args:
        rate: Share of objects that are to be split, in [0, 1].
        by: ``"line"`` cuts the mask in two by a straight line of random direction, which leaves each side at least a
            quarter of the pixels, up to rounding; ``"parts"`` makes each connected part of the mask an object, so only
            masks of several parts change.

    Raises:
        ValueError: ``rate`` lies outside [0, 1], or ``by`` is neither of the words.
    """

    def __init__(self, rate: float, by: Literal["line", "parts"] = "line") -> None:
        if not 0 <= rate <= 1:
            raise ValueError(f"rate: expected a share in [0, 1], got {rate}")
        if by not in ("line", "parts"):
            raise ValueError(f"by: expected 'line' or 'parts', got {by!r}")
        self.rate, self.by = rate, by

    def draw(self, labels: Instances, i: int, streams: ObjectStreams) -> Params | None:
        """See the base class; ``angle`` is across the line, in radians, ``share`` that of the first side."""
        mask = mask_of(labels, i, self.op)
        rng = streams.of(self.op, int(labels.source[i]))
        if rng.random() >= self.rate:
            return None
        if self.by == "parts":
            return {} if len(kernels.connected_parts(mask.crop.pixels)) > 1 else None
        angle, share = rng.uniform(0, math.pi), rng.uniform(0.25, 0.75)
        return {"angle": angle, "share": share} if mask.area > 1 else None

    def changes(self, labels: Instances, draws: Mapping[int, Params]) -> dict[int, Change]:
        """See the base class."""
        return {i: self._change(labels.masks[i], drawn) for i, drawn in draws.items()}

    def _change(self, mask: Mask, draws: Params) -> Change:
        left, top, pixels = mask.crop
        if self.by == "parts":
            pieces = kernels.connected_parts(pixels)
        else:
            pieces = sorted(kernels.cut(pixels, draws["angle"], draws["share"]), key=lambda piece: -int(piece.sum()))
        first, *others = (Mask.from_crop(left, top, piece, mask.size_hw) for piece in pieces)
        return Change(mask=first, pieces=tuple(others))
