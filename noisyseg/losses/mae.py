"""Mean absolute error and reverse cross entropy: two names for 1 - p_y, up to a factor."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from noisyseg.losses.cross_entropy import cross_entropy
from noisyseg.losses.label_probability import LabelProbabilityLoss
from noisyseg.registry import MODELS

__all__ = ["LOG_ZERO", "MeanAbsoluteError", "ReverseCrossEntropy", "mean_absolute_error", "reverse_cross_entropy"]

LOG_ZERO = math.log(1e-4)
"""What stands for log 0 in a reverse cross entropy, -9.21: the authors of symmetric cross entropy clip at 1e-4."""


def mean_absolute_error(logits: Tensor, target: Tensor) -> Tensor:
    """Returns ``sum_k |e_y - p|_k = 2 (1 - p_y)`` of each element.

    Under noise that flips a label to any other class equally often, and of less than (K-1)/K of the labels, it has the
    same minimizer as without noise: its values over all K labels add up to a constant. The price is the gradient, that
    of cross entropy times 2 p_y, which vanishes where the model is wrong: rare and hard classes are learnt late or
    never.

    Ghosh, Kumar and Sastry, "Robust Loss Functions under Label Noise for Deep Neural Networks", AAAI 2017.

    Args:
        logits: (N, K, ...) float.
        target: (N, ...) int64 in 0..K-1.

    Returns:
        (N, ...) in [0, 2].

    Examples:
        >>> import torch
        >>> mean_absolute_error(torch.tensor([[2.0, 0.0, -1.0]], dtype=torch.float64), torch.tensor([0]))
        tensor([0.3124], dtype=torch.float64)
    """
    return 2 * _one_minus_p(cross_entropy(logits, target))


def reverse_cross_entropy(logits: Tensor, target: Tensor, log_zero: float = LOG_ZERO) -> Tensor:
    """Returns ``-sum_k p_k log e_yk = -log_zero (1 - p_y)`` of each element: cross entropy with its arguments swapped.

    Proportional to `mean_absolute_error`, with everything said there.

    Wang et al., "Symmetric Cross Entropy for Robust Learning with Noisy Labels", ICCV 2019.

    Args:
        logits: (N, K, ...) float.
        target: (N, ...) int64 in 0..K-1.
        log_zero: What stands for log 0, < 0.

    Returns:
        (N, ...) in [0, -log_zero].

    Examples:
        >>> import torch
        >>> reverse_cross_entropy(torch.tensor([[2.0, 0.0, -1.0]], dtype=torch.float64), torch.tensor([0]))
        tensor([1.4387], dtype=torch.float64)
    """
    return -log_zero * _one_minus_p(cross_entropy(logits, target))


def _one_minus_p(nll: Tensor) -> Tensor:
    return -torch.expm1(-nll)


@MODELS.register_module()
class MeanAbsoluteError(LabelProbabilityLoss):
    """Mean absolute error; see `mean_absolute_error`.

    Args:
        **settings: The arguments of `ElementwiseLoss`.
    """

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401 - passed on
        super().__init__(**settings)

    def of_nll(self, nll: Tensor) -> Tensor:
        """Returns ``2 (1 - exp(-nll))``."""
        return 2 * _one_minus_p(nll)


@MODELS.register_module()
class ReverseCrossEntropy(LabelProbabilityLoss):
    """Reverse cross entropy; see `reverse_cross_entropy`.

    Args:
        log_zero: What stands for log 0; finite and < 0.
        **settings: The arguments of `ElementwiseLoss`.

    Raises:
        ValueError: ``log_zero`` out of range.
    """

    def __init__(self, log_zero: float = LOG_ZERO, **settings: Any) -> None:  # noqa: ANN401 - passed on
        super().__init__(**settings)
        if not -math.inf < log_zero < 0:
            raise ValueError(f"log_zero: expected a finite number < 0, not {log_zero!r}")
        self.log_zero = log_zero

    def of_nll(self, nll: Tensor) -> Tensor:
        """Returns ``-log_zero (1 - exp(-nll))``."""
        return -self.log_zero * _one_minus_p(nll)

    def extra_repr(self) -> str:
        """Returns the settings."""
        return f"log_zero={self.log_zero:.4f}, {super().extra_repr()}"
