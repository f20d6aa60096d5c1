import io

import numpy as np
import pytest
from PIL import Image

from noisyseg.evaluation.report.instances import compare_coco
from noisyseg.evaluation.report.thumbnails import CLEAN, NOISY, SIDE, thumbnails
from noisyseg.labels import LabelError
from noisyseg.labels.coco_text import CocoText


def compared(clean, noisy):
    return compare_coco(
        CocoText(clean), CocoText(noisy), manifest=None, known=False, pair="auto", workers=1, progress=False
    )


@pytest.fixture
def images(tmp_path):
    for name in ("1.png", "2.png"):
        Image.fromarray(np.full((40, 60, 3), 90, np.uint8)).save(tmp_path / name)
    return tmp_path


def near(picture, colour):
    return (np.abs(picture.astype(int) - colour).max(axis=2) < 60).sum()


def test_each_of_the_worst_has_a_picture_with_both_outlines(mistakes, images):
    result = compared(*mistakes)
    pictures = thumbnails(result, images)
    assert len(pictures) == len(result.report["worst"]) == 3
    picture = np.asarray(Image.open(io.BytesIO(pictures[0])))
    assert max(picture.shape) == SIDE
    assert near(picture, CLEAN) > 200
    assert near(picture, NOISY) > 200


def test_boxes_are_drawn_where_there_are_no_masks(write, images):
    def box(*values):
        return [{"id": 1, "image_id": 1, "category_id": 3, "bbox": list(values)}]

    result = compared(write("clean.json", box(5, 5, 20, 20)), write("noisy.json", box(12, 5, 20, 0)))
    (picture,) = (np.asarray(Image.open(io.BytesIO(jpeg))) for jpeg in thumbnails(result, images))
    assert near(picture, CLEAN) > 200
    assert near(picture, NOISY) == 0


def test_an_image_that_does_not_fit_is_an_error(mistakes, images):
    result = compared(*mistakes)
    Image.fromarray(np.zeros((40, 61, 3), np.uint8)).save(images / "1.png")
    with pytest.raises(LabelError, match=r"1\.png: image 1: expected 40 x 60 pixels"):
        thumbnails(result, images)
    (images / "1.png").write_bytes(b"no image")
    with pytest.raises(LabelError, match="cannot be read as an image"):
        thumbnails(result, images)
    (images / "1.png").unlink()
    with pytest.raises(LabelError, match="no such file"):
        thumbnails(result, images)
