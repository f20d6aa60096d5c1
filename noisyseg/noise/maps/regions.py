"""Instance noise on semantic maps: every connected region is treated as an object."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.random import Generator

from noisyseg.labels import IGNORE, Instances, Mask, SemanticMap
from noisyseg.noise.build import NoiseConfig, build_noise
from noisyseg.noise.maps.painting import Fill, Region, check_class_numbers, check_fill, repainted
from noisyseg.noise.maps.units import units_of
from noisyseg.noise.model import NoiseModel, Params, object_keys
from noisyseg.registry import TASK_UTILS


@TASK_UTILS.register_module()
class ByRegion(NoiseModel[SemanticMap]):
    """Applies a model of instance noise to the connected regions of a semantic map.

    Regions are painted back from the largest to the smallest, so that a small one is not lost under a large one that
    grew; so are pieces of a split region and objects that the noise invents. Ignored pixels stay ignored, and no other
    pixel becomes ignored unless ``fill`` says so.

    Args:
        noise: The model for instances, or its config. A model that removes objects leaves their pixels to ``fill``.
        background: Classes that are ground and not objects: their regions stay, under the others.
        fill: What stands where a region drew back and no other one is: ``"nearest"`` takes what stands at the nearest
            pixel of another class (the gap between two regions that both drew back is split), ``"ignore"`` gives
            255, a number gives that class.

    Raises:
        ValueError: ``fill`` is neither of the words nor a class number, a map has no such class, or ``noise`` promises
            exact numbers of objects, which it can only count in a file of instances; or the noise moved a box and not
            the mask in it, which means nothing on a map.
    """

    takes = SemanticMap

    def __init__(self, noise: NoiseConfig, background: Sequence[int] = (), fill: Fill = "nearest") -> None:
        check_fill(fill)
        self.noise = build_noise(noise, takes=Instances)
        if self.noise.plans:
            raise ValueError(f"noise: {self.noise.op} counts objects over a data set, and a map has only regions")
        self.needs_image = self.noise.needs_image
        self.background, self.fill = tuple(background), fill

    def sample(self, labels: SemanticMap, rng: Generator) -> Params:
        """See the base class; a region is named by the place of its first pixel, row by row."""
        return {"op": self.op, "regions": self.noise.sample(self._regions(labels), rng)}

    def apply(self, labels: SemanticMap, params: Params) -> SemanticMap:
        """See the base class."""
        clean = self._regions(labels)
        return self._painted(labels, clean, self.noise.apply(clean, params["regions"]))

    def run(self, labels: SemanticMap, rng: Generator) -> tuple[SemanticMap, Params]:
        """See the base class; finds the regions once."""
        clean = self._regions(labels)
        noisy, params = self.noise.run(clean, rng)
        return self._painted(labels, clean, noisy), {"op": self.op, "regions": params}

    def _regions(self, labels: SemanticMap) -> Instances:
        named = self.background if isinstance(self.fill, str) else (*self.background, self.fill)
        check_class_numbers(named, labels, "background, fill")
        return regions(labels, self.background)

    def _painted(self, labels: SemanticMap, clean: Instances, noisy: Instances) -> SemanticMap:
        """Returns the map with its regions replaced by the noisy ones."""
        self._check_boxes(clean, noisy)
        order = sorted(range(len(noisy)), key=lambda i: (-noisy.masks[i].area, noisy.source[i]))
        painted = [Region(int(noisy.classes[i]), *noisy.masks[i].crop) for i in order]
        painted = [region._replace(pixels=region.pixels != 0) for region in painted]
        vacated = ~np.isin(labels.classes, (*self.background, IGNORE))
        return labels.replace(classes=repainted(labels, vacated, painted, self.fill))

    def _check_boxes(self, clean: Instances, noisy: Instances) -> None:
        """Raises a ``ValueError`` where a box moved and the mask in it did not."""
        before = dict(zip(object_keys(clean), range(len(clean)), strict=True))
        for i, key in enumerate(object_keys(noisy)):
            place = before.get(key)
            if place is None or noisy.masks[i] is not clean.masks[place]:
                continue
            if noisy.boxes[i].tolist() != clean.boxes[place].tolist():
                raise ValueError(
                    f"noise: expected a model that changes masks or classes, but {self.noise.op} moved the box of "
                    f"region {key} and left its mask; a map has no boxes"
                )


def regions(labels: SemanticMap, background: Sequence[int] = ()) -> Instances:
    """Returns the 8-connected regions of a map as instances; the source is 1 + the flat index of the first pixel."""
    units = units_of(labels, "component", background)
    masks = [Mask.from_crop(unit.left, unit.top, unit.pixels.astype(np.uint8), labels.size_hw) for unit in units]
    classes, sources = [unit.class_ for unit in units], [unit.name for unit in units]
    found = Instances.from_masks(masks, classes, labels.categories, labels.size_hw, sources)
    return found.replace(image=labels.image)
