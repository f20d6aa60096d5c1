"""Where one class ends and another begins, in batches of label maps and on their device.

Two pixels make a boundary where both have a label and the labels differ; the border of the image and that of an
ignored region are none. There is no loop over classes, and classes may be any integers.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from noisyseg.ops.windows import window_max, window_min

__all__ = ["boundary_band", "label_edges"]

STEPS = {4: ((0, 1), (1, 0)), 8: ((0, 1), (1, 0), (1, 1), (1, -1))}  # rows and columns; of two opposite ones, one
MODES = ("thick", "inner", "outer")
NEAREST = {"disk": 4, "square": 8}  # how many neighbours a window of radius 1 has


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
    if type(radius) is int and radius == 1 and shape in NEAREST:
        return _thick(labels, NEAREST[shape], ignore_index)
    known = _bits(labels, ignore_index)
    return _where(_differences(labels, known, lambda values: window_max(values, radius, shape)), known)


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
    edges = _thick(labels, connectivity, ignore_index)
    objects = None if mode == "thick" else _known(labels, background)
    if objects is None:  # also where the dtype cannot hold the background
        return edges
    if mode == "inner":
        return edges & objects
    known = _known(labels, ignore_index)
    highest = window_max(labels if known is None else _lowered(labels, known), 1)
    lowest = window_min(_raised(labels, objects if known is None else objects & known), 1)
    return edges & (~objects | (highest != lowest))


def _thick(labels: Tensor, connectivity: int, ignore_index: int | None) -> Tensor:
    if connectivity == 8 and labels.element_size() == 1:
        return _of_blocks(labels, ignore_index)
    known = _known(labels, ignore_index)
    edges = torch.zeros_like(labels, dtype=torch.bool)
    for rows, columns in STEPS[connectivity]:
        here, there = _places(labels, rows, columns), _places(labels, -rows, -columns)
        differ = labels[here] != labels[there]
        if known is not None:
            differ.logical_and_(known[here]).logical_and_(known[there])
        edges[here].logical_or_(differ)
        edges[there].logical_or_(differ)
    return edges


def _places(labels: Tensor, rows: int, columns: int) -> tuple:
    """Returns where the pixels are that have a neighbour at the step."""
    height, width = labels.shape[-2:]
    across = slice(max(-columns, 0), width - max(columns, 0))
    return (..., slice(max(-rows, 0), height - max(rows, 0)), across)


def _of_blocks(labels: Tensor, ignore_index: int | None) -> Tensor:
    """Returns the edges between 8-neighbours: the pixels of all blocks of 2 x 2 that hold more than one label.

    This takes half the passes of comparing in four directions, but of whole labels: it is faster for bytes alone.
    """
    axes = [axis for axis in (-2, -1) if labels.shape[axis] > 1]
    known = _bits(labels, ignore_index)

    def largest(values: Tensor) -> Tensor:
        for axis in axes:
            values = torch.maximum(*_neighbours(values, axis))
        return values

    edges = _differences(labels, known, largest)
    for axis in axes:
        blocks, last = edges, labels.shape[axis] - 1
        edges = torch.empty_like(labels if axis == axes[-1] else labels[..., 1:])
        torch.bitwise_or(*_neighbours(blocks, axis), out=edges.narrow(axis, 1, last - 1))
        edges.select(axis, 0).copy_(blocks.select(axis, 0))
        edges.select(axis, last).copy_(blocks.select(axis, -1))
    return _where(edges, known)


def _neighbours(values: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    """Returns the values that have a next one along the axis, and these next ones."""
    count = values.shape[axis] - 1
    return values.narrow(axis, 0, count), values.narrow(axis, 1, count)


def _differences(labels: Tensor, known: Tensor | None, largest: Callable[[Tensor], Tensor]) -> Tensor:
    """Returns what is not 0 where known labels differ among those that ``largest`` takes the largest of."""
    if known is None:
        return largest(labels) ^ ~largest(~labels)
    # The ignored label becomes the lowest number, and wraps around to it again when its sign changes. So neither sees
    # it, and the sum is the largest of the known less the smallest.
    hidden = known ^ torch.iinfo(known.dtype).min if known.dtype.is_signed else known
    return largest(-hidden).add_(largest(hidden))


def _where(values: Tensor, known: Tensor | None) -> Tensor:
    return values.to(torch.bool) if known is None else torch.logical_and(values, known)


def _integers(labels: Tensor) -> Tensor:
    if labels.dtype.is_floating_point or labels.dtype.is_complex:
        raise ValueError(f"labels: expected bool or integers, got {labels.dtype}")
    if labels.dim() < 2:
        raise ValueError(f"labels: expected (..., H, W), got {tuple(labels.shape)}")
    return labels.view(torch.uint8) if labels.dtype == torch.bool else labels


def _known(labels: Tensor, number: int | None) -> Tensor | None:
    """Returns which labels are not the number; None where all are sure to be, because their dtype does not hold it."""
    if number is None or not _holds(labels.dtype, number):
        return None
    # A row of the number, not the number alone: on the CPU PyTorch compares bytes with one number 15 times slower.
    return labels != labels.new_full((labels.shape[-1],), number)


def _bits(labels: Tensor, number: int | None) -> Tensor | None:
    """Returns by which bits labels are not the number: what is 0 for the number alone; None as of `_known`."""
    return labels ^ number if number is not None and _holds(labels.dtype, number) else None


def _holds(dtype: torch.dtype, number: int) -> bool:
    """Returns whether labels can be the number. PyTorch would wrap others around to one that the dtype holds."""
    return torch.iinfo(dtype).min <= number <= torch.iinfo(dtype).max


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
