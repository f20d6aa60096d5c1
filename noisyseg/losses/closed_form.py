"""Losses whose gradient is written down, not traced."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx, once_differentiable

__all__ = ["closed_form", "pieces", "subtract_at"]

PIECE = 2**18
"""Logits a piece, on the CPU: temporary tensors of some megabytes come from memory that is at hand, larger ones from
the system, which clears them page by page. That took longer than the arithmetic."""


def closed_form(
    kernel: Callable[..., tuple[Tensor, Tensor]], logits: Tensor, *others: Tensor, whole_maps: bool = False
) -> Tensor:
    """Returns the values of a kernel that also gives their gradient.

    For losses that touch all K logits of an element. Traced step by step, each step keeps a tensor of the size of the
    logits, and such tensors are what a loss costs. Here two are left: the gradient, computed along with the values, and
    its product with the incoming one. Cross entropy has three.

    Args:
        kernel: Gets logits and the others of some of the elements, any rows and lines; returns their values and the
            gradient, of each value by the logits of its element. Runs without a graph. What it returns may not depend
            on which elements it gets together, but with ``whole_maps`` those are whole rows.
        logits: (N, K, ...) float; may require a gradient.
        *others: (N, ...) tensors, the labels for example.
        whole_maps: Never to cut a row, for kernels that look at neighbours.

    Returns:
        (N, ...) the values, to be differentiated once: their gradient has no graph.
    """
    with torch.no_grad():
        if logits.device.type != "cpu" or logits.numel() <= PIECE:
            values, gradient = kernel(logits, *others)
        else:
            values = logits.new_empty(logits.shape[0], *logits.shape[2:])
            gradient = torch.empty_like(logits)
            for place in pieces(logits.shape, whole_maps):
                where = (place[0], *place[2:])
                values[where], gradient[place] = kernel(logits[place], *(other[where] for other in others))
    return _WithGradient.apply(logits, values, gradient)


def pieces(shape: torch.Size, whole_maps: bool) -> Iterator[tuple[slice, ...]]:
    """Yields slices of (N, K, ...) that cut it into pieces of about `PIECE` numbers: of rows, then of lines."""
    rows = max(1, PIECE * shape[0] // shape.numel())
    lines = shape[2] if len(shape) > 2 else 1
    step = lines if rows > 1 or whole_maps else max(1, PIECE * lines // shape[1:].numel())
    for row in range(0, shape[0], rows):
        for line in range(0, lines, step):
            cut = (slice(row, row + rows), slice(None), slice(line, line + step))
            yield cut if len(shape) > 2 else cut[:2]


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
