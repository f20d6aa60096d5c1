"""Spatially varying label smoothing: labels are soft at boundaries, because there they are uncertain."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from noisyseg.losses.closed_form import closed_form
from noisyseg.losses.elementwise import ElementwiseLoss
from noisyseg.losses.forms import Elements
from noisyseg.registry import MODELS

__all__ = ["SpatiallyVaryingLabelSmoothing", "neighbour_weights", "smoothed_cross_entropy"]


def neighbour_weights(size: int, sigma: float, dimensions: int) -> Tensor:
    """Returns the (size, ...) float64 weights of a label and its neighbours.

    They are those of a Gaussian, with the centre replaced by the sum of the others, scaled to sum to 1. So the centre
    has 1/2, and no pixel loses its label to its neighbours. Source as for `smoothed_cross_entropy`. Its release is the
    same for kernels of side 3; in larger ones it takes another element than the centre for the sum.

    Args:
        size: Odd, >= 3.
        sigma: Standard deviation in pixels, > 0.
        dimensions: 2 or 3.
    """
    line = torch.arange(size, dtype=torch.float64) - size // 2
    squared = sum(axis**2 for axis in torch.meshgrid(*[line] * dimensions, indexing="ij"))
    weights = torch.exp((1 - squared) / (2 * sigma**2))  # relative to the nearest neighbour: no underflow
    centre = (size // 2,) * dimensions
    weights[centre] = 0
    weights[centre] = weights.sum()
    return weights / weights.sum()


def smoothed_cross_entropy(logits: Tensor, target: Tensor, counts: Tensor | None, weights: Tensor) -> Tensor:
    """Returns the cross entropy of each pixel to the weighted mean of the labels around it.

    ``-sum_v w_v log p_{y(u + v)}(u)`` over the neighbours v that count, with their weights scaled to sum to 1. Outside
    the map the nearest pixel counts.

    Islam and Glocker, "Spatially Varying Label Smoothing: Capturing Uncertainty from Expert Annotations", IPMI 2021.
    Theirs has no ignored pixels. The gradient is ``p`` less the mean of the labels.

    Args:
        logits: (N, K, H, W) or (N, K, D, H, W) float.
        target: (N, H, W) or (N, D, H, W) int64 in 0..K-1.
        counts: Bool of the shape of the target; None means that all do. Where the centre does not, the value is finite
            and means nothing.
        weights: (size, ...) from `neighbour_weights`.

    Returns:
        The shape of the target, >= 0.
    """
    size, dimensions = weights.shape[0], weights.dim()
    weights = weights.to(logits).reshape(1, -1, *[1] * dimensions)
    smallest = torch.finfo(logits.dtype).tiny

    def kernel(logits: Tensor, target: Tensor, *counts: Tensor) -> tuple[Tensor, Tensor]:
        labels = _neighbours(target, size)
        shares = weights.expand(labels.shape)
        if counts:
            shares = weights * _neighbours(counts[0], size)
            shares.div_(shares.sum(1, keepdim=True).clamp_(min=smallest))
        log_p = F.log_softmax(logits, dim=1)
        values = log_p.gather(1, labels).mul_(shares).sum(1).neg_()
        return values, log_p.exp_().scatter_add_(1, labels, -shares)

    return closed_form(kernel, logits, target, *(() if counts is None else (counts,)), whole_maps=True)


def _neighbours(values: Tensor, size: int) -> Tensor:
    """Returns (N, size^d, ...) what stands around each place of (N, ...) values, the border repeated outwards."""
    dimensions = values.dim() - 1
    values = _padded(values, size)
    for axis in range(1, dimensions + 1):
        values = values.unfold(axis, size, 1)
    order = (0, *range(dimensions + 1, 2 * dimensions + 1), *range(1, dimensions + 1))
    return values.permute(order).flatten(1, dimensions)


def _padded(values: Tensor, size: int) -> Tensor:
    """Returns (N, ...) values of any type with the border repeated ``size // 2`` times outwards."""
    for axis in range(1, values.dim()):
        length = values.shape[axis]
        places = torch.arange(-(size // 2), length + size // 2, device=values.device).clamp_(0, length - 1)
        values = values.index_select(axis, places)
    return values


@MODELS.register_module()
class SpatiallyVaryingLabelSmoothing(ElementwiseLoss):
    """Cross entropy to labels that are smoothed over space; see `smoothed_cross_entropy`.

    Pixels that are ignored or have weight 0 give their neighbours nothing: a label that does not count for its own
    pixel does not count for another one. The sigmoid form smooths each channel, also a soft one. Needs maps
    (N, K, H, W), volumes (N, K, D, H, W) or masks (R, H, W).

    Args:
        sigma: Standard deviation of the Gaussian in pixels, finite and > 0.
        kernel_size: Side of the square or cube of neighbours, odd and >= 3.
        **settings: The arguments of `ElementwiseLoss`.

    Raises:
        ValueError: When built: sigma or size out of range. When called: the logits have no neighbourhood, as those of
            boxes and of sampled points.
    """

    maps_only: ClassVar[bool] = True
    spatial: ClassVar[bool] = True
    """A pixel's value depends on labels around it."""

    def __init__(self, sigma: float = 1.0, kernel_size: int = 3, **settings: Any) -> None:  # noqa: ANN401 - passed on
        super().__init__(**settings)
        if not 0 < sigma < math.inf:
            raise ValueError(f"sigma: expected a finite number > 0, not {sigma!r}")
        if kernel_size < 3 or kernel_size % 2 == 0:
            raise ValueError(f"kernel_size: expected an odd number >= 3, not {kernel_size!r}")
        self.sigma = sigma
        self.kernel_size = kernel_size
        self.register_buffer("_square", neighbour_weights(kernel_size, sigma, 2), persistent=False)
        self.register_buffer("_cube", neighbour_weights(kernel_size, sigma, 3), persistent=False)

    def elementwise(self, logits: Tensor, target: Tensor) -> Tensor:
        """Returns `smoothed_cross_entropy` of maps or volumes in which all pixels count."""
        return smoothed_cross_entropy(logits, target, None, self._weights(target.dim() - 1, logits))

    def values_and_weights(self, elements: Elements, image_weight: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Returns the losses of the pixels, and all their weights multiplied."""
        weights = elements.weights(self._class_weight, image_weight)
        counts = None if weights is None else weights > 0
        logits, target = elements.logits, elements.target
        if not elements.binary:
            kernel = self._weights(target.dim() - 1, logits)
            return smoothed_cross_entropy(logits, target, counts, kernel), weights
        kernel = self._weights(target.dim() - (1 if target.dim() == 3 else 2), logits)
        target = _smoothed(target.to(logits), counts, kernel.to(logits))
        return F.binary_cross_entropy_with_logits(logits, target, reduction="none"), weights

    def _weights(self, dimensions: int, logits: Tensor) -> Tensor:
        if dimensions not in (2, 3):
            raise ValueError(
                f"{type(self).__name__} looks at neighbours: expected logits of maps (N, K, H, W), volumes "
                f"(N, K, D, H, W) or masks (R, H, W), not {tuple(logits.shape)}"
            )
        return self._square if dimensions == 2 else self._cube

    def extra_repr(self) -> str:
        """Returns the settings."""
        return f"sigma={self.sigma}, kernel_size={self.kernel_size}, {super().extra_repr()}"


def _smoothed(target: Tensor, counts: Tensor | None, kernel: Tensor) -> Tensor:
    """Returns the weighted mean of (..., *space) targets around each place, over those that count."""
    dimensions = kernel.dim()
    convolve = F.conv2d if dimensions == 2 else F.conv3d
    space = target.shape[target.dim() - dimensions :]

    def sums(values: Tensor) -> Tensor:
        padded = _padded(values.reshape(-1, *space), kernel.shape[0]).unsqueeze(1)
        return convolve(padded, kernel[None, None]).reshape(values.shape)

    if counts is None:
        return sums(target)
    counts = counts.to(target)
    return (sums(target * counts) / sums(counts).clamp_(min=torch.finfo(target.dtype).tiny)).clamp_(0, 1)
