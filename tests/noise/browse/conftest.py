import copy
import json

import numpy as np
import pytest
from PIL import Image

from noisyseg.labels import Mask

SIZE = 20, 30


def square(id_, image_id, category, x, y, side):
    frame = np.zeros(SIZE, np.uint8)
    frame[y : y + side, x : x + side] = 1
    return {
        "id": id_,
        "image_id": image_id,
        "category_id": category,
        "segmentation": Mask.from_frame(frame).rle,
        "bbox": [x, y, side, side],
        "area": side * side,
        "iscrowd": 0,
    }


@pytest.fixture
def files(tmp_path):
    """Write a clean and a noisy file of three images with squares; ``edit`` changes the noisy document first.

    Noise: nothing in image 1, one class in image 2, half of a square in image 3.
    """
    squares = {
        "images": [{"id": i, "file_name": f"{i}.png", "height": SIZE[0], "width": SIZE[1]} for i in (1, 2, 3)],
        "annotations": [
            square(1, 1, 5, 2, 2, 8),
            square(2, 2, 5, 2, 2, 8),
            square(3, 2, 9, 14, 2, 8),
            square(4, 3, 9, 2, 2, 8),
        ],
        "categories": [{"id": 9, "name": "dog"}, {"id": 5, "name": "cat"}],
    }

    def write(edit=lambda clean, noisy: None):
        clean, noisy = copy.deepcopy(squares), copy.deepcopy(squares)
        noisy["annotations"][2]["category_id"] = 5
        noisy["annotations"][3]["segmentation"] = square(4, 3, 9, 2, 2, 4)["segmentation"]
        edit(clean, noisy)
        (tmp_path / "clean.json").write_text(json.dumps(clean))
        (tmp_path / "noisy.json").write_text(json.dumps(noisy))
        return tmp_path / "clean.json", tmp_path / "noisy.json"

    return write


@pytest.fixture
def images(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    for i in (1, 2, 3):
        Image.new("RGB", SIZE[::-1], (10, 80, 10)).save(folder / f"{i}.png")
    return folder
