"""Colours in which labels are shown."""

from __future__ import annotations

import colorsys

Colour = tuple[int, int, int]
GOLDEN_RATIO = 0.618034
DARKEST = 0.45


def class_colour(index: int) -> Colour:
    """Returns red, green, blue in 0..255 for class ``index`` >= 0: bright ones, and neighbours differ clearly.

    Example:
        >>> class_colour(0)
        (255, 82, 82)
    """
    hue = (index * GOLDEN_RATIO) % 1.0
    saturation = (0.68, 0.45, 0.9)[index // 13 % 3]
    colour = colorsys.hsv_to_rgb(hue, saturation, 1.0)
    # Blue and violet are darker than other hues: as much white as makes them visible on a dark picture.
    light = brightness(colour)
    white = max(0.0, (DARKEST - light) / (1 - light))
    red, green, blue = (round(255 * (channel + white * (1 - channel))) for channel in colour)
    return red, green, blue


def brightness(colour: tuple[float, float, float]) -> float:
    """Returns how bright a colour looks, in the unit of its channels (luma of ITU-R BT.601)."""
    red, green, blue = colour
    return 0.299 * red + 0.587 * green + 0.114 * blue
