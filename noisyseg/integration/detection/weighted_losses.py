"""Which losses of mmdet's heads honour a weight for each sample, and where the weights come from."""

from __future__ import annotations

import inspect

from mmdet.models import losses
from mmengine.structures import InstanceData
from torch import Tensor, nn

__all__ = ["require_weighted", "takes_image_weight", "weights_of"]

# GHM and EQLv2 read the weights as flags, or not at all; so what is not known to honour them is refused.
HONOUR_WEIGHTS = (
    losses.BalancedL1Loss,
    losses.BoundedIoULoss,
    losses.CIoULoss,
    losses.CrossEntropyLoss,
    losses.DIoULoss,
    losses.FocalLoss,
    losses.GIoULoss,
    losses.IoULoss,
    losses.L1Loss,
    losses.SeesawLoss,
    losses.SmoothL1Loss,
)


def takes_image_weight(loss: nn.Module) -> bool:
    """Returns whether a loss has the argument ``image_weight``, as those of noisyseg have."""
    return "image_weight" in inspect.signature(loss.forward).parameters


def require_weighted(head: nn.Module, *names: str) -> None:
    """Raises ``ValueError`` if one of a head's losses does not honour a weight for each box."""
    for name in names:
        loss = getattr(head, name)
        if not takes_image_weight(loss) and not isinstance(loss, HONOUR_WEIGHTS):
            raise ValueError(
                f"{name}: {type(loss).__module__}.{type(loss).__name__} is not known to honour a weight for each box; "
                f"take a loss of noisyseg, or one of mmdet's {', '.join(loss.__name__ for loss in HONOUR_WEIGHTS)}"
            )


def weights_of(gt_instances: InstanceData) -> Tensor:
    """Returns the (n,) weights of an image's objects.

    Raises:
        ValueError: The objects have none.
    """
    if "weights" not in gt_instances:
        raise ValueError(
            "expected objects with weights: load them with noisyseg.LoadInstanceWeights and pack them with "
            "noisyseg.PackDetInputs"
        )
    return gt_instances.weights
