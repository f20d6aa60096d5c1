"""How busy an image is, and how far labels are shifted, both between 0 and 1: what PNT-Edge wants to be alike.

Letters: B batch, H rows, W columns. Source: the regulariser of PNT-Edge (arXiv 2307.14070). It divides by the largest
value of the whole batch; here each image is divided by its own, so its loss does not depend on its neighbours.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["local_complexity", "shift_energy"]

TINY = 1e-10


def local_complexity(image_edges: Tensor, confident: Tensor, window: int = 15) -> Tensor:
    """Returns the share of image edges around each confident pixel, divided by the largest one of the image.

    Args:
        image_edges: (B, 1, H, W) bool or {0, 1}, such as those of Canny.
        confident: (B, 1, H, W) bool, where some edge is predicted; elsewhere the result is 0.
        window: Side of the square around, pixels, odd. Outside of the image there are no edges.

    Returns:
        (B, 1, H, W) float32 in [0, 1]; all 0 where no image edge is near a confident pixel.

    Raises:
        ValueError: Another shape, shapes that differ, ``confident`` of another dtype, an even window.
    """
    if confident.dim() != 4 or confident.shape[1] != 1 or confident.shape != image_edges.shape:
        raise ValueError(
            f"expected image_edges and confident (B, 1, H, W), got {tuple(image_edges.shape)} and "
            f"{tuple(confident.shape)}"
        )
    if confident.dtype != torch.bool:
        raise ValueError(f"confident: expected bool, got {confident.dtype}")
    if window < 1 or window % 2 == 0:
        raise ValueError(f"window: expected an odd number of pixels >= 1, got {window}")
    share = F.avg_pool2d(image_edges.float(), window, stride=1, padding=window // 2) * confident
    return share / (share.amax(dim=(2, 3), keepdim=True) + TINY)


def shift_energy(field: Tensor, labelled: Tensor, least: float = 1.0) -> Tensor:
    """Returns the squared length of the shift on label edges, divided by the largest one of the image.

    Args:
        field: (B, 2, H, W) float, pixels.
        labelled: (B, 1, H, W) bool, edges of the labels, of any class; elsewhere the result is 0.
        least: The divisor is not smaller than this, in px², so that noise of less than a pixel does not count as a
            large shift. The published code has 1e-10.

    Returns:
        (B, 1, H, W) of the field's dtype in [0, 1], with gradient to the field, also through the divisor.

    Raises:
        ValueError: Another shape, shapes that differ, a divisor that may be 0.
    """
    if field.dim() != 4 or field.shape[1] != 2 or field[:, :1].shape != labelled.shape:
        raise ValueError(
            f"expected field (B, 2, H, W) and labelled (B, 1, H, W), got {tuple(field.shape)} and "
            f"{tuple(labelled.shape)}"
        )
    if not least > 0:
        raise ValueError(f"least: expected px² > 0, got {least}")
    energy = field.square().sum(dim=1, keepdim=True) * labelled
    return energy / energy.amax(dim=(2, 3), keepdim=True).clamp(min=least)
