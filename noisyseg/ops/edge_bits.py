"""Class edges of label maps as bits: one integer a pixel says on which classes' edges the pixel lies.

Bit k is set on the edge of class k, so up to 31 classes share one 32-bit number; bit 31 marks an ignored pixel. There
is no loop over classes: the classes around a pixel are the bitwise or of a window.
"""

from __future__ import annotations

import torch
from torch import Tensor

from noisyseg.ops.checks import require
from noisyseg.ops.windows import window_max, window_min, window_or

__all__ = ["IGNORED_BITS", "MAX_EDGE_CLASSES", "edge_bits", "expand_bits", "ignored_bits"]

MAX_EDGE_CLASSES = 31
IGNORED_BITS = -(2**31)
"""The value of an ignored pixel: bit 31 alone."""


def edge_bits(
    labels: Tensor,
    num_classes: int,
    radius: int,
    instances: Tensor | None = None,
    ignore_index: int | None = 255,
) -> Tensor:
    """Returns on which classes' edges each pixel lies.

    A pixel is on the edge of class k where it belongs to k and a known pixel within ``radius`` belongs to another
    class, or to another object of k; and where it does not belong to k and a known pixel within ``radius`` does. This
    is the rule of SBD and CASENet, and what ``noisyseg.labels.edges.class_edges`` gives channel by channel.

    Args:
        labels: (..., H, W) integers 0..K-1, or ``ignore_index``.
        num_classes: K, 1..31.
        radius: Euclidean distance between the centres of pixels, a whole number >= 1; SBD trains with 2.
        instances: (..., H, W) integers that tell objects of one class apart, whose common border then is an edge of
            that class; None where only classes count.
        ignore_index: Pixels with this label are on no edge and make none; None where every label is a class.

    Returns:
        (..., H, W) int32, bit k for class k; -2**31 (bit 31) where the label is ignored.

    Raises:
        ValueError: A label is neither a class nor ignored (on CUDA a device-side assertion), another dtype, fewer than
            two axes, another shape of ``instances``, ``num_classes`` or ``radius`` out of range.
    """
    _check(labels, num_classes, radius, instances)
    if labels.dtype != torch.int64:
        labels = labels.int()  # PyTorch compares bytes with one number many times slower, on the CPU
    is_class = (labels >= 0) & (labels < num_classes)
    known = torch.ones_like(is_class) if ignore_index is None else labels != ignore_index
    require(
        (is_class | known.logical_not()).all(),
        lambda: _out_of_range(labels[known & ~is_class], num_classes, ignore_index),
    )
    # The shift is kept within the number for labels that are ignored; their bit is not used.
    shifts = labels.int() & 31
    own = torch.where(known, torch.ones_like(shifts).bitwise_left_shift_(shifts), 0)
    others = window_or(own, radius, "disk").bitwise_xor_(own)  # a window holds its own pixel
    at_border = others != 0
    if instances is not None:
        held = torch.iinfo(instances.dtype)
        highest = window_max(torch.where(known, instances, held.min), radius, "disk")
        at_border |= highest != window_min(torch.where(known, instances, held.max), radius, "disk")
    bits = others.bitwise_or_(torch.where(at_border, own, 0))
    return torch.where(known, bits, IGNORED_BITS)


def expand_bits(bits: Tensor, num_classes: int) -> Tensor:
    """Returns (..., K, H, W) bool, one channel a class, from (..., H, W) int32 edge bits; ignored pixels are False.

    Raises:
        ValueError: ``num_classes`` is out of 1..31, or ``bits`` is not int32 with two axes or more.
    """
    _check_bits(bits)
    _check_count(num_classes)
    bits = bits.clamp(min=0)  # those of ignored pixels are negative
    # Byte by byte, because the CPU tests bytes twenty times faster than 32-bit numbers.
    planes = torch.stack([(bits >> 8 * plane).to(torch.uint8) for plane in range((num_classes + 7) // 8)], dim=-3)
    places = torch.arange(num_classes, device=bits.device)
    powers = torch.ones_like(places).bitwise_left_shift_(places & 7).to(torch.uint8)
    return planes.index_select(-3, places >> 3).bitwise_and_(powers[:, None, None]).bool()


def ignored_bits(bits: Tensor) -> Tensor:
    """Returns (..., H, W) bool, where (..., H, W) int32 edge bits say that the pixel is ignored.

    Raises:
        ValueError: ``bits`` is not int32 with two axes or more.
    """
    _check_bits(bits)
    return bits < 0


def _check(labels: Tensor, num_classes: int, radius: int, instances: Tensor | None) -> None:
    _check_count(num_classes)
    if isinstance(radius, bool) or not isinstance(radius, int) or radius < 1:
        raise ValueError(f"radius: expected a whole number >= 1, got {radius!r}")
    for name, pixels in (("labels", labels), ("instances", instances)):
        if pixels is None:
            continue
        if pixels.dtype.is_floating_point or pixels.dtype.is_complex or pixels.dtype == torch.bool:
            raise ValueError(f"{name}: expected integers, got {pixels.dtype}")
        if pixels.dim() < 2 or pixels.shape != labels.shape:
            expected = "(..., H, W)" if name == "labels" else str(tuple(labels.shape))
            raise ValueError(f"{name}: expected {expected}, got {tuple(pixels.shape)}")


def _check_count(num_classes: int) -> None:
    if not 1 <= num_classes <= MAX_EDGE_CLASSES:
        raise ValueError(f"num_classes: expected 1..{MAX_EDGE_CLASSES}, got {num_classes}")


def _check_bits(bits: Tensor) -> None:
    if bits.dtype != torch.int32 or bits.dim() < 2:
        raise ValueError(f"bits: expected (..., H, W) int32, got {tuple(bits.shape)} of {bits.dtype}")


def _out_of_range(wrong: Tensor, num_classes: int, ignore_index: int | None) -> str:
    expected = f"0..{num_classes - 1}" + ("" if ignore_index is None else f" or {ignore_index}")
    return f"labels: expected {expected}, got {torch.unique(wrong).tolist()}"
