"""Random numbers for every pixel, behind one recorded whole number.

Draws of a model are JSON and replay exactly, so a model that needs thousands of numbers an object records a *key* and
makes the numbers from it when it acts.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numpy.random import Generator

from noisyseg.labels.rng import keyed_rng
from noisyseg.noise.kernels import warps

FloatArray = npt.NDArray[np.float64]
# Odd 64-bit constants of SplitMix64 (golden ratio and finaliser), and one more for the columns.
STEP = np.uint64(0x9E3779B97F4A7C15)
COLUMN = np.uint64(0xD1B54A32D192ED03)
FIRST, SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def field_key(rng: Generator) -> int:
    """Returns a new key in [0, 2^63), drawn from ``rng``; a model stores it among its draws."""
    return int(rng.integers(2**63))


def field_rng(key: int) -> Generator:
    """Returns the generator named by a key: for kernels whose need for numbers shows only while they run."""
    return keyed_rng(key, "field")


def uniform_field(key: int, left: int, top: int, size_hw: tuple[int, int], layers: int = 1) -> FloatArray:
    """Returns a window of a random field that has one number for each pixel of the endless plane.

    Each number depends on the key and the pixel alone, so windows agree where they overlap, whatever frame or crop
    they belong to; rows and columns may be negative.

    Args:
        key: Names the field; from :func:`field_key`.
        left: Column of the window's first pixel.
        top: Row of the window's first pixel.
        size_hw: Rows and columns of the window.
        layers: Number of independent fields.

    Returns:
        (layers, h, w) float64, independent and uniform on [0, 1).

    Reference: Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014 (SplitMix64).
    """
    height, width = size_hw
    layer = np.arange(layers, dtype=np.int64).astype(np.uint64)[:, None, None]
    row = np.arange(top, top + height, dtype=np.int64).astype(np.uint64)[:, None]
    column = np.arange(left, left + width, dtype=np.int64).astype(np.uint64)
    state = _mixed(np.uint64(key) ^ _mixed(layer * STEP + STEP))
    state = _mixed(state + row * STEP)
    return (_mixed(state + column * COLUMN) >> np.uint64(11)) * 2.0**-53


def elastic_field(
    key: int, left: int, top: int, size_hw: tuple[int, int], alpha: float, sigma: float
) -> tuple[FloatArray, FloatArray]:
    """Returns a window of the elastic displacement that ``key`` names: ``dx, dy``, (h, w) pixels each.

    See :func:`noisyseg.noise.kernels.warps.elastic_displacement`; windows agree where they overlap.
    """
    reach = warps.blur_reach(sigma)
    wide_hw = (size_hw[0] + 2 * reach, size_hw[1] + 2 * reach)
    return warps.elastic_displacement(uniform_field(key, left - reach, top - reach, wide_hw, 2), alpha, sigma)


def _mixed(state: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Returns 64-bit words whose every bit depends on all bits of ``state``; the arithmetic wraps around."""
    state = (state ^ (state >> np.uint64(30))) * FIRST
    state = (state ^ (state >> np.uint64(27))) * SECOND
    return state ^ (state >> np.uint64(31))
