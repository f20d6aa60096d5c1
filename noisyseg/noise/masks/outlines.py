"""From a mask to its outlines and back, on crops."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import cv2
import numpy as np

from noisyseg.labels import Mask
from noisyseg.noise.kernels import masks as kernels

Mode = Literal["fixed", "official"]


def check_mode(mode: str) -> None:
    """Raises ValueError unless ``mode`` is one of the two that COCO-N operators have."""
    if mode not in ("fixed", "official"):
        raise ValueError(f"mode: expected 'fixed' or 'official', got {mode!r}")


# Drawing needs the number of vertices, and changing the vertices: the second call of an image's objects is free.
@lru_cache(maxsize=256)
def traced(mask: Mask, mode: str) -> tuple[list[kernels.Part], int, int]:
    """Returns the parts of a mask with the left column and top row that their vertices count from."""
    left, top, pixels = mask.crop
    return kernels.parts(pixels, holes=mode == "fixed"), left, top


def filled(parts: list[kernels.Part], left: int, top: int, size_hw: tuple[int, int]) -> Mask:
    """Returns the mask that ``parts`` fill, cut at the frame; empty without parts."""
    if not parts:
        return Mask.empty(size_hw)
    # Holes too: a line that is clipped at the window's side may be drawn a pixel off.
    vertices = np.concatenate([ring for part in parts for ring in (part.outer, *part.holes)])
    x, y, w, h = cv2.boundingRect(vertices)
    x0, y0 = min(max(left + x, 0), size_hw[1] - 1), min(max(top + y, 0), size_hw[0] - 1)
    x1, y1 = max(min(left + x + w, size_hw[1]), x0 + 1), max(min(top + y + h, size_hw[0]), y0 + 1)
    return Mask.from_crop(x0, y0, kernels.fill(parts, (y1 - y0, x1 - x0), (left - x0, top - y0)), size_hw)
