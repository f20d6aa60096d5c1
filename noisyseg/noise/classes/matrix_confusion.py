"""Objects given the wrong class with probabilities that somebody measured."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from numpy.random import Generator

from noisyseg.labels import Categories, LabelError
from noisyseg.noise.classes.class_noise import ClassNoise
from noisyseg.noise.classes.groups import check_names, read_json
from noisyseg.noise.kernels import classes as kernels
from noisyseg.registry import TASK_UTILS


@TASK_UTILS.register_module()
class MatrixConfusion(ClassNoise):
    """Replaces the class of each object by one drawn from the row of its class in a matrix.

    The share of class i that really changes is ``1 - T[i, i]``. Masks and boxes stay. The record of each changed
    object repeats the settings of the model, so a large matrix belongs into a file.

    Args:
        matrix: (K, K) probabilities of the noisy class (column) for each clean one (row): numbers, or a file. Classes
            are in the order of their ids. ``.npy`` holds an array; ``.csv`` K lines of K numbers; ``.json`` K lists of
            K numbers, or ``{"classes": [names], "matrix": [...]}``, whose rows and columns are in that order.

    Raises:
        ValueError: The file cannot be read, or the matrix is not square, has a negative number, or a row that does
            not sum to 1 within 1e-8; the message names the row.
        LabelError: When it runs: the data has another number of classes, or other names.
    """

    def __init__(self, matrix: Sequence[Sequence[float]] | npt.NDArray[np.floating] | str | Path) -> None:
        names = None
        if isinstance(matrix, str | Path):
            given, names = read_matrix(matrix)
            self.matrix: list[list[float]] | str = str(matrix)
        else:
            given = matrix
        self._given = kernels.checked_matrix(given)
        if not isinstance(matrix, str | Path):
            self.matrix = self._given.tolist()
        if names is not None and (len(names) != len(self._given) or len(set(names)) != len(names)):
            raise ValueError(
                f"matrix: expected a name for each of {len(self._given)} rows, each another, got {len(names)}"
            )
        self._names = names
        self._of: tuple[Categories | None, kernels.Transitions | None] = (None, None)

    def new_class(self, class_: int, categories: Categories, rng: Generator) -> int:
        """See the base class; whether it changes is drawn first, then into what."""
        if self._of[0] is not categories and self._of[0] != categories:
            self._of = categories, kernels.Transitions(self.transition_matrix(categories))
        change, choice = rng.random(2).tolist()
        return self._of[1].draw(class_, change, choice)

    def transition_matrix(self, categories: Categories) -> kernels.Matrix:
        """See the base class."""
        if len(categories) != len(self._given):
            raise LabelError(f"matrix: expected {len(categories)} rows, one a class, got {len(self._given)}")
        if self._names is None:
            return self._given
        check_names(categories, self._names, "matrix")
        order = [self._names.index(name) for name in categories.names]
        return self._given[np.ix_(order, order)]


def read_matrix(path: str | Path) -> tuple[npt.ArrayLike, list[str] | None]:
    """Returns the numbers in a file, not checked, and the names of their rows where it has them.

    Raises:
        ValueError: The file cannot be read, or has another ending than ``.npy``, ``.csv`` and ``.json``.
    """
    path = Path(path)
    if path.suffix == ".json":
        document = read_json(path, "matrix")
        if not isinstance(document, dict):
            return document, None
        names = document.get("classes")
        named = isinstance(names, list) and all(isinstance(name, str) for name in names)
        if not named or set(document) != {"classes", "matrix"}:
            raise ValueError(f"matrix: expected names under 'classes' and rows under 'matrix' in {path}")
        return document["matrix"], names
    if path.suffix not in (".npy", ".csv"):
        raise ValueError(f"matrix: expected numbers, or a file .npy, .csv or .json, got {path}")
    try:
        if path.suffix == ".npy":
            return np.load(path, allow_pickle=False), None
        return np.loadtxt(path, delimiter=",", ndmin=2, encoding="utf-8"), None
    except OSError as error:
        raise ValueError(f"matrix: {path} cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise ValueError(f"matrix: {path} does not hold numbers: {error}") from error
