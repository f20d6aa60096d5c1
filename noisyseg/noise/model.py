"""The noise model: `sample` holds all randomness, `apply` is pure, and the two in a row are the model."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

import numpy as np
from numpy.random import Generator

from noisyseg.labels import Instances, Mask
from noisyseg.labels.rng import ObjectStreams
from noisyseg.noise.population import Population

L = TypeVar("L")
Params = dict[str, Any]
History = dict[int, list[dict[str, Any]]]
Streams = Callable[[int | str], Generator]


class NoiseModel(ABC, Generic[L]):
    """A way in which labels go wrong; registered in ``TASK_UTILS`` under its class name.

    Attributes:
        takes: The class of labels that the model works on: ``Instances``, ``SemanticMap`` or ``EdgeMap``.
        needs_image: Whether the model looks at ``labels.image``, which is loaded only then.
        plans: Whether the model has to be :meth:`planned` before it runs.
    """

    takes: ClassVar[type] = Instances
    needs_image: ClassVar[bool] = False
    plans: ClassVar[bool] = False

    @abstractmethod
    def sample(self, labels: L, rng: Generator) -> Params:
        """Returns what is to happen to ``labels``: JSON values and arrays of numbers, drawn from ``rng`` alone."""

    @abstractmethod
    def apply(self, labels: L, params: Params) -> L:
        """Returns new labels, changed as ``params`` say; draws nothing and leaves ``labels`` alone."""

    def run(self, labels: L, rng: Generator) -> tuple[L, Params]:
        """Returns the noisy labels and what was drawn for them."""
        params = self.sample(labels, rng)
        return self.apply(labels, params), params

    def __call__(self, labels: L, rng: Generator) -> L:
        """Returns the noisy labels."""
        return self.run(labels, rng)[0]

    def planned(self, population: Population, streams: Streams) -> tuple[NoiseModel[L], Population]:
        """Returns the model made ready for a whole data set, and the objects as it leaves them.

        A model that promises an exact number of objects finds out here which ones. It has ``plans`` set, comes back
        with it unset, and raises a ``ValueError`` when it runs without a plan. All others come back as they are.

        Args:
            population: Every object of the data set, as the models before this one leave it.
            streams: Gives for the key of an image the generator that :meth:`sample` will get for it.
        """
        return self, population

    def history(self, params: Params) -> History:
        """Returns what ``params`` do to each object: source -> ``{"op", "params", "draws"}`` in order of action.

        Negative sources are objects that the noise invented.
        """
        raise TypeError(f"{self.op} keeps no history of single objects")

    def tally(self, params: Params) -> Counter[str]:
        """Returns what else is worth counting in ``params``, beside what happened to single objects."""
        return Counter()

    @property
    def op(self) -> str:
        """The name under which the model draws and reports."""
        return type(self).__name__

    @cached_property
    def settings(self) -> Params:
        """The constructor's arguments by name; each is stored under its own name."""
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.settings.items())
        return f"{self.op}({arguments})"


class Change(NamedTuple):
    """What becomes of one object; None keeps what it has.

    Attributes:
        mask: New mask. The box follows when the recipe ends, unless ``box`` is given too.
        class_: New class, 0..K-1.
        box: New box ``(x0, y0, x1, y1)`` in pixels, half-open.
        removed: Whether the object goes; the other fields then do not matter.
        pieces: Masks of further objects of the same source, which stand right behind it; they have their tight
            boxes, and the class that the object gets.
    """

    mask: Mask | None = None
    class_: int | None = None
    box: tuple[float, float, float, float] | None = None
    removed: bool = False
    pieces: tuple[Mask, ...] = ()


class ObjectNoise(NoiseModel[Instances]):
    """Noise that changes each object by itself, whatever the others are; crowds are left alone."""

    @abstractmethod
    def draw(self, labels: Instances, i: int, streams: ObjectStreams) -> Params | None:
        """Returns the draws for object ``i``, or None where it is left as it is."""

    @abstractmethod
    def changes(self, labels: Instances, draws: Mapping[int, Params]) -> dict[int, Change]:
        """Returns what becomes of each object ``i`` in ``draws``."""

    def describe(self, draws: Params) -> list[dict[str, Any]]:
        """Returns the entries that ``draws`` add to an object's history."""
        return [{"op": self.op, "params": self.settings, "draws": draws}]

    def sample(self, labels: Instances, rng: Generator) -> Params:
        """See :meth:`NoiseModel.sample`; the draws of an object are keyed by its source and piece."""
        streams = ObjectStreams(rng, labels.source)
        objects = {}
        for i, (key, crowd) in enumerate(zip(object_keys(labels), labels.crowd.tolist(), strict=True)):
            if crowd:
                continue
            _, _, piece = key.partition(".")
            draws = self.draw(labels, i, streams.under(f"piece {piece}") if piece else streams)
            if draws is not None:
                objects[key] = draws
        return {"op": self.op, "objects": objects}

    def apply(self, labels: Instances, params: Params) -> Instances:
        """See :meth:`NoiseModel.apply`."""
        drawn: Mapping[str, Params] = params["objects"]
        if not drawn:
            return labels
        changes = self.changes(labels, {i: drawn[key] for i, key in enumerate(object_keys(labels)) if key in drawn})
        masks = None if labels.masks is None else list(labels.masks)
        classes, boxes = labels.classes.copy(), labels.boxes
        for i, change in changes.items():
            if change.mask is not None:
                masks[i] = change.mask
            if change.class_ is not None:
                classes[i] = change.class_
            if change.box is not None:
                boxes = boxes.copy() if boxes is labels.boxes else boxes
                boxes[i] = change.box
        labels = labels.replace(masks=None if masks is None else tuple(masks), classes=classes, boxes=boxes)
        if any(change.removed or change.pieces for change in changes.values()):
            return _restocked(labels, changes)
        return labels

    def history(self, params: Params) -> History:
        """See :meth:`NoiseModel.history`; an entry about a further piece of an object says which under ``piece``."""
        history: History = {}
        for key, draws in params["objects"].items():
            source, _, piece = key.partition(".")
            entries = self.describe(draws)
            history.setdefault(int(source), []).extend(
                [entry | {"piece": int(piece)} for entry in entries] if piece else entries
            )
        return history


def object_keys(labels: Instances) -> list[str]:
    """Returns what names each object in draws, see :attr:`Instances.keys`."""
    return labels.keys


def mask_of(labels: Instances, i: int, op: str) -> Mask:
    """Returns the mask of object ``i``.

    Raises:
        TypeError: The labels have boxes only.
    """
    if labels.masks is None:
        raise TypeError(f"{op} needs masks, but the labels have boxes only")
    return labels.masks[i]


def _restocked(labels: Instances, changes: Mapping[int, Change]) -> Instances:
    """Returns the labels without removed objects and with further pieces behind theirs."""
    order, masks, boxes = [], [], []
    for i in range(len(labels)):
        change = changes.get(i, Change())
        if change.removed:
            continue
        order += [i] * (1 + len(change.pieces))
        boxes += [labels.boxes[i], *(piece.box for piece in change.pieces)]
        masks += [None if labels.masks is None else labels.masks[i], *change.pieces]
    taken = labels.replace(masks=None).take(np.array(order, np.int64))
    boxes = np.array(boxes, np.float64).reshape(-1, 4)
    return taken.replace(boxes=boxes, masks=None if labels.masks is None else tuple(masks))
