"""The surfaces of objects and background."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from noisyseg.labels.rng import keyed_rng
from noisyseg.scenes.description import Texture

Field = npt.NDArray[np.float64]

_SHARPNESS = 3.0
"""Slope of the change between the two colours of a pattern; a step would alias."""


def surface(texture: Texture, x: Field, y: Field) -> Field:
    """Returns the colours of a surface.

    Args:
        texture: Its description.
        x: (H, W) coordinate on the surface, pixels.
        y: (H, W) coordinate on the surface, pixels.

    Returns:
        (H, W, 3) float64 colours in [0, 1].
    """
    share = _share(texture, x, y)[..., None]
    first, second = np.array(texture.colours)
    return (1 - share) * first + share * second


def _share(texture: Texture, x: Field, y: Field) -> Field:
    """Returns the share of the second colour, (H, W) in [0, 1]."""
    if texture.pattern == "plain":
        return np.zeros(x.shape)
    if texture.pattern == "marble":
        return _marble(texture, x.shape)
    cosine, sine = np.cos(texture.angle), np.sin(texture.angle)
    wave = 2 * np.pi / texture.period
    u, v = wave * (cosine * x + sine * y), wave * (cosine * y - sine * x)
    if texture.pattern == "stripes":
        level = np.sin(u)
    elif texture.pattern == "checks":
        level = 1.5 * np.sin(u) * np.sin(v)
    else:
        level = np.cos(u) + np.cos(v) - 0.7
    return 0.5 + 0.5 * np.tanh(_SHARPNESS * level)


def _marble(texture: Texture, size_hw: tuple[int, int]) -> Field:
    """Returns smooth noise of two scales, keyed by the texture's number."""
    rng = keyed_rng(texture.key, "marble")
    height, width = size_hw
    noise = np.zeros(size_hw)
    for weight, period in ((1.0, texture.period), (0.5, texture.period / 2)):
        nodes = rng.standard_normal((round(height / period) + 2, round(width / period) + 2))
        noise += weight * cv2.resize(nodes, (width, height), interpolation=cv2.INTER_CUBIC)
    return 0.5 + 0.5 * np.tanh(noise)
