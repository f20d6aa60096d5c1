"""Bootstrapping: labels mixed with what the model itself believes."""

from __future__ import annotations

from typing import Any, Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import FunctionCtx, once_differentiable

from noisyseg.losses.elementwise import ElementwiseLoss
from noisyseg.registry import MODELS

__all__ = ["Bootstrapping", "hard_bootstrapping", "soft_bootstrapping"]

Mode = Literal["soft", "hard"]

_BETA: dict[Mode, float] = {"soft": 0.95, "hard": 0.8}


def soft_bootstrapping(logits: Tensor, target: Tensor, beta: float = 0.95, *, detach: bool = False) -> Tensor:
    """Returns the cross entropy to the target ``beta e_y + (1 - beta) p`` of each element.

    That is ``beta CE + (1 - beta) H(p)``, where H is the entropy of the prediction. Its gradient depends on whether
    the target counts as a constant:

    - Not a constant (default): ``beta (p - e_y)`` plus the gradient of the entropy term. Cross entropy with a reward
      for being sure, which is how the paper explains the loss.
    - A constant (``detach=True``): ``p - (beta e_y + (1 - beta) p) = beta (p - e_y)``, **exactly that of cross
      entropy, times beta**. The prediction drops out. This is cross entropy with a smaller step, and under Adam,
      which divides constant factors out, it is cross entropy. It is offered because implementations do it and tables
      of results were made with it; it protects from nothing.

    Reed et al., "Training Deep Neural Networks on Noisy Labels with Bootstrapping", ICLR 2015 workshop;
    beta = 0.95 is theirs.

    Args:
        logits: (N, K, ...) float.
        target: (N, ...) int64 in 0..K-1.
        beta: Share of the label, in [0, 1].
        detach: Whether the target counts as a constant.

    Returns:
        (N, ...) >= 0, the same for both.

    Examples:
        >>> import torch
        >>> soft_bootstrapping(torch.tensor([[2.0, 0.0, -1.0]], dtype=torch.float64), torch.tensor([0]))
        tensor([0.1876], dtype=torch.float64)
    """
    nll, entropy = _LabelNllAndEntropy.apply(logits, target, detach)
    return beta * nll + (1 - beta) * entropy


def hard_bootstrapping(logits: Tensor, target: Tensor, beta: float = 0.8) -> Tensor:
    """Returns the cross entropy to the target ``beta e_y + (1 - beta) e_argmax`` of each element.

    Here the target is a constant, piece by piece, and does act: where label and prediction differ, the prediction is
    pulled both ways. The first of several largest classes counts. The source is that of `soft_bootstrapping`; the
    default beta = 0.8 goes back to it as far as we know, but was not checked.

    Args:
        logits: (N, K, ...) float.
        target: (N, ...) int64 in 0..K-1.
        beta: Share of the label, in [0, 1].

    Returns:
        (N, ...) >= 0.

    Examples:
        >>> import torch
        >>> hard_bootstrapping(torch.tensor([[2.0, 0.0, -1.0]], dtype=torch.float64), torch.tensor([2]))
        tensor([2.5698], dtype=torch.float64)
    """
    nll, best = _LabelAndBestNll.apply(logits, target)
    return beta * nll + (1 - beta) * best


class _LabelNllAndEntropy(torch.autograd.Function):
    """``-log p_y`` and the entropy, with the gradients ``p - e_y`` and ``-p (log p + H)`` added up in one volume."""

    @staticmethod
    def forward(ctx: FunctionCtx, logits: Tensor, target: Tensor, constant_entropy: bool) -> tuple[Tensor, Tensor]:
        log_p = F.log_softmax(logits, dim=1)
        entropy = log_p.exp().mul_(log_p).sum(1).neg_()
        ctx.save_for_backward(log_p, target, entropy)
        ctx.constant_entropy = constant_entropy
        if constant_entropy:
            ctx.mark_non_differentiable(entropy)
        return -log_p.gather(1, target.unsqueeze(1)).squeeze(1), entropy

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, grad_nll: Tensor, grad_entropy: Tensor) -> tuple[Tensor, None, None]:
        log_p, target, entropy = ctx.saved_tensors
        grad_nll = grad_nll.unsqueeze(1)
        if ctx.constant_entropy:
            grad = log_p.exp().mul_(grad_nll)
        else:
            grad_entropy = grad_entropy.unsqueeze(1)
            grad = (log_p * -grad_entropy).add_(grad_nll - grad_entropy * entropy.unsqueeze(1)).mul_(log_p.exp())
        return grad.scatter_add_(1, target.unsqueeze(1), -grad_nll), None, None


class _LabelAndBestNll(torch.autograd.Function):
    """``-log p_y`` and ``-log max p``, with the gradients ``p - e_y`` and ``p - e_argmax`` added up in one volume."""

    @staticmethod
    def forward(ctx: FunctionCtx, logits: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        log_p = F.log_softmax(logits, dim=1)
        best, where = log_p.max(dim=1)
        ctx.save_for_backward(log_p, target, where)
        return -log_p.gather(1, target.unsqueeze(1)).squeeze(1), best.neg_()

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, grad_nll: Tensor, grad_best: Tensor) -> tuple[Tensor, None]:
        log_p, target, where = ctx.saved_tensors
        grad = log_p.exp().mul_((grad_nll + grad_best).unsqueeze(1))
        pulled = torch.stack((target, where), dim=1)
        return grad.scatter_add_(1, pulled, -torch.stack((grad_nll, grad_best), dim=1)), None


@MODELS.register_module()
class Bootstrapping(ElementwiseLoss):
    """Bootstrapping; see `soft_bootstrapping` and `hard_bootstrapping`.

    Args:
        mode: ``soft``: the model's probabilities complete the target; ``hard``: its most probable class does.
        beta: Share of the given label, in (0, 1]; None stands for 0.95 (soft) or 0.8 (hard). 1 is cross entropy.
        detach: Whether a soft target counts as a constant. False by default, because with True the soft loss has
            **exactly the gradient of cross entropy times beta**. A hard target is a constant in any case.
        **settings: The arguments of `ElementwiseLoss`.

    Raises:
        ValueError: Unknown mode, or beta out of range.
    """

    def __init__(
        self,
        mode: Mode = "soft",
        beta: float | None = None,
        detach: bool = False,
        **settings: Any,  # noqa: ANN401 - passed on
    ) -> None:
        super().__init__(**settings)
        if mode not in get_args(Mode):
            raise ValueError(f"mode: expected one of {', '.join(get_args(Mode))}, not {mode!r}")
        if beta is None:
            beta = _BETA[mode]
        if not 0 < beta <= 1:
            raise ValueError(f"beta: expected 0 < beta <= 1, not {beta!r}; with 0 no label would count")
        self.mode = mode
        self.beta = beta
        self.detach = detach

    def elementwise(self, logits: Tensor, target: Tensor) -> Tensor:
        """Returns `soft_bootstrapping` or `hard_bootstrapping` of the elements."""
        if self.mode == "soft":
            return soft_bootstrapping(logits, target, self.beta, detach=self.detach)
        return hard_bootstrapping(logits, target, self.beta)

    def extra_repr(self) -> str:
        """Returns the settings."""
        return f"mode={self.mode!r}, beta={self.beta}, detach={self.detach}, {super().extra_repr()}"
