"""The outlines of the classes as signed distances: negative inside, zero on the outline, positive outside.

Every function takes x and y, arrays of one shape, in units of the object's radius, and the numbers of its
form in the same unit, and returns the distance in that unit. Distances are exact, or exact to first order
at the outline, which is where they are used: for antialiasing, shading and the label itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

Distances = npt.NDArray[np.float64]

_WORM_JOINTS = 25


def blob(x: Distances, y: Distances, *waves: float) -> Distances:
    """Returns the distance to a disk with a wavy outline.

    Args:
        x: Coordinate.
        y: Coordinate.
        waves: Amplitude and phase of the waves with 2, 3, … crests.
    """
    amplitudes, phases = np.array(waves[::2]), np.array(waves[1::2])
    crests = np.arange(2, 2 + amplitudes.size)
    turn = np.arctan2(y, x)[..., None] * crests + phases
    reach = 1 + amplitudes.sum()
    outline = (1 + (amplitudes * np.cos(turn)).sum(-1)) / reach
    slope = -(amplitudes * crests * np.sin(turn)).sum(-1) / reach
    return (np.hypot(x, y) - outline) / np.hypot(1, slope / outline)


def ring(x: Distances, y: Distances, aspect: float, width: float) -> Distances:
    """Returns the distance to an elliptic ring.

    Args:
        x: Coordinate.
        y: Coordinate.
        aspect: Short half-axis; the long one is 1.
        width: Width of the band.
    """
    middle = _ellipse(x, y, 1 - width / 2, aspect - width / 2)
    return np.abs(middle) - width / 2


def box(x: Distances, y: Distances, aspect: float, corner: float, hole: float) -> Distances:
    """Returns the distance to a rectangle with rounded corners and perhaps a round hole.

    Args:
        x: Coordinate.
        y: Coordinate.
        aspect: Half height; the half width is 1.
        corner: Radius of the corners.
        hole: Radius of the hole in the middle, 0 for none.
    """
    solid = _rectangle(x, y, 1 - corner, aspect - corner) - corner
    return np.maximum(solid, hole - np.hypot(x, y)) if hole > 0 else solid


def star(x: Distances, y: Distances, tips: float, waist: float) -> Distances:
    """Returns the distance to a star.

    Args:
        x: Coordinate.
        y: Coordinate.
        tips: Number of tips, a whole number.
        waist: Distance of the inner corners from the centre.
    """
    half = np.pi / tips
    turn = np.abs((np.arctan2(y, x) + half) % (2 * half) - half)
    distance = np.hypot(x, y)
    u, v = distance * np.cos(turn), distance * np.sin(turn)
    inner = waist * np.cos(half), waist * np.sin(half)
    along = inner[0] - 1, inner[1]
    outside = (u - 1) * along[1] - v * along[0]
    return np.copysign(_segment(u, v, (1.0, 0.0), inner), outside)


def key(x: Distances, y: Distances, head: float, thickness: float, tooth: float) -> Distances:
    """Returns the distance to a key: a head with a hole, a thin shaft, two teeth.

    Args:
        x: Coordinate.
        y: Coordinate.
        head: Radius of the head.
        thickness: Half width of the shaft, the teeth and the head's band.
        tooth: Length of the teeth.
    """
    band = np.abs(np.hypot(x + 1 - head, y) - head + thickness) - thickness
    shaft = _segment(x, y, (2 * head - 1, 0.0), (1 - thickness, 0.0)) - thickness
    last = _segment(x, y, (1 - thickness, 0.0), (1 - thickness, tooth)) - thickness
    first = _segment(x, y, (0.55 - thickness, 0.0), (0.55 - thickness, 0.75 * tooth)) - thickness
    return np.minimum(np.minimum(band, shaft), np.minimum(first, last))


def worm(x: Distances, y: Distances, waves: float, phase: float, swing: float, thickness: float) -> Distances:
    """Returns the distance to a thin band along a wave.

    Args:
        x: Coordinate.
        y: Coordinate.
        waves: Number of waves between the ends.
        phase: Phase in the middle, radians.
        swing: Amplitude of the wave.
        thickness: Half width of the band.
    """
    joints_x = np.linspace(thickness - 1, 1 - thickness, _WORM_JOINTS)
    joints_y = swing * np.sin(np.pi * waves * joints_x + phase)
    joints = list(zip(joints_x, joints_y, strict=True))
    nearest = np.full(x.shape, np.inf)
    for start, end in pairwise(joints):
        np.minimum(nearest, _segment(x, y, start, end), out=nearest)
    return nearest - thickness


SHAPES: Mapping[str, Callable[..., Distances]] = MappingProxyType(
    {"blob": blob, "ring": ring, "box": box, "star": star, "key": key, "worm": worm}
)
"""The outline of each class."""


def _ellipse(x: Distances, y: Distances, a: float, b: float) -> Distances:
    # The offset keeps the quotient near minus a half-axis where x and y are both zero.
    level = np.sqrt((x / a) ** 2 + (y / b) ** 2 + 1e-12)
    gradient = np.sqrt((x / a**2) ** 2 + (y / b**2) ** 2 + 1e-12 / max(a, b) ** 2)
    return level * (level - 1) / gradient


def _rectangle(x: Distances, y: Distances, half_width: float, half_height: float) -> Distances:
    dx, dy = np.abs(x) - half_width, np.abs(y) - half_height
    return np.hypot(np.maximum(dx, 0), np.maximum(dy, 0)) + np.minimum(np.maximum(dx, dy), 0)


def _segment(x: Distances, y: Distances, start: tuple[float, float], end: tuple[float, float]) -> Distances:
    ux, uy = end[0] - start[0], end[1] - start[1]
    px, py = x - start[0], y - start[1]
    share = np.clip((px * ux + py * uy) / (ux * ux + uy * uy), 0, 1)
    return np.hypot(px - share * ux, py - share * uy)
