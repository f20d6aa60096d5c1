"""A COCO folder of two images, small enough to reason about."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest


def square(x, y, side):
    return [[x, y, x + side, y, x + side, y + side, x, y + side]]


def annotation(id_, image_id, category_id, x, y, side, **changes):
    entry = {
        "id": id_,
        "image_id": image_id,
        "category_id": category_id,
        "bbox": [x, y, side, side],
        "area": side * side,
        "iscrowd": 0,
        "segmentation": square(x, y, side),
    }
    return entry | changes


@pytest.fixture
def coco_document():
    """Classes in an order that is not that of their ids; a crowd; an annotation that mmdet leaves out."""
    crowd = {"size": [48, 64], "counts": [480, 48, 48 * 64 - 528]}
    return {
        "images": [
            {"id": 7, "file_name": "a.png", "height": 48, "width": 64},
            {"id": 3, "file_name": "b.png", "height": 48, "width": 64},
        ],
        "annotations": [
            annotation(11, 7, 5, 4.5, 6.25, 20.5),
            annotation(12, 7, 2, 30, 10, 24),
            annotation(13, 7, 9, 10, 0, 1, segmentation=crowd, iscrowd=1, bbox=[10, 0, 1, 48], area=48),
            annotation(14, 3, 9, 8, 8, 30),
            annotation(15, 3, 5, 40, 20, 16),
            annotation(16, 3, 5, 1, 1, 0.5),
        ],
        "categories": [{"id": 9, "name": "nine"}, {"id": 2, "name": "two"}, {"id": 5, "name": "five"}],
    }


@pytest.fixture
def write_coco(tmp_path):
    """Returns a function that writes a document with its images and returns the file."""

    folder = tmp_path / "coco"  # for make_noise, a folder with "test" in its name holds an evaluation split
    folder.mkdir()

    def write(document, name="coco.json") -> Path:
        for image in document["images"]:
            pixels = np.full((image["height"], image["width"], 3), 128, np.uint8)
            cv2.imwrite(str(folder / image["file_name"]), pixels)
        (folder / name).write_text(json.dumps(document))
        return folder / name

    return write
