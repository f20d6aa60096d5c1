"""How loops are compiled: by numba, once a machine, kept beside the source or in the user's cache."""

from __future__ import annotations

from collections.abc import Callable

import numba


def compiled(function: Callable) -> Callable:
    """Returns ``function`` compiled at its first call; the machine code is kept on disk where a folder allows it."""
    try:
        return numba.njit(cache=True, nogil=True, boundscheck=False)(function)
    except RuntimeError:  # numba finds no folder that it may write to
        return numba.njit(nogil=True, boundscheck=False)(function)
