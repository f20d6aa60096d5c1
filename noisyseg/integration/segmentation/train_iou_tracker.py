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
Window = tuple[float, Counts, Counts | None, Counts | None]


class TrainIoUTracker(nn.Module):
    """Counts predictions against labels, window by window, without a wait for the device.

    Each process counts for itself, and its counts stay on its device until `drain` sums those of all processes and
    brings them over at once. They are neither parameters nor buffers: a saved model does not carry them, and DDP, told
    to broadcast buffers, cannot write those of the first process over the others'.

    Args:
        num_classes: K.
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
        self._sizes = [(num_classes + 1) * num_classes] * (2 if clean else 1) + ([3 * num_classes] if clean else [])
        self._counts = torch.zeros(sum(self._sizes), dtype=torch.long)
        self._closed: list[tuple[float, Tensor]] = []

    @torch.no_grad()
    def update(self, predicted: Tensor, labels: Tensor, clean: Tensor | None = None) -> None:
        """Counts a batch.

        Args:
            predicted: (N, H, W) integers 0..K-1.
            labels: (N, H, W) integers 0..K-1 or the ignored one.
            clean: The same of the clean labels, if the tracker has ``clean``.

        Raises:
            ValueError: Shapes differ, or clean labels are missing or not expected.
        """
        if (clean is not None) != self.clean:
            raise ValueError(f"clean: expected clean labels if and only if the tracker has clean={self.clean}")
        K, ignored = self.num_classes, self.ignore_index
        parts = [confusion_counts(labels, predicted, K, ignored)]
        if clean is not None:
            wrong = (clean != ignored) & (labels != ignored) & (clean != labels)
            fate = torch.where(predicted == clean, 0, torch.where(predicted == labels, 1, 2))
            places = torch.where(wrong, clean.long() * 3 + fate, 3 * K).flatten()
            fates = places.new_zeros(3 * K + 1).scatter_add_(0, places, places.new_ones(()).expand(places.shape))
            parts += [confusion_counts(clean, predicted, K, ignored), fates[:-1]]
        self._counts = self._counts.to(predicted.device)
        self._counts += torch.cat([part.flatten() for part in parts])

    def close_window(self, epoch: float) -> None:
        """Ends the window, which has its centre at ``epoch``, and begins the next."""
        self._closed.append((float(epoch), self._counts))
        self._counts = torch.zeros_like(self._counts)

    def drain(self) -> list[Window]:
        """Returns the ended windows, summed over all processes, and forgets them; every process has to call it.

        Returns:
            For each: its centre; counts (K + 1, K) int64, see `noisyseg.ops.confusion_counts`; counts against the
            clean labels, or None; and fates (K, 3) int64, or None: how many of the wrongly labelled pixels with
            clean class c were predicted as their clean label, as their given label, and as something else.
        """
        if not self._closed:
            return []
        table = torch.stack([counts.to(self._counts.device) for _, counts in self._closed])
        mmengine.dist.all_reduce(table)
        windows = [self._window(epoch, row) for (epoch, _), row in zip(self._closed, table.cpu().numpy(), strict=True)]
        self._closed = []
        return windows

    def _window(self, epoch: float, row: Counts) -> Window:
        K = self.num_classes
        parts = np.split(row, np.cumsum(self._sizes)[:-1])
        counts = parts[0].reshape(K + 1, K)
        return (
            (epoch, counts, parts[1].reshape(K + 1, K), parts[2].reshape(K, 3))
            if self.clean
            else (epoch, counts, None, None)
        )

    def collect(self) -> None:
        """Moves the counts of all processes to the first one, as before `state`; every process has to call it."""
        table = torch.stack([*(counts.to(self._counts.device) for _, counts in self._closed), self._counts])
        mmengine.dist.all_reduce(table)
        self._put(table if mmengine.dist.get_rank() == 0 else torch.zeros_like(table))

    def state(self) -> dict[str, Any]:
        """Returns what goes into a checkpoint: this process' counts; those of all after `collect`."""
        return {
            "num_classes": self.num_classes,
            "compare": self.compare,
            "clean": self.clean,
            "centres": [epoch for epoch, _ in self._closed],
            "counts": torch.stack(
                [*(counts.to(self._counts.device) for _, counts in self._closed), self._counts]
            ).cpu(),
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Goes on from what `state` returned; in the first process with its counts, in all others with none.

        Raises:
            ValueError: It is of a tracker with other settings.
        """
        for name in ("num_classes", "compare", "clean"):
            if state[name] != getattr(self, name):
                raise ValueError(f"{name}: the saved tracker has {state[name]!r}, this one {getattr(self, name)!r}")
        table = state["counts"].to(self._counts.device, copy=True)
        self._closed = [(float(epoch), self._counts) for epoch in state["centres"]]
        self._put(table if mmengine.dist.get_rank() == 0 else torch.zeros_like(table))

    def _put(self, table: Tensor) -> None:
        self._closed = [(epoch, row) for (epoch, _), row in zip(self._closed, table[:-1], strict=True)]
        self._counts = table[-1]
