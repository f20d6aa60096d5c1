"""Cross entropy of edges: each class by itself, balanced or not, over the pixels that are not ignored."""

from __future__ import annotations

import math
from typing import Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from noisyseg.ops.checks import require
from noisyseg.registry import MODELS

__all__ = ["EdgeCrossEntropy", "edge_cross_entropy"]

Balance = Literal["none", "image", "class"]
Total = Literal["mean", "sum"]


def edge_cross_entropy(
    logits: Tensor,
    targets: Tensor,
    valid: Tensor | None = None,
    *,
    balance: Balance = "none",
    negative_weight: float = 1.0,
    band: float | None = None,
    reduction: Total = "mean",
) -> Tensor:
    """Returns the binary cross entropy of edges, ``-w1 t log σ(z) - w0 (1 - t) log(1 - σ(z))`` of each pixel and class.

    With n the share of an image's valid pixels that are on no edge:

    - ``balance="none"``: w1 = 1, w0 = ``negative_weight``; what PNT-Edge trains with
    - ``"image"``: w1 = n, w0 = ``negative_weight`` (1 - n), an edge being one of any class: CASENet, and with one class
      HED. An image without edges then counts nothing.
    - ``"class"``: n is the class's own share of the image, HED's weights for each class alone. A class without edges in
      an image counts nothing there, so its false alarms cost nothing.

    In float32 (float64 stays), also under autocast.

    Args:
        logits: (B, K, H, W) float.
        targets: (B, K, H, W) bool, or float in [0, 1]: the share of annotators that drew the edge.
        valid: (B, 1, H, W) bool, False where the label is ignored; None where every pixel has one.
        balance: See above.
        negative_weight: Factor on w0; RCF balances with 1.1.
        band: RCF's η. Targets above it are edges, 0 is none, and what is between counts nothing; None takes targets as
            they are.
        reduction: ``mean`` over the valid pixels and classes of the batch, whatever their weights, or ``sum`` over
            pixels and classes and mean over images, as the released code of CASENet, SEAL and PNT-Edge has it: the mean
            times the counted pixels and classes of an image. Their learning rates are made for that.

    Returns:
        () >= 0; 0 with gradient 0 where nothing is valid.

    Raises:
        ValueError: An option is unknown or out of range, shapes do not fit, or a target is outside of [0, 1] (on CUDA a
            device-side assertion).

    Source:
        Yu et al., CASENet, CVPR 2017; Xie and Tu, Holistically-Nested Edge Detection, ICCV 2015; Liu et al., Richer
        Convolutional Features for Edge Detection, CVPR 2017.

    Examples:
        >>> edge_cross_entropy(torch.tensor([[[[2.0, -2.0]]]]), torch.tensor([[[[True, False]]]]))
        tensor(0.1269)
    """
    _check_options(balance, negative_weight, band, reduction)
    valid = _check_tensors(logits, targets, valid)
    logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
    targets = targets.to(logits.dtype)
    counted = valid
    if band is not None:
        counted = valid & ((targets == 0) | (targets > band))
        targets = (targets > band).to(logits.dtype)
    known = counted.to(logits.dtype)
    if balance == "none" and negative_weight == 1:
        total = F.binary_cross_entropy_with_logits(logits, targets, weight=known, reduction="sum")
    else:
        w1, w0 = 1.0, negative_weight
        if balance != "none":
            w1 = _empty_share(targets, known, balance)
            w0 = negative_weight * (1 - w1)
        edges = known * targets
        total = -(w1 * edges * F.logsigmoid(logits) + w0 * (known - edges) * F.logsigmoid(-logits)).sum()
    if reduction == "sum":
        return total / max(len(logits), 1)
    return total / counted.expand_as(logits).sum().clamp(min=1)


@MODELS.register_module()
class EdgeCrossEntropy(nn.Module):
    """Binary cross entropy of edges as a loss of `EdgeDetector` and `PNTEdge`; see `edge_cross_entropy`.

    CASENet is ``balance="image", reduction="sum"``, RCF ``balance="image", negative_weight=1.1, band=0.5,
    reduction="sum"``.

    Args:
        balance: ``none``, ``image`` or ``class``.
        negative_weight: Factor on the weight of what is no edge, > 0.
        band: Targets in (0, band] count nothing; None takes them as they are.
        reduction: ``mean`` or ``sum``.
        loss_weight: Factor on the result.

    Raises:
        ValueError: An option is unknown or out of range.
    """

    def __init__(
        self,
        balance: Balance = "none",
        negative_weight: float = 1.0,
        band: float | None = None,
        reduction: Total = "mean",
        loss_weight: float = 1.0,
    ) -> None:
        super().__init__()
        _check_options(balance, negative_weight, band, reduction)
        if not 0 <= loss_weight < math.inf:
            raise ValueError(f"loss_weight: expected a finite number >= 0, not {loss_weight!r}")
        self.balance, self.negative_weight, self.band, self.reduction = balance, negative_weight, band, reduction
        self.loss_weight = loss_weight

    def forward(self, logits: Tensor, targets: Tensor, valid: Tensor | None = None) -> Tensor:
        """Returns `edge_cross_entropy` of a batch, times ``loss_weight``."""
        value = edge_cross_entropy(
            logits,
            targets,
            valid,
            balance=self.balance,
            negative_weight=self.negative_weight,
            band=self.band,
            reduction=self.reduction,
        )
        return self.loss_weight * value


def _empty_share(targets: Tensor, known: Tensor, balance: Balance) -> Tensor:
    """Returns the share of valid pixels without an edge: (B, 1, 1, 1), or (B, K, 1, 1) for each class by itself."""
    if balance == "image":
        targets, known = (targets * known).amax(1, keepdim=True), known.amax(1, keepdim=True)
    return 1 - (targets * known).sum((2, 3), keepdim=True) / known.sum((2, 3), keepdim=True).clamp(min=1)


def _check_options(balance: str, negative_weight: float, band: float | None, reduction: str) -> None:
    for name, value, options in (("balance", balance, Balance), ("reduction", reduction, Total)):
        if value not in get_args(options):
            raise ValueError(f"{name}: expected one of {', '.join(get_args(options))}, not {value!r}")
    if not 0 < negative_weight < math.inf:
        raise ValueError(f"negative_weight: expected a finite number > 0, not {negative_weight!r}")
    if band is not None and not 0 <= band < 1:
        raise ValueError(f"band: expected a number in [0, 1), not {band!r}")


def _check_tensors(logits: Tensor, targets: Tensor, valid: Tensor | None) -> Tensor:
    """Returns the mask of valid pixels, made where there is none."""
    if logits.dim() != 4 or targets.shape != logits.shape:
        raise ValueError(
            f"targets: expected (B, K, H, W) as of the logits {tuple(logits.shape)}, got {tuple(targets.shape)}"
        )
    if targets.dtype != torch.bool:
        low_high = targets.aminmax() if targets.numel() else (targets.new_zeros(()), targets.new_zeros(()))
        require(
            (low_high[0] >= 0) & (low_high[1] <= 1),
            lambda: f"targets: expected values in [0, 1], got {low_high[0].item():g} to {low_high[1].item():g}",
        )
    shape = (len(logits), 1, *logits.shape[2:])
    if valid is None:
        return torch.ones(shape, dtype=torch.bool, device=logits.device)
    if valid.shape != shape or valid.dtype != torch.bool:
        raise ValueError(f"valid: expected {shape} bool, got {tuple(valid.shape)} of {valid.dtype}")
    return valid
