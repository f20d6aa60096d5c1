"""Losses whose gradient is written down, not traced."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx, once_differentiable

__all__ = ["closed_form", "subtract_at"]

PIECE = 2**20
"""Logits a piece, on the CPU: temporary tensors of some megabytes come from memory that is at hand, larger ones from
the system, which clears them page by page. That took longer than the arithmetic."""


def closed_form(kernel: Callable[..., tuple[Tensor, Tensor]], logits: Tensor, *others: Tensor) -> Tensor:
    """Returns the values of a kernel that also gives their gradient.

    For losses that touch all K logits of an element. Traced step by step, each step keeps a tensor of the size of the
    logits, and such tensors are what a loss costs. Here two are left: the gradient, computed along with the values, and
    its product with the incoming one. Cross entropy has three.

    Args:
        kernel: Gets (n, K, ...) logits and n rows of each of the others; returns (n, ...) values and their
            (n, K, ...) gradient, of each value by the logits of its element. Runs without a graph. What it returns may
            not depend on which elements it gets together.
        logits: (N, K, ...) float; may require a gradient.
        *others: (N, ...) tensors, the labels for example.

    Returns:
        (N, ...) the values, to be differentiated once: their gradient has no graph.
    """
    count = len(logits)
    if logits.device.type == "cpu" and count:
        count = max(1, PIECE * count // max(logits.numel(), 1))
    with torch.no_grad():
        if count >= len(logits):
            values, gradient = kernel(logits, *others)
        else:
            values = logits.new_empty(logits.shape[0], *logits.shape[2:])
            gradient = torch.empty_like(logits)
            for start in range(0, len(logits), count):
                rows = slice(start, start + count)
                values[rows], gradient[rows] = kernel(logits[rows], *(other[rows] for other in others))
    return _WithGradient.apply(logits, values, gradient)


class _WithGradient(torch.autograd.Function):
    @staticmethod
    def forward(ctx: FunctionCtx, logits: Tensor, values: Tensor, gradient: Tensor) -> Tensor:
        ctx.save_for_backward(gradient)
        return values.view_as(values)

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, grad: Tensor) -> tuple[Tensor, None, None]:
        (gradient,) = ctx.saved_tensors
        return grad.unsqueeze(1) * gradient, None, None


def subtract_at(volume: Tensor, target: Tensor, amount: float | Tensor) -> Tensor:
    """Returns the volume, changed in place: less by an amount at each element's class.

    Args:
        volume: (N, K, ...) float.
        target: (N, ...) int64 in 0..K-1.
        amount: A number, or (N, ...) numbers.
    """
    where = target.unsqueeze(1)
    amounts = -amount.unsqueeze(1) if isinstance(amount, Tensor) else volume.new_full((), -amount).expand(where.shape)
    return volume.scatter_add_(1, where, amounts)
