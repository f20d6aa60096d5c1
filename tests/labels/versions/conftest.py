"""Given labels and stores that tests write themselves."""

import json

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco_masks

from noisyseg.labels.store import LabelStore


@pytest.fixture
def store(tmp_path):
    return LabelStore(tmp_path / "work" / "label_store")


@pytest.fixture
def write_version():
    """Return a function that writes and finishes a version."""

    def write(store, values, parent=0, kind="labels", info=None):
        version = store.begin()
        for key, value in values.items():
            store.put(key, kind, value, version)
        store.finish(version, parent=parent, info=info)
        return version

    return write


@pytest.fixture
def given_maps(tmp_path):
    """Write three palette PNGs of 5 classes in two folders, and return the folder and their pixels by name."""
    rng = np.random.default_rng(0)
    maps = {name: rng.integers(0, 5, (12, 17)).astype(np.uint8) for name in ("a/one", "a/two", "b/three")}
    maps["b/three"][:3] = 255
    for name, pixels in maps.items():
        path = tmp_path / "given" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        image = Image.fromarray(pixels, mode="P")
        image.putpalette([value for k in range(256) for value in (k, 255 - k, k // 2)])
        image.save(path, bits=8)
    return tmp_path / "given", maps


def run_lengths(frame):
    found = coco_masks.encode(np.asfortranarray(frame.astype(np.uint8)))
    return {"size": list(found["size"]), "counts": found["counts"].decode()}


@pytest.fixture
def encode():
    """Return a function that makes run lengths of a frame, by pycocotools."""
    return run_lengths


@pytest.fixture
def given_coco(tmp_path):
    """Write a COCO file of two images and three objects, with keys and white space that only a copy keeps."""
    square = [[2, 2, 12, 2, 12, 12, 2, 12]]

    def annotation(id_, image_id, **more):
        return {
            "note": "kept é",
            "id": id_,
            "image_id": image_id,
            "category_id": 7,
            "segmentation": square,
            "bbox": [2, 2, 10, 10],
            "area": 100.5,
            "iscrowd": 0,
            **more,
        }

    document = {
        "info": {"year": 2020, "big": 12345678901234567890},
        "images": [
            {"id": 3, "file_name": "x/a.jpg", "height": 20, "width": 30},
            {"id": 1, "file_name": "x/b.jpg", "height": 25, "width": 18, "extra": None},
        ],
        "annotations": [annotation(10, 3), annotation(11, 1, score=0.1), annotation(12, 3, category_id=9)],
        "categories": [{"id": 9, "name": "dog"}, {"id": 7, "name": "cat", "supercategory": "animal"}],
    }
    path = tmp_path / "annotations" / "given.json"
    path.parent.mkdir()
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False), encoding="utf-8")
    return path
