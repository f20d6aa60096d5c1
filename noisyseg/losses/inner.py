"""Losses inside a loss: which of them it takes, and how it builds them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

from noisyseg.losses.cross_entropy import CrossEntropy
from noisyseg.losses.elementwise import ElementwiseLoss
from noisyseg.losses.label_probability import LabelProbabilityLoss
from noisyseg.registry import MODELS

__all__ = ["function_of_nll", "inner_loss"]

_OUTER_SETTINGS = ("use_sigmoid", "use_mask", "ignore_index", "class_weight", "reduction", "loss_name", "per_instance")


def inner_loss(name: str, config: dict[str, Any], *, sigmoid: bool) -> ElementwiseLoss:
    """Returns the loss of a config, for use inside another one, which weighs and reduces its values.

    Args:
        name: Of the setting, for messages.
        config: As in a head, without the settings that belong to the outer loss. ``loss_weight`` stays with the inner.
        sigmoid: Whether it computes the sigmoid form.

    Raises:
        ValueError: A setting of the outer loss; a loss that chooses among the elements, counts its calls, or looks at
            their neighbours or the samples.
        TypeError: Not a config, or not of an `ElementwiseLoss`.
    """
    if not isinstance(config, dict):
        raise TypeError(f"{name}: expected the config of a loss, not {config!r}")
    misplaced = [key for key in _OUTER_SETTINGS if key in config]
    if misplaced:
        raise ValueError(f"{name}: {', '.join(misplaced)} belongs to the loss around it")
    loss = MODELS.build(dict(config, use_sigmoid=True) if sigmoid else dict(config))
    if not isinstance(loss, ElementwiseLoss):
        raise TypeError(f"{name}: expected a loss with one value for each element, not {type(loss).__name__}")
    kind = type(loss)
    if kind.forward is not ElementwiseLoss.forward or kind.select is not ElementwiseLoss.select:
        raise ValueError(f"{name}: {kind.__name__} counts calls or chooses elements, so it can't be inside a loss")
    if hasattr(loss, "context") or getattr(loss, "spatial", False):
        raise ValueError(f"{name}: {kind.__name__} looks beyond the single element, so it can't be inside a loss")
    return loss


def function_of_nll(loss: ElementwiseLoss) -> Callable[[Tensor], Tensor] | None:
    """Returns what a loss makes of the cross entropy of an element, or None if it looks at more: two can share one."""
    if isinstance(loss, CrossEntropy):
        return lambda nll: nll
    return loss.of_nll if isinstance(loss, LabelProbabilityLoss) else None
