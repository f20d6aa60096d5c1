"""From what the heads pass, to elements: logits over classes, labels, and weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from noisyseg.losses.reduction import check_weight
from noisyseg.ops.checks import require

__all__ = ["Elements", "binary_elements", "label_elements", "mask_of_class"]


@dataclass(frozen=True, eq=False)
class Elements:
    """Logits, targets and weights of a batch.

    Attributes:
        logits: (N, K, ...) over classes; or, for binary elements, any shape.
        target: (N, ...) int64 in 0..K-1, 0 where ignored; binary: the shape of ``logits``, bool, or float in [0, 1].
        weight: Broadcasts to the shape of ``target``; None means 1.
        binary: Whether each element is a sigmoid of its own.
    """

    logits: Tensor
    target: Tensor
    weight: Tensor | None
    binary: bool

    def values(self, elementwise: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
        """Returns the losses, of the shape of ``target``, under a loss of (N, K, ...) logits and (N, ...) labels."""
        if not self.binary:
            return elementwise(self.logits, self.target)
        pair = torch.stack((torch.zeros_like(self.logits), self.logits), dim=1)
        if not self.target.is_floating_point():
            return elementwise(pair, self.target.long())
        positive = elementwise(pair, torch.ones_like(self.target, dtype=torch.long))
        negative = elementwise(pair, torch.zeros_like(self.target, dtype=torch.long))
        return self.target * positive + (1 - self.target) * negative

    def weights(self, class_weight: Tensor | None, image_weight: Tensor | None) -> Tensor | None:
        """Returns all weights multiplied, of the shape of ``target``; None if there are none.

        Raises:
            ValueError: Wrong shapes, or an image weight that is negative or not finite.
        """
        total = self.weight
        if class_weight is not None:
            total = _times(total, self._of_classes(class_weight))
        image_weight = self.image_weights(image_weight)
        if image_weight is not None:
            total = _times(total, image_weight.reshape(-1, *[1] * (self.target.dim() - 1)))
        return None if total is None else total.expand(self.target.shape)

    def image_weights(self, image_weight: Tensor | None) -> Tensor | None:
        """Returns the weights (N,) of the images, checked, in the precision of the logits.

        Raises:
            ValueError: Wrong shape, or a weight that is negative or not finite.
        """
        if image_weight is None:
            return None
        if image_weight.shape != self.target.shape[:1]:
            raise ValueError(f"image_weight: expected ({len(self.target)},), not {tuple(image_weight.shape)}")
        image_weight = image_weight.to(self.logits)
        check_weight(image_weight, "image_weight")
        return image_weight

    def _of_classes(self, class_weight: Tensor) -> Tensor:
        channels = self.logits.shape[1] if self.logits.dim() > 1 else 1
        if len(class_weight) != channels:
            raise ValueError(f"class_weight: expected {channels} weights, one a channel, not {len(class_weight)}")
        class_weight = class_weight.to(self.logits)
        if self.binary:
            return class_weight.reshape(1, -1, *[1] * (self.logits.dim() - 2))
        return class_weight[self.target]


def label_elements(
    logits: Tensor, labels: Tensor, weight: Tensor | None, ignore_index: int | None, *, one_hot: bool
) -> Elements:
    """Returns the elements of (N, K, ...) logits and (N, ...) integer labels.

    With `one_hot` each channel becomes a binary element of its own.

    Raises:
        ValueError: Wrong shapes, labels out of range, or weights that are negative or not finite.
    """
    if logits.dim() < 2 or labels.shape != (logits.shape[0], *logits.shape[2:]):
        raise ValueError(
            f"expected logits (N, K, ...) and labels (N, ...), not {tuple(logits.shape)} and {tuple(labels.shape)}"
        )
    if not _integers(labels):
        raise ValueError(f"expected integer labels (N, ...), not {labels.dtype}")
    labels = labels.long()
    boxes = logits.dim() == 2
    if ignore_index is None and not boxes:
        ignore_index = 255
    valid = None if ignore_index is None else labels != ignore_index
    if valid is not None:
        labels = labels.masked_fill(~valid, 0)
    _check_labels(labels, logits.shape[1], one_hot=one_hot, boxes=boxes)
    if weight is not None:
        weight = _fitting(weight, logits, labels, binary=one_hot)
    if not one_hot:
        return Elements(logits, labels, _times(weight, valid, logits), binary=False)
    if valid is not None:
        valid = valid.unsqueeze(1)
    if logits.shape[1] == 1 and not boxes:
        target = labels.unsqueeze(1) == 1
    else:
        classes = torch.arange(logits.shape[1], device=labels.device).reshape(1, -1, *[1] * (labels.dim() - 1))
        target = labels.unsqueeze(1) == classes
    return Elements(logits, target, _times(weight, valid, logits), binary=True)


def binary_elements(logits: Tensor, target: Tensor, weight: Tensor | None) -> Elements:
    """Returns the elements of logits and targets in [0, 1] of one shape.

    Raises:
        ValueError: Wrong shapes, targets outside [0, 1], or weights that are negative or not finite.
    """
    if logits.shape != target.shape:
        raise ValueError(f"expected targets of shape {tuple(logits.shape)}, not {tuple(target.shape)}")
    if target.dtype != torch.bool and target.numel():
        low, high = target.aminmax()
        require(
            (low >= 0) & (high <= 1),
            lambda: f"expected targets in [0, 1], not {target.min().item():g} to {target.max().item():g}",
        )
    target = target if target.dtype == torch.bool else target.to(logits)
    if weight is not None:
        weight = _fitting(weight, logits, target, binary=True)
    return Elements(logits, target, weight, binary=True)


def mask_of_class(logits: Tensor, classes: Tensor) -> Tensor:
    """Returns the (R, H, W) channel of each instance's class from (R, K, H, W) logits; with K = 1 the only channel.

    Raises:
        ValueError: Wrong shapes, or a class outside 0..K-1.
    """
    if logits.dim() != 4 or classes.shape != logits.shape[:1] or not _integers(classes):
        raise ValueError(
            f"use_mask: expected logits (R, K, H, W) and integer classes (R,), not {tuple(logits.shape)} and "
            f"{tuple(classes.shape)} {classes.dtype}"
        )
    if logits.shape[1] == 1:
        return logits.squeeze(1)
    _check_labels(classes, logits.shape[1], one_hot=False, boxes=True)
    return logits[torch.arange(len(logits), device=logits.device), classes.long()]


def _integers(labels: Tensor) -> bool:
    return not (labels.is_floating_point() or labels.is_complex() or labels.dtype == torch.bool)


def _check_labels(labels: Tensor, channels: int, *, one_hot: bool, boxes: bool) -> None:
    if not labels.numel():
        return
    low, high = labels.aminmax()
    if one_hot and boxes:  # mmdet's background is the label K, and some heads use larger ones
        require(low >= 0, lambda: f"expected labels >= 0, not {low.item()}")
        return
    top = 1 if one_hot and channels == 1 else channels - 1
    require(
        (low >= 0) & (high <= top),
        lambda: f"expected labels in 0..{top} or the ignored one, not {low.item()} to {high.item()}",
    )


def _fitting(weight: Tensor, logits: Tensor, target: Tensor, *, binary: bool) -> Tensor:
    """Returns the weight in a shape that broadcasts to the elements."""
    weight = weight.to(logits)  # before the check: a large double is infinite as a float
    check_weight(weight, "weight")
    if weight.shape == target.shape:
        return weight.unsqueeze(1) if binary and target.dim() < logits.dim() else weight
    if weight.dim() == logits.dim() and weight.shape[1] == 1 and (weight.shape[0], *weight.shape[2:]) == target.shape:
        return weight if binary else weight.squeeze(1)
    if binary and weight.shape == logits.shape:
        return weight
    if binary and target.dim() in (2, 4, 5) and weight.shape == (target.shape[0], *target.shape[2:]):
        return weight.unsqueeze(1)
    raise ValueError(f"weight: expected the shape {tuple(target.shape)} of the labels, not {tuple(weight.shape)}")


def _times(weight: Tensor | None, factor: Tensor | None, like: Tensor | None = None) -> Tensor | None:
    if weight is None:
        return factor if factor is None or like is None else factor.to(like)
    return weight if factor is None else weight * factor
