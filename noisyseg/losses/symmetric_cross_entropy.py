"""Symmetric cross entropy: cross entropy to learn, reverse cross entropy to forgive."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from noisyseg.losses.cross_entropy import cross_entropy
from noisyseg.losses.label_probability import LabelProbabilityLoss, check_factor
from noisyseg.losses.mae import LOG_ZERO
from noisyseg.registry import MODELS

__all__ = ["SymmetricCrossEntropy", "symmetric_cross_entropy"]


def symmetric_cross_entropy(logits: Tensor, target: Tensor, alpha: float = 0.1, beta: float = 1.0) -> Tensor:
    """Returns ``alpha CE + beta RCE`` of each element, with RCE = ``-log(1e-4) (1 - p_y)``.

    The gradient is that of cross entropy times ``alpha + 9.21 beta p_y``: `alpha` is what a label keeps that the model
    does not believe at all.

    Wang et al., "Symmetric Cross Entropy for Robust Learning with Noisy Labels", ICCV 2019. Their pairs
    (alpha, beta) are (0.1, 1) for 10 classes and (6, 0.1) for 100; none was tuned for the 11 to 150 classes of
    segmentation, so state the pair that you use.

    Args:
        logits: (N, K, ...) float.
        target: (N, ...) int64 in 0..K-1.
        alpha: Factor of cross entropy, >= 0.
        beta: Factor of reverse cross entropy, >= 0.

    Returns:
        (N, ...) >= 0.

    Examples:
        >>> import torch
        >>> symmetric_cross_entropy(torch.tensor([[2.0, 0.0, -1.0]], dtype=torch.float64), torch.tensor([0]))
        tensor([1.4557], dtype=torch.float64)
    """
    return _of_nll(cross_entropy(logits, target), alpha, beta)


def _of_nll(nll: Tensor, alpha: float, beta: float) -> Tensor:
    return alpha * nll + beta * LOG_ZERO * torch.expm1(-nll)


@MODELS.register_module()
class SymmetricCrossEntropy(LabelProbabilityLoss):
    """Symmetric cross entropy; see `symmetric_cross_entropy`.

    Args:
        alpha: Factor of cross entropy, >= 0.
        beta: Factor of reverse cross entropy, >= 0.
        **settings: The arguments of `ElementwiseLoss`.

    Raises:
        ValueError: A factor that is negative or not finite, or both 0.
    """

    def __init__(self, alpha: float = 0.1, beta: float = 1.0, **settings: Any) -> None:  # noqa: ANN401 - passed on
        super().__init__(**settings)
        check_factor("alpha", alpha)
        check_factor("beta", beta)
        if alpha == beta == 0:
            raise ValueError("alpha and beta are both 0: there is nothing to learn from")
        self.alpha = alpha
        self.beta = beta

    def of_nll(self, nll: Tensor) -> Tensor:
        """Returns ``alpha nll + beta 9.21 (1 - exp(-nll))``."""
        return _of_nll(nll, self.alpha, self.beta)

    def extra_repr(self) -> str:
        """Returns the settings."""
        return f"alpha={self.alpha}, beta={self.beta}, {super().extra_repr()}"
