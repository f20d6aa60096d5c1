"""One object's mask: kept as it was read, or cropped; decoded only when somebody looks at its pixels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
from pycocotools import mask as coco_mask

from noisyseg.labels import polygons, rle
from noisyseg.labels.errors import LabelError

# pycocotools puts the number of masks whose areas it is asked for into a byte.
MOST = 255

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

    def __init__(self, size_hw: tuple[int, int], *, crop: Crop | None = None, coco: object = None) -> None:
        self.size_hw = size_hw
        self._coco = coco
        self._rings: list[polygons.Ring] | None = None
        if crop is not None:
            self.__dict__["crop"] = crop

    @classmethod
    def from_coco(cls, segmentation: Segmentation, size_hw: tuple[int, int]) -> Mask:
        """Returns the mask of a COCO ``segmentation``: polygons, compressed or uncompressed RLE.

        Raises:
            LabelError: The segmentation cannot be rasterised safely.
        """
        mask = cls(size_hw, coco=segmentation)
        rings, counts = _checked_geometry(segmentation, size_hw)
        if counts is None:
            mask._rings = rings
        else:
            mask.__dict__["rle"] = {"size": list(size_hw), "counts": counts}
        return mask

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

    @cached_property
    def crop(self) -> Crop:
        """A window that holds every foreground pixel; not always the tightest one."""
        return Crop(*rle.crop_from_string(self.rle["counts"], self.size_hw))

    @cached_property
    def rle(self) -> dict[str, Any]:
        """The mask as compressed RLE, ``counts`` as ``str``, whatever it was read from."""
        if self._rings is not None:
            counts = polygons.string_from_rings(self._rings, self.size_hw)
        else:
            (counts,) = rle.strings_from_crops([self.crop], self.size_hw)
        return {"size": list(self.size_hw), "counts": counts}

    # Area, box and IoU come from the run lengths: their cost does not grow with the object.

    @cached_property
    def area(self) -> int:
        """Number of foreground pixels."""
        return int(coco_mask.area(self.rle))

    @cached_property
    def box(self) -> tuple[int, int, int, int]:
        """Tight half-open box ``(x0, y0, x1, y1)`` in pixels; four zeros for an empty mask."""
        left, top, width, height = (int(value) for value in coco_mask.toBbox(self.rle))
        return left, top, left + width, top + height

    def iou(self, other: Mask) -> float:
        """Returns intersection over union in [0, 1]; two empty masks agree, so they give 1."""
        both = int(coco_mask.area(coco_mask.merge([self.rle, other.rle], intersect=True)))
        union = self.area + other.area - both
        return both / union if union else 1.0

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
        wide = np.zeros((x1 - x0, y1 - y0), np.uint8).T
        wide[top - y0 : top - y0 + height, left - x0 : left - x0 + width] = pixels
        return Crop(x0, y0, wide)

    def frame(self) -> Pixels:
        """Returns the mask as a full (H, W) uint8 frame in {0, 1}."""
        frame = np.zeros(self.size_hw, np.uint8)
        left, top, pixels = self.crop
        frame[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
        return frame


def encode(masks: Sequence[Mask]) -> None:
    """Works out RLE, area and box of several cropped masks of one frame at once, several times faster than singly."""
    for first in range(0, len(masks), MOST):
        _encode(masks[first : first + MOST])


def _encode(masks: Sequence[Mask]) -> None:
    size_hw = masks[0].size_hw
    codes = [
        {"size": list(size_hw), "counts": counts}
        for counts in rle.strings_from_crops([mask.crop for mask in masks], size_hw)
    ]
    boxes = coco_mask.toBbox(codes).astype(np.int64)
    boxes[:, 2:] += boxes[:, :2]
    areas = coco_mask.area(codes).tolist()
    for mask, code, area, box in zip(masks, codes, areas, boxes.tolist(), strict=True):
        mask.__dict__.update(rle=code, area=area, box=tuple(box))


def _checked_geometry(
    segmentation: Segmentation, size_hw: tuple[int, int]
) -> tuple[list[polygons.Ring] | None, str | None]:
    """Returns checked rings, or a checked RLE string; the other one is None."""
    if isinstance(segmentation, dict):
        size, counts = segmentation.get("size"), segmentation.get("counts")
        if not isinstance(size, list | tuple) or list(map(type, size)) != [int, int] or tuple(size) != tuple(size_hw):
            raise LabelError(f"RLE size: expected the image's {list(size_hw)} (rows, columns), got {size}")
        if isinstance(counts, str):
            runs = rle.runs_from_string(counts)
            rle.check_runs(runs, size_hw)
            whole = rle.joined(runs)
            return None, counts if whole is runs else rle.string_from_runs(whole, size_hw)
        if isinstance(counts, list | tuple) and all(
            type(run) is int and abs(run) < rle.LARGEST_FRAME for run in counts
        ):
            runs = np.array(counts, np.int64)
            rle.check_runs(runs, size_hw)
            return None, rle.string_from_runs(rle.joined(runs), size_hw)
        raise LabelError(f"RLE counts: expected a string or whole numbers, got {type(counts).__name__}")
    if isinstance(segmentation, list | tuple):
        return polygons.rings_from_coco(segmentation), None
    raise LabelError(f"segmentation: expected polygons or RLE, got {type(segmentation).__name__}")
