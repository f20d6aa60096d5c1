"""Probabilities of an image in coarse cells: means of a view's pixels, their running average, and reading it back."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["cell_grid", "cell_means", "cells_of", "merge_top"]

LEVELS = 255


def cell_grid(size_hw: tuple[int, int], stride: int) -> tuple[int, int]:
    """Returns the rows and columns of cells of ``stride`` x ``stride`` pixels that cover an image."""
    return -(-size_hw[0] // stride), -(-size_hw[1] // stride)


def cells_of(index: Tensor, size_hw: tuple[int, int], stride: int) -> Tensor:
    """Returns the cell of each pixel, counted row by row; the number of cells itself where there is no pixel.

    Args:
        index: Places ``row * width + column`` in the image, -1 for none; int64, of any shape.
        size_hw: Size of the image.
        stride: Side of a cell in pixels.
    """
    rows, columns = cell_grid(size_hw, stride)
    cell = index // size_hw[1] // stride * columns + index % size_hw[1] // stride
    return torch.where(index >= 0, cell, rows * columns)


def cell_means(probs: Tensor, cells: Tensor, number: int) -> tuple[Tensor, Tensor]:
    """Returns the mean probabilities of the pixels of each cell, and which cells have a pixel.

    Args:
        probs: (K, H, W) float.
        cells: (H, W) int64 in 0..number; the last one is left out.
        number: How many cells there are.

    Returns:
        (number, K) float, 0 where there is no pixel; (number,) bool.
    """
    places = cells.flatten()
    sums = probs.new_zeros(number + 1, len(probs)).index_add_(0, places, probs.flatten(1).T.contiguous())
    counts = torch.bincount(places, minlength=number + 1)[:number]
    return sums[:number] / counts.clamp(min=1).unsqueeze(1), counts > 0


def merge_top(old: Tensor, means: Tensor, seen: Tensor, momentum: float) -> Tensor:
    """Returns the running average of the probabilities in a compact form: the largest ones, in steps of 1/255.

    Cells that are not seen stay as they are. A cell that is seen for the first time takes the mean as it is; else it
    becomes ``momentum * old + (1 - momentum) * mean``, where classes that the old one does not list count as 0. What
    falls off is not given to the others, so a target may sum up to less than 1.

    Args:
        old: (2, M, cells) uint8: M probabilities times 255 in falling order, and their classes; 0 where never seen.
        means: (cells, K) float, K <= 256.
        seen: (cells,) bool.
        momentum: In [0, 1).
    """
    probs, classes = old[0].float() / LEVELS, old[1].long()
    known = probs[0] > 0
    before = torch.zeros_like(means).scatter_(1, classes.T, torch.where(known, probs, 0).T)
    mixed = torch.where(known.unsqueeze(1), momentum * before + (1 - momentum) * means, means)
    top, names = mixed.topk(old.shape[1], dim=1)
    new = torch.stack(((top * LEVELS).round().to(torch.uint8).T, names.to(torch.uint8).T))
    return torch.where(seen, new, old)
