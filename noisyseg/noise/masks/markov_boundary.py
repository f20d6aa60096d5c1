"""Outlines that crept outwards or inwards: a random walk of the boundary, pixel by pixel."""

from __future__ import annotations

import math
from collections.abc import Mapping

import cv2

from noisyseg.labels import Instances, Mask
from noisyseg.labels.rng import ObjectStreams
from noisyseg.noise.fields import field_key, field_rng
from noisyseg.noise.kernels.markov import BLUR_SIDE, markov
from noisyseg.noise.model import Change, ObjectNoise, Params, mask_of
from noisyseg.registry import TASK_UTILS


@TASK_UTILS.register_module()
class MarkovBoundary(ObjectNoise):
    """Lets the boundary of every mask walk: in each step all of it moves out or in, each pixel only by chance.

    ``2 * theta1 - 1`` is the bias: above 0.5 masks grow, below they shrink. The front gets rough and moves by about
    1.5 to 1.8 times ``theta2`` a step, at most by a pixel. Empty masks and those that fill the frame stay.

    Args:
        steps: Steps of the walk, T in the paper.
        theta1: Chance that a step goes outwards, in [0, 1].
        theta2: Chance that a pixel of the boundary follows a step, in [0, 1].
        theta3: Chance that a pixel of the frame flips after the walk, in [0, 1]; leaves specks far from the object,
            which make its box large, if it is not 0.
        blur_sigma: Of a blur over 5 x 5 pixels at the end, which takes the majority; 0 for none.
        area: The size of mask, in pixels, that ``steps`` is meant for: others get ``steps`` times the square root of
            the ratio of areas, so that small ones do not vanish; None for the same number for all.

    Raises:
        ValueError: An argument is out of range.

    Reference: Yao et al., ICLR 2023, arXiv 2308.02498 (spatial correction), section on synthetic noise; their theta3
    is on. We return empty masks as they are, where the authors' code starts an object at pixel (0, 0).
    """

    def __init__(
        self,
        steps: int,
        theta1: float,
        theta2: float,
        theta3: float = 0.0,
        blur_sigma: float = 0.0,
        area: float | None = None,
    ) -> None:
        if not (isinstance(steps, int) and steps >= 0):
            raise ValueError(f"steps: expected a whole number >= 0, got {steps}")
        for name, value in (("theta1", theta1), ("theta2", theta2), ("theta3", theta3)):
            if not 0 <= value <= 1:
                raise ValueError(f"{name}: expected a chance in [0, 1], got {value}")
        if not blur_sigma >= 0:
            raise ValueError(f"blur_sigma: expected pixels >= 0, got {blur_sigma}")
        if area is not None and not area > 0:
            raise ValueError(f"area: expected pixels > 0, got {area}")
        self.steps, self.theta1, self.theta2, self.theta3 = steps, theta1, theta2, theta3
        self.blur_sigma, self.area = blur_sigma, area

    def draw(self, labels: Instances, i: int, streams: ObjectStreams) -> Params | None:
        """See the base class; ``key`` names all coins of the walk."""
        if not (self.steps and self.theta2) and not self.theta3 and not self.blur_sigma:
            return None
        return {"key": field_key(streams.of(self.op, int(labels.source[i])))}

    def changes(self, labels: Instances, draws: Mapping[int, Params]) -> dict[int, Change]:
        """See the base class."""
        return {i: Change(mask=self._walked(mask_of(labels, i, self.op), drawn["key"])) for i, drawn in draws.items()}

    def _walked(self, mask: Mask, key: int) -> Mask:
        steps = self.steps if self.area is None else round(self.steps * math.sqrt(mask.area / self.area))
        # Flips reach the whole frame.
        reach = max(mask.size_hw) if self.theta3 else steps + BLUR_SIDE
        left, top, pixels = mask.window(reach)
        noisy = markov(pixels, steps, self.theta1, self.theta2, self.theta3, self.blur_sigma, field_rng(key))
        x, y, w, h = cv2.boundingRect(noisy)
        if not w:
            return Mask.empty(mask.size_hw)
        return Mask.from_crop(left + x, top + y, noisy[y : y + h, x : x + w], mask.size_hw)
