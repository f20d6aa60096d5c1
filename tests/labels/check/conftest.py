"""One small valid document; the tests break it in one place at a time."""

import copy
import json

import pytest

SQUARE = [4, 4, 20, 4, 20, 20, 4, 20]
TRIANGLE = [10.5, 2.25, 30.5, 2.25, 10.5, 28.25]
VALID = {
    "info": {"description": "test"},
    "licenses": [],
    "images": [
        {"id": 1, "file_name": "a.png", "height": 30, "width": 40},
        {"id": 2, "file_name": "sub/b.jpg", "height": 30, "width": 40},
    ],
    "annotations": [
        {
            "id": 11,
            "image_id": 1,
            "category_id": 1,
            "segmentation": [SQUARE],
            "bbox": [4, 4, 16, 16],
            "area": 256,
            "iscrowd": 0,
        },
        {
            "id": 12,
            "image_id": 1,
            "category_id": 3,
            "segmentation": [TRIANGLE],
            "bbox": [10.5, 2.25, 20.0, 26.0],
            "area": 260.0,
            "iscrowd": 0,
        },
        {
            "id": 13,
            "image_id": 2,
            "category_id": 3,
            "segmentation": {"size": [30, 40], "counts": [300, 30, 30, 30, 810]},
            "bbox": [10, 0, 3, 30],
            "area": 60,
            "iscrowd": 1,
        },
        {
            "id": 14,
            "image_id": 2,
            "category_id": 1,
            "segmentation": [[0, 0, 8, 0, 8, 8, 0, 8], [20, 10, 40, 10, 40, 30, 20, 30]],
            "bbox": [0, 0, 40, 30],
            "area": 464,
            "iscrowd": 0,
        },
    ],
    "categories": [
        {"id": 1, "name": "cat", "supercategory": "animal"},
        {"id": 3, "name": "cell", "supercategory": "animal"},
    ],
}


@pytest.fixture
def document():
    """A fresh copy of a document without findings."""
    return copy.deepcopy(VALID)


@pytest.fixture
def save(tmp_path):
    """Write a document, or text as it is, and return the file."""

    def write(document):
        path = tmp_path / "labels.json"
        if isinstance(document, bytes):
            path.write_bytes(document)
        else:
            path.write_text(
                document if isinstance(document, str) else json.dumps(document),
                encoding="utf-8",
                errors="surrogatepass",
            )
        return path

    return write
