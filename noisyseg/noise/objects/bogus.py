"""Objects that the annotator saw where none are."""

from __future__ import annotations

import copy
import math
from collections import Counter
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.random import Generator

from noisyseg.labels import Instances, Mask
from noisyseg.labels.rng import ObjectStreams
from noisyseg.noise.kernels import objects as kernels
from noisyseg.noise.model import History, NoiseModel, Params, Streams
from noisyseg.noise.objects import selection
from noisyseg.noise.population import Population
from noisyseg.registry import TASK_UTILS

Size = Literal["uniform", "copy", "log_normal"]
Spread = Literal["round_robin", "proportional", "bernoulli"]
Shape = Literal["rect", "ellipse", "copy"]
ShareOf = Literal["noisy", "clean"]
Box = tuple[float, float, float, float]
# Standard deviation of log(width / height) of boxes drawn by "log_normal".
ASPECT_SIGMA = 0.5


class Plan(NamedTuple):
    """How many objects each unit gets, a unit being an image or an object, and how large they are.

    Attributes:
        each: What every unit gets.
        up_to: Units whose number is not above this get one more.
        log_area: Mean and standard deviation of the logarithm of areas.
    """

    each: int
    up_to: float
    log_area: tuple[float, float]


@TASK_UTILS.register_module()
class Bogus(NoiseModel[Instances]):
    """Adds objects that are not there, each of a class drawn uniformly; sources are -1, -2, ...

    Boxes lie inside the image and have sides of at least a pixel. A place is drawn anew until the box is free of
    others; after ``max_tries`` the object is given up, and ``given_up`` among the draws counts it. Where the labels
    have masks, the new objects have masks too, and their boxes are whole pixels.

    Args:
        rate: Share of objects, see ``share_of``.
        share_of: ``"noisy"``: ``rate`` is the share of bogus objects among N old and all new ones, so
            ``round(N * rate / (1 - rate))`` are added; ``"clean"``: ``round(N * rate)`` are.
        size: ``"uniform"``: corners drawn uniformly over the image; ``"copy"``: width and height of an object of the
            image, at a whole pixel; ``"log_normal"``: areas like those of the data set, a Gaussian fitted to their
            logarithms, which has to be planned.
        max_iou: The IoU with each box that is there has to be lower, in (0, 1]; None allows any.
        max_tries: Places tried for an object, >= 1.
        spread: ``"round_robin"``: every image gets the same number, up to one, also images without objects;
            ``"proportional"``: images get them in proportion to their objects; both count over the data set and have
            to be planned. ``"bernoulli"``: each object brings one with it with the probability that ``rate`` says.
        mask: ``"rect"`` fills the box, ``"ellipse"`` the ellipse in it, ``"copy"`` moves the mask of the copied object.
        total: N, when it is not the number of objects that the models before leave, for ``round_robin`` and
            ``proportional``.

    Raises:
        ValueError: An argument is out of range, arguments do not go together, or the model runs without a plan that it
            needs.

    Reference: UNA, arXiv 2312.13822 (``uniform``, ``round_robin``, any IoU); DN-TOD, arXiv 2401.08056 (``copy``,
    ``bernoulli``, ``share_of="clean"``), whose code compares wrong boxes and can try for ever.
    """

    def __init__(
        self,
        rate: float,
        share_of: ShareOf = "noisy",
        size: Size = "uniform",
        max_iou: float | None = 0.2,
        max_tries: int = 50,
        spread: Spread = "round_robin",
        mask: Shape = "rect",
        total: int | None = None,
    ) -> None:
        for name, word, words in (
            ("share_of", share_of, get_args(ShareOf)),
            ("size", size, get_args(Size)),
            ("spread", spread, get_args(Spread)),
            ("mask", mask, get_args(Shape)),
        ):
            if word not in words:
                raise ValueError(f"{name}: expected one of {', '.join(words)}, got {word!r}")
        if not 0 <= rate <= 1 or (share_of == "noisy" and rate == 1):
            raise ValueError(f"rate: expected a share in [0, 1{')' if share_of == 'noisy' else ']'}, got {rate}")
        if max_iou is not None and not 0 < max_iou <= 1:
            raise ValueError(f"max_iou: expected a number in (0, 1] or None, got {max_iou}")
        if max_tries < 1:
            raise ValueError(f"max_tries: expected a number >= 1, got {max_tries}")
        if size == "copy" and spread == "round_robin":
            raise ValueError("spread: an image without objects has none to copy the size of, so not 'round_robin'")
        if mask == "copy" and size != "copy":
            raise ValueError(f"mask: 'copy' needs size 'copy', got {size!r}")
        if total is not None and (total < 0 or spread == "bernoulli"):
            raise ValueError(f"total: expected a number of objects >= 0, and none with 'bernoulli', got {total}")
        self.rate, self.share_of, self.size, self.max_iou = rate, share_of, size, max_iou
        self.max_tries, self.spread, self.mask, self.total = max_tries, spread, mask, total
        self._per_object = rate / (1 - rate) if share_of == "noisy" else rate
        if spread == "bernoulli" and self._per_object > 1:
            raise ValueError(f"rate: one object in two at most with 'bernoulli' and share_of='noisy', got {rate}")
        self.plans = spread != "bernoulli" or size == "log_normal"
        self._plan = Plan(0, self._per_object, (0.0, 0.0))

    def planned(self, population: Population, streams: Streams) -> tuple[NoiseModel[Instances], Population]:
        """See the base class; the objects to come are not added to the population."""
        if not self.plans:
            return self, population
        ours = population.take(selection.countable(population))
        each, up_to = 0, self._per_object
        if self.spread != "bernoulli":
            # Halves up: Python's round would send 0.5 and 2.5 objects down, and 1.5 up.
            count = selection.whole(self._per_object * (len(ours) if self.total is None else self.total) + 0.5)
            each, up_to = self._dealt(count, ours, streams)
        logs = np.log(np.sort(ours.areas[ours.areas > 0]))  # sorted, so that the sums do not depend on the file's order
        if self.size == "log_normal" and self.rate and (self.total or len(ours)) and not logs.size:
            raise ValueError("size: 'log_normal' is fitted to the areas of the data set, which has no objects with any")
        model = copy.copy(self)
        model.plans = False
        model._plan = Plan(each, up_to, (float(logs.mean()), float(logs.std())) if logs.size else (0.0, 0.0))
        return model, population

    def sample(self, labels: Instances, rng: Generator) -> Params:
        """See the base class; ``of`` is the source of the object that a new one is a copy of."""
        if self.plans:
            raise selection.unplanned(self.op)
        streams = ObjectStreams(rng)
        source = min(0, int(labels.source.min(initial=0)))
        added, given_up = [], 0
        for unit, i, k in self._asked(labels, streams):
            drawn = self._drawn(labels, i, streams.of(f"{self.op} {k}", unit))
            if drawn is None:
                given_up += 1
                continue
            source -= 1
            added.append({"source": source} | drawn | ({"of": unit} if self.size == "copy" else {}))
        return {"op": self.op, "added": added, "given_up": given_up}

    def apply(self, labels: Instances, params: Params) -> Instances:
        """See the base class; new objects stand behind the others."""
        added = params["added"]
        if not added:
            return labels
        n = len(added)
        boxes = np.array([drawn["box"] for drawn in added], np.float64)
        masks = labels.masks
        if masks is not None:
            new = tuple(self._mask(labels, drawn) for drawn in added)
            masks += new
            boxes = np.array([mask.box for mask in new], np.float64)
        return labels.replace(
            boxes=np.concatenate([labels.boxes, boxes]),
            classes=np.concatenate([labels.classes, np.array([drawn["class"] for drawn in added], np.int64)]),
            masks=masks,
            source=np.concatenate([labels.source, np.array([drawn["source"] for drawn in added], np.int64)]),
            crowd=np.concatenate([labels.crowd, np.zeros(n, bool)]),
        )

    def history(self, params: Params) -> History:
        """See the base class."""
        return {
            drawn["source"]: [
                {"op": self.op, "params": self.settings, "draws": {k: v for k, v in drawn.items() if k != "source"}}
            ]
            for drawn in params["added"]
        }

    def tally(self, params: Params) -> Counter[str]:
        """See the base class; objects for which no place was found."""
        return Counter({f"{self.op}: given up": params["given_up"]} if params["given_up"] else {})

    def _dealt(self, count: int, ours: Population, streams: Streams) -> tuple[int, float]:
        """Returns what every unit gets, and the number up to which units get one more."""
        if self.spread == "round_robin":
            numbers = np.array([self._number(ObjectStreams(streams(image)), 0) for image in ours.images])
        else:
            numbers = selection.population_numbers(ours, streams, f"{self.op} number")
        if not len(numbers):
            if count:
                raise ValueError(f"rate: {count} objects are to be added, but there is nothing to spread them over")
            return 0, -1.0
        each, more = divmod(count, len(numbers))
        return each, float(np.sort(numbers)[more - 1]) if more else -1.0

    def _number(self, streams: ObjectStreams, unit: int) -> float:
        return streams.of(f"{self.op} number", unit).random()

    def _asked(self, labels: Instances, streams: ObjectStreams) -> Iterator[tuple[int, int, int]]:
        """Yields for each object to add the id of its unit, the place of that object, and a running number."""
        if self.spread == "round_robin":
            units = {0: -1}
        else:
            ours = np.flatnonzero(~labels.crowd & (labels.source >= 0)).tolist()
            # Of the pieces of a split object, the first.
            units = {int(labels.source[i]): i for i in reversed(ours)}
        # Sources are given in this order, which must not depend on that of the labels.
        for unit, i in sorted(units.items()):
            number = self._number(streams, unit)
            more = number < self._plan.up_to if self.spread == "bernoulli" else number <= self._plan.up_to
            for k in range(self._plan.each + more):
                yield unit, i, k

    def _drawn(self, labels: Instances, i: int, rng: Generator) -> dict[str, Any] | None:
        """Returns box and class of a new object, or None where no place was found."""
        class_ = int(rng.integers(len(labels.categories)))
        for tries in range(1, self.max_tries + 1):
            box = self._proposal(labels, i, rng)
            if box is None or min(box[2] - box[0], box[3] - box[1]) < 1:
                continue
            if self.max_iou is None or kernels.box_ious(box, labels.boxes).max(initial=0) < self.max_iou:
                return {"box": list(box), "class": class_, "tries": tries}
        return None

    def _proposal(self, labels: Instances, i: int, rng: Generator) -> Box | None:
        """Returns a box inside the image, or None where it is too large for that."""
        height, width = labels.size_hw
        if self.size == "uniform":
            (x0, x1), (y0, y1) = np.sort(rng.random((2, 2)), axis=1).tolist()
            box = (x0 * width, y0 * height, x1 * width, y1 * height)
            return box if labels.masks is None else tuple(map(round, box))
        if self.size == "copy":
            x0, y0, x1, y1 = labels.boxes[i].tolist() if labels.masks is None else labels.masks[i].box
            w, h = x1 - x0, y1 - y0
        else:
            mean, sigma = self._plan.log_area
            side, stretch = math.exp(rng.normal(mean, sigma) / 2), math.exp(rng.normal(0.0, ASPECT_SIGMA) / 2)
            w, h = side * stretch, side / stretch
            w, h = (w, h) if labels.masks is None else (round(w), round(h))
        if w > width or h > height:
            return None
        left, top = rng.integers([math.floor(width - w) + 1, math.floor(height - h) + 1]).tolist()
        return (left, top, left + w, top + h)

    def _mask(self, labels: Instances, drawn: dict[str, Any]) -> Mask:
        x0, y0, x1, y1 = (int(value) for value in drawn["box"])
        if self.mask == "rect":
            pixels = np.ones((y1 - y0, x1 - x0), np.uint8)
        elif self.mask == "ellipse":
            pixels = kernels.ellipse((y1 - y0, x1 - x0))
        else:
            mask = labels.masks[labels.source.tolist().index(drawn["of"])]
            left, top, pixels = mask.crop
            bx0, by0, bx1, by1 = mask.box
            pixels = pixels[by0 - top : by1 - top, bx0 - left : bx1 - left]
        return Mask.from_crop(x0, y0, pixels, labels.size_hw)
