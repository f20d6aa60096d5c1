"""COCO run-length encoding: the string form, run lengths, and crops of the frame.

A frame of H rows and W columns is read column by column. *Runs* are alternating lengths of background and
foreground, background first; they sum to H * W. The string form packs differences of runs into printable
characters, five bits each, as pycocotools does.

Reference: COCO API, ``maskApi.c`` (``rleToString``, ``rleFrString``). Unlike it, we check every number before
use: pycocotools reads and writes out of bounds on a string whose runs do not fit the frame.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt
from pycocotools import mask as coco_mask

from noisyseg.labels.errors import LabelError

Runs = npt.NDArray[np.int64]
Pixels = npt.NDArray[np.uint8]
# pycocotools counts pixels in 32 bits.
LARGEST_FRAME = 2**32
# It reserves six characters a run, and writes past them where every run of a mask is longer than 2^24.
LARGE_FRAME = 2**26


def runs_from_string(counts: str) -> Runs:
    """Returns the run lengths packed in a compressed ``counts`` string.

    Args:
        counts: The string form.

    Returns:
        (R,) int64, not yet checked against a frame: see :func:`check_runs`.

    Raises:
        LabelError: A character lies outside the alphabet or the last number is cut off.
    """
    try:
        codes = np.frombuffer(counts.encode("ascii"), np.uint8).astype(np.int64) - 48
    except UnicodeEncodeError:
        raise LabelError("RLE counts: expected printable ASCII, got other characters") from None
    if codes.size == 0:
        return np.zeros(0, np.int64)
    if codes.min() < 0 or codes.max() > 63:
        raise LabelError("RLE counts: expected characters '0' to 'o', got others")
    last = (codes & 32) == 0
    if not last[-1]:
        raise LabelError("RLE counts: the last number is cut off")
    ends = np.flatnonzero(last)
    starts = np.concatenate(([0], ends[:-1] + 1))
    digits = ends - starts
    if digits.max() > 6:
        raise LabelError("RLE counts: expected numbers of at most 32 bits, got a longer one")
    shift = 5 * (np.arange(codes.size) - np.repeat(starts, digits + 1))
    values = np.add.reduceat((codes & 31) << shift, starts)
    values -= ((codes[ends] & 16) != 0).astype(np.int64) << (5 * (digits + 1))
    # From the fourth number on, each is a difference to the one two places before it.
    values[1::2] = np.cumsum(values[1::2])
    values[2::2] = np.cumsum(values[2::2])
    return values


def check_runs(runs: Runs, size_hw: tuple[int, int]) -> None:
    """Raises LabelError unless ``runs`` are non-negative and fill a frame of ``size_hw`` exactly."""
    if runs.size and runs.min() < 0:
        raise LabelError("RLE: expected run lengths >= 0, got a negative one")
    total, frame = int(runs.sum()), size_hw[0] * size_hw[1]
    if frame >= LARGEST_FRAME:
        raise LabelError(f"RLE: expected a frame of fewer than 2^32 pixels, got {size_hw[0]} x {size_hw[1]}")
    if total != frame:
        raise LabelError(f"RLE: expected runs that sum to {frame} ({size_hw[0]} x {size_hw[1]}), got {total}")


def joined(runs: Runs) -> Runs:
    """Returns checked ``runs`` without empty ones after the first; what they parted becomes one run.

    The functions of pycocotools that skip the frame take an empty run for a pixel.
    """
    if runs[1:].all():
        return runs
    stops, times = np.unique(np.cumsum(runs), return_counts=True)
    # Two changes at one pixel are none.
    inside = stops[(times % 2 == 1) & (stops < stops[-1])]
    return np.diff(inside, prepend=0, append=stops[-1])


def string_from_runs(runs: Runs, size_hw: tuple[int, int]) -> str:
    """Returns the compressed string form of checked ``runs``."""
    return _strings([runs], size_hw)[0]


def _strings(runs_of_masks: Sequence[Runs], size_hw: tuple[int, int]) -> list[str]:
    if size_hw[0] * size_hw[1] >= LARGE_FRAME:
        return [_packed(runs) for runs in runs_of_masks]
    masks = [{"size": size_hw, "counts": runs} for runs in runs_of_masks]
    return [encoded["counts"].decode("ascii") for encoded in coco_mask.frPyObjects(masks, *size_hw)]


def _packed(runs: Runs) -> str:
    numbers = runs.copy()
    numbers[3:] -= runs[1:-2]
    return b"".join(map(_digits, numbers.tolist())).decode("ascii")


def crop_from_string(counts: str, size_hw: tuple[int, int]) -> tuple[int, int, Pixels]:
    """Returns the smallest window that holds the foreground of a checked compressed string.

    Only the columns of the window are decoded: the empty ones before and after it are taken off the first and
    the last number of the string, on which no other number depends.

    Returns:
        Left column, top row, and (h, w) uint8 pixels in {0, 1}, column-major in memory. Without foreground the
        window is the frame's first pixel.
    """
    height, width = size_hw
    packed = counts.encode("ascii")
    left, top, w, h = coco_mask.toBbox({"size": size_hw, "counts": packed}).astype(np.int64).tolist()
    if not w:
        return 0, 0, np.zeros((1, 1), np.uint8, order="F")
    strip = _subtract_from_ends(packed, left * height, (width - left - w) * height)
    columns = coco_mask.decode({"size": (height, w), "counts": strip}).T
    return left, top, np.ascontiguousarray(columns[:, top : top + h]).T


def _subtract_from_ends(counts: bytes, before: int, after: int) -> bytes:
    """Returns the string with its first and last number made smaller."""
    if before:
        stop = 1
        while counts[stop - 1] - 48 & 32:
            stop += 1
        counts = _number(counts[:stop], before) + counts[stop:]
    if after:
        start = len(counts) - 1
        while counts[start - 1] - 48 & 32:
            start -= 1
        counts = counts[:start] + _number(counts[start:], after)
    return counts


def _number(packed: bytes, less: int) -> bytes:
    """Returns one packed number with ``less`` taken off."""
    value = -(packed[-1] - 48 >> 4 & 1)
    for code in reversed(packed):
        value = value << 5 | code - 48 & 31
    return _digits(value - less)


def _digits(value: int) -> bytes:
    """Returns one number in printable characters, five bits each, the lowest first."""
    digits = bytearray()
    while True:
        digit = value & 31
        value >>= 5
        more = value != (-1 if digit & 16 else 0)
        digits.append(48 + digit + 32 * more)
        if not more:
            return bytes(digits)


def strings_from_crops(crops: Sequence[tuple[int, int, Pixels]], size_hw: tuple[int, int]) -> list[str]:
    """Returns the compressed strings of several masks, each given as a window of the same frame.

    All masks are laid behind one another and read off in one pass, because for small masks the calls cost more than
    the pixels.

    Args:
        crops: Left column, top row and (h, w) uint8 pixels in {0, 1} of each window; fastest when column-major.
        size_hw: Rows and columns H, W of the frame, which contains the windows.
    """
    if not crops:
        return []
    height, width = size_hw
    lefts = np.array([left for left, _, _ in crops])
    tops = np.array([top for _, top, _ in crops])
    heights, widths = np.array([pixels.shape for _, _, pixels in crops]).T
    # An empty pixel above each column ends every run with its column, so changes alternate: on, off, on, off …
    strides = heights + 1
    stops = np.cumsum(widths * strides)
    flat = np.empty(stops[-1] + 1, np.uint8)
    flat[-1] = 0
    for (_, _, pixels), stop in zip(crops, stops.tolist(), strict=True):
        h, w = pixels.shape
        columns = flat[stop - w * (h + 1) : stop].reshape(w, h + 1)
        columns[:, 0] = 0
        if pixels.flags.c_contiguous:
            cv2.transpose(pixels, columns[:, 1:])  # several times faster than NumPy's strided copy
        else:
            columns[:, 1:] = pixels.T
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    ends = np.searchsorted(changes, stops, side="right")
    counts = np.diff(ends, prepend=0)
    local = changes - np.repeat(stops - widths * strides, counts)
    stride = np.repeat(strides, counts)
    # The pixel before a change is in the same column, also where a run goes off at the empty pixel of the next one.
    column = (local - 1) // stride
    places = local + column * (height - stride) + np.repeat(lefts * height + tops - 1, counts)
    runs = [
        _runs(places[end - count : end], height * width, stride_ == height + 1)
        for end, count, stride_ in zip(ends.tolist(), counts.tolist(), strides.tolist(), strict=True)
    ]
    return _strings(runs, size_hw)


def _runs(places: Runs, frame: int, full_height: bool) -> Runs:
    """Returns run lengths from the pixels at which a mask goes on and off."""
    edges = np.empty(places.size + 2, np.int64)
    edges[0], edges[1:-1], edges[-1] = 0, places, frame
    if full_height and places.size > 2:
        # Only a full-height window lets a run go on in the next column: join what touches.
        touching = np.flatnonzero(edges[2:-2:2] == edges[3:-1:2])
        edges = np.delete(edges, np.concatenate((2 * touching + 2, 2 * touching + 3)))
    runs = edges[1:] - edges[:-1]
    return runs[:-1] if runs[-1] == 0 else runs
