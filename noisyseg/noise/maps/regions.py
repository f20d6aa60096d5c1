"""Instance noise on semantic maps: every connected region is treated as an object."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt
from numpy.random import Generator
from scipy import ndimage

from noisyseg.labels import IGNORE, Instances, Mask, SemanticMap
from noisyseg.noise.build import NoiseConfig, build_noise
from noisyseg.noise.model import NoiseModel, Params
from noisyseg.registry import TASK_UTILS


@TASK_UTILS.register_module()
class ByRegion(NoiseModel[SemanticMap]):
    """Applies a model of instance noise to the connected regions of a semantic map.

    Regions are painted back from the largest to the smallest, so that a small one is not lost under a large one that
    grew. Ignored pixels stay ignored, and no other pixel becomes ignored unless ``fill`` says so.

    Args:
        noise: The model for instances, or its config. A model that removes objects leaves their pixels to ``fill``.
        background: Classes that are ground and not objects: their regions stay, under the others.
        fill: What stands where a region drew back and no other one is: ``"nearest"`` takes what stands at the nearest
            pixel that had another class, ``"ignore"`` gives 255, a number gives that class.

    Raises:
        ValueError: ``fill`` is neither of the words nor a class number, or a map has no such class.
    """

    takes = SemanticMap

    def __init__(
        self,
        noise: NoiseConfig,
        background: Sequence[int] = (),
        fill: Literal["nearest", "ignore"] | int = "nearest",
    ) -> None:
        if fill not in ("nearest", "ignore") and (isinstance(fill, str) or fill < 0):
            raise ValueError(f"fill: expected 'nearest', 'ignore' or a class number, got {fill!r}")
        self.noise = build_noise(noise, takes=Instances)
        self.needs_image = self.noise.needs_image
        self.background, self.fill = tuple(background), fill

    def sample(self, labels: SemanticMap, rng: Generator) -> Params:
        """See the base class; a region is named by the place of its first pixel, row by row."""
        return {"op": self.op, "regions": self.noise.sample(regions(labels, self.background), rng)}

    def apply(self, labels: SemanticMap, params: Params) -> SemanticMap:
        """See the base class."""
        clean = regions(labels, self.background)
        return self._painted(labels, clean, self.noise.apply(clean, params["regions"]))

    def run(self, labels: SemanticMap, rng: Generator) -> tuple[SemanticMap, Params]:
        """See the base class; finds the regions once."""
        clean = regions(labels, self.background)
        noisy, params = self.noise.run(clean, rng)
        return self._painted(labels, clean, noisy), {"op": self.op, "regions": params}

    def _painted(self, labels: SemanticMap, clean: Instances, noisy: Instances) -> SemanticMap:
        """Returns the map with its regions replaced by the noisy ones."""
        named = self.background if isinstance(self.fill, str) else (*self.background, self.fill)
        if not all(0 <= class_ < len(labels.categories) for class_ in named):
            raise ValueError(f"background, fill: expected classes 0..{len(labels.categories) - 1}, got {named}")
        canvas = labels.classes.copy()
        unset = ~np.isin(canvas, (*self.background, IGNORE))
        for i in sorted(range(len(noisy)), key=lambda i: (-noisy.masks[i].area, noisy.source[i])):
            left, top, pixels = noisy.masks[i].crop
            window = np.s_[top : top + pixels.shape[0], left : left + pixels.shape[1]]
            canvas[window][pixels != 0] = noisy.classes[i]
            unset[window][pixels != 0] = False
        ignored = labels.classes == IGNORE
        unset &= ~ignored
        if self.fill == "nearest":
            _fill_from_neighbours(canvas, unset, labels.classes)
        else:
            canvas[unset] = IGNORE if self.fill == "ignore" else self.fill
        canvas[ignored] = IGNORE
        return labels.replace(classes=canvas)


def regions(labels: SemanticMap, background: Sequence[int] = ()) -> Instances:
    """Returns the 8-connected regions of a map as instances; the source is 1 + the flat index of the first pixel."""
    masks, classes, source = [], [], []
    width = labels.size_hw[1]
    for class_ in np.unique(labels.classes).tolist():
        if class_ == IGNORE or class_ in background:
            continue
        same = (labels.classes == class_).astype(np.uint8)
        count, numbers, stats, _ = cv2.connectedComponentsWithStats(same, connectivity=8)
        for number in range(1, count):
            left, top, w, h = stats[number, :4].tolist()
            pixels = (numbers[top : top + h, left : left + w] == number).astype(np.uint8)
            masks.append(Mask.from_crop(left, top, pixels, labels.size_hw))
            classes.append(class_)
            source.append(1 + top * width + left + int(pixels[0].argmax()))
    return Instances.from_masks(masks, classes, labels.categories, labels.size_hw, source)


def _fill_from_neighbours(
    canvas: npt.NDArray[np.integer], unset: npt.NDArray[np.bool_], clean: npt.NDArray[np.integer]
) -> None:
    """Gives each unset pixel what stands at the nearest pixel of another clean class; without any it keeps its own.

    Another class, because the rest of the region that drew back is as near as its neighbour and would take half of
    the rim back.
    """
    known = ~unset & (clean != IGNORE)
    for class_ in np.unique(clean[unset]).tolist():
        others = known & (clean != class_)
        if others.any():
            rows, columns = ndimage.distance_transform_edt(~others, return_distances=False, return_indices=True)
            own = unset & (clean == class_)
            canvas[own] = canvas[rows[own], columns[own]]
