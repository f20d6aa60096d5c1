"""How well each class was predicted over the windows of a training; plain counts, from which scores are computed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

__all__ = ["Against", "ClassHistory"]

Against = Literal["given", "clean"]
"""Which labels predictions are compared with: those that a trigger may look at, or the clean ones of an experiment."""

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]


class ClassHistory:
    """IoU of each class over the windows of a training.

    Of a window's confusion counts it keeps, for each class, the hits, the predicted and the labelled pixels.

    Args:
        num_classes: K >= 1.

    Raises:
        ValueError: ``num_classes`` is below 1.
    """

    def __init__(self, num_classes: int) -> None:
        if num_classes < 1:
            raise ValueError(f"num_classes: expected at least 1, got {num_classes}")
        self.num_classes = num_classes
        self._epochs: list[float] = []
        self._counts: dict[str, list[IntArray]] = {"given": [], "clean": []}
        self._fates: list[IntArray] = []

    def append(
        self,
        epoch: float,
        counts: npt.NDArray[np.integer],
        clean_counts: npt.NDArray[np.integer] | None = None,
        fates: npt.NDArray[np.integer] | None = None,
    ) -> None:
        """Adds a window.

        Args:
            epoch: Centre of the window in (virtual) epochs since the start of the training.
            counts: (K + 1, K) pixels of each label (last row: ignored ones) with each prediction, against the labels
                that a trigger looks at; or (K + 1, K + 1) where a pixel can also have no label (last row) or no
                prediction (last column), as objects leave some without: those count as predicted, or as labelled.
            clean_counts: The same against clean labels; in every window or in none.
            fates: (K, 3) wrongly labelled pixels of each clean class: predicted as the clean class, as the given one,
                as something else; in every window or in none.

        Raises:
            ValueError: A shape is wrong, a count is negative, the epoch is not after the one before, or clean counts
                or fates are there in some windows only.
        """
        K = self.num_classes
        if not np.isfinite(epoch) or (self._epochs and epoch <= self._epochs[-1]):
            before = f"after {self._epochs[-1]}" if self._epochs else "a finite number"
            raise ValueError(f"epoch of a window: expected {before}, got {epoch}")
        triple = _triple("counts", counts, K)
        clean = None if clean_counts is None else _triple("clean_counts", clean_counts, K)
        table = None if fates is None else _counted("fates", fates, (K, 3))
        for name, new, old in (("clean_counts", clean, self._counts["clean"]), ("fates", table, self._fates)):
            if self._epochs and (new is None) != (not old):
                raise ValueError(f"{name}: expected in every window or in none, got {len(old)} in {len(self)} windows")
        self._epochs.append(float(epoch))
        self._counts["given"].append(triple)
        if clean is not None:
            self._counts["clean"].append(clean)
        if table is not None:
            self._fates.append(table)

    def __len__(self) -> int:
        return len(self._epochs)

    @property
    def epochs(self) -> FloatArray:
        """The (n,) centres of the windows, in epochs."""
        return np.array(self._epochs, np.float64)

    @property
    def has_clean(self) -> bool:
        """Whether windows were also compared with clean labels."""
        return bool(self._counts["clean"])

    def labelled(self, against: Against = "given") -> IntArray:
        """Returns (n, K) int64, how many pixels of each class each window had."""
        return self._windows(against)[:, 2]

    def iou(self, against: Against = "given") -> FloatArray:
        """Returns (n, K) IoU in [0, 1] of each class in each window, NaN where the class has no labelled pixel.

        Raises:
            ValueError: There are no such counts.
        """
        hits, predicted, labelled = np.moveaxis(self._windows(against), 1, 0)
        return np.where(labelled > 0, _iou(hits, predicted, labelled), np.nan)

    def curve(self, c: int, min_pixels: int = 1000, against: Against = "given") -> tuple[FloatArray, FloatArray]:
        """Returns the times (m,) in epochs and the IoU (m,) of one class, without NaN; empty if it has no pixels.

        Windows without the class are left out, and consecutive ones are merged until they hold ``min_pixels`` labelled
        pixels of it; a rest that never gets there joins the last. The time of merged windows is the mean of
        their centres, weighted by these pixels. The paper takes each window as it is; a rare class then has a
        curve of noise.

        Args:
            c: Class.
            min_pixels: 0 takes each window as it is, with IoU 0 where the class has no pixel, like the released code.
            against: See `Against`.

        Raises:
            ValueError: There is no such class or there are no such counts.
        """
        if not 0 <= c < self.num_classes:
            raise ValueError(f"class: expected 0..{self.num_classes - 1}, got {c}")
        windows, epochs = self._windows(against)[:, :, c], self.epochs
        if min_pixels > 0:
            with_class = windows[:, 2] > 0
            windows, epochs = windows[with_class], epochs[with_class]
            if len(windows):
                starts = _starts(windows[:, 2], min_pixels)
                times = np.add.reduceat(epochs * windows[:, 2], starts)
                windows = np.add.reduceat(windows, starts, axis=0)
                epochs = times / windows[:, 2]
        return epochs, _iou(*windows.T)

    def corrected(self) -> FloatArray:
        """Returns (n, K) shares of the wrongly labelled pixels of each clean class that are predicted as that class.

        NaN where there are no such pixels.

        Raises:
            ValueError: No fates were given.
        """
        return self._share_of_fates(0)

    def memorized(self) -> FloatArray:
        """Returns (n, K) shares of the wrongly labelled pixels of each clean class that are predicted as labelled.

        NaN where there are no such pixels.

        Raises:
            ValueError: No fates were given.
        """
        return self._share_of_fates(1)

    def state(self) -> dict[str, Any]:
        """Returns all of it as numbers, lists and a dict, for a checkpoint."""
        return {
            "num_classes": self.num_classes,
            "epochs": list(self._epochs),
            "given": [window.tolist() for window in self._counts["given"]],
            "clean": [window.tolist() for window in self._counts["clean"]],
            "fates": [window.tolist() for window in self._fates],
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> ClassHistory:
        """Returns the history that `state` was taken of."""
        history = cls(state["num_classes"])
        history._epochs = list(state["epochs"])
        history._counts = {name: [np.array(window, np.int64) for window in state[name]] for name in ("given", "clean")}
        history._fates = [np.array(window, np.int64) for window in state["fates"]]
        return history

    def _windows(self, against: Against) -> IntArray:
        """Returns (n, 3, K) hits, predicted and labelled pixels."""
        if against not in self._counts:
            raise ValueError(f"against: expected 'given' or 'clean', got {against!r}")
        windows = self._counts[against]
        if len(windows) != len(self):
            raise ValueError("expected counts against clean labels, got a history without them")
        return np.array(windows, np.int64).reshape(-1, 3, self.num_classes)

    def _share_of_fates(self, column: int) -> FloatArray:
        if len(self._fates) != len(self):
            raise ValueError("expected the fates of wrongly labelled pixels, got a history without them")
        fates = np.array(self._fates, np.int64).reshape(-1, self.num_classes, 3)
        total = fates.sum(axis=-1)
        return np.where(total > 0, fates[..., column] / np.maximum(total, 1), np.nan)


def _triple(name: str, counts: npt.NDArray[np.integer], K: int) -> IntArray:
    """Returns (3, K) hits, predicted and labelled pixels of each class; ignored pixels count nowhere."""
    if counts.shape == (K + 1, K + 1):
        table = _counted(name, counts, (K + 1, K + 1))
        return np.stack([np.diagonal(table), table.sum(axis=0), table.sum(axis=1)])[:, :K]
    valid = _counted(name, counts, (K + 1, K))[:K]
    return np.stack([np.diagonal(valid), valid.sum(axis=0), valid.sum(axis=1)])


def _counted(name: str, counts: npt.NDArray[np.integer], shape: tuple[int, int]) -> IntArray:
    if counts.shape != shape or counts.dtype.kind not in "iu" or counts.min() < 0:
        raise ValueError(f"{name}: expected integers >= 0 of shape {shape}, got {counts.dtype} of {counts.shape}")
    return counts.astype(np.int64)


def _iou(hits: IntArray, predicted: IntArray, labelled: IntArray) -> FloatArray:
    return hits / np.maximum(predicted + labelled - hits, 1)


def _starts(pixels: IntArray, least: int) -> list[int]:
    """Returns where the groups of consecutive windows begin that hold ``least`` pixels each."""
    starts, held = [0], 0
    for index, count in enumerate(pixels.tolist()):
        if held >= least:
            starts.append(index)
            held = 0
        held += count
    return starts[:-1] if held < least and len(starts) > 1 else starts
