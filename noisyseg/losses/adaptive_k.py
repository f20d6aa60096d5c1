"""Adaptive-k: leave out what has a high loss, by a threshold that follows the losses seen so far."""

from __future__ import annotations

import math
from typing import Any, Literal, get_args

import torch
from torch import Tensor, distributed

from noisyseg.losses.elementwise import ElementwiseLoss
from noisyseg.losses.forms import Elements
from noisyseg.losses.inner import inner_loss
from noisyseg.registry import MODELS

__all__ = ["AdaptiveK"]

Rule = Literal["fixed_threshold", "mean_std"]


@MODELS.register_module()
class AdaptiveK(ElementwiseLoss):
    """Another loss, over the elements whose value is not above a threshold.

    - ``fixed_threshold``, the published rule: ``m / sqrt(v)``, where m and v are running means of a batch's loss and
      of its square, with decay beta1 and beta2 and from 0. The ratio does not depend on the size of the losses. It is
      3.2 after the first batch, rises to about 6.5 and comes down to 1.0 within some 1 / (1 - beta2) batches,
      whatever the losses are. **Over cross entropy it therefore ends as "keep elements with p_y > 0.37"**, which is
      a fixed threshold.
    - ``mean_std``, ours, which is what the rule's description leads one to expect: ``m + k s``, where m is the
      running mean as before and s² that of the variance of the losses within a batch (beta2), both corrected for
      their start.

    The running means are buffers: they are in the checkpoint, change in training mode alone, and know only of elements
    that count, with their weights. Under distributed training all processes share them, so all have to call the loss
    equally often. A mean divides by the weights of the elements that are kept. If none is, the loss is 0.

    Dedeoglu, Kesgin and Amasyali, "A Robust Optimization Method for Label Noisy Datasets Based on Adaptive Threshold:
    Adaptive-k", 2022. There the threshold acts after 30 epochs.

    Args:
        loss: Config of the loss; None stands for cross entropy. The forms are its forms.
        rule: See above.
        k: Standard deviations above the mean, finite; None stands for 1. ``fixed_threshold`` takes none.
        beta1: Decay of the mean, in [0, 1).
        beta2: Decay of the second moment, or of the variance, in [0, 1).
        warmup: Batches that the running means see before the threshold acts, >= 0.
        **settings: The arguments of `ElementwiseLoss`.

    Raises:
        ValueError: A setting out of range, or an inner loss that does not fit (see `inner_loss`).
    """

    mean: Tensor
    spread: Tensor
    batches: Tensor

    def __init__(
        self,
        loss: dict[str, Any] | None = None,
        rule: Rule = "fixed_threshold",
        k: float | None = None,
        beta1: float = 0.9,
        beta2: float = 0.999,
        warmup: int = 0,
        **settings: Any,  # noqa: ANN401 - passed on
    ) -> None:
        super().__init__(**settings)
        if rule not in get_args(Rule):
            raise ValueError(f"rule: expected one of {', '.join(get_args(Rule))}, not {rule!r}")
        if rule == "fixed_threshold" and k is not None:
            raise ValueError("k belongs to rule='mean_std'; fixed_threshold has no such factor")
        if k is not None and not math.isfinite(k):
            raise ValueError(f"k: expected a finite number, not {k!r}")
        for name, beta in (("beta1", beta1), ("beta2", beta2)):
            if not 0 <= beta < 1:
                raise ValueError(f"{name}: expected 0 <= {name} < 1, not {beta!r}")
        if warmup < 0:
            raise ValueError(f"warmup: expected a number of batches >= 0, not {warmup!r}")
        if loss is None:
            loss = dict(type="noisyseg.CrossEntropy")
        self.loss = inner_loss("loss", loss, sigmoid=self.use_sigmoid or self.use_mask)
        self.rule = rule
        self.k = 1.0 if k is None else k
        self.beta1 = beta1
        self.beta2 = beta2
        self.warmup = warmup
        self.register_buffer("mean", torch.zeros(()))
        self.register_buffer("spread", torch.zeros(()))
        self.register_buffer("batches", torch.zeros((), dtype=torch.long))

    def elementwise(self, logits: Tensor, target: Tensor) -> Tensor:
        """Returns the inner loss of the elements."""
        return self.loss.loss_weight * self.loss.elementwise(logits, target)

    def values_and_weights(self, elements: Elements, image_weight: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Returns the inner losses of the elements, and all their weights multiplied."""
        values, _ = self.loss.values_and_weights(elements, image_weight)
        return self.loss.loss_weight * values, elements.weights(self._class_weight, image_weight)

    @torch.no_grad()
    def _observe(self, values: Tensor, weights: Tensor) -> None:
        """Takes a batch into the running means; one without weight changes nothing."""
        weighted = weights * values
        sums = torch.stack((weights.sum(), weighted.sum(), (weighted * values).sum()))
        if distributed.is_available() and distributed.is_initialized():
            distributed.all_reduce(sums)
        total, first, second = sums.to(self.mean).unbind()
        seen = total > 0
        total = total.clamp(min=torch.finfo(total.dtype).tiny)
        mean = first / total
        spread = mean.square() if self.rule == "fixed_threshold" else (second / total - mean.square()).clamp(min=0)
        self.mean.lerp_(mean, (1 - self.beta1) * seen)
        self.spread.lerp_(spread, (1 - self.beta2) * seen)
        self.batches.add_(seen)

    def threshold(self) -> Tensor:
        """Returns the () loss up to which elements are kept now; infinite during the warm-up."""
        if self.rule == "fixed_threshold":
            threshold = self.mean / self.spread.sqrt()
        else:
            mean = self.mean / (1 - self.beta1**self.batches)
            threshold = mean + self.k * (self.spread / (1 - self.beta2**self.batches)).sqrt()
        acts = (self.batches > self.warmup) & (self.batches > 0)
        return torch.where(acts, threshold, torch.inf)

    def select(self, values: Tensor, weights: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Returns the values, and weights that are 0 where a value is above the threshold."""
        seen = values.detach()
        if weights is None:
            weights = torch.ones_like(seen)
        if self.training:
            self._observe(seen, weights)
        return values, weights * (seen <= self.threshold())

    def extra_repr(self) -> str:
        """Returns the settings; the inner loss prints itself."""
        k = f"k={self.k}, " if self.rule == "mean_std" else ""
        own = f"rule={self.rule!r}, {k}beta1={self.beta1}, beta2={self.beta2}, warmup={self.warmup}"
        return f"{own}, {super().extra_repr()}"
