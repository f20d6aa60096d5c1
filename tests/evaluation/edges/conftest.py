"""Edges that the tests of their evaluation share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from skimage.morphology import thin


@pytest.fixture
def rings():
    """Return (H, W) bool edges one pixel wide, far from the border and from each other."""
    edges = np.zeros((60, 80), bool)
    for top, left, side in ((12, 12, 20), (34, 44, 14)):
        edges[top, left : left + side] = edges[top + side, left : left + side + 1] = True
        edges[top : top + side, left] = edges[top : top + side, left + side] = True
    return thin(edges)


@pytest.fixture(scope="session")
def bsds500_bench_dir(shared_dir) -> Path:
    """Return the benchmark's five sample images with the official program's output."""
    path = shared_dir / "data" / "bsds500_bench"
    if not path.exists():
        pytest.skip(f"{path} is absent")
    return path
