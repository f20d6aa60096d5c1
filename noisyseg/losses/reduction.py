"""The one place where losses are weighted and reduced."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor

from noisyseg.ops.checks import require

__all__ = ["Reduction", "check_reduction", "check_weight", "reduce_values"]

Reduction = Literal["mean", "sum", "none"]


def check_reduction(reduction: str, avg_factor: object = None) -> None:
    """Raises ``ValueError`` if the reduction is unknown, or is not a mean and gets an ``avg_factor``."""
    if reduction not in get_args(Reduction):
        raise ValueError(f"reduction: expected one of {', '.join(get_args(Reduction))}, not {reduction!r}")
    if avg_factor is not None and reduction == "sum":
        raise ValueError("avg_factor divides a mean; with reduction='sum' there is nothing to divide")


def check_weight(weight: Tensor, name: str) -> None:
    """Raises ``ValueError`` if a weight is negative, NaN or infinite (on CUDA: a device-side assertion)."""
    holds = torch.ones((), dtype=torch.bool, device=weight.device)
    if weight.numel():
        low, high = weight.aminmax()
        holds = (low >= 0) & (high < torch.inf)
    require(
        holds, lambda: f"{name}: expected finite values >= 0, not {weight.min().item():g} to {weight.max().item():g}"
    )


def reduce_values(
    values: Tensor,
    weight: Tensor | None = None,
    *,
    reduction: Reduction = "mean",
    avg_factor: float | Tensor | None = None,
) -> Tensor:
    """Returns the weighted values, their sum, or their mean.

    The mean is ``sum(weight * values) / sum(weight)``, so that a constant weight changes nothing, and ignored elements
    (weight 0) do not thin the loss out; with ``avg_factor`` it is ``sum(weight * values) / avg_factor``, which is how
    mmdet normalises over images and processes. Where nothing has weight the mean is 0, with gradient 0.

    Args:
        values: Losses, of any shape.
        weight: Of the same shape, >= 0; None means 1 everywhere.
        reduction: ``mean``, ``sum`` or ``none``.
        avg_factor: The divisor of a mean, a number or a tensor of one; ``none`` leaves it aside, as the hosts do.

    Returns:
        (), or for ``none`` the shape of ``values``.

    Raises:
        ValueError: Unknown reduction; ``avg_factor`` with ``sum``; weights of another shape; an ``avg_factor`` that is
            negative or not finite, or 0 where there is something to divide; a sum that is too large for the type.
    """
    check_reduction(reduction, avg_factor)
    if weight is not None and weight.shape != values.shape:
        raise ValueError(f"weight: expected the shape {tuple(values.shape)} of the values, not {tuple(weight.shape)}")
    weighted = values if weight is None else values * weight
    if reduction == "none":
        return weighted
    total = weighted.sum()
    require(torch.isfinite(total), lambda: f"the sum of the weighted losses is {total.item()}, too large for a number")
    if reduction == "sum":
        return total
    if isinstance(avg_factor, Tensor):
        divisor = avg_factor.to(values).reshape(())
    elif avg_factor is None and weight is not None:
        divisor = weight.sum()
    else:  # filled on the device: to copy a number there makes the host wait
        divisor = values.new_full((), values.numel() if avg_factor is None else avg_factor)
    require(
        (divisor > 0) & (divisor < torch.inf) | (divisor == 0) & (total == 0),
        lambda: f"cannot divide a sum of losses of {total.item():g} by {divisor.item():g}",
    )
    return total / torch.where(divisor > 0, divisor, 1)
