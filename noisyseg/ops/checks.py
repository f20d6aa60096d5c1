"""Checks of tensors that do not make a CUDA device wait."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

__all__ = ["require"]


def require(holds: Tensor, message: Callable[[], str]) -> None:
    """Raises where a condition on the values of a tensor does not hold.

    Args:
        holds: () bool, on any device.
        message: Makes the message; called only where it is needed, because it may read the tensor.

    Raises:
        ValueError: On the CPU. On CUDA the condition becomes a device-side assertion, as in PyTorch's own losses:
            reading it here would stop the device at each call. The error then comes with the next synchronisation
            and names no value.
    """
    if holds.is_cuda:
        torch._assert_async(holds)
    elif not bool(holds):
        raise ValueError(message())
