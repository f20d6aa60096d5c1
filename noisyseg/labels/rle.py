"""COCO run-length encoding: the string form and run lengths, checked.

A frame of H rows and W columns is read column by column. *Runs* are alternating lengths of background and
foreground, background first; they sum to H * W. The string form packs differences of runs into printable
characters, five bits each, as pycocotools does.

Reference: COCO API, ``maskApi.c`` (``rleToString``, ``rleFrString``). Unlike it, we check every number before
use: pycocotools reads and writes out of bounds on a string whose runs do not fit the frame.
"""

from __future__ import annotations

import numpy as np

from noisyseg.labels.errors import LabelError
from noisyseg.labels.kernels import runs as kernels
from noisyseg.labels.kernels.runs import Runs

__all__ = ["LARGEST_FRAME", "Runs", "check_runs", "joined", "runs_from_string", "string_from_runs"]

# pycocotools, which reads what we write, counts pixels in 32 bits.
LARGEST_FRAME = 2**32
_PROBLEMS = {
    kernels.BAD_CHARACTER: "expected characters '0' to 'o', got others",
    kernels.CUT_OFF: "the last number is cut off",
    kernels.TOO_LONG: "expected numbers of at most 32 bits, got a longer one",
}


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
        codes = np.frombuffer(counts.encode("ascii"), np.uint8)
    except UnicodeEncodeError:
        raise LabelError("RLE counts: expected printable ASCII, got other characters") from None
    status, runs = kernels.parsed(codes)
    if status:
        raise LabelError(f"RLE counts: {_PROBLEMS[status]}")
    return runs


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
    return kernels.joined(runs)


def string_from_runs(runs: Runs) -> str:
    """Returns the compressed string form of checked ``runs``."""
    return kernels.packed(runs).tobytes().decode("ascii")
