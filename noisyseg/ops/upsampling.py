"""Maps of strided layers brought back to the size of their input, without moving what they show."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

__all__ = ["upsample_strided"]


def upsample_strided(values: Tensor, size_hw: tuple[int, int]) -> Tensor:
    """Returns the maps of strided layers at the size of what these layers saw, bilinear.

    A convolution or pooling with stride s and the same padding on all sides centres its output i on input pixel
    ``i s``, and has ``ceil(H / s)`` of them; so pixel p is read at ``p / s``. ``F.interpolate`` reads it half a stride
    beside that (``align_corners=False``: 3.5 pixels at stride 8), or stretches the map (``True``), which the network
    then has to undo. Behind the last centre the last value stays.

    Args:
        values: (B, C, h, w) float.
        size_hw: H and W, with ``h = ceil(H / s)`` and ``w = ceil(W / s)`` for s a power of two, one for both sides.

    Returns:
        (B, C, H, W); ``values`` itself where it has that size.

    Raises:
        ValueError: The sizes do not belong to one stride.

    Examples:
        >>> import torch
        >>> upsample_strided(torch.tensor([[[[0.0, 4.0, 8.0]]]]), (1, 5))
        tensor([[[[0., 2., 4., 6., 8.]]]])
    """
    size_hw = tuple(size_hw)
    if values.shape[-2:] == size_hw:
        return values
    stride = _stride(tuple(values.shape[-2:]), size_hw)
    # One more value behind the border, so that the pixels behind the last centre are in the grid.
    padded = F.pad(values, (0, 1, 0, 1), mode="replicate")
    spread = [stride * side + 1 for side in values.shape[-2:]]
    return F.interpolate(padded, spread, mode="bilinear", align_corners=True)[..., : size_hw[0], : size_hw[1]]


def _stride(small: tuple[int, int], large: tuple[int, int]) -> int:
    stride = 1
    while stride < 2 * max(large):
        if all(-(-whole // stride) == part for part, whole in zip(small, large, strict=True)):
            return stride
        stride *= 2
    raise ValueError(f"size_hw: expected {small} times a power of two, rounded down at most, got {large}")
