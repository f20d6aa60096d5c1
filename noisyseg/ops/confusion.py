"""How often each class is labelled and predicted as each other one."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["confusion_counts"]


def confusion_counts(labels: Tensor, predicted: Tensor, num_classes: int, ignore_index: int = 255) -> Tensor:
    """Returns how many pixels of each label have each prediction, in one pass and without waiting for the device.

    With ``counts[:num_classes]`` as confusion matrix: hits are its diagonal, labelled pixels its row sums, predicted
    ones its column sums. The last row counts the ignored pixels, so that all counts sum to the number of pixels.

    Args:
        labels: Any shape, integers 0..K-1 or ``ignore_index``.
        predicted: The same shape, integers 0..K-1.
        num_classes: K.
        ignore_index: Labels with this value go to the last row.

    Returns:
        (K + 1, K) int64 on the labels' device.

    Raises:
        ValueError: Shapes differ.
    """
    if labels.shape != predicted.shape:
        raise ValueError(f"expected one shape, got labels {tuple(labels.shape)}, predicted {tuple(predicted.shape)}")
    rows = torch.where(labels == ignore_index, num_classes, labels).flatten().long()
    places = rows * num_classes + predicted.flatten()
    size = (num_classes + 1) * num_classes
    # Not bincount: on CUDA that waits for the largest place, to know the size of what it returns.
    counts = places.new_zeros(size).scatter_add_(0, places, places.new_ones(()).expand(places.shape))
    return counts.view(num_classes + 1, num_classes)
