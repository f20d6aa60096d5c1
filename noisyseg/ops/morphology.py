"""Masks grown and shrunk, as OpenCV does it, for whole batches and on the device of the masks."""

from __future__ import annotations

import torch
from torch import Tensor

from noisyseg.ops.windows import window_max, window_min

__all__ = ["closing", "dilate", "erode", "opening"]


def dilate(masks: Tensor, radius: int, shape: str = "square") -> Tensor:
    """Returns the masks grown by ``radius``: set where any pixel of the window is; outside of the image none is.

    The same bit for bit as ``cv2.dilate`` with a kernel of that window. Masks of a batch do not touch each other.

    Args:
        masks: (..., H, W) bool.
        radius: r in pixels, >= 0; 0 gives a copy. May be larger than the image.
        shape: "square" of 2 r + 1 pixels, or "disk": the pixels whose centres are at most r apart, as
            ``skimage.morphology.disk(r)``.

    Returns:
        (..., H, W) bool, a new tensor.

    Raises:
        ValueError: Masks that are not bool or have fewer than two axes, a negative or fractional radius, an unknown
            shape.
    """
    return window_max(_checked(masks), radius, shape)


def erode(masks: Tensor, radius: int, shape: str = "square") -> Tensor:
    """Returns the masks shrunk by ``radius``: set where the whole window is; outside of the image all pixels are.

    The same bit for bit as ``cv2.erode``: a mask does not shrink from the borders of the image. Arguments and errors
    are those of :func:`dilate`.
    """
    return window_min(_checked(masks), radius, shape)


def opening(masks: Tensor, radius: int, shape: str = "square") -> Tensor:
    """Returns the masks without the parts into which no window fits: eroded, then dilated; see :func:`dilate`."""
    return dilate(erode(masks, radius, shape), radius, shape)


def closing(masks: Tensor, radius: int, shape: str = "square") -> Tensor:
    """Returns the masks with the gaps filled into which no window fits: dilated, then eroded; see :func:`dilate`."""
    return erode(dilate(masks, radius, shape), radius, shape)


def _checked(masks: Tensor) -> Tensor:
    if masks.dtype != torch.bool:
        raise ValueError(f"masks: expected torch.bool, got {masks.dtype}")
    return masks
