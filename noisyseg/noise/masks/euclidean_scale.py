"""Masks drawn too loosely or too tightly, by the same distance in all directions."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from noisyseg.labels import Instances, Mask
from noisyseg.labels.rng import ObjectStreams
from noisyseg.noise.kernels.markov import euclidean_scale
from noisyseg.noise.model import Change, ObjectNoise, Params, mask_of
from noisyseg.registry import TASK_UTILS


@TASK_UTILS.register_module()
class EuclideanScale(ObjectNoise):
    """Dilates or erodes every mask by a Euclidean distance, by the toss of a fair coin ("DE" noise).

    A disc keeps its shape, where :class:`Scale` makes it square. Erosion does not eat from the border of the frame. A
    mask that fills the frame stays.

    Args:
        levels: Smallest and largest distance in pixels, >= 0; drawn uniformly between them. Distances up to 1 change
            nothing.

    Raises:
        ValueError: The levels are negative or not in order.

    Reference: the baseline of Yao et al., ICLR 2023, arXiv 2308.02498. The authors' code of it cannot run.
    """

    def __init__(self, levels: Sequence[float]) -> None:
        if len(levels) != 2 or not 0 <= levels[0] <= levels[1] < math.inf:
            raise ValueError(f"levels: expected two distances, 0 <= smallest <= largest, got {levels}")
        self.levels = tuple(levels)

    def draw(self, labels: Instances, i: int, streams: ObjectStreams) -> Params:
        """See the base class; a coin and a level."""
        rng = streams.of(self.op, int(labels.source[i]))
        grow = bool(rng.random() < 0.5)
        low, high = self.levels
        return {"grow": grow, "level": low + (high - low) * rng.random()}

    def changes(self, labels: Instances, draws: Mapping[int, Params]) -> dict[int, Change]:
        """See the base class."""
        return {i: self._change(labels, i, drawn) for i, drawn in draws.items()}

    def _change(self, labels: Instances, i: int, draws: Params) -> Change:
        mask, level = mask_of(labels, i, self.op), draws["level"]
        left, top, pixels = mask.window(math.ceil(level) + 1)
        return Change(mask=Mask.from_crop(left, top, euclidean_scale(pixels, level, draws["grow"]), mask.size_hw))
