"""Normalized cross entropy, and sums of a loss that looks at the label alone and one that looks at the rest too."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import FunctionCtx, once_differentiable

from noisyseg.losses.cross_entropy import cross_entropy
from noisyseg.losses.elementwise import ElementwiseLoss
from noisyseg.losses.inner import function_of_nll, inner_loss
from noisyseg.losses.label_probability import check_factor
from noisyseg.registry import MODELS

__all__ = ["ActivePassive", "NormalizedCrossEntropy", "normalized_cross_entropy"]


def normalized_cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """Returns the cross entropy of the label over the sum of the cross entropies of all labels, of each element.

    ``log p_y / sum_k log p_k`` is in [0, 1] and adds up to 1 over the K labels; as for `mean_absolute_error`, its
    minimizer withstands noise that flips to any class equally often. It under-fits on its own: pushing single other
    classes towards 0 lowers it as well, while p_y stays where it is.

    Ma et al., "Normalized Loss Functions for Deep Learning with Noisy Labels", ICML 2020.

    Args:
        logits: (N, K, ...) float, K >= 2.
        target: (N, ...) int64 in 0..K-1.

    Returns:
        (N, ...) in [0, 1]; 1/K for equal logits.

    Raises:
        ValueError: K = 1, where the loss is 0 / 0.

    Examples:
        >>> import torch
        >>> normalized_cross_entropy(torch.tensor([[2.0, 0.0, -1.0]], dtype=torch.float64), torch.tensor([0]))
        tensor([0.0308], dtype=torch.float64)
    """
    return _normalized(*_label_and_total_nll(logits, target))


def _normalized(nll: Tensor, total: Tensor) -> Tensor:
    return nll / total


def _label_and_total_nll(logits: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Returns ``-log p_y`` and ``-sum_k log p_k`` of each element, in one pass over the logits.

    Raises:
        ValueError: Fewer than two classes.
    """
    if logits.shape[1] < 2:
        raise ValueError(f"normalized cross entropy needs two classes or more, not logits {tuple(logits.shape)}")
    return _LabelAndTotalNll.apply(logits, target)


class _LabelAndTotalNll(torch.autograd.Function):
    """The two sums with their gradients ``p - e_y`` and ``K p - 1`` added up in one volume."""

    @staticmethod
    def forward(ctx: FunctionCtx, logits: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        log_p = F.log_softmax(logits, dim=1)
        ctx.save_for_backward(log_p, target)
        return -log_p.gather(1, target.unsqueeze(1)).squeeze(1), -log_p.sum(1)

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, grad_nll: Tensor, grad_total: Tensor) -> tuple[Tensor, None]:
        log_p, target = ctx.saved_tensors
        grad_nll, grad_total = grad_nll.unsqueeze(1), grad_total.unsqueeze(1)
        grad = log_p.exp().mul_(grad_nll + log_p.shape[1] * grad_total).sub_(grad_total)
        return grad.scatter_add_(1, target.unsqueeze(1), -grad_nll), None


@MODELS.register_module()
class NormalizedCrossEntropy(ElementwiseLoss):
    """Normalized cross entropy; see `normalized_cross_entropy`.

    In the sigmoid form the normalization is over the two labels of each channel.

    Args:
        **settings: The arguments of `ElementwiseLoss`.
    """

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401 - passed on
        super().__init__(**settings)

    def elementwise(self, logits: Tensor, target: Tensor) -> Tensor:
        """Returns `normalized_cross_entropy` of the elements."""
        return normalized_cross_entropy(logits, target)


@MODELS.register_module()
class ActivePassive(ElementwiseLoss):
    """A sum ``alpha active + beta passive`` of two losses of this package.

    An active loss (cross entropy, normalized cross entropy) is 0 in all terms but that of the label; a passive one
    (mean absolute error, reverse cross entropy) also lowers the other classes explicitly. Two robust losses of the two
    kinds stay robust in a sum, and make up for each other's under-fitting. Which is which is not checked.

    Ma et al., "Normalized Loss Functions for Deep Learning with Noisy Labels", ICML 2020. Their (alpha, beta) for
    normalized with reverse cross entropy: (1, 1) for 10 classes, (10, 0.1) for 100, (50, 0.1) for WebVision with 50.

    Args:
        active: Config of a loss, such as ``dict(type="noisyseg.NormalizedCrossEntropy")``.
        passive: Config of a loss, such as ``dict(type="noisyseg.ReverseCrossEntropy")``.
        alpha: Factor of the active loss, >= 0.
        beta: Factor of the passive loss, >= 0.
        **settings: The arguments of `ElementwiseLoss`; they hold for both parts, whose configs must not have them.

    Raises:
        TypeError: A part that is not a config, or not of an `ElementwiseLoss`.
        ValueError: A part that does not fit into a loss (see `inner_loss`), or without the form that is asked for; a
            factor that is negative or not finite, or both 0.
    """

    def __init__(
        self,
        active: dict[str, Any],
        passive: dict[str, Any],
        alpha: float = 1.0,
        beta: float = 1.0,
        **settings: Any,  # noqa: ANN401 - passed on
    ) -> None:
        super().__init__(**settings)
        check_factor("alpha", alpha)
        check_factor("beta", beta)
        if alpha == beta == 0:
            raise ValueError("alpha and beta are both 0: there is nothing to learn from")
        sigmoid = self.use_sigmoid or self.use_mask
        self.active = inner_loss("active", active, sigmoid=sigmoid)
        self.passive = inner_loss("passive", passive, sigmoid=sigmoid)
        self.alpha = alpha
        self.beta = beta

    def elementwise(self, logits: Tensor, target: Tensor) -> Tensor:
        """Returns the sum of the parts' values."""
        active, passive = self._parts(logits, target)
        return self.alpha * self.active.loss_weight * active + self.beta * self.passive.loss_weight * passive

    def _parts(self, logits: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        # Going over the classes is what costs; where the parts allow it they share it.
        active, passive = function_of_nll(self.active), function_of_nll(self.passive)
        if active and passive:
            nll = cross_entropy(logits, target)
            return active(nll), passive(nll)
        if isinstance(self.active, NormalizedCrossEntropy) and passive:
            nll, total = _label_and_total_nll(logits, target)
            return _normalized(nll, total), passive(nll)
        return self.active.elementwise(logits, target), self.passive.elementwise(logits, target)

    def extra_repr(self) -> str:
        """Returns the settings."""
        return f"alpha={self.alpha}, beta={self.beta}, {super().extra_repr()}"
