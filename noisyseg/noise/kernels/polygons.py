"""Noise on outlines as polygons: rings of (V, 2) ``x, y`` in pixels, not closed.

Reference: the polygon pipeline in the repository of COCO-N, arXiv 2406.10891, of May 2025.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt
import shapely

from noisyseg.noise.kernels.masks import Part

Ring = npt.NDArray[np.float64]
Pixels = npt.NDArray[np.uint8]


def scale_about_box(part: Part, delta: float) -> Part | None:
    """Returns the part with its vertices moved towards or away from the centre of its box.

    The vertex farthest from the centre moves by ``delta`` pixels, the others in proportion: v' = c + (v - c)(R + d)/R.
    The part of a single pixel (R = 0) stays.

    Args:
        part: The part; holes move with it.
        delta: Pixels, negative towards the centre.

    Returns:
        The part in whole pixels, or None if ``delta`` takes away the whole radius.
    """
    centre = (part.outer.min(axis=0) + part.outer.max(axis=0)) / 2
    radius = math.sqrt(((part.outer - centre) ** 2).sum(axis=1).max())
    if not radius:
        return part
    factor = (radius + delta) / radius
    if factor <= 0:
        return None
    outer, *holes = (np.rint(centre + (ring - centre) * factor).astype(np.int32) for ring in (part.outer, *part.holes))
    return Part(outer, tuple(holes))


def simplified(ring: Ring, tolerance: float) -> Ring:
    """Returns the ring simplified by Douglas-Peucker, at least a triangle; ``tolerance`` in pixels, >= 0."""
    return shapely.get_coordinates(shapely.simplify(shapely.LinearRing(ring), tolerance))[:-1]


def merged(rings: Sequence[Ring]) -> list[Ring]:
    """Returns the outer rings of the union; self-crossing rings are repaired by a buffer of 0, which may cut off lobes.

    Args:
        rings: Of at least three vertices each.
    """
    union = shapely.union_all(shapely.buffer([shapely.Polygon(ring) for ring in rings], 0.0))
    return [
        shapely.get_coordinates(polygon.exterior)[:-1]
        for polygon in shapely.get_parts(union)
        if polygon.geom_type == "Polygon" and not polygon.is_empty
    ]


def fill_rings(rings: Sequence[Ring], size_hw: tuple[int, int], offset_xy: tuple[int, int] = (0, 0)) -> Pixels:
    """Returns the union of the rings, outlines painted too; vertices are the pixels that they lie in.

    Args:
        rings: The rings; one that crosses itself is filled even-odd.
        size_hw: Rows and columns of the result.
        offset_xy: Added to every vertex.
    """
    canvas = np.zeros(size_hw, np.uint8)
    for ring in rings:
        cv2.fillPoly(canvas, [ring.astype(np.int32)], 1, offset=offset_xy)
    return canvas


def resampled(ring: npt.NDArray[np.number], step: float) -> Ring:
    """Returns points on the ring at equal distances along it, about ``step`` pixels; one for a ring without length."""
    closed = np.concatenate((ring, ring[:1])).astype(np.float64)
    stops = np.concatenate(([0.0], np.cumsum(np.hypot(*np.diff(closed, axis=0).T))))
    count = max(round(stops[-1] / step), 1)
    places = np.arange(count) * (stops[-1] / count)
    return np.stack([np.interp(places, stops, closed[:, axis]) for axis in (0, 1)], axis=1)


def smooth_around(noise: npt.NDArray[np.float64], correlation: float) -> npt.NDArray[np.float64]:
    """Returns white noise on a ring of equally spaced points made smooth along the ring, its variance kept.

    The correlation of two points falls with their distance d along the ring as exp(-d^2 / (2 correlation^2)), as long
    as the ring is much longer than that; on a short ring all points move alike.

    Args:
        noise: (n, 2) independent numbers of one variance.
        correlation: Distance in points at which correlation is exp(-1/2), > 0.
    """
    frequencies = np.fft.rfftfreq(len(noise))
    # A Gaussian window of sigma = correlation / sqrt(2), wrapped around the ring: a Gaussian of frequencies.
    window = np.exp(-((math.pi * correlation * frequencies) ** 2))
    power = np.concatenate((window**2, window[1 : (len(noise) + 1) // 2] ** 2)).mean()
    spectrum = np.fft.rfft(noise, axis=0) * window[:, None]
    return np.fft.irfft(spectrum, n=len(noise), axis=0) / math.sqrt(power)
