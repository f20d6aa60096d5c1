"""What a network in training predicts of the pixels of each label, counted in windows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

import mmengine.dist
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from noisyseg.ops import confusion_counts

__all__ = ["Compare", "TrainIoUTracker", "Window"]

Compare = Literal["given", "current"]
Counts = npt.NDArray[np.int64]
SETTINGS = ("num_classes", "compare", "clean", "ignore_index")
Window = tuple[float, Counts, Counts | None, Counts | None]


class TrainIoUTracker(nn.Module):
    """Counts predictions against labels, window by window, without a wait for the device.

    Each process counts for itself, and its counts stay on its device until `drain` sums those of all processes and
    brings them over at once. They are neither parameters nor buffers: a saved model does not carry them, and DDP, told
    to broadcast buffers, cannot write those of the first process over the others'.

    Args:
        num_classes: K >= 2.
        compare: Which labels `update` is to get: the ``given`` ones, or those in force (``current``).
        clean: Whether it gets clean labels besides, to see what becomes of wrongly labelled pixels.
        ignore_index: The ignored label.

    Raises:
        ValueError: ``compare`` is unknown.
    """

    def __init__(
        self, num_classes: int, compare: Compare = "given", clean: bool = False, ignore_index: int = 255
    ) -> None:
        super().__init__()
        if compare not in get_args(Compare):
            raise ValueError(f"compare: expected one of {', '.join(get_args(Compare))}, not {compare!r}")
        self.num_classes, self.compare, self.clean, self.ignore_index = num_classes, compare, clean, ignore_index
        confusions = (num_classes + 1) * num_classes
        sizes = [confusions, confusions, 3 * num_classes] if clean else [confusions]
        self._ends = np.cumsum(sizes).tolist()
        self._counts = torch.zeros(self._ends[-1], dtype=torch.long)
        self._closed: list[Tensor] = []
        self._centres: list[float] = []

    @torch.no_grad()
    def update(self, predicted: Tensor, labels: Tensor, clean: Tensor | None = None) -> None:
        """Counts a batch.

        Args:
            predicted: (N, H, W) integers 0..K-1.
            labels: (N, H, W) integers 0..K-1, or the ignored one.
            clean: Clean labels of that shape, if and only if the tracker has ``clean``.

        Raises:
            ValueError: Shapes differ, or clean labels are missing or not expected.
        """
        if (clean is not None) != self.clean:
            expected, got = ("clean labels", "none") if self.clean else ("none", "clean labels")
            raise ValueError(f"clean: expected {expected} for a tracker with clean={self.clean}, got {got}")
        counts = [confusion_counts(labels, predicted, self.num_classes, self.ignore_index)]
        if clean is not None:
            counts.append(confusion_counts(clean, predicted, self.num_classes, self.ignore_index))
            counts.append(self._fates(predicted, labels, clean))
        self._counts = self._counts.to(predicted.device)
        self._counts += torch.cat([part.flatten() for part in counts])

    def close_window(self, epoch: float) -> None:
        """Ends a window, and begins the next.

        Args:
            epoch: The centre of the window that ends, in epochs.
        """
        self._centres.append(float(epoch))
        self._closed.append(self._counts)
        self._counts = torch.zeros_like(self._counts)

    def drain(self) -> list[Window]:
        """Returns the windows that have ended, summed over all processes, and forgets them.

        Every process has to call it, after as many windows as all others.

        Returns:
            For each window: its centre; counts (K + 1, K) int64 against the labels, as of
            `noisyseg.ops.confusion_counts`; the same against the clean labels, or None; fates (K, 3) int64, or None:
            how many of the wrongly labelled pixels whose clean class is c were predicted as that class, as the label
            they have, and as something else. A pixel that is ignored in either map has no fate.
        """
        if not self._closed:
            return []
        table = self._table()[:-1]
        mmengine.dist.all_reduce(table)
        centres, self._centres, self._closed = self._centres, [], []
        return [self._window(*window) for window in zip(centres, table.cpu().numpy(), strict=True)]

    def collect(self) -> None:
        """Moves the counts of all processes to the first one, as `state` needs it; every process has to call it."""
        table = self._table()
        mmengine.dist.all_reduce(table)
        self._put(table)

    def state(self) -> dict[str, Any]:
        """Returns plain tensors, numbers and strings for a checkpoint: the counts of this process.

        They are those of all processes in the first one after `collect`.
        """
        settings = {name: getattr(self, name) for name in SETTINGS}
        return {**settings, "centres": list(self._centres), "counts": self._table().cpu()}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Goes on from what `state` returned: with its counts in the first process, with none in all others.

        Raises:
            ValueError: It is of a tracker with other settings.
        """
        for name in SETTINGS:
            if state[name] != getattr(self, name):
                raise ValueError(f"{name}: the saved tracker has {state[name]!r}, this one {getattr(self, name)!r}")
        self._centres = list(state["centres"])
        self._put(state["counts"].clone())

    def _fates(self, predicted: Tensor, labels: Tensor, clean: Tensor) -> Tensor:
        size = 3 * self.num_classes
        wrong = (clean != labels) & (clean != self.ignore_index) & (labels != self.ignore_index)
        fate = 2 - 2 * (predicted == clean).long() - (predicted == labels).long()
        places = torch.where(wrong, 3 * clean.long() + fate, size).flatten()
        counts = places.new_zeros(size + 1).scatter_add_(0, places, places.new_ones(()).expand(places.shape))
        return counts[:-1]

    def _table(self) -> Tensor:
        """Returns (windows, counts), the one that has not ended last."""
        return torch.stack([counts.to(self._counts.device) for counts in (*self._closed, self._counts)])

    def _put(self, table: Tensor) -> None:
        """Takes a table for this process' counts: the first process as it is, others with zeros."""
        if mmengine.dist.get_rank() > 0:
            table = torch.zeros_like(table)
        *self._closed, self._counts = table

    def _window(self, centre: float, row: Counts) -> Window:
        K = self.num_classes
        counts, *others = np.split(row, self._ends[:-1])
        clean, fates = (others[0].reshape(K + 1, K), others[1].reshape(K, 3)) if self.clean else (None, None)
        return centre, counts.reshape(K + 1, K), clean, fates
