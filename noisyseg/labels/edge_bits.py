"""Edges of many classes as one integer a pixel, as SBD stores them: bit k is set on the edge of class k.

Letters: K edge classes, at most 31; H rows, W columns. Bit 31 marks an ignored pixel, whatever its other bits.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from noisyseg.labels.errors import LabelError

BitArray = npt.NDArray[np.int32]
BoolArray = npt.NDArray[np.bool_]
MAX_EDGE_CLASSES = 31
IGNORED_BITS = -(2**31)


def packed_edges(edges: npt.NDArray[np.bool_] | npt.NDArray[np.uint8], ignored: BoolArray | None = None) -> BitArray:
    """Returns the (H, W) bits of (K, H, W) edges.

    Args:
        edges: Not 0 on the edge of a class.
        ignored: (H, W) pixels that are on no edge and are not counted; None where there are none.

    Raises:
        LabelError: There are no classes or too many, or ``ignored`` has another shape.
    """
    check_edge_classes(len(edges))
    if ignored is not None and ignored.shape != edges.shape[1:]:
        raise LabelError(f"ignored: expected shape {edges.shape[1:]}, got {ignored.shape}")
    bits = np.zeros(edges.shape[1:], np.int32)
    for k, channel in enumerate(edges):
        bits |= (channel != 0).astype(np.int32) << k
    if ignored is not None:
        bits[ignored] = IGNORED_BITS
    return bits


def unpacked_edges(bits: BitArray, count: int) -> BoolArray:
    """Returns (K, H, W) edges of (H, W) bits; ignored pixels are on none.

    Args:
        bits: Edge bits.
        count: K.

    Raises:
        LabelError: ``count`` is out of range, or a pixel has a bit of a class beyond it.
    """
    check_edge_bits(bits, count)
    # Those of ignored pixels are negative.
    return (np.maximum(bits, 0) >> np.arange(count, dtype=np.int32)[:, None, None] & 1).astype(bool)


def check_edge_bits(bits: BitArray, count: int) -> None:
    """Raises a `LabelError` where bits are no (H, W) int32, or name classes beyond the first ``count``."""
    check_edge_classes(count)
    if bits.ndim != 2 or bits.dtype != np.int32:
        raise LabelError(f"edge bits: expected (H, W) int32, got {bits.shape} of {bits.dtype}")
    beyond = int(np.bitwise_or.reduce(bits, axis=None)) & (2**31 - 1) & (-1 << count)
    if beyond:
        places = [k for k in range(count, MAX_EDGE_CLASSES) if beyond >> k & 1]
        raise LabelError(f"edge bits: expected the classes 0..{count - 1}, got the bits {places}")


def check_edge_classes(count: int) -> None:
    """Raises a `LabelError` where so many classes do not fit into the bits."""
    if not 1 <= count <= MAX_EDGE_CLASSES:
        raise LabelError(f"edge classes: expected 1..{MAX_EDGE_CLASSES}, got {count}")
