"""How often each class is labelled and predicted as each other one."""

from __future__ import annotations

import torch
from torch import Tensor

from noisyseg.ops.checks import require

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
        ValueError: Shapes differ, or a dtype is not an integer one. On the CPU also: a label or a prediction is out
            of range. On CUDA that becomes a device-side assertion, as in PyTorch's own losses, because reading it
            here would stop the device at each call.
    """
    if labels.shape != predicted.shape:
        raise ValueError(f"expected one shape, got labels {tuple(labels.shape)}, predicted {tuple(predicted.shape)}")
    for name, values in (("labels", labels), ("predicted", predicted)):
        if values.dtype.is_floating_point or values.dtype.is_complex or values.dtype == torch.bool:
            raise ValueError(f"{name}: expected integers, got {values.dtype}")
    rows, columns = labels.flatten().long(), predicted.flatten().long()
    ignored = rows == ignore_index
    _require_classes("labels", rows.masked_fill(ignored, 0), num_classes, f" or {ignore_index}")
    _require_classes("predicted", columns, num_classes)
    places = rows.masked_fill(ignored, num_classes).mul_(num_classes).add_(columns)
    # Not bincount: on CUDA that reads the largest value first. Sums of integers do not depend on their order.
    counts = places.new_zeros((num_classes + 1) * num_classes)
    counts.scatter_add_(0, places, places.new_ones(()).expand_as(places))
    return counts.view(num_classes + 1, num_classes)


def _require_classes(name: str, values: Tensor, num_classes: int, otherwise: str = "") -> None:
    if values.numel() == 0:
        return
    low, high = torch.aminmax(values)
    require(
        (low >= 0) & (high < num_classes),
        lambda: f"{name}: expected 0..{num_classes - 1}{otherwise}, got {int(low)}..{int(high)}",
    )
