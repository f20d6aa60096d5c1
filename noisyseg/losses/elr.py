"""Early-learning regularization of single pixels: a prediction is held to what the network said of the pixel before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import FunctionCtx, once_differentiable

from noisyseg.losses.elementwise import ElementwiseLoss
from noisyseg.losses.forms import Elements
from noisyseg.losses.reduction import check_weight
from noisyseg.losses.soft_targets import SoftTargets
from noisyseg.ops.checks import require
from noisyseg.registry import MODELS

__all__ = ["PixelELR", "early_learning_regularizer"]

LOWEST = 1e-4
HIGHEST = 1 - LOWEST
CHUNK = 1 << 21
"""Values that are worked on at a time: few enough for a processor's cache, enough to fill a GPU."""


def early_learning_regularizer(logits: Tensor, soft_targets: Tensor | None, classes: Tensor | None = None) -> Tensor:
    """Returns ``log(1 - <t, p>)`` of each element, which pulls the prediction p towards the target t.

    The probabilities are clamped to [1e-4, 1 - 1e-4], as in the authors' code, and not made to sum to 1 again. So the
    value is never below log(1e-4) = -9.2, and a probability outside these bounds is a constant: it has no gradient,
    and where one class is that certain no class has any. (The authors do renormalise, where they average predictions
    into targets.) The target is a constant, the computation is in the type of the logits, and the gradient

        d / dz_j = p_j (sum_k t_k p_k - t_j) / (1 - <t, p>),    clamped classes having t_k = 0 in the numerator,

    is in closed form: cross entropy and regularizer together cost less than 2 cross entropies.

    Args:
        logits: (N, K, ...) float.
        soft_targets: (N, K, ...) probabilities; or (N, M, ...), those of ``classes``; or None for ``t = p``.
        classes: (N, M, ...) int64, without repetition; the probability of others counts as 0.

    Returns:
        (N, ...), <= 0.

    Raises:
        ValueError: Wrong shapes, or targets outside [0, 1].

    Source:
        Liu et al., Early-Learning Regularization Prevents Memorization of Noisy Labels, NeurIPS 2020, equation 6.

    Examples:
        >>> logits = torch.tensor([[2.0, 0.0, -1.0]], dtype=torch.float64)
        >>> early_learning_regularizer(logits, torch.tensor([[0.7, 0.2, 0.1]]))
        tensor([-0.9615], dtype=torch.float64)
    """
    check_targets(logits, soft_targets, classes)
    return _terms(logits, logits.new_zeros((len(logits), *logits.shape[2:]), dtype=torch.long), soft_targets, classes)[
        1
    ]


def check_targets(logits: Tensor, soft_targets: Tensor | None, classes: Tensor | None) -> None:
    """Raises ``ValueError`` unless the targets fit to (N, K, ...) logits (values on CUDA: a device-side assertion)."""
    if soft_targets is None:
        if classes is not None:
            raise ValueError("classes: expected soft_targets with them")
        return
    expected = logits.shape if classes is None else classes.shape
    if soft_targets.shape != expected or not soft_targets.is_floating_point():
        raise ValueError(
            f"soft_targets: expected float {tuple(expected)}, not {soft_targets.dtype} {tuple(soft_targets.shape)}"
        )
    if soft_targets.numel():
        low, high = soft_targets.aminmax()
        require(
            (low >= 0) & (high <= 1),
            lambda: f"soft_targets: expected values in [0, 1], not {low.item():g} to {high.item():g}",
        )
    if classes is not None and (
        classes.dtype != torch.long
        or classes.dim() != logits.dim()
        or (len(classes), *classes.shape[2:]) != (len(logits), *logits.shape[2:])
    ):
        raise ValueError(
            f"classes: expected int64 (N, M, ...) for logits {tuple(logits.shape)}, not {classes.dtype} "
            f"{tuple(classes.shape)}"
        )


