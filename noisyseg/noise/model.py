"""The noise model: `sample` holds all randomness, `apply` is pure, and the two in a row are the model."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Generic, NamedTuple, TypeVar

from numpy.random import Generator

from noisyseg.labels import Instances, Mask
from noisyseg.labels.rng import ObjectStreams

L = TypeVar("L")
Params = dict[str, Any]
History = dict[int, list[dict[str, Any]]]


class NoiseModel(ABC, Generic[L]):
    """A way in which labels go wrong; registered in ``TASK_UTILS`` under its class name."""

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

    def history(self, params: Params) -> History:
        """Returns what ``params`` do to each object: source -> ``{"op", "params", "draws"}`` in order of action."""
        raise TypeError(f"{self.op} keeps no history of single objects")

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
        mask: New mask.
        class_: New class, 0..K-1.
    """

    mask: Mask | None = None
    class_: int | None = None


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
        """See :meth:`NoiseModel.sample`; the draws of an object are keyed by its source."""
        streams = ObjectStreams(rng)
        objects = {}
        for i, (source, crowd) in enumerate(zip(labels.source.tolist(), labels.crowd.tolist(), strict=True)):
            draws = None if crowd else self.draw(labels, i, streams)
            if draws is not None:
                objects[str(source)] = draws
        return {"op": self.op, "objects": objects}

    def apply(self, labels: Instances, params: Params) -> Instances:
        """See :meth:`NoiseModel.apply`."""
        drawn: Mapping[str, Params] = params["objects"]
        if not drawn:
            return labels
        sources = enumerate(map(str, labels.source.tolist()))
        objects = {i: drawn[source] for i, source in sources if source in drawn}
        masks = None if labels.masks is None else list(labels.masks)
        classes = labels.classes.copy()
        for i, change in self.changes(labels, objects).items():
            if change.mask is not None:
                masks[i] = change.mask
            if change.class_ is not None:
                classes[i] = change.class_
        return labels.replace(masks=None if masks is None else tuple(masks), classes=classes)

    def history(self, params: Params) -> History:
        """See :meth:`NoiseModel.history`."""
        return {int(source): self.describe(draws) for source, draws in params["objects"].items()}


def mask_of(labels: Instances, i: int, op: str) -> Mask:
    """Returns the mask of object ``i``.

    Raises:
        TypeError: The labels have boxes only.
    """
    if labels.masks is None:
        raise TypeError(f"{op} needs masks, but the labels have boxes only")
    return labels.masks[i]
