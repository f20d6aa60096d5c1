"""Where one class ends and another begins, in batches of label maps and on their device.

Two pixels make a boundary where both have a label and the labels differ; the border of the image and that of an
ignored region are none. There is no loop over classes, and classes may be any integers.
"""

from __future__ import annotations

import torch
from torch import Tensor

from noisyseg.ops.windows import window_max, window_min

__all__ = ["boundary_band", "label_edges"]

STEPS = {4: ((0, 1), (1, 0)), 8: ((0, 1), (1, 0), (1, 1), (1, -1))}  # rows and columns; of two opposite ones, one
MODES = ("thick", "inner", "outer")


def boundary_band(labels: Tensor, radius: int, shape: str = "disk", ignore_index: int | None = 255) -> Tensor:
    """Returns which pixels have a pixel of another class within ``radius``.

    That is where the largest label of a window is not the smallest. On a mask these are the pixels by which dilation
    and erosion differ.

    Args:
        labels: (..., H, W) integer label maps, or bool masks. ``uint8`` costs an eighth of ``int64``.
        radius: In pixels, between the centres of pixels: 1 takes one pixel on either side of a boundary. 0 gives an
            empty band.
        shape: "disk": Euclidean distance. "square": the larger one of the distances in rows and in columns.
        ignore_index: Pixels with this label are in no band and make none; None where every label counts.

    Returns:
        (..., H, W) bool.

    Raises:
        ValueError: Labels of another dtype or with fewer than two axes, a negative or fractional radius, an unknown
            shape.
    """
    labels = _integers(labels)
    known = _known(labels, ignore_index)
    highest = window_max(labels if known is None else _lowered(labels, known), radius, shape)
    lowest = window_min(labels if known is None else _raised(labels, known), radius, shape)
    band = highest != lowest
    return band if known is None else band.logical_and_(known)


def label_edges(
    labels: Tensor, connectivity: int = 4, mode: str = "thick", background: int = 0, ignore_index: int | None = 255
) -> Tensor:
    """Returns the edges of label maps; without ignored pixels the same as ``skimage.segmentation.find_boundaries``.

    "thick" edges run on both sides of a boundary, so they are 4-connected along it. On one side alone, edges between
    4-neighbours are 8-connected, and those between 8-neighbours 4-connected.

    Args:
        labels: (..., H, W) integer label maps, or bool masks.
        connectivity: 4 or 8, which neighbours are compared (in scikit-image 1 and 2).
        mode: "thick": pixels with a neighbour of another label. "inner": those of them that are no background.
            "outer": those of them that are background, or have another object among their 8 neighbours. As in
            scikit-image, a background that is larger than a label also counts as an object next to that one. (For
            ``int64`` scikit-image 0.26 overflows here; this is what it gives for ``int32``.)
        background: The label that "inner" and "outer" take as background.
        ignore_index: Pixels with this label are on no edge and make none; None where every label counts.

    Returns:
        (..., H, W) bool.

    Raises:
        ValueError: Labels of another dtype or with fewer than two axes, an unknown connectivity or mode.
    """
    if connectivity not in STEPS:
        raise ValueError(f"connectivity: expected 4 or 8, got {connectivity!r}")
    if mode not in MODES:
        raise ValueError(f"mode: expected one of {', '.join(MODES)}, got {mode!r}")
    labels = _integers(labels)
    known = _known(labels, ignore_index)
    edges = torch.zeros_like(labels, dtype=torch.bool)
    for rows, columns in STEPS[connectivity]:
        here, there = _pair(labels, rows, columns), _pair(labels, -rows, -columns)
        differ = labels[here] != labels[there]
        if known is not None:
            differ &= known[here]
            differ &= known[there]
        edges[here] |= differ
        edges[there] |= differ
    objects = None if mode == "thick" else _known(labels, background)
    if objects is None:  # also where the dtype cannot hold the background
        return edges
    if mode == "inner":
        return edges & objects
    highest = window_max(labels if known is None else _lowered(labels, known), 1)
    lowest = window_min(_raised(labels, objects if known is None else objects & known), 1)
    return edges & (~objects | (highest != lowest))


def _pair(labels: Tensor, rows: int, columns: int) -> tuple:
    """Returns where the pixels are that have a neighbour at the step."""
    height, width = labels.shape[-2:]
    across = slice(max(-columns, 0), width - max(columns, 0))
    return (..., slice(max(-rows, 0), height - max(rows, 0)), across)


def _integers(labels: Tensor) -> Tensor:
    if labels.dtype.is_floating_point or labels.dtype.is_complex:
        raise ValueError(f"labels: expected bool or integers, got {labels.dtype}")
    if labels.dim() < 2:
        raise ValueError(f"labels: expected (..., H, W), got {tuple(labels.shape)}")
    return labels.view(torch.uint8) if labels.dtype == torch.bool else labels


def _known(labels: Tensor, number: int | None) -> Tensor | None:
    """Returns which labels are not the number; None where all are sure to be, because their dtype does not hold it.

    PyTorch would wrap it around to one that the dtype holds.
    """
    held = torch.iinfo(labels.dtype)
    if number is None or not held.min <= number <= held.max:
        return None
    # A row of the number, not the number alone: on the CPU PyTorch compares bytes with one number 15 times slower.
    return labels != labels.new_full((labels.shape[-1],), number)


def _lowered(labels: Tensor, known: Tensor) -> Tensor:
    """Returns the labels, and the lowest number of their dtype where they are not known."""
    limit = _ordered(known.to(labels.dtype).neg_())
    return torch.minimum(labels, limit, out=limit)


def _raised(labels: Tensor, known: Tensor) -> Tensor:
    """Returns the labels, and the highest number of their dtype where they are not known."""
    limit = _ordered(known.to(labels.dtype).sub_(1))
    return torch.maximum(labels, limit, out=limit)


def _ordered(bits: Tensor) -> Tensor:
    """Returns the lowest number of the dtype for no bits, and the highest for all bits; changes its argument.

    With these as limits, small integers are hidden several times faster on the CPU than by `torch.where`.
    """
    return bits.bitwise_xor_(torch.iinfo(bits.dtype).min) if bits.dtype.is_signed else bits
