"""Label smoothing and its counterpart for predictions, the suppression of the largest logit: two controls."""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from torch import Tensor

from noisyseg.losses.closed_form import closed_form, subtract_at
from noisyseg.losses.elementwise import ElementwiseLoss
from noisyseg.losses.label_probability import check_factor
from noisyseg.registry import MODELS

__all__ = ["LabelSmoothing", "MaxSuppression", "label_smoothing", "max_suppression"]


def label_smoothing(logits: Tensor, target: Tensor, epsilon: float = 0.1) -> Tensor:
    """Returns the cross entropy to the target ``(1 - epsilon) e_y + epsilon / K`` of each element.

    That is ``CE + epsilon (z_y - mean_k z_k)``: the logit of the given label is held back, whether or not the label is
    right. Known to improve calibration and to harm the rejection of wrong predictions by their confidence.

    Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", CVPR 2016. The gradient is
    ``p - (1 - epsilon) e_y - epsilon / K``.

    Args:
        logits: (N, K, ...) float.
        target: (N, ...) int64 in 0..K-1.
        epsilon: Share of the uniform distribution in the target, in [0, 1]; 0 is cross entropy.

    Returns:
        (N, ...) >= 0.

    Examples:
        >>> import torch
        >>> logits = torch.tensor([[2.0, 0.0, -1.0]], dtype=torch.float64)
        >>> label_smoothing(logits, torch.tensor([0]), epsilon=0.1)
        tensor([0.3365], dtype=torch.float64)
    """

    def kernel(logits: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        log_p = F.log_softmax(logits, dim=1)
        values = -(1 - epsilon) * log_p.gather(1, target.unsqueeze(1)).squeeze(1) - epsilon * log_p.mean(1)
        return values, subtract_at(log_p.exp_().sub_(epsilon / logits.shape[1]), target, 1 - epsilon)

    return closed_form(kernel, logits, target)


def max_suppression(logits: Tensor, target: Tensor, alpha: float = 0.1) -> Tensor:
    """Returns ``CE + alpha (max_k z_k - mean_k z_k)`` of each element.

    Label smoothing with the largest logit in the place of the label's: confidence is held back where it is, and the
    given label keeps its pull. The two are equal where the label has the largest logit, and differ where it has not,
    which is where labels are wrong.

    "MaxSup: Overcoming Representation Collapse in Label Smoothing", NeurIPS 2025. Its release lets alpha grow linearly
    from 0.1 to 0.2 over training; here it stays. The gradient is ``p - e_y + alpha (e_argmax - 1 / K)``; of several
    largest logits the first counts.

    Args:
        logits: (N, K, ...) float.
        target: (N, ...) int64 in 0..K-1.
        alpha: Strength >= 0; 0 is cross entropy.

    Returns:
        (N, ...) >= 0.

    Examples:
        >>> import torch
        >>> logits = torch.tensor([[2.0, 0.0, -1.0]], dtype=torch.float64)
        >>> max_suppression(logits, torch.tensor([2]), alpha=0.1)
        tensor([3.3365], dtype=torch.float64)
    """

    def kernel(logits: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        log_p = F.log_softmax(logits, dim=1)  # differs from the logits by a constant, which cancels in max - mean
        largest, predicted = log_p.max(1)
        values = alpha * (largest - log_p.mean(1)) - log_p.gather(1, target.unsqueeze(1)).squeeze(1)
        gradient = subtract_at(log_p.exp_().sub_(alpha / logits.shape[1]), target, 1.0)
        return values, subtract_at(gradient, predicted, -alpha)

    return closed_form(kernel, logits, target)


@MODELS.register_module()
class LabelSmoothing(ElementwiseLoss):
    """Cross entropy to smoothed labels; see `label_smoothing`.

    Args:
        epsilon: Share of the uniform distribution in the target, in [0, 1).
        **settings: The arguments of `ElementwiseLoss`.

    Raises:
        ValueError: Epsilon out of range.
    """

    def __init__(self, epsilon: float = 0.1, **settings: Any) -> None:  # noqa: ANN401 - passed on
        super().__init__(**settings)
        if not 0 <= epsilon < 1:
            raise ValueError(f"epsilon: expected 0 <= epsilon < 1, not {epsilon!r}")
        self.epsilon = epsilon

    def elementwise(self, logits: Tensor, target: Tensor) -> Tensor:
        """Returns `label_smoothing` of the elements."""
        return label_smoothing(logits, target, self.epsilon)

    def extra_repr(self) -> str:
        """Returns the settings."""
        return f"epsilon={self.epsilon}, {super().extra_repr()}"


@MODELS.register_module()
class MaxSuppression(ElementwiseLoss):
    """Cross entropy with the largest logit held back; see `max_suppression`.

    Args:
        alpha: Strength, finite and >= 0.
        **settings: The arguments of `ElementwiseLoss`.

    Raises:
        ValueError: Alpha out of range.
    """

    def __init__(self, alpha: float = 0.1, **settings: Any) -> None:  # noqa: ANN401 - passed on
        super().__init__(**settings)
        check_factor("alpha", alpha)
        self.alpha = alpha

    def elementwise(self, logits: Tensor, target: Tensor) -> Tensor:
        """Returns `max_suppression` of the elements."""
        return max_suppression(logits, target, self.alpha)

    def extra_repr(self) -> str:
        """Returns the settings."""
        return f"alpha={self.alpha}, {super().extra_repr()}"
