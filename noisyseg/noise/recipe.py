"""The outermost model of a noise config for instances: a chain with the rules for what may stand in a label file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import numpy.typing as npt
from numpy.random import Generator

from noisyseg.labels import Instances
from noisyseg.noise.build import NoiseConfig, NoiseConfigError
from noisyseg.noise.compose import Chain
from noisyseg.noise.model import NoiseModel, Params, Streams, object_keys
from noisyseg.noise.population import Population
from noisyseg.registry import TASK_UTILS


@TASK_UTILS.register_module()
class Recipe(Chain[Instances]):
    """A chain with the rules for what may stand in a label file: the outermost model of a noise config.

    Args:
        noises: Models or their configs, applied in order.
        on_empty: What becomes of an object whose mask vanishes: ``"restore"`` gives the clean mask back, ``"drop"``
            removes the object, ``"keep"`` leaves it without pixels. A vanished object without a clean mask (invented,
            or a further piece of a split one) is removed unless ``"keep"``.
        boxes: ``"tight"`` puts boxes around changed masks, after each model of the chain, so that a model of box noise
            after it starts from there; ``"keep"`` leaves the clean box around a noisy mask, as the official COCO-N
            files do. A box that a model of box noise moved stays where that put it.
        crowds: ``"keep"`` leaves crowd regions alone; ``"noise"`` treats them as objects (official).

    Raises:
        ValueError: An option is none of these words, or a model is not for instances.
    """

    def __init__(
        self,
        noises: Sequence[NoiseConfig],
        on_empty: Literal["restore", "drop", "keep"] = "restore",
        boxes: Literal["tight", "keep"] = "tight",
        crowds: Literal["keep", "noise"] = "keep",
    ) -> None:
        super().__init__(noises)
        if self.takes is not Instances:
            raise NoiseConfigError(f"noises[0]: expected noise for Instances, but it is for {self.takes.__name__}")
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

    def planned(self, population: Population, streams: Streams) -> tuple[NoiseModel[Instances], Population]:
        """See :meth:`NoiseModel.planned`."""
        if self.crowds == "noise":
            population = replace(population, crowd=np.zeros_like(population.crowd))
        return super().planned(population, streams)

    def _opened(self, clean: Instances) -> Instances:
        return clean if self.crowds == "keep" else clean.replace(crowd=np.zeros_like(clean.crowd))

    def _settled(self, before: Instances, after: Instances) -> Instances:
        """Returns the labels with boxes around the masks that a model changed, unless it moved the box as well."""
        if after.masks is None or after.masks is before.masks:
            return after
        # A mask that is not changed is the very object that it was.
        known = {id(mask) for mask in before.masks}
        changed = [i for i, mask in enumerate(after.masks) if id(mask) not in known]
        if self.boxes == "keep" or not changed:
            return after
        given = dict(zip(object_keys(before), before.boxes.tolist(), strict=True))
        keys, boxes = object_keys(after), after.boxes.tolist()
        for i in changed:
            if after.masks[i].area and boxes[i] == given.get(keys[i]):
                boxes[i] = after.masks[i].box
        return after.replace(boxes=np.array(boxes, np.float64))

    def _finished(self, clean: Instances, noisy: Instances) -> tuple[Instances, list[int]]:
        """Returns the labels with vanished objects settled and crowd flags back; the sources that vanished."""
        if self.crowds == "noise":
            noisy = noisy.replace(crowd=np.isin(noisy.source, clean.source[clean.crowd]))
        if noisy.masks is None or noisy.masks is clean.masks:
            return noisy, []
        noisy, vanished, stays = self._without_vanished(clean, noisy)
        return (noisy if stays.all() else noisy.take(np.flatnonzero(stays))), vanished

    def _without_vanished(
        self, clean: Instances, noisy: Instances
    ) -> tuple[Instances, list[int], npt.NDArray[np.bool_]]:
        """Returns the labels as ``on_empty`` says, the sources that vanished, and which objects stay."""
        before = dict(zip(object_keys(clean), range(len(clean)), strict=True))
        masks, boxes = list(noisy.masks), noisy.boxes.copy()
        stays, vanished = np.ones(len(noisy), bool), []
        for i, key in enumerate(object_keys(noisy)):
            place = before.get(key)
            if (place is not None and masks[i] is clean.masks[place]) or masks[i].area:
                continue
            vanished.append(int(noisy.source[i]))
            if self.on_empty == "keep":
                boxes[i] = masks[i].box if self.boxes == "tight" else boxes[i]
            elif self.on_empty == "restore" and place is not None:
                masks[i], boxes[i] = clean.masks[place], clean.boxes[place]
            else:
                stays[i] = False
        return (noisy.replace(masks=tuple(masks), boxes=boxes) if vanished else noisy), vanished, stays
