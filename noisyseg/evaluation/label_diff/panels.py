"""Draw what changed in one image: the earlier labels, the later ones, and the pixels that changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from noisyseg.evaluation.label_diff.pixels import FATES, Fates
from noisyseg.labels import IGNORE, LabelError
from noisyseg.labels.colours import Colour

__all__ = ["FATE_COLOURS", "ImageFiles", "draw_changes", "draw_labels"]

Picture = npt.NDArray[np.uint8]
ClassMap = npt.NDArray[np.uint8]
FATE_COLOURS: dict[str, Colour] = dict(
    zip(FATES, ((40, 190, 90), (235, 60, 60), (245, 180, 40), (200, 205, 215)), strict=True)
)
WHITE = (255, 255, 255)
OPACITY = 0.55
BOLD = 3
GREY = 104
TYPES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")


class ImageFiles:
    """The images of a folder, by the name that labels have for them.

    Args:
        folder: The folder.
        ending: What file names have behind that name, before the file type, such as ``_leftImg8bit``.

    Raises:
        LabelError: There is no such folder.
    """

    def __init__(self, folder: str | Path, ending: str = "") -> None:
        self.folder, self.ending = Path(folder), ending
        if not self.folder.is_dir():
            raise LabelError("expected a folder of images, got none", file=self.folder)

    def read(self, name: str, size_hw: tuple[int, int]) -> Picture:
        """Returns an image as (H, W, 3) RGB uint8, turned as its EXIF says.

        Raises:
            LabelError: It is absent or broken, or of another size than its labels.
        """
        stem = self.folder / f"{name}{self.ending}"
        paths = [path for kind in TYPES for end in (kind, kind.upper()) if (path := Path(f"{stem}{end}")).is_file()]
        if not paths:
            raise LabelError(f"expected an image of one of the types {', '.join(TYPES)}, got none", file=stem)
        try:
            with Image.open(paths[0]) as image:
                picture = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
        except (OSError, SyntaxError, ValueError) as error:
            raise LabelError(f"cannot be read as an image: {error}", file=paths[0]) from None
        if picture.shape[:2] != tuple(size_hw):
            raise LabelError(f"expected the size of its labels, {size_hw}, got {picture.shape[:2]}", file=paths[0])
        return picture


def draw_labels(picture: Picture, labels: ClassMap, colour_of: Callable[[int], Colour | None], side: int) -> Picture:
    """Returns a picture without its own colours, with those of classes as a veil, and lines where they meet.

    Args:
        picture: (H, W, 3) uint8.
        labels: (H, W) classes, 255 where ignored, which is shown white.
        colour_of: Colour of a class; None leaves it bare.
        side: Longer side of the result, pixels.
    """
    drawn = _grey(picture)
    for k in np.unique(labels).tolist():
        colour = WHITE if k == IGNORE else colour_of(k)
        if colour is not None:
            here = labels == k
            drawn[here] = drawn[here] * (1 - OPACITY) + np.array(colour, np.float32) * OPACITY
    return _with_lines(_scaled(drawn.astype(np.uint8), side), labels)


def draw_changes(
    picture: Picture,
    old: ClassMap,
    new: ClassMap,
    fates: Fates,
    colour_of: Callable[[int], Colour | None],
    side: int,
    *,
    with_clean: bool,
) -> Picture:
    """Returns a dim grey picture with changed pixels: in the colour of their fate, or of their new class.

    Args:
        picture: (H, W, 3) uint8.
        old: (H, W) earlier classes.
        new: (H, W) later classes.
        fates: (H, W) what became of each pixel.
        colour_of: Colour of a class; None stands for background and is drawn white here.
        side: Longer side of the result, pixels.
        with_clean: Whether fates are known.
    """
    drawn = _scaled((40 + 0.45 * _grey(picture)).astype(np.uint8), side).astype(np.float32)
    if with_clean:
        layers = [(fates == FATES[name], colour) for name, colour in FATE_COLOURS.items()]
    else:
        colours = {k: WHITE if k == IGNORE else colour_of(k) or WHITE for k in np.unique(new[fates != 0]).tolist()}
        layers = [((fates != 0) & (new == k), colour) for k, colour in colours.items()]
    for where, colour in layers:
        # A line of changed pixels covers little of a pixel of a smaller picture, and should still be seen.
        cover = _scaled(np.where(where, np.uint8(255), np.uint8(0)), side)[..., None] / np.float32(255)
        cover = np.minimum(cover * BOLD, 1)
        drawn = drawn * (1 - cover) + np.array(colour, np.float32) * cover
    return _with_lines(drawn.astype(np.uint8), old)


def _grey(picture: Picture) -> npt.NDArray[np.float32]:
    return np.repeat(picture.mean(axis=2, dtype=np.float32, keepdims=True), 3, axis=2)


def _scaled(picture: Picture, side: int) -> Picture:
    height, width = picture.shape[:2]
    scale = side / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST)


def _with_lines(picture: Picture, labels: ClassMap) -> Picture:
    """Returns a picture with dark lines where classes meet."""
    large = cv2.resize(labels, picture.shape[1::-1], interpolation=cv2.INTER_NEAREST)
    lines = np.zeros(large.shape, bool)
    lines[:, 1:] |= large[:, 1:] != large[:, :-1]
    lines[1:] |= large[1:] != large[:-1]
    picture[lines] = picture[lines] // 3
    return picture
