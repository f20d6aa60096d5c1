"""Edges of label maps: which pixels lie where one label ends and another begins.

Letters: K classes, H rows, W columns.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from noisyseg.labels.errors import LabelError
from noisyseg.labels.instances import IGNORE, EdgeMap, SemanticMap

LabelArray = npt.NDArray[np.integer]
BoolArray = npt.NDArray[np.bool_]
# An edge this many times as long as it would be one pixel wide counts as a band.
BAND = 1.5


def label_edges(labels: LabelArray, radius: float = 0, ignore: int | None = None) -> BoolArray:
    """Returns the (H, W) edges of a label map.

    Args:
        labels: (H, W) integers; equal numbers are one region.
        radius: Every pixel is on the edge that has another label within this Euclidean distance, in pixels; 2 is what
            CASENet and SEAL train on. 0 asks for edges of one pixel: the pixels whose right or lower neighbour has
            another label, thinned.
        ignore: A label that makes no edges, and whose pixels are on none.

    Raises:
        ValueError: ``radius`` is neither 0 nor at least 1.
    """
    _check_radius(radius)
    known = None if ignore is None else labels != ignore
    edges = np.zeros(labels.shape, bool)
    for rows, columns in _offsets(radius):
        here, there = _pair(labels.shape, rows, columns)
        differ = labels[here] != labels[there]
        if known is not None:
            differ &= known[here] & known[there]
        edges[here] |= differ
        if radius:
            edges[there] |= differ
    return edges if radius else thinned(edges)


def class_edges(
    classes: LabelArray,
    count: int,
    radius: float = 0,
    instances: LabelArray | None = None,
    ignore: int | None = IGNORE,
) -> BoolArray:
    """Returns (K, H, W) edges with a channel a class: a pixel is on the edge of each class that ends there.

    Args:
        classes: (H, W) classes 0..K-1, or ``ignore``.
        count: K.
        radius: See :func:`label_edges`.
        instances: (H, W) numbers that tell objects of one class apart, whose common border then is an edge of the
            class (instance-sensitive edges); None where only classes count.
        ignore: See :func:`label_edges`.

    Raises:
        ValueError: ``radius`` is neither 0 nor at least 1.
        LabelError: A class is out of range, or ``instances`` has another shape.
    """
    present = [k for k in np.unique(classes).tolist() if k != ignore]
    if present and not 0 <= present[0] <= present[-1] < count:
        raise LabelError(f"classes: expected 0..{count - 1} or {ignore}, got {present}")
    if instances is not None and instances.shape != classes.shape:
        raise LabelError(f"instances: expected shape {classes.shape}, got {instances.shape}")
    _check_radius(radius)
    objects = 0 if instances is None else np.unique(instances, return_inverse=True)[1].reshape(classes.shape)
    edges = np.zeros((count, *classes.shape), bool)
    for k in present:
        channel = np.where(classes == k, objects, -1)
        if ignore is not None:
            channel[classes == ignore] = -2
        edges[k] = label_edges(channel, radius, None if ignore is None else -2)
    return edges


def edge_map(labels: SemanticMap, radius: float = 0, instances: LabelArray | None = None) -> EdgeMap:
    """Returns the edges of a semantic map, together with the regions that they enclose; see :func:`class_edges`."""
    classes = labels.classes
    edges = class_edges(classes, len(labels.categories), radius, instances)
    if instances is None:
        regions = classes.astype(np.int64)
    else:
        pairs = np.stack([classes.astype(np.int64), instances.astype(np.int64)], axis=-1).reshape(-1, 2)
        regions = np.unique(pairs, axis=0, return_inverse=True)[1].reshape(classes.shape)
    return EdgeMap(edges, labels.categories, regions, labels.image)


def thinned(edges: BoolArray) -> BoolArray:
    """Returns (H, W) edges one pixel wide that run and enclose what ``edges`` do."""
    from skimage.morphology import thin  # takes long to import

    return thin(edges) if edges.any() else np.zeros(edges.shape, bool)


def edge_radius(edges: BoolArray) -> int:
    """Returns the ``radius`` with which :func:`label_edges` draws edges as wide as these (H, W) ones; 0 for thin ones.

    It is found from the number of pixels, divided by that of their skeleton.
    """
    from skimage.morphology import skeletonize  # takes long to import

    # On bands this is ten times faster than thinning, and only the length is asked for.
    width = np.count_nonzero(edges) / max(np.count_nonzero(skeletonize(edges)), 1)
    return 0 if width < BAND else max(1, round(width / 2))


def _check_radius(radius: float) -> None:
    if not (radius == 0 or (math.isfinite(radius) and radius >= 1)):
        raise ValueError(f"radius: expected 0 or a length >= 1, got {radius}")


def _offsets(radius: float) -> list[tuple[int, int]]:
    """Returns the steps to the neighbours that a pixel is compared with; of two opposite ones, one."""
    if not radius:
        return [(0, 1), (1, 0)]
    reach = int(radius)
    return [
        (rows, columns)
        for rows in range(reach + 1)
        for columns in range(-reach, reach + 1)
        if 0 < rows**2 + columns**2 <= radius**2 and (rows, columns) > (0, 0)
    ]


def _pair(size_hw: tuple[int, ...], rows: int, columns: int) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Returns where in the frame the pixels are that have a neighbour at the step, and where those neighbours are."""
    height, width = size_hw
    tall, left, right = max(height - rows, 0), max(-columns, 0), min(width, width - columns)
    right = max(right, left)
    return (
        (slice(0, tall), slice(left, right)),
        (slice(rows, rows + tall), slice(left + columns, right + columns)),
    )
