"""Who stands where on a map of classes when a region leaves its place, grows or shrinks.

Maps are (H, W) integer arrays; 255 marks pixels to ignore. Masks are (H, W) bool.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.spatial import cKDTree

Map = npt.NDArray[np.integer]
Mask = npt.NDArray[np.bool_]
IGNORE = 255


def fill_from_neighbours(canvas: Map, vacated: Mask, clean: Map) -> None:
    """Gives each vacated pixel what stands on ``canvas`` at the nearest pixel of another class; in place.

    Of another class before, because the rest of the region that drew back is as near as its neighbour and would take
    half of the rim back; and still of another one, if the class grew elsewhere. Where that pixel is vacated as well
    (two neighbours drew back from each other) the nearest pixel of any class that is not vacated decides, so the gap
    is split between them. Without such a pixel the clean class stays. Which of several pixels at the same distance
    counts is not promised.

    Args:
        canvas: The map to write to.
        vacated: Pixels where nobody stands any more; none of them ignored.
        clean: The map before.
    """
    contested = np.zeros_like(vacated)
    valid = clean != IGNORE
    for class_ in np.unique(clean[vacated]).tolist():
        own = vacated & (clean == class_)
        rows, columns = np.nonzero(own)
        found = _nearest(valid & (clean != class_) & (vacated | (canvas != class_)), rows, columns)
        if found is None:
            canvas[own] = class_
            continue
        open_ = vacated[found]
        canvas[rows[~open_], columns[~open_]] = canvas[found][~open_]
        contested[rows[open_], columns[open_]] = True
    rows, columns = np.nonzero(contested)
    found = _nearest(valid & ~vacated, rows, columns) if len(rows) else None
    canvas[rows, columns] = clean[rows, columns] if found is None else canvas[found]


def moved_boundary(pixels: Mask, around: Map, radius: float, grow: bool) -> Mask:
    """Returns a region grown, or drawn back from its neighbours, by a Euclidean distance.

    Args:
        pixels: (h, w) the region, in a window that reaches more than ``radius`` pixels beyond it, or to the border.
        around: (h, w) the map in that window; ignored pixels, like the border, are no neighbours.
        radius: Distance in pixels. What is exactly that far counts as reached.
        grow: Grow if true, draw back otherwise.
    """
    if grow:
        return distance_to(pixels) <= radius
    return pixels & (distance_to(~pixels & (around != IGNORE)) > radius)


def distance_to(mask: npt.NDArray[np.bool_] | npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """Returns the Euclidean distance of each pixel to the nearest pixel of the mask; infinity for an empty mask."""
    outside = np.asarray(mask) == 0
    if outside.all():
        return np.full(outside.shape, np.inf)
    return ndimage.distance_transform_edt(outside)


def first_pixel(top: int, left: int, pixels: npt.NDArray, width: int) -> int:
    """Returns the flat index, row by row, of the first pixel of a tight crop in a frame of ``width`` columns."""
    return top * width + left + int(pixels[0].argmax())


def components(mask: npt.NDArray[np.uint8]) -> list[tuple[int, int, Mask, int]]:
    """Returns left, top, tight crop and area of each 8-connected part of a mask in {0, 1}."""
    count, numbers, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    found = []
    for number, (left, top, width, height, area) in enumerate(stats[1:count].tolist(), 1):
        found.append((left, top, numbers[top : top + height, left : left + width] == number, area))
    return found


def _nearest(
    targets: Mask, rows: npt.NDArray[np.integer], columns: npt.NDArray[np.integer]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]] | None:
    """Returns rows and columns of the target nearest to each given pixel, none of them a target; None without any."""
    pixels = targets.astype(np.uint8)
    # Only targets with a neighbour that is none can be nearest: from any other, one step gets closer.
    rim = np.argwhere(pixels - cv2.erode(pixels, np.ones((3, 3), np.uint8)))
    if not len(rim):
        return None
    _, found = cKDTree(rim).query(np.stack([rows, columns], axis=1))
    return rim[found, 0], rim[found, 1]
