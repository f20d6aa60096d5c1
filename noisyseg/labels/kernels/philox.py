"""The first uniform number of many Philox streams at once, the same as NumPy's generator gives one by one.

Reference: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011: Philox-4x64 with ten rounds.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from noisyseg.labels.kernels.compiling import compiled

Words = npt.NDArray[np.uint64]
_MULTIPLIERS = np.array([0xD2E7470EE14C6C93, 0xCA5A826395121157], np.uint64)
_STEPS = np.array([0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B], np.uint64)
_ROUNDS = 10
_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
# A double has 53 bits.
_DROPPED, _UNIT = np.uint64(11), 2.0**-53


@compiled
def first_uniforms(key: Words, sources: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Returns for each source the first ``random()`` of the stream whose counter starts at (0, 0, |source|, < 0).

    Args:
        key: (2,) uint64 key of the generator.
        sources: (N,) int64.
    """
    numbers = np.empty(len(sources), np.float64)
    for i in range(len(sources)):
        source = sources[i]
        # NumPy counts up before it draws.
        c0, c1 = np.uint64(1), np.uint64(0)
        c2, c3 = np.uint64(abs(source)), np.uint64(source < 0)
        k0, k1 = key[0], key[1]
        for _ in range(_ROUNDS):
            high0, low0 = _product(_MULTIPLIERS[0], c0)
            high1, low1 = _product(_MULTIPLIERS[1], c2)
            c0, c1, c2, c3 = high1 ^ c1 ^ k0, low1, high0 ^ c3 ^ k1, low0
            k0, k1 = k0 + _STEPS[0], k1 + _STEPS[1]
        numbers[i] = np.float64(c0 >> _DROPPED) * _UNIT
    return numbers


@compiled
def _product(one: np.uint64, other: np.uint64) -> tuple[np.uint64, np.uint64]:
    """Returns the high and the low 64 bits of a product."""
    low = (one & _LOW) * (other & _LOW)
    middle = (one >> _HALF) * (other & _LOW) + (low >> _HALF)
    second = (one & _LOW) * (other >> _HALF) + (middle & _LOW)
    return (one >> _HALF) * (other >> _HALF) + (middle >> _HALF) + (second >> _HALF), one * other
