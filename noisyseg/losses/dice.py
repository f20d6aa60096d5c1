"""Dice losses that resist wrong labels: with weights from outside, and with a robust power of the error.

In the spirit of the noise-weighted Dice of Wang et al., "Annotation-Efficient Learning for Medical Image Segmentation
based on Noisy Pseudo Labels and Adversarial Learning", IEEE TMI 2021, and the noise-robust Dice of Wang et al., "A
Noise-robust Framework for Automatic Segmentation of COVID-19 Pneumonia Lesions from CT Images", IEEE TMI 2020. No
reproduction: neither paper's text could be checked, and the denominator of the second is linear in the group's
library and squared elsewhere (`kappa`).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from noisyseg.losses.region import RegionLoss
from noisyseg.losses.region_sums import RegionSums, sums_of_targets
from noisyseg.registry import MODELS

__all__ = ["NoiseRobustDice", "NoiseWeightedDice", "noise_robust_dice", "noise_weighted_dice"]


def noise_weighted_dice(
    probabilities: Tensor, target: Tensor, weight: Tensor | None = None, *, kappa: int = 1, eps: float = 1e-5
) -> Tensor:
    """Returns the weighted Dice loss of each image and class.

    ``1 - (2 sum w p y + eps) / (sum w p^kappa + sum w y^kappa + eps)``, sums over the pixels. Multiplying all weights
    of an image by a number changes nothing but the part of eps.

    Args:
        probabilities: (N, C, ...) float in [0, 1].
        target: (N, C, ...) one-hot or soft labels in [0, 1], or bool.
        weight: (N, C, ...) or (N, 1, ...), >= 0: how far to trust the label of a pixel; None means 1.
        kappa: 1 or 2.
        eps: Smoothing >= 0, in pixels.

    Returns:
        (N, C) in [0, 1].

    Examples:
        >>> import torch
        >>> foreground = torch.tensor([[[0.9, 0.6, 0.2, 0.4]]])
        >>> label, trust = torch.tensor([[[1.0, 1.0, 0.0, 0.0]]]), torch.tensor([[[1.0, 0.5, 1.0, 0.25]]])
        >>> noise_weighted_dice(foreground, label, trust)
        tensor([[0.2000]])
    """
    return _dice(sums_of_targets(probabilities, target, weight, kappa=kappa), eps)


def noise_robust_dice(
    probabilities: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    gamma: float = 1.5,
    kappa: int = 1,
    eps: float = 1e-5,
) -> Tensor:
    """Returns the noise-robust Dice loss of each image and class.

    ``sum w abs(p - y)^gamma / (sum w p^kappa + sum w y^kappa + eps)``. On hard labels (kappa, gamma) = (1, 1) and
    (2, 2) are `noise_weighted_dice`; between them large errors count relatively less than in the squared one. With
    kappa = 2 and gamma < 2, a class that is not in the label has the loss ``p^(gamma - 2)``, which falls as p grows:
    leave such classes out.

    Args:
        probabilities: (N, C, ...) float in [0, 1].
        target: (N, C, ...) one-hot or soft labels in [0, 1], or bool.
        weight: (N, C, ...) or (N, 1, ...), >= 0; None means 1.
        gamma: Power of the error, in [1, 2].
        kappa: 1 or 2.
        eps: Smoothing >= 0, in pixels.

    Returns:
        (N, C) >= 0; at most 1 for kappa = 1.
    """
    return _robust_dice(sums_of_targets(probabilities, target, weight, kappa=kappa, gamma=gamma), eps)


@MODELS.register_module()
class NoiseWeightedDice(RegionLoss):
    """Dice loss with pixel and image weights, which come from outside; see `noise_weighted_dice`.

    Without weights, or with equal ones, it is the plain Dice loss.

    Args:
        **settings: The arguments of `RegionLoss`.
    """

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401 - passed on
        super().__init__(**settings)

    def ratio(self, sums: RegionSums) -> Tensor:
        """Returns the Dice loss (N, C)."""
        return _dice(sums, self.eps)


@MODELS.register_module()
class NoiseRobustDice(RegionLoss):
    """Noise-robust Dice loss; see `noise_robust_dice`. Takes the same weights as `NoiseWeightedDice`.

    Args:
        gamma: Power of the error, from 1 (robust) to 2.
        **settings: The arguments of `RegionLoss`.

    Raises:
        ValueError: When built: ``gamma`` outside [1, 2]; ``absent="keep"`` with ``kappa=2`` and ``gamma < 2``, where
            the gradient would push the probability of absent classes up.
    """

    def __init__(self, gamma: float = 1.5, **settings: Any) -> None:  # noqa: ANN401 - passed on
        super().__init__(**settings)
        if not 1 <= gamma <= 2:
            raise ValueError(f"gamma: expected a number in [1, 2], not {gamma!r}")
        if self.absent == "keep" and gamma < self.kappa:
            raise ValueError(
                "absent='keep' with kappa=2 and gamma < 2 pushes the probability of absent classes up; use "
                "absent='skip' or kappa=1"
            )
        self._gamma = gamma

    @property
    def gamma(self) -> float:
        """Power of the error."""
        return self._gamma

    def ratio(self, sums: RegionSums) -> Tensor:
        """Returns the noise-robust Dice loss (N, C)."""
        return _robust_dice(sums, self.eps)

    def extra_repr(self) -> str:
        """Returns the settings."""
        return f"gamma={self.gamma}, {super().extra_repr()}"


def _dice(sums: RegionSums, eps: float) -> Tensor:
    return 1 - (2 * sums.overlap + eps) / _denominator(sums, eps)


def _robust_dice(sums: RegionSums, eps: float) -> Tensor:
    if sums.error is None:
        raise TypeError("expected sums with an error; they were made without gamma")
    return sums.error / _denominator(sums, eps)


def _denominator(sums: RegionSums, eps: float) -> Tensor:
    """Returns the denominator, above 0 also where nothing has weight and eps is 0."""
    total = sums.predicted + sums.labelled + eps
    return total.clamp(min=torch.finfo(total.dtype).tiny)
