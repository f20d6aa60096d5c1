"""Jensen-Shannon divergence between label and prediction: cross entropy at one end, 1 - p_y at the other."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from noisyseg.losses.cross_entropy import cross_entropy
from noisyseg.losses.label_probability import LabelProbabilityLoss
from noisyseg.registry import MODELS

__all__ = ["JensenShannon", "jensen_shannon"]


def jensen_shannon(logits: Tensor, target: Tensor, pi: float = 0.5) -> Tensor:
    """Returns the scaled Jensen-Shannon divergence between label and prediction of each element.

    With the mixture ``m = pi e_y + (1 - pi) p`` it is ``(pi KL(e_y ‖ m) + (1 - pi) KL(p ‖ m)) / Z``, where
    ``Z = -(1 - pi) log(1 - pi)``. Outside of y the ratio p_k / m_k is 1 / (1 - pi) for every class, so that the sum
    over the classes closes and p_y is all that remains. With ``m_y = pi + (1 - pi) p_y``:

        ``(1 - p_y) - (pi log m_y + (1 - pi) p_y log(m_y / p_y)) / Z``

    and its gradient is that of cross entropy times ``p_y (1 + log(m_y / p_y) / -log(1 - pi))``.

    With pi → 0 it is cross entropy. With pi → 1 it is 1 - p_y, half the mean absolute error, but slowly: the
    difference is ``(1 - p_y + p_y log p_y) / -log(1 - pi)``.

    Englesson and Azizpour, "Generalized Jensen-Shannon Divergence Loss for Learning with Noisy Labels", NeurIPS 2021,
    the form with one prediction (their JS; GJS, with several augmentations of an image, needs more forward passes).

    Args:
        logits: (N, K, ...) float.
        target: (N, ...) int64 in 0..K-1.
        pi: Weight of the label in the mixture, in (0, 1); larger forgives more.

    Returns:
        (N, ...) in [0, 1 + pi log pi / ((1 - pi) log(1 - pi))], which is 2 for pi = 0.5.

    Examples:
        >>> import torch
        >>> jensen_shannon(torch.tensor([[0.0, 0.0], [-100.0, 100.0]]), torch.tensor([0, 0]))
        tensor([0.6226, 2.0000])
    """
    return _of_nll(cross_entropy(logits, target), pi)


def _of_nll(nll: Tensor, pi: float) -> Tensor:
    p = torch.exp(-nll)
    log_m = torch.log(pi + (1 - pi) * p)
    # log(m_y / p_y), also where m_y and p_y are nearly equal, as they are with a small pi. Past 80 the factor p
    # of this term is below 1e-34 and the term with it; the exponential must not overflow there.
    log_ratio = torch.log1p(pi * torch.expm1(nll.clamp(max=80)))
    scale = -(1 - pi) * math.log1p(-pi)
    return -torch.expm1(-nll) - (pi * log_m + (1 - pi) * p * log_ratio) / scale


@MODELS.register_module()
class JensenShannon(LabelProbabilityLoss):
    """Generalized Jensen-Shannon divergence; see `jensen_shannon`.

    Args:
        pi: Weight of the label in the mixture, in (0, 1); near 0 it is cross entropy, near 1 it is 1 - p_y.
        **settings: The arguments of `ElementwiseLoss`.

    Raises:
        ValueError: pi out of range.
    """

    def __init__(self, pi: float = 0.5, **settings: Any) -> None:  # noqa: ANN401 - passed on
        super().__init__(**settings)
        if not 0 < pi < 1:
            raise ValueError(
                f"pi: expected 0 < pi < 1, not {pi!r}; the limits are noisyseg.CrossEntropy and, up to a factor 2, "
                "noisyseg.MeanAbsoluteError"
            )
        self.pi = pi

    def of_nll(self, nll: Tensor) -> Tensor:
        """Returns the divergence as a function of ``p_y = exp(-nll)``."""
        return _of_nll(nll, self.pi)

    def extra_repr(self) -> str:
        """Returns the settings."""
        return f"pi={self.pi}, {super().extra_repr()}"
