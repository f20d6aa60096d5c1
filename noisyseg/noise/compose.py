"""Noise models made of noise models: one after the other, one out of several, and the whole recipe."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any, Literal

import numpy as np
from numpy.random import Generator

from noisyseg.labels import Instances
from noisyseg.labels.masks import encode
from noisyseg.labels.rng import ObjectStreams, fork
from noisyseg.noise.model import Change, History, L, NoiseModel, ObjectNoise, Params
from noisyseg.registry import TASK_UTILS

NoiseConfig = NoiseModel | Mapping[str, Any]


def build_noise(noise: NoiseConfig) -> NoiseModel:
    """Returns the model that a config dict names; a model comes back as it is.

    Raises:
        KeyError: No noise model is registered under the name.
        TypeError: The arguments are not those of the model.
    """
    if isinstance(noise, NoiseModel):
        return noise
    arguments = dict(noise)
    name = arguments.pop("type")
    arguments.pop("_scope_", None)  # mmengine puts it into what a config inherits through `noisyseg::`
    own = TASK_UTILS.module_dict.get(str(name).removeprefix("noisyseg."))
    # mmengine's own look-up imports torch, which costs every worker process seconds: only for models of others.
    return TASK_UTILS.build(dict(noise)) if own is None else own(**arguments)


@TASK_UTILS.register_module()
class Chain(NoiseModel[L]):
    """Applies models one after the other, each to what the one before it left.

    A model's draws depend on its name and not on its place, so reordering or removing one leaves the draws of the
    others alone. A model that occurs again, here or inside another one, draws anew.

    Args:
        noises: Models or their configs.
    """

    def __init__(self, noises: Sequence[NoiseConfig]) -> None:
        self.noises = [build_noise(noise) for noise in noises]

    def sample(self, labels: L, rng: Generator) -> Params:
        """See :meth:`NoiseModel.sample`."""
        return self.run(labels, rng)[1]

    def run(self, labels: L, rng: Generator) -> tuple[L, Params]:
        """See :meth:`NoiseModel.run`; in one pass, since a model samples on what the one before it made."""
        steps, seen = [], Counter()
        rng = fork(rng, self.op)
        for noise in self.noises:
            again = seen[noise.op]
            seen[noise.op] += 1
            labels, params = noise.run(labels, fork(rng, again) if again else rng)
            steps.append(params)
        return labels, {"op": self.op, "steps": steps}

    def apply(self, labels: L, params: Params) -> L:
        """See :meth:`NoiseModel.apply`."""
        for noise, step in zip(self.noises, params["steps"], strict=True):
            labels = noise.apply(labels, step)
        return labels

    def history(self, params: Params) -> History:
        """See :meth:`NoiseModel.history`."""
        merged: History = {}
        for noise, step in zip(self.noises, params["steps"], strict=True):
            for source, entries in noise.history(step).items():
                merged.setdefault(source, []).extend(entries)
        return merged


@TASK_UTILS.register_module()
class OneOf(ObjectNoise):
    """Applies to each object at most one of several models.

    Args:
        noises: Models that treat objects one by one, or their configs.
        probs: Share of objects that each model gets, in [0, 1]; what is missing to 1 stays as it is.

    Raises:
        ValueError: There are not as many shares as models, one lies outside [0, 1], or they exceed 1 together.
        TypeError: A model does not treat objects one by one.
    """

    def __init__(self, noises: Sequence[NoiseConfig], probs: Sequence[float]) -> None:
        self.noises: list[ObjectNoise] = [build_noise(noise) for noise in noises]
        for noise in self.noises:
            if not isinstance(noise, ObjectNoise):
                raise TypeError(f"noises: expected models that treat objects one by one, got {noise!r}")
        if len(probs) != len(self.noises):
            raise ValueError(f"probs: expected {len(self.noises)}, one a model, got {len(probs)}")
        if not all(0 <= p <= 1 for p in probs) or math.fsum(probs) > 1 + 1e-9:
            raise ValueError(f"probs: expected shares in [0, 1] that sum to at most 1, got {list(probs)}")
        self.probs = list(probs)
        self._stops = list(accumulate(probs))

    def draw(self, labels: Instances, i: int, streams: ObjectStreams) -> Params | None:
        """See the base class."""
        u = streams.of(self.op, int(labels.source[i])).random()
        for choice, stop in enumerate(self._stops):
            if u < stop:
                draws = self.noises[choice].draw(labels, i, streams.under(self.op))
                return None if draws is None else {"choice": choice, "draws": draws}
        return None

    def changes(self, labels: Instances, draws: Mapping[int, Params]) -> dict[int, Change]:
        """See the base class."""
        chosen: dict[int, dict[int, Params]] = {}
        for i, drawn in draws.items():
            chosen.setdefault(drawn["choice"], {})[i] = drawn["draws"]
        changes: dict[int, Change] = {}
        for choice, of_choice in chosen.items():
            changes |= self.noises[choice].changes(labels, of_choice)
        return changes

    def describe(self, draws: Params) -> list[dict[str, Any]]:
        """See the base class; the entry is that of the chosen model."""
        return self.noises[draws["choice"]].describe(draws["draws"])


@TASK_UTILS.register_module()
class Recipe(Chain[Instances]):
    """A chain with the rules for what may stand in a label file: the outermost model of a noise config.

    Args:
        noises: Models or their configs, applied in order.
        on_empty: What becomes of an object whose mask vanishes: ``"restore"`` gives the clean mask back, ``"drop"``
            removes the object, ``"keep"`` leaves it without pixels.
        boxes: ``"tight"`` puts boxes around changed masks; ``"keep"`` leaves the clean box around a noisy mask, as the
            official COCO-N files do.
        crowds: ``"keep"`` leaves crowd regions alone; ``"noise"`` treats them as objects (official).

    Raises:
        ValueError: An option is none of these words.
    """

    def __init__(
        self,
        noises: Sequence[NoiseConfig],
        on_empty: Literal["restore", "drop", "keep"] = "restore",
        boxes: Literal["tight", "keep"] = "tight",
        crowds: Literal["keep", "noise"] = "keep",
    ) -> None:
        super().__init__(noises)
        for name, value, words in (
            ("on_empty", on_empty, ("restore", "drop", "keep")),
            ("boxes", boxes, ("tight", "keep")),
            ("crowds", crowds, ("keep", "noise")),
        ):
            if value not in words:
                raise ValueError(f"{name}: expected one of {', '.join(words)}, got {value!r}")
        self.on_empty, self.boxes, self.crowds = on_empty, boxes, crowds

    def run(self, labels: Instances, rng: Generator) -> tuple[Instances, Params]:
        """See :meth:`NoiseModel.run`."""
        noisy, params = super().run(self._opened(labels), rng)
        noisy, vanished = self._finished(labels, noisy)
        return noisy, params | {"vanished": vanished}

    def apply(self, labels: Instances, params: Params) -> Instances:
        """See :meth:`NoiseModel.apply`."""
        return self._finished(labels, super().apply(self._opened(labels), params))[0]

    def _opened(self, clean: Instances) -> Instances:
        return clean if self.crowds == "keep" else clean.replace(crowd=np.zeros_like(clean.crowd))

    def _finished(self, clean: Instances, noisy: Instances) -> tuple[Instances, list[int]]:
        """Returns the labels with vanished objects settled, boxes around masks and crowd flags back; who vanished."""
        if self.crowds == "noise":
            noisy = noisy.replace(crowd=np.isin(noisy.source, clean.source[clean.crowd]))
        if noisy.masks is None or noisy.masks is clean.masks:
            return noisy, []
        before = dict(zip(clean.source.tolist(), clean.masks, strict=True))
        masks, boxes = list(noisy.masks), noisy.boxes.copy()
        encode(
            [mask for mask, source in zip(masks, noisy.source.tolist(), strict=True) if mask is not before.get(source)]
        )
        stays, vanished = np.ones(len(noisy), bool), []
        for i, source in enumerate(noisy.source.tolist()):
            if masks[i] is before.get(source):
                continue
            if not masks[i].area:
                vanished.append(source)
            if masks[i].area or self.on_empty == "keep":
                if self.boxes == "tight":
                    boxes[i] = masks[i].box
            elif self.on_empty == "restore" and source in before:
                masks[i] = before[source]
            else:
                stays[i] = False
        noisy = noisy.replace(masks=tuple(masks), boxes=boxes)
        return (noisy if stays.all() else noisy.take(np.flatnonzero(stays))), vanished