@MODELS.register_module()
class PixelELR(ElementwiseLoss):
    """Cross entropy plus ``strength * early_learning_regularizer``, for labels that are wrong in part.

    Where the targets come from is a part of its own: an average of the network's weights (`TeacherTargets`), a bank of
    earlier predictions on disk (``noisyseg.TargetBank``), or nothing: with ``targets=None`` each prediction is its own
    target. The first two see the batch's samples, so they need a head that passes them on, ``noisyseg.NoiseAwareHead``;
    None works in every head of mmseg and mmdet.

    Weights, class weights and ignored labels count for both terms alike. In the sigmoid form a channel has the target
    (1 - t, t), and K channels have K regularizers.

    Args:
        strength: The paper's lambda, >= 0: 3 and 7 on CIFAR-10 and CIFAR-100; less for pixels, which are smoother.
        warm_up: Calls in training without the regularizer.
        ramp: Calls in training after these over which its strength rises linearly from 0; 0 for none.
            The calls are counted in the buffer ``iteration``, which a checkpoint keeps.
        targets: Config of a `SoftTargets`; None for the prediction itself.
        **settings: The arguments of `ElementwiseLoss`.

    Raises:
        ValueError: A setting out of range, or targets that have no sigmoid form in a loss that has.
    """

    own_tests: ClassVar[bool] = True  # not a function of logits, labels and weights alone

    iteration: Tensor

    def __init__(
        self,
        strength: float = 1.0,
        warm_up: int = 0,
        ramp: int = 0,
        targets: Mapping[str, Any] | None = None,
        **settings: Any,  # noqa: ANN401 - passed on
    ) -> None:
        super().__init__(**settings)
        if not 0 <= strength < float("inf"):
            raise ValueError(f"strength: expected a finite number >= 0, not {strength}")
        for name, calls in (("warm_up", warm_up), ("ramp", ramp)):
            if not isinstance(calls, int) or isinstance(calls, bool) or calls < 0:
                raise ValueError(f"{name}: expected a whole number of calls >= 0, not {calls!r}")
        self.strength, self.warm_up, self.ramp = strength, warm_up, ramp
        self.targets: SoftTargets | None = None if targets is None else MODELS.build(dict(targets))
        binary = self.use_sigmoid or self.use_mask
        if self.targets is not None and binary and (self.use_mask or not self.targets.has_sigmoid_form):
            form = "use_mask" if self.use_mask else "the sigmoid form"
            raise ValueError(f"targets: {type(self.targets).__name__} has none for {form}")
        self.register_buffer("iteration", torch.zeros((), dtype=torch.long))

    def context(self, seg_logits: Tensor, batch_data_samples: Sequence[Any]) -> dict[str, Tensor]:
        """Returns what the call of the loss needs besides logits and labels: the soft targets of the batch.

        Args:
            seg_logits: (N, K, H, W) at the size of the labels.
            batch_data_samples: The N samples, as mmseg's heads have them.
        """
        if self.targets is None:
            return {}
        with torch.no_grad(), torch.autocast(seg_logits.device.type, enabled=False):
            return self.targets(
                seg_logits.detach().float(),
                batch_data_samples,
                sigmoid=self.use_sigmoid,
                ignore_index=255 if self.ignore_index is None else self.ignore_index,
                training=self.training,
            )

    def elementwise(self, logits: Tensor, target: Tensor) -> Tensor:
        """Returns the loss of each element with the prediction as its own target."""
        return self._with_targets(logits, target, None, None, None)

    def values_and_weights(
        self,
        elements: Elements,
        image_weight: Tensor | None,
        *,
        soft_targets: Tensor | None = None,
        target_classes: Tensor | None = None,
        target_weight: Tensor | None = None,
    ) -> tuple[Tensor, Tensor | None]:
        """Returns the losses of the elements, and all their weights multiplied.

        Args:
            elements: See `HeadLoss`.
            image_weight: See `HeadLoss`.
            soft_targets: See `early_learning_regularizer`; in the sigmoid form of the shape of the logits.
            target_classes: See `early_learning_regularizer`; softmax form only.
            target_weight: Of the shape of the labels, >= 0: how far each target counts; 0 where there is none.

        Raises:
            ValueError: The loss has ``targets`` and got none; or wrong shapes.
        """
        if self.targets is not None and soft_targets is None:
            raise ValueError(
                f"PixelELR with {type(self.targets).__name__}: got no soft_targets; the head has to pass them: "
                "dict(type='noisyseg.NoiseAwareHead', head=...)"
            )
        if elements.binary and target_classes is not None:
            raise ValueError("target_classes: the sigmoid form has none")
        check_targets(elements.logits, soft_targets, target_classes)
        weights = elements.weights(self._class_weight, image_weight)
        if target_weight is not None:
            check_weight(target_weight, "target_weight")
            target_weight = target_weight.to(elements.logits)
            if elements.binary and target_weight.dim() < elements.target.dim():
                target_weight = target_weight.unsqueeze(1)
        if elements.binary and soft_targets is not None:
            soft_targets = torch.stack((1 - soft_targets, soft_targets), dim=1)
        values = elements.values(lambda z, y: self._with_targets(z, y, soft_targets, target_classes, target_weight))
        if self.training:
            self.iteration += 1
        return values, weights

    def _with_targets(
        self,
        logits: Tensor,
        labels: Tensor,
        soft_targets: Tensor | None,
        classes: Tensor | None,
        target_weight: Tensor | None,
    ) -> Tensor:
        nll, regularizer = _terms(logits, labels, soft_targets, classes)
        strength = self.strength * self._share().to(nll)
        return nll + regularizer * (strength if target_weight is None else strength * target_weight)

    def _share(self) -> Tensor:
        """Returns the share of the strength at this call, () in [0, 1], without a look at the counter's value."""
        after = self.iteration - self.warm_up
        return (after / self.ramp).clamp(0, 1) if self.ramp else (after >= 0).float()

    def extra_repr(self) -> str:
        """Returns the settings."""
        own = f"strength={self.strength}, warm_up={self.warm_up}, ramp={self.ramp}, targets={self.targets}"
        return f"{own}, {super().extra_repr()}"


