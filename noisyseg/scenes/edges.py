"""Class boundaries of labelled objects."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def class_edges(owners: npt.NDArray[np.int64], class_of_owner: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
    """Returns which class boundaries run through each pixel.

    A pixel is on the boundary of an object when it lies in it and one of its four neighbours does not, or
    the other way round: boundaries are two pixels wide, one on each side, and two touching objects of one
    class have one between them. The frame is no boundary. This is the rule of the Semantic Boundaries
    Dataset with radius 1.

    Args:
        owners: (H, W) number of the object that each pixel belongs to, 0 for background.
        class_of_owner: (N + 1,) class of each object, 1..8, and 0 for background first.

    Returns:
        (H, W) uint8 bit mask: bit k - 1 is set on boundaries of objects of class k.
    """
    bits = (1 << class_of_owner >> 1).astype(np.uint8)[owners]
    edges = np.zeros(owners.shape, np.uint8)
    for one, other in (
        (np.s_[1:], np.s_[:-1]),
        (np.s_[:, 1:], np.s_[:, :-1]),
    ):
        both = np.where(owners[one] != owners[other], bits[one] | bits[other], 0).astype(np.uint8)
        edges[one] |= both
        edges[other] |= both
    return edges
