"""What is shown of one image: earlier labels, later ones, and what became of the pixels that changed."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np

from noisyseg.evaluation.label_diff.maps import clean_map
from noisyseg.evaluation.label_diff.masks import CleanMasks
from noisyseg.evaluation.label_diff.pixels import ClassMap, Fates, fates_of_maps, fates_of_masks
from noisyseg.labels import Mask
from noisyseg.labels.colours import Colour, class_colour
from noisyseg.labels.versions import GivenMaps, VersionMaps, VersionMasks

__all__ = ["MapViews", "MaskViews", "View", "Views"]

BACKGROUND = "background"
MOST = 254


class View(NamedTuple):
    """One image.

    Attributes:
        old: (H, W) earlier classes.
        new: (H, W) later ones.
        fates: (H, W) what became of each pixel.
    """

    old: ClassMap
    new: ClassMap
    fates: Fates


class Views(Protocol):
    """The images of a data set.

    Attributes:
        names: Names of the classes in a view.
        with_clean: Whether fates are known.
    """

    names: tuple[str, ...]
    with_clean: bool

    def of(self, name: str) -> View:
        """Returns one image."""

    def colour(self, class_: int) -> Colour | None:
        """Returns the colour of a class; None of the background."""


class MapViews:
    """Views of label maps; the arguments are those of `compare_maps`."""

    def __init__(self, old: VersionMaps, new: VersionMaps, clean: GivenMaps | None) -> None:
        self.old, self.new, self.clean = old, new, clean
        self.names, self.with_clean = new.given.codes.names, clean is not None

    def of(self, name: str) -> View:
        """Returns one image."""
        given = self.new.given.classes(name)
        old, new = self.old.classes(name, given), self.new.classes(name, given)
        clean = None if self.clean is None else clean_map(self.clean, name, given.shape)
        return View(old, new, fates_of_maps(old, new, clean))

    def colour(self, class_: int) -> Colour | None:
        """Returns the colour of a class; None of the first one where it is called background."""
        if self.names[0].lower() != BACKGROUND:
            return class_colour(class_)
        return class_colour(class_ - 1) if class_ else None


class MaskViews:
    """Views of masks, painted in the order of the file; the arguments are those of `compare_masks`.

    A view has room for 254 classes of objects; further ones are shown as one of these.
    """

    def __init__(self, old: VersionMasks, new: VersionMasks, clean: CleanMasks | None) -> None:
        self.old, self.new, self.clean = old, new, clean
        self.names, self.with_clean = (BACKGROUND, *new.given.coco.categories.names), clean is not None

    def of(self, name: str) -> View:
        """Returns one image; of a pixel that changed in several objects, the last one counts."""
        given = self.new.given
        size_hw = given.size_hw(name)
        masks, classes = given.masks(name)
        rights = {} if self.clean is None else self.clean.get(list(masks), size_hw)
        old, new = ({**masks, **version.replaced(name)} for version in (self.old, self.new))
        fates = np.zeros(size_hw, np.uint8)
        for id_ in masks:
            if old[id_] is not new[id_]:
                right = rights[id_].frame() != 0 if id_ in rights else None
                own = fates_of_masks(old[id_].frame() != 0, new[id_].frame() != 0, right)
                fates = np.where(own, own, fates)
        return View(_painted(old, classes, size_hw), _painted(new, classes, size_hw), fates)

    def colour(self, class_: int) -> Colour | None:
        """Returns the colour of a class of objects; None of the background."""
        return class_colour(class_ - 1) if class_ else None


def _painted(masks: dict[int, Mask], classes: dict[int, int], size_hw: tuple[int, int]) -> ClassMap:
    canvas = np.zeros(size_hw, np.uint8)
    for id_, mask in masks.items():
        canvas[mask.frame() != 0] = 1 + classes[id_] % MOST
    return canvas
