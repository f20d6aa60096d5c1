"""The largest and the smallest value around each pixel, or all its bits: what morphology and edges are made of.

A window is built from runs of pixels, which grow like 1, 2, 4, ...: ``maximum(run, run moved by its length)`` is the
run of twice the length. A square takes about 2 log2(2 r + 1) passes over the batch, a disk 3 r; each pass is one
vectorized operation of PyTorch, on any device, for all images at once.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

__all__ = ["SHAPES", "window_max", "window_min", "window_or"]

Combine = Callable[..., Tensor]
Neutral = Callable[[torch.dtype], int | bool]
SHAPES = ("square", "disk")


def window_max(values: Tensor, radius: int, shape: str = "square") -> Tensor:
    """Returns the largest value in the window around each pixel; pixels outside of the image count as in none.

    Args:
        values: (..., H, W), bool or integers.
        radius: r in pixels, >= 0; may be larger than the image.
        shape: "square": the (2 r + 1)² pixels with ``|dy|, |dx| <= r``. "disk": those with ``dy² + dx² <= r²``, as
            ``skimage.morphology.disk(r)``.

    Returns:
        New tensor of the shape and dtype of ``values``.

    Raises:
        ValueError: Another dtype, fewer than two axes, a negative or fractional radius, an unknown shape.
    """
    return _window(values, radius, shape, torch.maximum, _lowest)


def window_min(values: Tensor, radius: int, shape: str = "square") -> Tensor:
    """Returns the smallest value in the window around each pixel; see :func:`window_max`."""
    return _window(values, radius, shape, torch.minimum, _highest)


def window_or(values: Tensor, radius: int, shape: str = "square") -> Tensor:
    """Returns the bits that are set anywhere in the window around each pixel; see :func:`window_max`."""
    return _window(values, radius, shape, torch.bitwise_or, _no_bits)


def _window(values: Tensor, radius: int, shape: str, combine: Combine, neutral: Neutral) -> Tensor:
    if values.dtype.is_floating_point or values.dtype.is_complex:
        raise ValueError(f"values: expected bool or integers, got {values.dtype}")
    if values.dim() < 2:
        raise ValueError(f"values: expected (..., H, W), got {tuple(values.shape)}")
    if isinstance(radius, bool) or not isinstance(radius, int) or radius < 0:
        raise ValueError(f"radius: expected a whole number >= 0, got {radius!r}")
    if shape not in SHAPES:
        raise ValueError(f"shape: expected one of {', '.join(SHAPES)}, got {shape!r}")
    if radius == 0 or values.numel() == 0:
        return values.clone()
    height, width = values.shape[-2:]
    # A window that reaches farther than the image holds the same pixels of it.
    down, across = min(radius, height - 1), min(radius, width - 1)
    size = (*values.shape[:-2], height + 2 * down, width + 2 * across)
    # One block, because on the CPU fresh memory for each pass costs more than the pass.
    memory = values.new_empty((2 if shape == "square" else 4, math.prod(size)))
    padded = memory[0].view(size).fill_(neutral(values.dtype))
    padded[..., down : down + height, across : across + width] = values
    runs = _Runs(padded, memory[1], combine)
    if shape == "square":
        runs.grow(2 * across + 1, axis=-1)
        tall = runs.grow(down + 1, axis=-2)
        return combine(tall[..., :height, :], tall[..., down:, :])
    return _disk(runs, memory[2:], radius, down, across)


class _Runs:
    """Windows one pixel high or wide, each kept where it begins; they grow from one piece of memory to another."""

    def __init__(self, pixels: Tensor, spare: Tensor, combine: Combine) -> None:
        self.now, self.combine = pixels, combine
        self._memory = [pixels.view(-1), spare]
        self._length = {-1: 1, -2: 1}

    def grow(self, wanted: int, axis: int) -> Tensor:
        """Returns the runs of ``wanted`` pixels, without the places where they do not fit."""
        while (length := self._length[axis]) < wanted:
            step = min(length, wanted - length)
            places = self.now.shape[axis] - step
            begins, ends = self.now.narrow(axis, 0, places), self.now.narrow(axis, step, places)
            self._memory.reverse()
            self.now = self.combine(begins, ends, out=_within(self._memory[0], begins.shape))
            self._length[axis] += step
        return self.now


def _disk(runs: _Runs, memory: Tensor, radius: int, down: int, across: int) -> Tensor:
    """Returns the windows of a disk: from its top and bottom row inwards, each row as a run of its width.

    What is gathered of the rows farther out moves up and down by one with each row. The copies that this leaves
    between lie within the disk, because its rows get wider inwards.
    """
    height, width = runs.now.shape[-2] - 2 * down, runs.now.shape[-1] - 2 * across
    gathered = None
    for row in range(down, -1, -1):
        moved = None
        if gathered is not None:
            # Before the runs grow, because the outermost row is gathered in their memory.
            above, below = gathered[..., :-2, :], gathered[..., 2:, :]
            moved = runs.combine(above, below, out=_within(memory[row % 2], above.shape))
        half = min(math.isqrt(radius**2 - row**2), across)
        wide = runs.grow(2 * half + 1, axis=-1)
        # Of the rows above and below the image, those within `row` are still needed.
        here = wide[..., down - row : down + height + row, across - half : across - half + width]
        gathered = here if moved is None else runs.combine(here, moved, out=moved if row else None)
    return gathered.clone() if down == 0 else gathered


def _within(memory: Tensor, shape: torch.Size) -> Tensor:
    return memory[: shape.numel()].view(shape)


def _lowest(dtype: torch.dtype) -> int | bool:
    return False if dtype == torch.bool else torch.iinfo(dtype).min


def _highest(dtype: torch.dtype) -> int | bool:
    return True if dtype == torch.bool else torch.iinfo(dtype).max


def _no_bits(dtype: torch.dtype) -> int | bool:
    return False if dtype == torch.bool else 0
