"""Generalized cross entropy: between cross entropy, which learns fast, and mean absolute error, which forgives."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from noisyseg.losses.cross_entropy import cross_entropy
from noisyseg.losses.label_probability import LabelProbabilityLoss
from noisyseg.registry import MODELS

__all__ = [
    "GeneralizedCrossEntropy",
    "TruncatedGeneralizedCrossEntropy",
    "generalized_cross_entropy",
    "truncated_generalized_cross_entropy",
]


def generalized_cross_entropy(logits: Tensor, target: Tensor, q: float = 0.7) -> Tensor:
    """Returns the generalized cross entropy ``(1 - p_y^q) / q`` of each element.

    With q → 0 it is cross entropy, with q = 1 it is 1 - p_y. The gradient is that of cross entropy times p_y^q: the
    less a prediction agrees with its label, the less the label counts.

    Zhang and Sabuncu, "Generalized Cross Entropy Loss for Training Deep Neural Networks with Noisy Labels", NeurIPS
    2018; q = 0.7 is theirs.

    Args:
        logits: (N, K, ...) float.
        target: (N, ...) int64 in 0..K-1.
        q: In (0, 1].

    Returns:
        (N, ...) in [0, 1/q].

    Examples:
        >>> import torch
        >>> generalized_cross_entropy(torch.tensor([[2.0, 0.0, -1.0]], dtype=torch.float64), torch.tensor([0]))
        tensor([0.1601], dtype=torch.float64)
    """
    return _of_nll(cross_entropy(logits, target), q)


def truncated_generalized_cross_entropy(logits: Tensor, target: Tensor, q: float = 0.7, k: float = 0.5) -> Tensor:
    """Returns the generalized cross entropy of elements with p_y > k, and the constant ``(1 - k^q) / q`` elsewhere.

    The constant has no gradient: elements whose label the prediction does not believe are left out. The value is
    continuous at k. The truncated loss of the paper named in `generalized_cross_entropy`; k = 0.5 is theirs.

    Args:
        logits: (N, K, ...) float.
        target: (N, ...) int64 in 0..K-1.
        q: In (0, 1].
        k: In (0, 1).

    Returns:
        (N, ...) in [0, (1 - k^q) / q].
    """
    return _truncated_of_nll(cross_entropy(logits, target), q, -math.log(k))


def _of_nll(nll: Tensor, q: float) -> Tensor:
    return torch.expm1(-q * nll) * (-1 / q)


def _truncated_of_nll(nll: Tensor, q: float, limit: float | Tensor) -> Tensor:
    """Returns the loss, constant from a cross entropy of `limit` on."""
    # Not a clamp: it would let a gradient through at the limit itself, where the predictions of a fresh model may be.
    # Not `nll < limit` the other way round: NaN must stay NaN.
    return _of_nll(torch.where(nll >= limit, limit, nll), q)


def _check_q(q: float) -> None:
    if not 0 < q <= 1:
        raise ValueError(f"q: expected 0 < q <= 1, not {q!r}; the limit q = 0 is noisyseg.CrossEntropy")


@MODELS.register_module()
class GeneralizedCrossEntropy(LabelProbabilityLoss):
    """Generalized cross entropy; see `generalized_cross_entropy`.

    Args:
        q: In (0, 1]; larger forgives more and learns more slowly.
        **settings: The arguments of `ElementwiseLoss`.

    Raises:
        ValueError: q out of range.
    """

    def __init__(self, q: float = 0.7, **settings: Any) -> None:  # noqa: ANN401 - passed on
        super().__init__(**settings)
        _check_q(q)
        self.q = q

    def of_nll(self, nll: Tensor) -> Tensor:
        """Returns ``(1 - exp(-q nll)) / q``."""
        return _of_nll(nll, self.q)

    def extra_repr(self) -> str:
        """Returns the settings."""
        return f"q={self.q}, {super().extra_repr()}"


@MODELS.register_module()
class TruncatedGeneralizedCrossEntropy(LabelProbabilityLoss):
    """Generalized cross entropy that leaves out what it does not believe; see `truncated_generalized_cross_entropy`.

    A fresh model believes nothing: with K classes p_y is about 1/K, so from the first iteration on no element would
    have a gradient, and the model would never learn. Hence `start`, which has no default: until then the loss is
    `GeneralizedCrossEntropy`. Give 0 only to a model that is trained already.

    Differs from the paper, which alternates: at epoch 40, and every 10 epochs from there on, it goes over all training
    images, notes which ones have p_y > k, and until the next time trains on those alone, whatever becomes of their p_y.
    Here nothing is noted, each call decides by its own predictions. A pixel that has sunk below k gets no gradient of
    its own at once, not at the next review, and comes back as soon as what the model learns from other pixels lifts it
    over k. With a review at every step the two are the same.

    Args:
        q: In (0, 1], as in `GeneralizedCrossEntropy`.
        k: In (0, 1); elements with p_y <= k are left out. They stay in the divisor of a mean.
        start: Number of calls in training mode before the truncation, >= 0. It counts calls: a decode head makes one
            per iteration, a box head with five levels five. The count is in the state dict, so that a resumed run
            goes on with it.
        **settings: The arguments of `ElementwiseLoss`.

    Raises:
        ValueError: A setting out of range.
    """

    calls: Tensor | None

    def __init__(self, q: float = 0.7, k: float = 0.5, *, start: int, **settings: Any) -> None:  # noqa: ANN401 - passed on
        super().__init__(**settings)
        _check_q(q)
        if not 0 < k < 1:
            raise ValueError(f"k: expected 0 < k < 1, not {k!r}")
        if isinstance(start, bool) or not isinstance(start, int) or start < 0:
            raise ValueError(f"start: expected a number of calls >= 0, not {start!r}")
        self.q = q
        self.k = k
        self.start = start
        self.register_buffer("calls", torch.zeros((), dtype=torch.long) if start else None)

    def forward(self, *args: Any, **kwargs: Any) -> Tensor:  # noqa: ANN401 - passed on
        """Returns what `ElementwiseLoss.forward` does, and counts the call."""
        loss = super().forward(*args, **kwargs)
        if self.training and self.calls is not None:
            self.calls += 1
        return loss

    def of_nll(self, nll: Tensor) -> Tensor:
        """Returns the generalized cross entropy, constant from ``-log k`` on once `start` calls are made."""
        limit = nll.new_full((), -math.log(self.k))
        if self.calls is not None:
            limit = torch.where(self.calls < self.start, torch.inf, limit)
        return _truncated_of_nll(nll, self.q, limit)

    def extra_repr(self) -> str:
        """Returns the settings."""
        return f"q={self.q}, k={self.k}, start={self.start}, {super().extra_repr()}"