def _terms(
    logits: Tensor, labels: Tensor, soft_targets: Tensor | None, classes: Tensor | None
) -> tuple[Tensor, Tensor]:
    return _Terms.apply(logits, labels, None if soft_targets is None else soft_targets.to(logits), classes)


def _chunks(*tensors: Tensor | None) -> Iterator[list[Tensor | None]]:
    """Yields the tensors in matching parts along their first dimension, of about `CHUNK` values of the first one."""
    first = tensors[0]
    if first is None or not first.numel():
        return
    rows = max(1, CHUNK * len(first) // first.numel())
    for start in range(0, len(first), rows):
        yield [None if tensor is None else tensor[start : start + rows] for tensor in tensors]


class _Terms(torch.autograd.Function):
    """Cross entropy and regularizer (N, ...) from one softmax, with the gradient of both in one pass."""

    @staticmethod
    def forward(
        ctx: FunctionCtx, logits: Tensor, labels: Tensor, soft: Tensor | None, classes: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        probs = torch.empty_like(logits)
        nll, agreement = (logits.new_empty(labels.shape) for _ in range(2))
        for z, y, t, of, p, n, a in _chunks(logits, labels, soft, classes, probs, nll, agreement):
            log_p = F.log_softmax(z, dim=1)
            torch.neg(log_p.gather(1, y.unsqueeze(1)).squeeze(1), out=n)
            torch.exp(log_p, out=p)
            chosen = p if of is None else p.gather(1, of)
            clamped = chosen.clamp(LOWEST, HIGHEST)
            torch.sum(clamped.mul_(chosen if t is None else t), dim=1, out=a)
        ctx.save_for_backward(labels, soft, classes, probs, agreement)
        return nll, torch.log1p(-agreement)

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, nll_grad: Tensor, grad: Tensor) -> tuple[Tensor, None, None, None]:
        labels, soft, classes, probs, agreement = ctx.saved_tensors
        logits_grad = torch.empty_like(probs)
        pull = grad / (1 - agreement)
        for p, y, t, of, g, r, c in _chunks(probs, labels, soft, classes, logits_grad, pull, nll_grad):
            chosen = p if of is None else p.gather(1, of)
            live = chosen.clamp(LOWEST, HIGHEST).eq_(chosen)
            agreeing = live.mul_(chosen if t is None else t).mul_(chosen)
            level = agreeing.sum(dim=1).mul_(r).add_(c)
            torch.mul(p, level.unsqueeze(1), out=g)
            agreeing.mul_(r.unsqueeze(1)).neg_()
            g = g.add_(agreeing) if of is None else g.scatter_add_(1, of, agreeing)
            g.scatter_add_(1, y.unsqueeze(1), -c.unsqueeze(1))
        return logits_grad, None, None, None
