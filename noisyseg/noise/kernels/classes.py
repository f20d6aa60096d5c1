"""Transition matrices of class noise, and how classes are drawn from them.

K classes; a matrix T is (K, K) float64, ``T[i, j]`` the probability that an object of class i is called j, so every
row sums to 1. The share of class i that really changes is ``1 - T[i, i]``.

Reference: Patrini et al., "Making Deep Neural Networks Robust to Label Noise", CVPR 2017 (transition matrices).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]
Classes = npt.NDArray[np.integer]
Uniforms = npt.NDArray[np.float64]
# How far the sum of a row may be from 1.
ROUNDING = 1e-8


def symmetric(count: int, rate: float, *, include_self: bool) -> Matrix:
    """Returns the matrix under which a share ``rate`` draws a class uniformly.

    Args:
        count: K, number of classes.
        rate: Share that draws, in [0, 1].
        include_self: Whether the own class may be drawn: then ``rate * (K - 1) / K`` really change, else ``rate``. A
            single class cannot change.
    """
    return grouped([0] * count, rate, include_self=include_self)


def grouped(groups: Sequence[int], rate: float, *, include_self: bool) -> Matrix:
    """Returns the matrix under which a share ``rate`` draws a class of the own group uniformly.

    Args:
        groups: (K,) number of each class's group.
        rate: Share that draws, in [0, 1].
        include_self: Whether the own class may be drawn: then ``rate * (g - 1) / g`` of a class whose group has g
            classes really change, else ``rate``. A class that is alone in its group does not change.
    """
    numbers = np.asarray(groups)
    same = numbers[:, None] == numbers
    identity = np.eye(len(numbers), dtype=bool)
    others = same if include_self else same & ~identity
    sizes = others.sum(axis=1, keepdims=True)
    matrix = (1 - rate) * identity + rate * others / np.maximum(sizes, 1)
    return np.where(same.sum(axis=1, keepdims=True) == 1, identity, matrix).astype(np.float64)


def paired(targets: Sequence[int], rate: float) -> Matrix:
    """Returns the matrix under which a share ``rate`` of class i becomes class ``targets[i]``.

    Args:
        targets: (K,) class that each class becomes; its own number where it stays.
        rate: Share that changes, in [0, 1].
    """
    identity = np.eye(len(targets))
    becomes = identity[np.asarray(targets, np.int64)]
    stays = (becomes == identity).all(axis=1, keepdims=True)
    return np.where(stays, identity, (1 - rate) * identity + rate * becomes)


def checked_matrix(matrix: npt.ArrayLike) -> Matrix:
    """Returns ``matrix`` as float64 after checking that it is a transition matrix.

    Raises:
        ValueError: It is not square and not empty, a number is negative or not finite, or a row does not sum to 1
            within 1e-8; the message names the row.
    """
    try:
        checked = np.asarray(matrix, np.float64)
    except (TypeError, ValueError):
        raise ValueError("matrix: expected K rows of K numbers, got rows of different lengths or no numbers") from None
    if checked.ndim != 2 or checked.shape[0] != checked.shape[1] or not checked.size:
        raise ValueError(f"matrix: expected K rows of K numbers, got shape {checked.shape}")
    for number, row in enumerate(checked):
        if not np.isfinite(row).all() or row.min() < 0:
            raise ValueError(f"matrix[{number}]: expected numbers >= 0, got {row[~(row >= 0) | np.isinf(row)][0]}")
        if abs(row.sum() - 1) > ROUNDING:
            raise ValueError(f"matrix[{number}]: expected a sum of 1, got {row.sum():.10g}")
    return checked


class Transitions:
    """Draws classes from the rows of a matrix.

    A class changes or not by one uniform number, and into which other class by a second one. So with the same
    numbers, what changes under a matrix also changes under one that keeps less, and into the same class where the two
    rows differ in nothing but the share that changes.

    Args:
        matrix: (K, K) transition matrix, see :func:`checked_matrix`.

    Attributes:
        rates: (K,) float64 share of each class that changes.
    """

    def __init__(self, matrix: Matrix) -> None:
        others = np.where(np.eye(len(matrix), dtype=bool), 0.0, matrix)
        changing, total = others.sum(axis=1), matrix.sum(axis=1)
        # A row without its own class changes always, whatever the sum's last digit says.
        self.rates: Matrix = np.where(np.diagonal(matrix) == 0, 1.0, changing / total)
        stops = others.cumsum(axis=1)
        self._stops = stops / np.where(stops[:, -1:] > 0, stops[:, -1:], 1.0)

    def __len__(self) -> int:
        return len(self.rates)

    def draw(self, class_: int, change: float, choice: float) -> int:
        """Returns what one object of class ``class_`` is called, by two uniform numbers in [0, 1)."""
        if change >= self.rates[class_]:
            return class_
        return int(self._stops[class_].searchsorted(choice, side="right"))

    def draws(self, classes: Classes, changes: Uniforms, choices: Uniforms) -> Classes:
        """Returns :meth:`draw` for each element of arrays of one shape, in the dtype of ``classes``.

        Args:
            classes: Classes, 0..K-1, of objects, regions or pixels.
            changes: Uniform numbers in [0, 1) that say what changes.
            choices: Uniform numbers in [0, 1) that say into what.
        """
        drawn = classes.copy()
        changing = changes < self.rates[classes]
        for class_ in np.unique(classes[changing]).tolist():
            of_class = changing & (classes == class_)
            drawn[of_class] = self._stops[class_].searchsorted(choices[of_class], side="right")
        return drawn
