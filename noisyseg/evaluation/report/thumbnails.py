"""Pictures of the pairs that agree least: the image around each, clean outline and noisy outline."""

from __future__ import annotations

import io
import math
import warnings
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from noisyseg.evaluation.report.instances import Compared
from noisyseg.labels import LabelError, Mask
from noisyseg.labels.coco_text import CocoText

Json = dict[str, Any]
Picture = npt.NDArray[np.uint8]
SIDE = 240
CLEAN, NOISY = (27, 160, 150), (230, 80, 55)
# OpenCV takes vertices with this many binary digits after the point.
DIGITS = 4


def thumbnails(compared: Compared, folder: Path) -> list[bytes]:
    """Returns a JPEG of each of the worst pairs of a report, in its order.

    Args:
        compared: The two files and their report.
        folder: The image folder.

    Raises:
        LabelError: An image is absent, or has another size than the file says.
    """
    shared = dict(compared.images)
    return [
        _thumbnail(
            read_picture(folder, compared.clean, pair["image_id"]),
            _mask(compared.clean, pair["clean_id"], pair["image_id"]),
            _mask(compared.noisy, pair["noisy_id"], shared[pair["image_id"]]),
        )
        for pair in compared.report["worst"]
    ]


def read_picture(folder: Path, coco: CocoText, image_id: int) -> Picture:
    """Returns an image as (H, W, 3) RGB uint8, turned as its EXIF says.

    Raises:
        LabelError: It is absent or broken, or has another size than the file says.
    """
    entry = coco.images[image_id]
    name = entry.get("file_name")
    path = folder / str(name)
    where = f"image {image_id}"
    if not isinstance(name, str) or not path.is_file():
        raise LabelError("expected an image, got no such file", file=path, where=where)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of large images and odd metadata
            with Image.open(path) as image:
                picture = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    except Exception as error:  # Pillow's decoders raise anything on a broken file
        raise LabelError(f"cannot be read as an image: {error}", file=path, where=where) from None
    if picture.shape[:2] != (entry["height"], entry["width"]):
        raise LabelError(
            f"expected {entry['height']} x {entry['width']} pixels as in {coco.path}, got {picture.shape[:2]}",
            file=path,
            where=where,
        )
    return picture


def _thumbnail(picture: Picture, clean: Mask, noisy: Mask) -> bytes:
    height, width = picture.shape[:2]
    boxes = np.array([mask.box for mask in (clean, noisy) if mask.area] or [(0, 0, width, height)])
    (x0, y0), (x1, y1) = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    side = max(x1 - x0, y1 - y0) * 1.5 + 8
    left, top = (int(max((a + b - side) / 2, 0)) for a, b in ((x0, x1), (y0, y1)))
    right, bottom = min(math.ceil((x0 + x1 + side) / 2), width), min(math.ceil((y0 + y1 + side) / 2), height)
    scale = SIDE / max(right - left, bottom - top)
    size = max(1, round((right - left) * scale)), max(1, round((bottom - top) * scale))
    drawn = cv2.resize(
        np.ascontiguousarray(picture[top:bottom, left:right]),
        size,
        interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC,
    )
    for mask, colour in ((clean, CLEAN), (noisy, NOISY)):
        rings = _outlines(mask, left, top, scale)
        cv2.polylines(drawn, rings, True, (20, 20, 24), 4, cv2.LINE_AA, DIGITS)
        cv2.polylines(drawn, rings, True, colour, 2, cv2.LINE_AA, DIGITS)
    buffer = io.BytesIO()
    Image.fromarray(drawn).save(buffer, "JPEG", quality=88)
    return buffer.getvalue()


def _outlines(mask: Mask, left: int, top: int, scale: float) -> list[npt.NDArray[np.int32]]:
    """Returns the rings of a mask in 1/16 pixels of the picture."""
    x, y, pixels = mask.crop
    factor = max(1, math.ceil(scale))  # finer pixels bring rings, which run through centres, to the edge
    fine = cv2.resize(np.ascontiguousarray(pixels), None, fx=factor, fy=factor, interpolation=cv2.INTER_NEAREST)
    rings, _ = cv2.findContours(fine, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    return [
        np.rint((((ring + 0.5) / factor + (x - left, y - top)) * scale - 0.5) * (1 << DIGITS)).astype(np.int32)
        for ring in rings
    ]


def _mask(coco: CocoText, annotation_id: int, image_id: int) -> Mask:
    """Returns the mask of an annotation, or its box in whole pixels where it has none."""
    place = np.flatnonzero(coco.ids == annotation_id)
    (annotation,) = coco.annotations_at(place)
    image = coco.images[image_id]
    size_hw = image["height"], image["width"]
    if "segmentation" in annotation:
        return Mask.from_coco(annotation["segmentation"], size_hw)
    x, y, width, height = annotation["bbox"]
    x0, y0, x1, y1 = (
        np.rint(np.clip([x, y, x + width, y + height], 0, [size_hw[1], size_hw[0]] * 2)).astype(int).tolist()
    )
    if x0 == x1 or y0 == y1:
        return Mask.empty(size_hw)
    return Mask.from_crop(x0, y0, np.ones((y1 - y0, x1 - x0), np.uint8), size_hw)
