"""Draw labels on pictures: outlines, and words that keep out of each other's way. Pictures are (H, W, 3) RGB uint8."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import cv2
import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from noisyseg.labels import Mask
from noisyseg.labels.colours import Colour

Picture = npt.NDArray[np.uint8]
DARK = (24, 25, 29)
LIGHT = (236, 238, 242)
# OpenCV takes vertices with this many binary digits after the point.
DIGITS = 4


class Shape(NamedTuple):
    """An object to draw.

    Attributes:
        mask: Its mask, in the pixels of the image.
        colour: Colour of outline and word.
        word: What to write beside it; may be empty.
    """

    mask: Mask
    colour: Colour
    word: str = ""


def fit(picture: Picture, side: int) -> tuple[Picture, float]:
    """Returns the picture enlarged or reduced so that its longer side is ``side`` pixels, and the factor."""
    height, width = picture.shape[:2]
    scale = side / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return cv2.resize(picture, size, interpolation=how), scale


def draw_shapes(picture: Picture, shapes: Sequence[Shape], scale: float, *, fill: float = 0.0) -> Picture:
    """Returns a copy of a picture with outlines, bright lines on dark ones, and words.

    Args:
        picture: The picture, already scaled.
        shapes: The objects, back to front.
        scale: Pixels of the picture in a pixel of the masks.
        fill: Opacity of the inside in [0, 1].
    """
    side = max(picture.shape[:2])
    line = max(1, round(side / 200))
    rings = [outlines(shape.mask, scale) for shape in shapes]
    drawn = picture.copy()
    if fill:
        for shape, polygons in zip(shapes, rings, strict=True):
            cv2.fillPoly(drawn, polygons, shape.colour, cv2.LINE_AA, DIGITS)
        drawn = cv2.addWeighted(drawn, fill, picture, 1 - fill, 0)
    for polygons in rings:
        cv2.polylines(drawn, polygons, True, DARK, line + 2, cv2.LINE_AA, DIGITS)
    for shape, polygons in zip(shapes, rings, strict=True):
        cv2.polylines(drawn, polygons, True, shape.colour, line, cv2.LINE_AA, DIGITS)
    return _with_words(drawn, [shape for shape in shapes if shape.word], scale, max(9, side // 34))


def outlines(mask: Mask, scale: float) -> list[npt.NDArray[np.int32]]:
    """Returns the outer and inner rings of a mask, (n, 1, 2) in 1/16 pixels of a picture ``scale`` times as large."""
    left, top, pixels = mask.crop
    # Rings run through the centres of pixels: finer pixels bring them to the edge of the coarse ones.
    factor = max(1, math.ceil(scale))
    fine = cv2.resize(np.ascontiguousarray(pixels), None, fx=factor, fy=factor, interpolation=cv2.INTER_NEAREST)
    rings, _ = cv2.findContours(fine, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    return [
        np.rint((((ring + 0.5) / factor + (left, top)) * scale - 0.5) * (1 << DIGITS)).astype(np.int32)
        for ring in rings
    ]


@lru_cache(maxsize=8)
def font(size: int, *, bold: bool = False) -> ImageFont.FreeTypeFont:
    """Returns a font of ``size`` pixels; the one that comes with matplotlib, so that it is there everywhere."""
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(str(Path(mpl.get_data_path()) / "fonts" / "ttf" / name), size)


def shortened(text: str, width: int, face: ImageFont.FreeTypeFont) -> str:
    """Returns the text, with its middle left out where it is wider than ``width`` pixels."""
    if face.getlength(text) <= width:
        return text
    for kept in range(len(text) - 1, 1, -1):
        short = f"{text[: kept // 2]}…{text[len(text) - (kept - kept // 2) :]}"
        if face.getlength(short) <= width:
            return short
    return "…"


def _with_words(picture: Picture, shapes: Sequence[Shape], scale: float, size: int) -> Picture:
    if not shapes:
        return picture
    image = Image.fromarray(picture)
    draw = ImageDraw.Draw(image)
    face = font(size)
    taken: list[tuple[int, int, int, int]] = []
    for shape in shapes:
        word = shortened(shape.word, image.width - 4, face)
        width, height = math.ceil(face.getlength(word)) + 6, size + 5
        box = [value * scale for value in shape.mask.box]
        x, y = _free_place(box, (width, height), image.size, taken)
        taken.append((x, y, x + width, y + height))
        draw.rectangle((x, y, x + width - 1, y + height - 1), fill=shape.colour, outline=DARK)
        draw.text((x + 3, y + height / 2), word, fill=DARK, font=face, anchor="lm")
    return np.asarray(image)


def _free_place(
    box: Sequence[float],
    size: tuple[int, int],
    frame: tuple[int, int],
    taken: Sequence[tuple[int, int, int, int]],
) -> tuple[int, int]:
    """Returns the corner, near a box, at which a word covers least of those already there."""
    (x0, y0, x1, y1), (width, height) = box, size
    middle = (y0 + y1 - height) / 2
    rows = [y0 - height, y0, middle, y1 - height, y1, *(middle + k * height for k in (-2, 2, -3, 3))]
    best, least = (0, 0), math.inf
    for y in rows:
        for x in (x0, (x0 + x1 - width) / 2, x1 - width):
            left = int(min(max(x, 0), max(frame[0] - width, 0)))
            top = int(min(max(y, 0), max(frame[1] - height, 0)))
            covered = sum(_overlap((left, top, left + width, top + height), other) for other in taken)
            if covered < least:
                best, least = (left, top), covered
    return best


def _overlap(a: tuple[int, int, int, int], b: tuple[int, int, int, int]) -> int:
    return max(0, min(a[2], b[2]) - max(a[0], b[0])) * max(0, min(a[3], b[3]) - max(a[1], b[1]))
