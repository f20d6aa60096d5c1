"""LDR and ALDR: the worst case over distributions of the label, with one temperature or one for each element."""

from __future__ import annotations

import math
from typing import Any, ClassVar, Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor

from noisyseg.losses.closed_form import closed_form, subtract_at
from noisyseg.losses.elementwise import ElementwiseLoss
from noisyseg.registry import MODELS

__all__ = ["ALDR", "LDR", "Rescale", "adaptive_ldr", "ldr"]

Rescale = Literal["none", "l1", "softplus"]

SMALLEST_SCALE = 1e-2
"""Below it the mean size of the logits divides no further: the gradient is multiplied by 1 / scale, and logits that are
all 0, which a fresh head may well have, would make it infinite."""

LARGEST_EXPONENT = 80.0
"""Of margin / lambda, whose exponential has to be a float32."""


def ldr(logits: Tensor, target: Tensor, lam: float = 1.0, margin: float = 0.1, rescale: Rescale = "softplus") -> Tensor:
    """Returns the label-distributionally robust loss of each element.

    ``lam log(1/K sum_k exp((s_k - s_y + margin [k != y]) / lam))``, with rescaled logits s: the largest margin
    violation if lam → 0, their mean if lam → ∞, and ``CE - log K`` if lam = 1 and margin = 0.

    Zhu, Ying and Yang, "Label Distributionally Robust Losses for Multi-class Classification: Consistency, Robustness
    and Adaptivity", ICML 2023. The gradient is that of cross entropy under the logits s / lam with the margin taken
    off the label's.

    Args:
        logits: (N, K, ...) float.
        target: (N, ...) int64 in 0..K-1.
        lam: Temperature > 0.
        margin: >= 0, at most 80 lam.
        rescale: ``none``: s = z; ``l1``: s = z / mean_k |z_k|; ``softplus``: s = a / mean_k a_k, a = log(1 + exp z).
            Means below 0.01 count as 0.01. No rescaling changes the order of an element's logits, but the two make the
            loss blind to their common size.

    Returns:
        (N, ...), at least ``-lam log K``; negative where the label fits.

    Examples:
        >>> import torch
        >>> logits = torch.tensor([[2.0, 0.0, -1.0]], dtype=torch.float64)
        >>> ldr(logits, torch.tensor([0]), margin=0.1, rescale="none")
        tensor([-0.9125], dtype=torch.float64)
    """

    def kernel(logits: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        scaled, scale = _rescaled(logits, rescale)
        values, gradient = _of_scaled(scaled, target, lam, margin, scale)
        return values, _through_scale(gradient, scaled, scale, rescale)

    return closed_form(kernel, logits, target)


def adaptive_ldr(
    logits: Tensor,
    target: Tensor,
    lam0: float = 1.0,
    alpha: float = 2.0,
    margin: float = 0.1,
    rescale: Rescale = "l1",
) -> Tensor:
    """Returns the label-distributionally robust loss of each element under a temperature of its own.

    The temperature is ``lam = lam0 (1 - KL(p || uniform) / (alpha log K))`` with ``p = softmax(s / lam0)``: from lam0
    where the prediction is uniform down to lam0 (1 - 1 / alpha) where it is sure. The loss is `ldr` with it, less
    ``alpha log K / (2 lam0) (lam - lam0)^2``. In the gradient lam is a constant.

    Source as for `ldr`, ALDR-KL. The authors keep lam from visit to visit of a training sample and take such a step
    each time; pixels under augmentation have no identity, so this is one step from lam0 each time.

    Args:
        logits: (N, K, ...) float, K >= 2.
        target: (N, ...) int64 in 0..K-1.
        lam0: Temperature > 0 of a uniform prediction.
        alpha: > 1.
        margin: >= 0, at most 80 times the smallest lam.
        rescale: As for `ldr`.

    Returns:
        (N, ...); negative where the label fits.

    Examples:
        >>> import torch
        >>> logits = torch.tensor([[2.0, 0.0, -1.0]], dtype=torch.float64)
        >>> adaptive_ldr(logits, torch.tensor([0]))
        tensor([-0.8188], dtype=torch.float64)
    """
    log_k = math.log(logits.shape[1])

    def kernel(logits: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        scaled, scale = _rescaled(logits, rescale)
        p = torch.softmax(scaled if lam0 == 1 else scaled / lam0, dim=1)
        log_sum = scaled.amax(1) / lam0 - p.amax(1).log()  # of exp(s / lam0), without another tensor of that size
        divergence = p.mul_(scaled).sum(1) / lam0 - log_sum + log_k
        lam = lam0 * (1 - divergence / (alpha * log_k))
        del p  # its memory serves the next steps
        values, gradient = _of_scaled(scaled, target, lam, margin, scale)
        values -= alpha * log_k / (2 * lam0) * (lam - lam0).square()
        return values, _through_scale(gradient, scaled, scale, rescale)

    return closed_form(kernel, logits, target)


def _rescaled(logits: Tensor, rescale: Rescale) -> tuple[Tensor, Tensor | None]:
    """Returns rescaled logits, and the (N, 1, ...) mean that they were divided by."""
    if rescale == "none":
        return logits, None
    positive = F.softplus(logits) if rescale == "softplus" else logits.abs()
    scale = positive.mean(1, keepdim=True).clamp_(min=SMALLEST_SCALE)
    if rescale == "softplus":
        return positive.div_(scale), scale
    return torch.div(logits, scale, out=positive), scale


def _of_scaled(
    scaled: Tensor, target: Tensor, lam: float | Tensor, margin: float, scale: Tensor | None
) -> tuple[Tensor, Tensor]:
    """Returns values (N, ...), and their gradient by the scaled logits, divided by the scale.

    With ``nll = -log softmax(s / lam)_y`` the loss is ``lam (nll + log(1 + c (1 - exp -nll)) - log K)``, where
    ``c = exp(margin / lam) - 1``: the margin needs no second pass over the classes.
    """
    each = isinstance(lam, Tensor)
    log_q = F.log_softmax(scaled / (lam.unsqueeze(1) if each else lam), dim=1)
    nll = -log_q.gather(1, target.unsqueeze(1)).squeeze(1)
    violation = torch.expm1(margin / lam) if each else math.expm1(margin / lam)
    inner = 1 - violation * torch.expm1(-nll)
    values = lam * (nll + inner.log() - math.log(scaled.shape[1]))
    slope = (1 + violation) / inner  # of nll + log inner, by nll
    slope = slope.unsqueeze(1) if scale is None else slope.unsqueeze(1) / scale
    return values, subtract_at(log_q.exp_(), target, 1.0).mul_(slope)


def _through_scale(gradient: Tensor, scaled: Tensor, scale: Tensor | None, rescale: Rescale) -> Tensor:
    """Returns the gradient by the logits, from that by the scaled ones over the scale; changes both in place.

    With ``s = a / m`` and ``m = mean_k |a_k|``: ``dL/da_j = (g_j - sign(a_j) / K sum_k g_k s_k) / m``.
    """
    if scale is None:
        return gradient
    pull = (gradient * scaled).sum(1, keepdim=True) / scaled.shape[1]
    pull = torch.where(scale > SMALLEST_SCALE, pull, 0)
    if rescale == "l1":
        return gradient.addcmul_(scaled.sign_(), pull, value=-1)
    sigmoid = scaled.mul_(scale).neg_().expm1_().neg_()  # of the logits: 1 - exp(-softplus)
    return gradient.sub_(pull).mul_(sigmoid)


@MODELS.register_module()
class LDR(ElementwiseLoss):
    """Label-distributionally robust loss; see `ldr`.

    Networks trained with it are **not calibrated**: never take their softmax for a probability.

    Args:
        lam: Temperature, finite and > 0.
        margin: Finite, >= 0 and at most 80 lam.
        rescale: ``softplus`` (as the release), ``l1`` or ``none``. The sigmoid form has no ``l1``.
        **settings: The arguments of `ElementwiseLoss`.

    Raises:
        ValueError: A setting out of range, or ``l1`` in the sigmoid form.
    """

    def __init__(
        self,
        lam: float = 1.0,
        margin: float = 0.1,
        rescale: Rescale = "softplus",
        **settings: Any,  # noqa: ANN401 - passed on
    ) -> None:
        super().__init__(**settings)
        _check_settings("lam", lam, lam, margin, rescale)
        if rescale == "l1" and (self.use_sigmoid or self.use_mask):
            raise ValueError(f"{type(self).__name__} has no sigmoid form with rescale='l1': {ALDR.why_not}")
        self.lam = lam
        self.margin = margin
        self.rescale = rescale

    def elementwise(self, logits: Tensor, target: Tensor) -> Tensor:
        """Returns `ldr` of the elements."""
        return ldr(logits, target, self.lam, self.margin, self.rescale)

    def extra_repr(self) -> str:
        """Returns the settings."""
        return f"lam={self.lam}, margin={self.margin}, rescale={self.rescale!r}, {super().extra_repr()}"


@MODELS.register_module()
class ALDR(ElementwiseLoss):
    """Label-distributionally robust loss with a temperature for each element; see `adaptive_ldr`.

    Networks trained with it are **not calibrated**: never take their softmax for a probability.

    Args:
        lam0: Temperature of a uniform prediction, finite and > 0. The authors search it.
        alpha: Finite and > 1.
        margin: Finite, >= 0 and at most 80 times the smallest temperature.
        rescale: ``l1`` (as the release), ``softplus`` or ``none``.
        **settings: The arguments of `ElementwiseLoss`.

    Raises:
        ValueError: A setting out of range, or the sigmoid form.
    """

    forms = ("softmax",)
    why_not = "divided by their mean size, the logits (0, z) keep only the sign of z; LDR has a sigmoid form"
    detaches: ClassVar[bool] = True
    """The temperature counts as a constant in the gradient."""

    def __init__(
        self,
        lam0: float = 1.0,
        alpha: float = 2.0,
        margin: float = 0.1,
        rescale: Rescale = "l1",
        **settings: Any,  # noqa: ANN401 - passed on
    ) -> None:
        super().__init__(**settings)
        if not 1 < alpha < math.inf:
            raise ValueError(f"alpha: expected a finite number > 1, not {alpha!r}")
        _check_settings("lam0", lam0, lam0 * (1 - 1 / alpha), margin, rescale)
        self.lam0 = lam0
        self.alpha = alpha
        self.margin = margin
        self.rescale = rescale

    def elementwise(self, logits: Tensor, target: Tensor) -> Tensor:
        """Returns `adaptive_ldr` of the elements."""
        return adaptive_ldr(logits, target, self.lam0, self.alpha, self.margin, self.rescale)

    def extra_repr(self) -> str:
        """Returns the settings."""
        own = f"lam0={self.lam0}, alpha={self.alpha}, margin={self.margin}, rescale={self.rescale!r}"
        return f"{own}, {super().extra_repr()}"


def _check_settings(name: str, value: float, smallest: float, margin: float, rescale: str) -> None:
    if not 0 < value < math.inf:
        raise ValueError(f"{name}: expected a finite number > 0, not {value!r}")
    if not 0 <= margin <= LARGEST_EXPONENT * smallest:
        raise ValueError(f"margin: expected 0 <= margin <= {LARGEST_EXPONENT * smallest:g}, not {margin!r}")
    if rescale not in get_args(Rescale):
        raise ValueError(f"rescale: expected one of {', '.join(get_args(Rescale))}, not {rescale!r}")
