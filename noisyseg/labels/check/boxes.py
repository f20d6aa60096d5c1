"""Check ``bbox`` and ``area`` of an annotation, alone and against its mask.

Which values match a mask is a matter of convention, and each of these is in use: a box around the polygon's
points or around the pixels, with or without the last pixel, as fractions or rounded; an area enclosed by the
polygon or counted in pixels. So each side of a box may be off by ``BOX_TOLERANCE`` (1 px for the last pixel,
half for the pixel grid, half for rounding), and an area by half a pixel along the whole outline.
"""

from __future__ import annotations

from collections.abc import Iterator

from noisyseg.labels.check.findings import Json, Problem, is_finite, is_number, shown
from noisyseg.labels.check.geometry import FRAME_TOLERANCE, Box, Shape, SizeHW

BOX_TOLERANCE = 2.0


def box_problems(annotation: Json, size_hw: SizeHW | None, shape: Shape | None) -> Iterator[Problem]:
    """Yields what is wrong with ``bbox``.

    Args:
        annotation: Entry of ``annotations``.
        size_hw: Rows and columns of the image, or None where they are unknown.
        shape: The measured mask, or None where there is none.
    """
    if "bbox" not in annotation:
        yield "bbox-missing", "expected a bbox, got none"
        return
    bbox = annotation["bbox"]
    if not (isinstance(bbox, list) and len(bbox) == 4 and all(map(is_number, bbox))):
        yield "bbox-type", f"bbox: expected four numbers [x, y, width, height], got {shown(bbox)}"
        return
    if not all(map(is_finite, bbox)):
        yield "bbox-nan", f"bbox: expected finite numbers, got {shown(bbox)}"
        return
    x, y, width, height = map(float, bbox)
    if width <= 0 or height <= 0:
        yield "bbox-empty", f"bbox: expected width and height > 0, got {_text(bbox)}"
        return
    if width < 1 or height < 1:
        hint = "; numbers in 0..1 look like fractions of the image" if max(bbox) <= 1 else ""
        yield "bbox-tiny", f"bbox: expected width and height >= 1 px, got {_text(bbox)}{hint}"
    box = x, y, x + width, y + height
    if size_hw is not None:
        yield from _frame_problems(bbox, box, size_hw)
    if shape is not None:
        yield from _mask_problems(bbox, box, shape)


def _frame_problems(bbox: list, box: Box, size_hw: SizeHW) -> Iterator[Problem]:
    height, width = size_hw
    x0, y0, x1, y1 = box
    if x0 >= width or y0 >= height or x1 <= 0 or y1 <= 0:
        yield "bbox-off-image", f"bbox: expected a box inside {width} x {height} px, got {_text(bbox)}"
    elif min(x0, y0, width - x1, height - y1) < -FRAME_TOLERANCE:
        fits = x1 - x0 <= width + FRAME_TOLERANCE and y1 - y0 <= height + FRAME_TOLERANCE
        corners = fits and bbox[2] > bbox[0] and bbox[3] > bbox[1]
        hint = "; it would fit as corners x0, y0, x1, y1" if corners else ""
        yield "bbox-outside", f"bbox: expected a box inside {width} x {height} px, got {_text(bbox)}{hint}"


def _mask_problems(bbox: list, box: Box, shape: Shape) -> Iterator[Problem]:
    if _near(box, shape):
        return
    x0, y0, x1, y1 = shape.box
    gap = max(x0 - box[2], y0 - box[3], box[0] - x1, box[1] - y1)
    code = "bbox-disjoint" if gap >= BOX_TOLERANCE else "bbox-mismatch"
    expected = f"about {_text([x0, y0, x1 - x0, y1 - y0])}, the mask's box"
    hint = "; it is written as corners x0, y0, x1, y1" if _near(tuple(map(float, bbox)), shape) else ""
    yield code, f"bbox: expected {expected}, got {_text(bbox)}{hint}"


def _near(box: Box, shape: Shape) -> bool:
    """Returns whether each side is near the pixels' or the outline's, or between the two."""
    return all(
        min(pixels, outline) - BOX_TOLERANCE <= side <= max(pixels, outline) + BOX_TOLERANCE
        for side, pixels, outline in zip(box, shape.box, shape.outline_box, strict=True)
    )


def area_problems(annotation: Json, shape: Shape | None) -> Iterator[Problem]:
    """Yields what is wrong with ``area``; ``shape`` is the measured mask, or None where there is none."""
    if "area" not in annotation:
        yield "area-missing", "expected an area, got none"
        return
    area = annotation["area"]
    if not is_number(area):
        yield "area-type", f"area: expected a number, got {shown(area)}"
    elif not is_finite(area):
        yield "area-nan", f"area: expected a finite number, got {shown(area)}"
    elif area <= 0:
        yield "area-not-positive", f"area: expected a number > 0, got {shown(area)}"
    elif shape is not None:
        tolerance = 1 + shape.outline_length / 2
        low = min(shape.area, shape.outline_area) - tolerance
        high = max(shape.area, shape.outline_area) + tolerance
        if not low <= area <= high:
            hint = "; it is width x height of the bbox" if _is_box_area(area, annotation.get("bbox")) else ""
            code = "crowd-area-mismatch" if annotation.get("iscrowd") == 1 else "area-mismatch"
            yield code, f"area: expected about {shape.area}, the mask's pixels, got {area:.6g}{hint}"


def _is_box_area(area: float, bbox: object) -> bool:
    if not (isinstance(bbox, list) and len(bbox) == 4 and all(is_number(x) and is_finite(x) for x in bbox)):
        return False
    return abs(float(bbox[2]) * float(bbox[3]) - area) <= 1e-3 * area


def _text(numbers: list) -> str:
    return "[" + ", ".join(f"{number:.6g}" for number in numbers) + "]"
