"""Two objects annotated as one."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from noisyseg.labels import Instances, Mask
from noisyseg.labels.rng import ObjectStreams
from noisyseg.noise.kernels import objects as kernels
from noisyseg.noise.model import History, NoiseModel, Params, object_keys
from noisyseg.noise.objects import selection
from noisyseg.registry import TASK_UTILS


@TASK_UTILS.register_module()
class Merge(NoiseModel[Instances]):
    """Makes one object of two neighbours of the same class.

    A share of the objects look for a neighbour; each merges with the one whose box has the nearest centre, among those
    that are near enough and not merged yet. The annotation with the lower id stays and gets the union of the masks, or
    the box around both where the labels have boxes only; the other one goes. Crowds do not merge.

    Args:
        rate: Share of objects that look for a neighbour, in [0, 1]. How many find one depends on the image.
        gap: Number of empty pixels that may lie between two neighbours: between their masks, else between their boxes.

    Raises:
        ValueError: ``rate`` lies outside [0, 1], or ``gap`` is negative.
    """

    def __init__(self, rate: float, gap: int = 0) -> None:
        if not 0 <= rate <= 1:
            raise ValueError(f"rate: expected a share in [0, 1], got {rate}")
        if gap < 0:
            raise ValueError(f"gap: expected pixels >= 0, got {gap}")
        self.rate, self.gap = rate, gap

    def sample(self, labels: Instances, rng: Generator) -> Params:
        """See the base class; ``merged`` holds pairs of names, the one that stays first."""
        names = object_keys(labels)
        numbers = selection.object_numbers(names, ObjectStreams(rng), self.op)
        free = {i for i in range(len(labels)) if not labels.crowd[i]}
        merged = []
        for i in sorted(free, key=lambda i: (numbers[i], _rank(names[i]))):
            if numbers[i] >= self.rate:
                break
            if i not in free:
                continue
            other = self._neighbour(labels, i, free, names)
            if other is not None:
                free -= {i, other}
                merged.append(sorted((names[i], names[other]), key=_rank))
        return {"op": self.op, "merged": merged}

    def apply(self, labels: Instances, params: Params) -> Instances:
        """See the base class."""
        if not params["merged"]:
            return labels
        place = {name: i for i, name in enumerate(object_keys(labels))}
        boxes = labels.boxes.copy()
        masks = None if labels.masks is None else list(labels.masks)
        gone = []
        for name, other in params["merged"]:
            i, j = place[name], place[other]
            gone.append(j)
            if masks is None:
                boxes[i] = _around(boxes[i], boxes[j])
            else:
                masks[i] = _union(masks[i], masks[j])
                boxes[i] = masks[i].box
        noisy = labels.replace(boxes=boxes, masks=None if masks is None else tuple(masks))
        return noisy.take(np.setdiff1d(np.arange(len(labels)), gone))

    def history(self, params: Params) -> History:
        """See the base class; ``with`` is the name of the other object."""
        history: History = {}
        for pair in params["merged"]:
            for name, other in (pair, pair[::-1]):
                source, _, piece = name.partition(".")
                entry = {"op": self.op, "params": self.settings, "draws": {"with": other}}
                history.setdefault(int(source), []).append(entry | {"piece": int(piece)} if piece else entry)
        return history

    def _neighbour(self, labels: Instances, i: int, free: set[int], names: list[str]) -> int | None:
        centres = labels.boxes[:, :2] + labels.boxes[:, 2:]
        distances = ((centres - centres[i]) ** 2).sum(axis=1)
        near = (kernels.box_gaps(labels.boxes[i], labels.boxes) <= self.gap) & (labels.classes == labels.classes[i])
        near[i] = False
        places = [j for j in np.flatnonzero(near).tolist() if j in free]
        for j in sorted(places, key=lambda j: (distances[j], _rank(names[j]))):
            if labels.masks is None or _near(labels.masks[i], labels.masks[j], self.gap):
                return j
        return None


def _rank(name: str) -> tuple[bool, int, int]:
    """Returns what puts the names of objects in order: clean ones first, then by id, then by piece."""
    source, _, piece = name.partition(".")
    return int(source) < 0, abs(int(source)), int(piece or 0)


def _around(box: np.ndarray, other: np.ndarray) -> np.ndarray:
    return np.concatenate([np.minimum(box[:2], other[:2]), np.maximum(box[2:], other[2:])])


def _pixels(mask: Mask, x0: int, y0: int, x1: int, y1: int) -> kernels.Pixels:
    """Returns a mask on a window that holds it."""
    left, top, pixels = mask.crop
    window = np.zeros((y1 - y0, x1 - x0), np.uint8)
    window[top - y0 : top - y0 + pixels.shape[0], left - x0 : left - x0 + pixels.shape[1]] = pixels
    return window


def _window(one: Mask, other: Mask) -> tuple[int, int, int, int]:
    """Returns the window that holds the crops of two masks."""
    corners = [
        (left, top, left + pixels.shape[1], top + pixels.shape[0]) for left, top, pixels in (one.crop, other.crop)
    ]
    (a0, b0, a1, b1), (c0, d0, c1, d1) = corners
    return min(a0, c0), min(b0, d0), max(a1, c1), max(b1, d1)


def _union(one: Mask, other: Mask) -> Mask:
    window = _window(one, other)
    return Mask.from_crop(*window[:2], _pixels(one, *window) | _pixels(other, *window), one.size_hw)


def _near(one: Mask, other: Mask, gap: int) -> bool:
    window = _window(one, other)
    return kernels.near(_pixels(one, *window), _pixels(other, *window), gap)
