"""What mistakes happen to on a map: a whole class of it, or one connected component; and noise that hits some."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from numpy.random import Generator

from noisyseg.labels import IGNORE, SemanticMap
from noisyseg.labels.rng import ObjectStreams, fork
from noisyseg.noise.kernels.maps import components, first_pixel
from noisyseg.noise.maps.painting import check_class_numbers
from noisyseg.noise.model import NoiseModel, Params

UnitKind = Literal["class", "component"]


class Unit(NamedTuple):
    """A class of a map, or an 8-connected component of one.

    Attributes:
        name: The class itself, or 1 + the flat index (row by row) of the component's first pixel.
        class_: Class, 0..K-1.
        left: Column of the crop's first pixel.
        top: Row of the crop's first pixel.
        pixels: (h, w) bool, the tight crop.
        area: Number of pixels.
    """

    name: int
    class_: int
    left: int
    top: int
    pixels: npt.NDArray[np.bool_]
    area: int

    @property
    def window(self) -> tuple[slice, slice]:
        """Where the crop lies in the frame."""
        height, width = self.pixels.shape
        return np.s_[self.top : self.top + height, self.left : self.left + width]

    @property
    def box(self) -> list[int]:
        """Tight half-open ``[x0, y0, x1, y1]``."""
        height, width = self.pixels.shape
        return [self.left, self.top, self.left + width, self.top + height]


def units_of(labels: SemanticMap, kind: UnitKind, background: Sequence[int] = ()) -> list[Unit]:
    """Returns the units of a map, by class and then by place; ignored pixels and ``background`` belong to none."""
    found = []
    for class_ in np.unique(labels.classes).tolist():
        if class_ == IGNORE or class_ in background:
            continue
        same = labels.classes == class_
        if kind == "class":
            rows, columns = np.flatnonzero(same.any(axis=1)), np.flatnonzero(same.any(axis=0))
            top, left = int(rows[0]), int(columns[0])
            pixels = same[top : rows[-1] + 1, left : columns[-1] + 1]
            found.append(Unit(class_, class_, left, top, pixels, int(np.count_nonzero(pixels))))
        else:
            for left, top, pixels, area in components(same.astype(np.uint8)):
                name = 1 + first_pixel(top, left, pixels, labels.size_hw[1])
                found.append(Unit(name, class_, left, top, pixels, area))
    return found


class UnitNoise(NoiseModel[SemanticMap]):
    """Noise that hits some units of a map.

    Whether a unit is hit and what happens to it depends on the unit and not on which others there are; with ``rate``
    None it is one unit an image, drawn uniformly.

    Args:
        unit: ``"class"`` or ``"component"`` (8-connected).
        rate: Share of the units that are hit, each by itself, in [0, 1]; None for exactly one an image.
        image_rate: Share of the images where anything happens, in [0, 1].
        min_area: Smaller units are not hit, pixels.
        background: Classes that are ground and not hit.

    Raises:
        ValueError: An argument is none of what it may be, or a map has no such class.
    """

    takes = SemanticMap

    def __init__(
        self,
        unit: UnitKind,
        rate: float | None,
        image_rate: float,
        min_area: int,
        background: Sequence[int],
    ) -> None:
        if unit not in ("class", "component"):
            raise ValueError(f"unit: expected 'class' or 'component', got {unit!r}")
        if rate is not None:
            check_share("rate", rate)
        check_share("image_rate", image_rate)
        if min_area < 0:
            raise ValueError(f"min_area: expected pixels >= 0, got {min_area}")
        self.unit, self.rate, self.image_rate = unit, rate, image_rate
        self.min_area, self.background = min_area, tuple(background)

    def draw(self, labels: SemanticMap, unit: Unit, rng: Generator) -> Params | None:
        """Returns what a unit that is hit draws, or None where it is left as it is after all."""
        return {}

    @abstractmethod
    def changed(self, labels: SemanticMap, hit: list[tuple[Unit, Params]]) -> npt.NDArray[np.integer]:
        """Returns the noisy (H, W) classes; ``hit`` are the units and their draws, at least one."""

    def sample(self, labels: SemanticMap, rng: Generator) -> Params:
        """See the base class; records name, class, area and box of every unit that is hit."""
        return self._params(self._hit(labels, rng))

    def apply(self, labels: SemanticMap, params: Params) -> SemanticMap:
        """See the base class.

        Raises:
            ValueError: The map has no unit of a name in ``params``.
        """
        if not params["units"]:
            return labels
        units = named_units(self._units(labels), params["units"])
        return self._applied(labels, list(zip(units, params["units"], strict=True)))

    def run(self, labels: SemanticMap, rng: Generator) -> tuple[SemanticMap, Params]:
        """See the base class; finds the units once."""
        hit = self._hit(labels, rng)
        return self._applied(labels, hit), self._params(hit)

    def _applied(self, labels: SemanticMap, hit: list[tuple[Unit, Params]]) -> SemanticMap:
        return labels.replace(classes=self.changed(labels, hit)) if hit else labels

    def _units(self, labels: SemanticMap) -> list[Unit]:
        check_class_numbers(self.background, labels, "background")
        return [unit for unit in units_of(labels, self.unit, self.background) if unit.area >= self.min_area]

    def _hit(self, labels: SemanticMap, rng: Generator) -> list[tuple[Unit, Params]]:
        units = self._units(labels)
        if not units or fork(rng, self.op, "image").random() >= self.image_rate:
            return []
        streams, hit = ObjectStreams(rng), []
        if self.rate is None:
            units = [units[int(fork(rng, self.op, "unit").integers(len(units)))]]
        for unit in units:
            own = streams.of(self.op, unit.name)
            if own.random() >= (1 if self.rate is None else self.rate):
                continue
            draws = self.draw(labels, unit, own)
            if draws is not None:
                hit.append((unit, draws))
        return hit

    def _params(self, hit: list[tuple[Unit, Params]]) -> dict[str, Any]:
        return {
            "op": self.op,
            "units": [
                {"unit": unit.name, "class": unit.class_, "area": unit.area, "box": unit.box} | draws
                for unit, draws in hit
            ],
        }


def check_share(name: str, value: float) -> None:
    """Raises a ``ValueError`` unless ``value`` is a share in [0, 1]."""
    if not 0 <= value <= 1:
        raise ValueError(f"{name}: expected a share in [0, 1], got {value}")


def named_units(units: Iterable[Unit], drawn: Sequence[Params]) -> list[Unit]:
    """Returns the unit that each of ``drawn`` names.

    Raises:
        ValueError: There is none of such a name.
    """
    known = {unit.name: unit for unit in units}
    unknown = [draws["unit"] for draws in drawn if draws["unit"] not in known]
    if unknown:
        raise ValueError(f"params: expected names of units of this map, got {unknown}")
    return [known[draws["unit"]] for draws in drawn]


def framed(unit: Unit, margin: int, size_hw: tuple[int, int]) -> tuple[int, int, npt.NDArray[np.bool_]]:
    """Returns left, top and pixels of the unit's crop, widened by ``margin`` pixels on each side, cut at the frame."""
    x0, y0, x1, y1 = unit.box
    left, top = max(x0 - margin, 0), max(y0 - margin, 0)
    pixels = np.zeros((min(y1 + margin, size_hw[0]) - top, min(x1 + margin, size_hw[1]) - left), bool)
    pixels[y0 - top : y1 - top, x0 - left : x1 - left] = unit.pixels
    return left, top, pixels


def pixels_of(units: Iterable[Unit], size_hw: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Returns the (H, W) pixels that belong to any of the units."""
    frame = np.zeros(size_hw, bool)
    for unit in units:
        frame[unit.window] |= unit.pixels
    return frame


def largest_first(hit: list[tuple[Unit, Params]]) -> list[tuple[Unit, Params]]:
    """Returns the units in the order in which they are painted, so that a small one is not lost under a large one."""
    return sorted(hit, key=lambda pair: (-pair[0].area, pair[0].name))
