"""One object's mask: kept as it was read, or cropped; decoded only when somebody looks at its pixels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from noisyseg.labels import polygons, rle
from noisyseg.labels.errors import LabelError
from noisyseg.labels.kernels import runs as kernels

Pixels = npt.NDArray[np.uint8]
Segmentation = Sequence[Sequence[float]] | Mapping[str, Any]


class Crop(NamedTuple):
    """A window of the frame.

    Attributes:
        left: Column of the window's first pixel.
        top: Row of the window's first pixel.
        pixels: (h, w) uint8 in {0, 1}.
    """

    left: int
    top: int
    pixels: Pixels


class Mask:
    """A binary mask inside a frame; immutable.

    Made by :meth:`from_coco`, :meth:`from_crop` or :meth:`from_frame`. What was read from a file is written back
    as it was: :attr:`segmentation` returns the very object that came in.

    Attributes:
        size_hw: Rows and columns of the frame.
    """

    # One of _rings, _runs and _crop is given; the rest is worked out when it is asked for, and kept.
    __slots__ = ("_coco", "_crop", "_measures", "_rings", "_rle", "_runs", "size_hw")

    def __init__(
        self,
        size_hw: tuple[int, int],
        *,
        crop: Crop | None = None,
        runs: rle.Runs | None = None,
        rings: list[polygons.Ring] | None = None,
        coco: object = None,
    ) -> None:
        self.size_hw = size_hw
        self._crop, self._runs, self._rings, self._coco = crop, runs, rings, coco
        self._rle: dict[str, Any] | None = None
        self._measures: tuple[int, int, int, int, int] | None = None

    @classmethod
    def from_coco(cls, segmentation: Segmentation, size_hw: tuple[int, int]) -> Mask:
        """Returns the mask of a COCO ``segmentation``: polygons, compressed or uncompressed RLE.

        Raises:
            LabelError: The segmentation cannot be rasterised safely.
        """
        if isinstance(segmentation, dict):
            return cls(size_hw, runs=_checked_runs(segmentation, size_hw), coco=segmentation)
        if isinstance(segmentation, list | tuple):
            return cls(size_hw, rings=polygons.rings_from_coco(segmentation), coco=segmentation)
        raise LabelError(f"segmentation: expected polygons or RLE, got {type(segmentation).__name__}")

    @classmethod
    def from_crop(cls, left: int, top: int, pixels: Pixels, size_hw: tuple[int, int]) -> Mask:
        """Returns the mask that is ``pixels`` inside the window at ``(left, top)`` and empty outside it."""
        return cls(size_hw, crop=Crop(left, top, pixels))

    @classmethod
    def from_frame(cls, frame: npt.NDArray[np.bool_] | Pixels) -> Mask:
        """Returns the mask of a full (H, W) frame of booleans or {0, 1}."""
        pixels = np.asarray(frame).astype(np.uint8)
        left, top, width, height = cv2.boundingRect(pixels)
        if not width:
            return cls.empty(pixels.shape)
        return cls.from_crop(left, top, pixels[top : top + height, left : left + width].copy(), pixels.shape)

    @classmethod
    def empty(cls, size_hw: tuple[int, int]) -> Mask:
        """Returns a mask without foreground."""
        return cls.from_crop(0, 0, np.zeros((1, 1), np.uint8), size_hw)

    @property
    def crop(self) -> Crop:
        """A window that holds every foreground pixel; not always the tightest one. Of an empty mask, one pixel."""
        if self._crop is None:
            x0, y0, x1, y1 = self.box
            pixels = kernels.window(self.runs, self.size_hw[0], x0, y0, max(x1, 1), max(y1, 1))
            self._crop = Crop(x0, y0, pixels)
        return self._crop

    @property
    def runs(self) -> rle.Runs:
        """(R,) int64 lengths of background and foreground, column by column."""
        if self._runs is None:
            if self._rings is not None:
                self._runs = polygons.runs_from_rings(self._rings, self.size_hw)
            else:
                left, top, pixels = self._crop
                self._runs = kernels.runs_of_window(pixels, left, top, *self.size_hw)
        return self._runs

    @property
    def rle(self) -> dict[str, Any]:
        """The mask as compressed RLE, ``counts`` as ``str``, whatever it was read from."""
        if self._rle is None:
            self._rle = {"size": list(self.size_hw), "counts": rle.string_from_runs(self.runs)}
        return self._rle

    # Area, box and IoU come from the run lengths: their cost does not grow with the object.

    @property
    def area(self) -> int:
        """Number of foreground pixels."""
        return (self._measures or self._measured())[4]

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Tight half-open box ``(x0, y0, x1, y1)`` in pixels; four zeros for an empty mask."""
        return (self._measures or self._measured())[:4]

    def _measured(self) -> tuple[int, int, int, int, int]:
        self._measures = kernels.box_and_area(self.runs, self.size_hw[0])
        return self._measures

    def iou(self, other: Mask) -> float:
        """Returns intersection over union in [0, 1]; two empty masks agree, so they give 1."""
        both = self.overlap(other)
        union = self.area + other.area - both
        return both / union if union else 1.0

    def overlap(self, other: Mask) -> int:
        """Returns the number of pixels that are foreground in both masks, which are of one size."""
        return int(kernels.overlap(self.runs, other.runs))

    @property
    def segmentation(self) -> Segmentation:
        """The COCO form: what was read, else compressed RLE."""
        return self.rle if self._coco is None else self._coco

    def window(self, margin: int) -> Crop:
        """Returns the crop widened by ``margin`` pixels on each side, cut at the frame.

        A side of the window that is not a side of the frame has at least ``margin`` empty pixels before the
        foreground, so an operation that reaches no farther gives there what it would give on the whole frame.
        """
        left, top, pixels = self.crop
        height, width = pixels.shape
        x0, y0 = max(left - margin, 0), max(top - margin, 0)
        x1 = min(left + width + margin, self.size_hw[1])
        y1 = min(top + height + margin, self.size_hw[0])
        wide = np.zeros((y1 - y0, x1 - x0), np.uint8)
        wide[top - y0 : top - y0 + height, left - x0 : left - x0 + width] = pixels
        return Crop(x0, y0, wide)

    def frame(self) -> Pixels:
        """Returns the mask as a full (H, W) uint8 frame in {0, 1}."""
        frame = np.zeros(self.size_hw, np.uint8)
        left, top, pixels = self.crop
        frame[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
        return frame


def _checked_runs(segmentation: Mapping[str, Any], size_hw: tuple[int, int]) -> rle.Runs:
    size, counts = segmentation.get("size"), segmentation.get("counts")
    if not isinstance(size, list | tuple) or list(map(type, size)) != [int, int] or tuple(size) != tuple(size_hw):
        raise LabelError(f"RLE size: expected the image's {list(size_hw)} (rows, columns), got {size}")
    if isinstance(counts, str):
        runs = rle.runs_from_string(counts)
    elif isinstance(counts, list | tuple) and set(map(type, counts)) <= {int} and _is_small(counts):
        runs = np.array(counts, np.int64)
    else:
        raise LabelError(f"RLE counts: expected a string or whole numbers, got {type(counts).__name__}")
    rle.check_runs(runs, size_hw)
    return rle.joined(runs)


def _is_small(counts: Sequence[int]) -> bool:
    return not counts or -rle.LARGEST_FRAME < min(counts) <= max(counts) < rle.LARGEST_FRAME
