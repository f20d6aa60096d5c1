"""The sums over the pixels of an image that Dice losses are ratios of.

Letters: N images or instances, C classes, L pixels or voxels; p probability, y target, w weight.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

__all__ = ["RegionSums", "sums_of_labels", "sums_of_targets"]


@dataclass(frozen=True, eq=False)
class RegionSums:
    """Weighted sums over the pixels of each image and class, each (N, C).

    Attributes:
        overlap: Sum of w p y.
        predicted: Sum of w p^kappa.
        labelled: Sum of w y^kappa; without gradient.
        error: Sum of w abs(p - y)^gamma; None if no gamma was given.
        weight: Sum of w; without gradient.
    """

    overlap: Tensor
    predicted: Tensor
    labelled: Tensor
    error: Tensor | None
    weight: Tensor

    def pooled(self, image_weight: Tensor | None, *, sync: bool = False) -> RegionSums:
        """Returns the sums (1, C) over the images, each times its weight.

        Args:
            image_weight: (N,) >= 0; None means 1.
            sync: Add up the sums of all processes too, with gradient; each process has to call this.
        """
        parts = [self.overlap, self.predicted, self.labelled, self.weight]
        stacked = torch.stack(parts if self.error is None else [*parts, self.error])
        if image_weight is not None:
            stacked = stacked * image_weight.to(stacked).unsqueeze(1)
        stacked = stacked.sum(1, keepdim=True)
        if sync and torch.distributed.is_available() and torch.distributed.is_initialized():
            stacked = _SumOverProcesses.apply(stacked)
        overlap, predicted, labelled, weight, *error = stacked.unbind()
        return RegionSums(overlap, predicted, labelled.detach(), error[0] if error else None, weight.detach())

    def without_first_class(self) -> RegionSums:
        """Returns the sums of the classes 1..C-1."""
        return replace(self, **{name: part[:, 1:] for name, part in vars(self).items() if part is not None})


def sums_of_targets(
    probabilities: Tensor, target: Tensor, weight: Tensor | None = None, *, kappa: int = 1, gamma: float | None = None
) -> RegionSums:
    """Returns the sums for targets that have a value for each class.

    Args:
        probabilities: (N, C, ...) in [0, 1].
        target: (N, C, ...) in [0, 1] or bool.
        weight: (N, C, ...) or (N, 1, ...), >= 0; None means 1.
        kappa: Power of p and y in `predicted` and `labelled`, 1 or 2.
        gamma: Power of the error, in [1, 2]; None leaves it out.
    """
    p, y = probabilities.flatten(2), target.to(probabilities).flatten(2)
    w = p.new_ones(()) if weight is None else weight.to(p).flatten(2)
    weighted = w * p
    return RegionSums(
        overlap=(weighted * y).sum(-1),
        predicted=(weighted if kappa == 1 else weighted * p).sum(-1),
        labelled=(w * (y if kappa == 1 else y.square())).sum(-1),
        error=None if gamma is None else (w * (p - y).abs().pow(gamma)).sum(-1),
        weight=w.expand_as(p).sum(-1),
    )


def sums_of_labels(
    logits: Tensor,
    labels: Tensor,
    weight: Tensor | None = None,
    *,
    kappa: int = 1,
    gamma: float | None = None,
    sigmoid: bool = False,
) -> RegionSums:
    """Returns the sums for one label a pixel: those of `sums_of_targets` on its one-hot code, without building it.

    The gradient is in closed form. It never leaves the logits: weights have none.

    Args:
        logits: (N, C, ...) float.
        labels: (N, ...) int64 in 0..C-1.
        weight: (N, ...) >= 0; None means 1.
        kappa: Power of p and y in `predicted` and `labelled`, 1 or 2.
        gamma: Power of the error, in [1, 2]; None leaves it out.
        sigmoid: Probabilities are the sigmoid of each channel instead of the softmax over the channels.
    """
    overlap, predicted, error = _LabelSums.apply(logits, labels, weight, kappa, gamma, sigmoid)
    with torch.no_grad():
        ones = torch.ones_like(labels, dtype=logits.dtype) if weight is None else weight.to(logits)
        labelled = _sum_by_label(ones, labels, logits.shape[1])
    total = labelled.sum(1, keepdim=True).expand_as(labelled)
    return RegionSums(overlap, predicted, labelled, error, total)


class _LabelSums(torch.autograd.Function):
    """Overlap, predicted and error of `RegionSums`, for one label a pixel.

    With ``a = p dL/dp``, the gradient of the logits is ``a - p sum_c a`` for a softmax and ``a (1 - p)`` for a
    sigmoid. Away from the label, ``a / w = kappa g_predicted p^kappa + gamma g_error p^gamma``; at the label the
    overlap comes in, and the error is a power of 1 - p.
    """

    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401 - torch's
        logits: Tensor,
        labels: Tensor,
        weight: Tensor | None,
        kappa: int,
        gamma: float | None,
        sigmoid: bool,
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        p = logits.sigmoid() if sigmoid else logits.softmax(1)
        index = labels.unsqueeze(1)
        w = p.new_ones(()) if weight is None else weight.to(p).unsqueeze(1)
        p_label = p.gather(1, index)
        overlap = _sum_by_label((p_label * w).squeeze(1), labels, p.shape[1])
        dense = p * w  # the one other tensor of that size: a fresh one costs more than any of these steps
        predicted = (dense if kappa == 1 else dense.mul_(p)).flatten(2).sum(-1)
        error = None
        if gamma is not None:
            torch.log2(p, out=dense).mul_(gamma).exp2_()  # pow is slow; log2(0) = -inf gives 0, which is right
            dense.scatter_(1, index, (1 - p_label).pow(gamma)).mul_(w)
            error = dense.flatten(2).sum(-1)
        ctx.save_for_backward(p, index, w, None if gamma is None else dense)
        ctx.kappa, ctx.gamma, ctx.sigmoid = kappa, gamma, sigmoid
        return overlap, predicted, error

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any,  # noqa: ANN401 - torch's
        g_overlap: Tensor,
        g_predicted: Tensor,
        g_error: Tensor | None,
    ) -> tuple[Tensor | None, ...]:
        p, index, w, weighted_error = ctx.saved_tensors
        by_class = (*p.shape[:2], *[1] * (p.dim() - 2))

        def at_label(g: Tensor) -> Tensor:
            return g.reshape(by_class).expand_as(p).gather(1, index)

        p_label = p.gather(1, index)
        a_label = p_label * at_label(g_overlap) + ctx.kappa * p_label**ctx.kappa * at_label(g_predicted)
        a = p * (ctx.kappa * g_predicted).reshape(by_class)
        if ctx.kappa == 2:
            a.mul_(p)
        a.mul_(w)
        if g_error is not None:
            a.addcmul_(weighted_error, (ctx.gamma * g_error).reshape(by_class))
            a_label -= ctx.gamma * p_label * (1 - p_label).pow(ctx.gamma - 1) * at_label(g_error)
        a.scatter_(1, index, a_label * w)
        a.addcmul_(p, a if ctx.sigmoid else a.sum(1, keepdim=True), value=-1)
        return a, None, None, None, None, None


class _SumOverProcesses(torch.autograd.Function):
    """Sum of a tensor over all processes; so is its gradient, which the mean over processes then makes right."""

    @staticmethod
    def forward(ctx: Any, tensor: Tensor) -> Tensor:  # noqa: ANN401 - torch's
        total = tensor.clone()
        torch.distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:  # noqa: ANN401 - torch's
        return _SumOverProcesses.apply(gradient)


def _sum_by_label(values: Tensor, labels: Tensor, classes: int) -> Tensor:
    """Returns the (N, C) sums of (N, ...) values over the pixels of each label.

    Row by row: one running float32 sum stops growing at 2^24 pixels, which a volume has.
    """
    images, rows = labels.shape[0], labels.shape[1] if labels.dim() > 2 else 1
    by_row = (images * rows, labels.numel() // max(images * rows, 1))
    sums = values.new_zeros(images * rows, classes)
    sums = sums.scatter_add(1, labels.reshape(by_row), values.reshape(by_row))
    return sums.reshape(images, rows, classes).sum(1)
