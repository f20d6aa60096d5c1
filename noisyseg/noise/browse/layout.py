"""Put pictures together: panels with captions into tiles, and tiles into a page."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from noisyseg.noise.browse.drawing import LIGHT, Picture, font, shortened

MUTED = (160, 166, 178)
PAGE = (40, 42, 49)
# As shares of the longer side of an image: gap between panels, margin between tiles, size of letters.
GAP, MARGIN, LETTER = 1 / 120, 1 / 24, 1 / 30


def tile(lines: Sequence[str], panels: Sequence[tuple[str, Picture]], side: int) -> Picture:
    """Returns panels of one size beside each other, each under its caption, all under lines of text.

    Args:
        lines: The header; the first line is bold.
        panels: Captions and pictures.
        side: Pixels that a panel may take in each direction.
    """
    gap, size = max(2, round(side * GAP)), letter_size(side)
    line = round(size * 1.45)
    height, width = panels[0][1].shape[:2]
    head = line * (len(lines) + 1)
    canvas = Image.new("RGB", (side * len(panels) + gap * (len(panels) - 1), head + height), PAGE)
    draw = ImageDraw.Draw(canvas)
    for number, text in enumerate(lines):
        face = font(size, bold=number == 0)
        place = 0, (number + 0.5) * line
        draw.text(place, shortened(text, canvas.width, face), LIGHT if number == 0 else MUTED, face, anchor="lm")
    for number, (caption, picture) in enumerate(panels):
        x = number * (width + gap)
        draw.text((x, head - line / 2), shortened(caption, width, font(size)), MUTED, font(size), anchor="lm")
        canvas.paste(Image.fromarray(picture), (x, head))
    return np.asarray(canvas)


def page(title: str, tiles: Sequence[Picture], columns: int, side: int) -> Picture:
    """Returns tiles of one width in rows under a title; a row is as high as its highest tile."""
    margin, size = max(4, round(side * MARGIN)), round(letter_size(side) * 1.2)
    rows = [tiles[first : first + columns] for first in range(0, len(tiles), columns)]
    heights = [max(one.shape[0] for one in row) for row in rows]
    tile_width = tiles[0].shape[1]
    width = min(columns, len(tiles)) * (tile_width + margin) + margin
    y = 2 * margin + size
    canvas = Image.new("RGB", (width, y + sum(heights) + margin * len(rows)), PAGE)
    face = font(size, bold=True)
    text = shortened(title, width - 2 * margin, face)
    ImageDraw.Draw(canvas).text((margin, margin + size / 2), text, LIGHT, face, anchor="lm")
    for row, height in zip(rows, heights, strict=True):
        for number, one in enumerate(row):
            canvas.paste(Image.fromarray(one), (margin + number * (tile_width + margin), y))
        y += height + margin
    return np.asarray(canvas)


def letter_size(side: int) -> int:
    """Returns the size of letters beside images of ``side`` pixels."""
    return max(10, round(side * LETTER))
