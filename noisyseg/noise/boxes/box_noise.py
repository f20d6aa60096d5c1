"""What all models of box noise share: who is hit, which boxes are taken, what becomes of the masks."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Literal

import cv2
import numpy as np
from numpy.random import Generator

from noisyseg.labels import Instances, Mask
from noisyseg.labels.rng import ObjectStreams
from noisyseg.noise.kernels import boxes as kernels
from noisyseg.noise.kernels.boxes import Floats
from noisyseg.noise.model import Change, ObjectNoise, Params

MaskPolicy = Literal["keep", "warp", "clip"]
MASK_POLICIES = ("keep", "warp", "clip")
# How many boxes are drawn for an object before the best of them is taken.
TRIES = 50


class BoxNoise(ObjectNoise):
    """Noise that draws boxes wrongly; classes stay, and labels need no masks.

    A drawn box is cut at the image [0, W] x [0, H] and rounded. It is drawn again, up to 50 times, when a side is
    shorter than ``min_size`` or its IoU with the clean box lies outside ``iou_range``. Then the box whose IoU was
    nearest to the range is taken and the draws say ``"iou_missed"``; where no box was large enough the clean box
    stays. Boxes that are smaller than ``min_size`` themselves are left alone.

    Args:
        prob: Share of the boxes that are hit, each by itself, in [0, 1].
        min_size: Shortest side of a noisy box, pixels, > 0.
        iou_range: Lowest and highest IoU of a noisy box with the clean one; None for any.
        mask_policy: What becomes of the mask, where there are masks. ``"keep"``: it stays. ``"warp"``: it is moved and
            stretched as the box was. ``"clip"``: it loses what lies outside the drawn box. After the last two the box
            is tight around the noisy mask.
        decimals: Digits after the point to which noisy boxes are rounded; 0 gives whole pixels, None all digits.

    Raises:
        ValueError: An argument is out of its range.
    """

    def __init__(
        self,
        prob: float,
        min_size: float,
        iou_range: Sequence[float] | None,
        mask_policy: MaskPolicy,
        decimals: int | None,
    ) -> None:
        if not 0 <= prob <= 1:
            raise ValueError(f"prob: expected a share in [0, 1], got {prob}")
        if not 0 < min_size < np.inf:
            raise ValueError(f"min_size: expected pixels > 0, got {min_size}")
        if iou_range is not None and not _is_range(iou_range):
            raise ValueError(f"iou_range: expected two numbers 0 <= low <= high <= 1, got {iou_range}")
        if mask_policy not in MASK_POLICIES:
            raise ValueError(f"mask_policy: expected one of {', '.join(MASK_POLICIES)}, got {mask_policy!r}")
        if decimals is not None and (isinstance(decimals, bool) or not isinstance(decimals, int) or decimals < 0):
            raise ValueError(f"decimals: expected a whole number >= 0, got {decimals}")
        self.prob, self.min_size, self.iou_range = prob, min_size, iou_range
        self.mask_policy, self.decimals = mask_policy, decimals

    @abstractmethod
    def moved(self, box: Floats, rng: Generator) -> Floats:
        """Returns (4,) a newly drawn box, not cut at the image yet.

        Args:
            box: (4,) the clean box, of positive width and height.
            rng: Where the draws come from.
        """

    def draw(self, labels: Instances, i: int, streams: ObjectStreams) -> Params | None:
        """See the base class; ``box`` is the noisy box, ``tries`` says how often it was drawn if not once."""
        rng = streams.of(self.op, int(labels.source[i]))
        clean = labels.boxes[i]
        if rng.random() >= self.prob or self._too_small(kernels.clip(clean, labels.size_hw)):
            return None
        best, best_miss, tries = None, np.inf, 0
        while best_miss > 0 and tries < TRIES:
            tries += 1
            box = self.moved(clean, rng)
            if np.array_equal(box, clean):
                return None
            box = kernels.clip(box, labels.size_hw)
            if self.decimals is not None:
                box = box.round(self.decimals)
            if not self._too_small(box) and (miss := self._miss(box, clean)) < best_miss:
                best, best_miss = box, miss
        if best is None or np.array_equal(best, clean):
            return None
        draws: Params = {"box": best.tolist()}
        if tries > 1:
            draws["tries"] = tries
        if best_miss > 0:
            draws["iou_missed"] = True
        return draws

    def changes(self, labels: Instances, draws: Mapping[int, Params]) -> dict[int, Change]:
        """See the base class."""
        return {i: self._change(labels, i, drawn) for i, drawn in draws.items()}

    def _change(self, labels: Instances, i: int, draws: Params) -> Change:
        box = draws["box"]
        if labels.masks is None or self.mask_policy == "keep":
            return Change(box=tuple(box))
        mask = labels.masks[i]
        window = kernels.Window(*mask.crop)
        if self.mask_policy == "warp":
            window = kernels.warp(window, labels.boxes[i], np.array(box), labels.size_hw)
        else:
            window = kernels.cut(window, np.array(box))
            if np.count_nonzero(window.pixels) == np.count_nonzero(mask.crop.pixels):
                return Change()
        left, top, width, height = cv2.boundingRect(window.pixels) if window.pixels.size else (0, 0, 0, 0)
        if not width:
            return Change(mask=Mask.empty(labels.size_hw), box=tuple(box))
        left, top = left + window.left, top + window.top
        return Change(mask=Mask.from_crop(*window, labels.size_hw), box=(left, top, left + width, top + height))

    def _too_small(self, box: Floats) -> bool:
        return min(box[2] - box[0], box[3] - box[1]) < self.min_size

    def _miss(self, box: Floats, clean: Floats) -> float:
        """Returns how far the IoU of a box is from the range."""
        if self.iou_range is None:
            return 0.0
        iou = float(kernels.iou(box, clean))
        return max(self.iou_range[0] - iou, iou - self.iou_range[1], 0.0)


def _is_range(given: Sequence[float]) -> bool:
    return isinstance(given, list | tuple) and len(given) == 2 and 0 <= given[0] <= given[1] <= 1


def check_level(level: float) -> None:
    """Raises ValueError unless ``level`` is a share of a box's sides."""
    if not 0 <= level < 1:
        raise ValueError(f"level: expected a share of the box's sides in [0, 1), got {level}")
