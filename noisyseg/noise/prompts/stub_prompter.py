"""A stand-in for a promptable segmenter, without weights: for tests, and to try out a recipe."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from noisyseg.labels import Mask
from noisyseg.noise.prompts.prompter import Answer, Prompts
from noisyseg.registry import TASK_UTILS

Image = npt.NDArray[np.uint8]
# Radii of the discs around a point, as shares of the image's shorter side.
RADII = (0.05, 0.1, 0.2)
# Largest difference to the colour of the prompt, in any channel; the last one is for the score alone.
TOLERANCES = (8, 16, 32, 64)


@TASK_UTILS.register_module()
class StubPrompter:
    """Answers with simple shapes or with areas of one colour. It is no segmenter: results made with it mean nothing.

    ``by="shape"`` does not look at the image. It answers a box with an ellipse of half its size, the ellipse inside it
    and the box itself, a point with three discs around it. The scores are 0.9, 0.8 and 0.7 in an order that turns with
    the place of the prompt.

    ``by="colour"`` answers with the 4-connected pixels around the prompt whose colour differs by at most 8, 16 and
    32 in each channel from the median around it: inside the box, or in the whole image for a point. The score
    is how little the next larger difference would add. Where the middle of the prompt has another colour than its
    surroundings, the answer is empty.

    With ``multimask=False`` the second guess alone is given.

    Args:
        by: ``"shape"`` or ``"colour"``.

    Raises:
        ValueError: ``by`` is neither of them; a point is not on the object (label 1).
    """

    def __init__(self, by: Literal["shape", "colour"] = "shape") -> None:
        if by not in ("shape", "colour"):
            raise ValueError(f"by: expected shape or colour, got {by!r}")
        self.by = by
        self.needs_image = by == "colour"

    def answers(
        self, image: Image | None, size_hw: tuple[int, int], prompts: Prompts, *, multimask: bool
    ) -> Iterator[Answer]:
        """See :class:`~noisyseg.noise.prompts.prompter.Prompter`."""
        if prompts.labels is not None and not np.all(prompts.labels == 1):
            raise ValueError("labels: StubPrompter knows points on the object only (label 1)")
        for place in range(len(prompts)):
            box = None if prompts.boxes is None else prompts.boxes[place]
            point = None if prompts.points is None else prompts.points[place]
            answer = _shapes(size_hw, box, point) if self.by == "shape" else _areas(image, box, point)
            yield answer if multimask else Answer(answer.masks[1:2], answer.scores[1:2])


def _shapes(size_hw: tuple[int, int], box: npt.NDArray | None, point: npt.NDArray | None) -> Answer:
    if box is None:
        x, y = point.tolist()
        masks = tuple(_ellipse(size_hw, x, y, share * min(size_hw), share * min(size_hw)) for share in RADII)
    else:
        x0, y0, x1, y1 = box.tolist()
        x, y, half_w, half_h = (x0 + x1) / 2, (y0 + y1) / 2, (x1 - x0 + 1) / 2, (y1 - y0 + 1) / 2
        left, top, right, bottom = _window(size_hw, x0, y0, x1, y1)
        whole = Mask.from_crop(left, top, np.ones((bottom - top, right - left), np.uint8), size_hw)
        masks = (_ellipse(size_hw, x, y, half_w / 2, half_h / 2), _ellipse(size_hw, x, y, half_w, half_h), whole)
    return Answer(masks, tuple(np.roll((0.9, 0.8, 0.7), int(x) + int(y)).tolist()))


def _ellipse(size_hw: tuple[int, int], x: float, y: float, half_w: float, half_h: float) -> Mask:
    """Returns the pixels whose middle lies in an ellipse, and the one that its own middle lies in."""
    left, top, right, bottom = _window(size_hw, x - half_w, y - half_h, x + half_w, y + half_h)
    rows, columns = np.ogrid[top:bottom, left:right]
    inside = ((columns - x) / half_w) ** 2 + ((rows - y) / half_h) ** 2 <= 1
    inside |= (rows == round(y)) & (columns == round(x))
    return Mask.from_crop(left, top, inside.astype(np.uint8), size_hw)


def _areas(image: Image, box: npt.NDArray | None, point: npt.NDArray | None) -> Answer:
    size_hw = image.shape[:2]
    if box is None:
        x, y = point.tolist()
        left, top, right, bottom = 0, 0, size_hw[1], size_hw[0]
        near = _window(size_hw, x - 1, y - 1, x + 1, y + 1)
    else:
        x0, y0, x1, y1 = box.tolist()
        x, y, third_w, third_h = (x0 + x1) / 2, (y0 + y1) / 2, (x1 - x0) / 6, (y1 - y0) / 6
        left, top, right, bottom = _window(size_hw, x0, y0, x1, y1)
        near = _window(size_hw, x - third_w, y - third_h, x + third_w, y + third_h)
    middle = np.median(image[near[1] : near[3], near[0] : near[2]].reshape(-1, 3), axis=0)
    difference = np.abs(image[top:bottom, left:right] - middle).max(axis=2)
    row = min(max(round(y), top), bottom - 1) - top
    column = min(max(round(x), left), right - 1) - left
    areas = [_around(difference <= tolerance, row, column) for tolerance in TOLERANCES]
    sizes = [int(area.sum()) for area in areas]
    scores = [small / large if large else 0.0 for small, large in pairwise(sizes)]
    masks = tuple(Mask.from_crop(left, top, area, size_hw) for area in areas[:-1])
    return Answer(masks, tuple(scores))


def _around(alike: npt.NDArray[np.bool_], row: int, column: int) -> npt.NDArray[np.uint8]:
    """Returns the pixels that are connected with one pixel; none where that is not set itself."""
    _, numbers = cv2.connectedComponents(alike.astype(np.uint8), connectivity=4)
    return ((numbers == numbers[row, column]) & alike[row, column]).astype(np.uint8)


def _window(size_hw: tuple[int, int], x0: float, y0: float, x1: float, y1: float) -> tuple[int, int, int, int]:
    """Returns ``left, top, right, bottom``, half-open, of the pixels that a box touches, at least one of the frame."""
    rows, columns = size_hw
    left, top = min(max(round(x0), 0), columns - 1), min(max(round(y0), 0), rows - 1)
    return left, top, max(min(round(x1) + 1, columns), left + 1), max(min(round(y1) + 1, rows), top + 1)
