"""What noise does to edges: smooth displacements, regions that move, grow and lose detail, arcs, and Canny's edges.

Letters: K channels, H rows, W columns. A displacement is (2, H, W) float: pixels to the right, pixels down.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt
from scipy import ndimage

from noisyseg.noise.kernels.coarse import LAST_RADIUS, coarse_polygon

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.floating]
Regions = npt.NDArray[np.integer]
IntArray = npt.NDArray[np.integer]

# The Gaussian is cut after this many lengths.
REACH = 4
SQUARE = np.ones((3, 3), np.uint8)
STEPS = ((0, 1), (1, 0), (1, 1), (1, -1))


def field_grid(size_hw: tuple[int, int], length: float) -> tuple[int, int]:
    """Returns rows and columns of the grid of normals that :func:`smooth_field` needs for a frame."""
    rows, columns = (math.ceil((side - 1) / length) + 1 + 2 * REACH for side in size_hw)
    return rows, columns


def smooth_field(normals: FloatArray, size_hw: tuple[int, int], rms: float, length: float) -> FloatArray:
    """Returns a smooth displacement whose root mean square length over the frame is ``rms`` pixels.

    A Gaussian of standard deviation ``length`` stands on every point of a grid of that spacing, times a normal
    number: to one part in ten thousand this is white noise filtered by the Gaussian, so the correlation at distance
    d is exp(-d²/(4 length²)), but it takes some hundred numbers in place of one a pixel.

    Args:
        normals: (2, rows, columns) standard normal numbers, see :func:`field_grid`.
        size_hw: Rows and columns of the frame.
        rms: Pixels.
        length: Correlation length, pixels.
    """
    weights = [
        np.exp(-(((np.arange(side)[:, None] / length) - (np.arange(points)[None] - REACH)) ** 2) / 2)
        for side, points in zip(size_hw, normals.shape[1:], strict=True)
    ]
    field = weights[0] @ normals @ weights[1].T
    return field * (rms / math.sqrt(np.mean(np.sum(field**2, axis=0))))


def clipped(field: FloatArray, longest: float) -> FloatArray:
    """Returns the displacement with vectors longer than ``longest`` pixels cut to that length."""
    lengths = np.hypot(field[0], field[1])
    return field * (longest / np.maximum(lengths, longest))


def sources(field: FloatArray) -> tuple[IntArray, IntArray]:
    """Returns rows and columns of the pixel inside the frame that each pixel takes its label from."""
    height, width = field.shape[1:]
    rows = np.rint(np.arange(height)[:, None] - field[1]).astype(np.intp)
    columns = np.rint(np.arange(width)[None] - field[0]).astype(np.intp)
    return rows.clip(0, height - 1), columns.clip(0, width - 1)


def moved_edges(edges: BoolArray, field: FloatArray) -> BoolArray:
    """Returns (H, W) edges drawn anew after each of their pixels has moved; what leaves the frame is cut.

    Pixels that touched are joined by a line, so what was closed or connected stays so.
    """
    height, width = edges.shape
    starts, ends = [], []
    for rows, columns in (*STEPS, (0, 0)):
        left, right = max(-columns, 0), width - max(columns, 0)
        both = edges[: height - rows, left:right] & edges[rows:, left + columns : right + columns]
        y, x = np.nonzero(both)
        x = x + left
        starts.append(_moved(y, x, field))
        ends.append(_moved(y + rows, x + columns, field))
    canvas = np.zeros(edges.shape, np.uint8)
    lines = np.stack([np.concatenate(starts), np.concatenate(ends)], axis=1)
    cv2.polylines(canvas, list(lines), isClosed=False, color=1)
    return canvas.astype(bool)


def _moved(rows: IntArray, columns: IntArray, field: FloatArray) -> npt.NDArray[np.int32]:
    """Returns the (N, 2) integer points x, y where the pixels go."""
    dx, dy = field[:, rows, columns]
    return np.rint(np.stack([columns + dx, rows + dy], axis=1)).astype(np.int32)


def channels_from(
    drawn: BoolArray, clean: BoolArray, border: BoolArray, rows: IntArray, columns: IntArray, reach: float
) -> BoolArray:
    """Returns (K, H, W) edges: each pixel of ``drawn`` is in the channels of the clean border nearest to its source.

    Args:
        drawn: (H, W) edges.
        clean: (K, H, W) clean edges.
        border: (H, W) borders of the clean regions, whether they are edges or not.
        rows: (H, W) row of each pixel's source.
        columns: (H, W) column of it.
        reach: A clean border belongs to the clean edge nearest to it, and to none that is farther than this, pixels.
    """
    out = np.zeros(clean.shape, bool)
    known = clean.any(axis=0)
    if not known.any() or not border.any():
        return out
    y, x = np.nonzero(drawn)
    at = ndimage.distance_transform_edt(~border, return_distances=False, return_indices=True)[
        :, rows[y, x], columns[y, x]
    ]
    distance, nearest = ndimage.distance_transform_edt(~known, return_indices=True)
    kept = distance[at[0], at[1]] <= reach
    edge = nearest[:, at[0][kept], at[1][kept]]
    out[:, y[kept], x[kept]] = clean[:, edge[0], edge[1]]
    return out


def enclosed_regions(edges: BoolArray) -> Regions:
    """Returns the (H, W) regions, from 1, that (H, W) edges enclose; edge pixels belong to the nearest one.

    Regions are 4-connected, so edges that touch by a corner are closed. A frame full of edges is one region.
    """
    numbers, count = ndimage.label(~edges)
    if not count:
        return np.ones(edges.shape, np.int64)
    rows, columns = ndimage.distance_transform_edt(edges, return_distances=False, return_indices=True)
    return numbers[rows, columns]


def grown_regions(regions: Regions, offset: float, ground: int | None) -> Regions:
    """Returns the regions after every border has moved ``offset`` pixels out of the smaller of its two regions.

    Args:
        regions: (H, W) numbers.
        offset: Pixels; negative ones make the smaller region smaller. A region may vanish.
        ground: Number of the region that counts as larger than all; None for none.
    """
    reach = abs(offset)
    if not reach:
        return regions
    margin = math.ceil(reach) + 1
    numbers, compact, areas = np.unique(regions, return_inverse=True, return_counts=True)
    boxes = ndimage.find_objects(compact.reshape(regions.shape) + 1)
    sizes = np.where(numbers == ground, regions.size + 1, areas) if ground is not None else areas
    order = np.lexsort((numbers, -sizes if offset > 0 else sizes))
    grown = regions.copy()
    for k in order.tolist():
        window = tuple(slice(max(side.start - margin, 0), side.stop + margin) for side in boxes[k])
        outside = (regions[window] != numbers[k]).astype(np.uint8)
        distance = cv2.distanceTransform(outside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE) if outside.any() else outside
        grown[window][distance <= reach + 1e-3] = numbers[k]
    return grown


def coarse_regions(regions: Regions, delta: int, ground: int | None) -> Regions:
    """Returns the regions with each connected part replaced by its coarse polygon, smaller parts over larger ones.

    Args:
        regions: (H, W) numbers.
        delta: Coarseness in pixels, >= 0; see :func:`~noisyseg.noise.kernels.coarse.coarse_polygon`.
        ground: Number of the region that has no polygon and stands wherever no polygon is. None for none: what no
            polygon covers then goes to the nearest one.
    """
    coarse = np.full_like(regions, 0 if ground is None else ground)
    unset = np.ones(regions.shape, bool)
    for _, top, left, number, pixels in sorted(_parts(regions, ground), key=lambda part: part[:4]):
        y0, x0 = max(top - LAST_RADIUS, 0), max(left - LAST_RADIUS, 0)
        y1, x1 = top + pixels.shape[0] + LAST_RADIUS, left + pixels.shape[1] + LAST_RADIUS
        wide = np.zeros_like(unset[y0:y1, x0:x1], np.uint8)
        wide[top - y0 : top - y0 + pixels.shape[0], left - x0 : left - x0 + pixels.shape[1]] = pixels
        painted = coarse_polygon(wide, delta) != 0
        coarse[y0:y1, x0:x1][painted] = number
        unset[y0:y1, x0:x1][painted] = False
    if ground is None and unset.any() and not unset.all():
        rows, columns = ndimage.distance_transform_edt(unset, return_distances=False, return_indices=True)
        coarse = coarse[rows, columns]
    return coarse


def _parts(regions: Regions, ground: int | None) -> list[tuple[int, int, int, int, npt.NDArray[np.uint8]]]:
    """Returns minus the area, top, left, number and tight crop of each 8-connected part of a region but the ground."""
    parts = []
    numbers, compact = np.unique(regions, return_inverse=True)
    windows = ndimage.find_objects(compact.reshape(regions.shape) + 1)
    for number, (rows, columns) in zip(numbers.tolist(), windows, strict=True):
        if number == ground:
            continue
        same = (regions[rows, columns] == number).astype(np.uint8)
        count, names, stats, _ = cv2.connectedComponentsWithStats(same, connectivity=8)
        for name in range(1, count):
            left, top, width, height, area = stats[name].tolist()
            pixels = (names[top : top + height, left : left + width] == name).astype(np.uint8)
            parts.append((-area, top + rows.start, left + columns.start, number, pixels))
    return parts


def arc(edges: BoolArray, row: int, column: int, count: int) -> tuple[IntArray, IntArray]:
    """Returns rows and columns of the ``count`` edge pixels nearest to one of them, measured along the edge.

    Fewer, where the edge has fewer; of pixels equally far the first ones, row by row.
    """
    top, left = max(row - count, 0), max(column - count, 0)
    window = edges[top : row + count + 1, left : column + count + 1].astype(np.uint8)
    reached = np.zeros_like(window)
    reached[row - top, column - left] = 1
    found = 1
    while found < count:
        wider = cv2.dilate(reached, SQUARE) & window
        new = np.flatnonzero(wider != reached)
        if not len(new):
            break
        reached.reshape(-1)[new[: count - found]] = 1
        found += min(len(new), count - found)
    rows, columns = np.nonzero(reached)
    return rows + top, columns + left


def canny_edges(image: npt.NDArray[np.uint8], sigma: float, low: float, high: float) -> BoolArray:
    """Returns the (H, W) edges that Canny finds in an (H, W, 3) RGB image, blurred by a 5x5 Gaussian before."""
    grey = cv2.GaussianBlur(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), (5, 5), sigma)
    return cv2.Canny(grey, low, high).astype(bool)


def edge_density(edges: BoolArray, length: float) -> FloatArray:
    """Returns the (H, W) share of edge pixels around each pixel, weighted by a Gaussian of that standard deviation."""
    return cv2.GaussianBlur(edges.astype(np.float64), (0, 0), length, borderType=cv2.BORDER_REFLECT_101)
