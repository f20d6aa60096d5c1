import json

import numpy as np
import pytest
from PIL import Image

from noisyseg.labels import Categories, LabelError, SemanticMap
from noisyseg.labels.files import sha256
from noisyseg.labels.semantic_files import write_semantic_map, write_semantic_maps


def square(id_, category, x, y, side, **fields):
    ring = [x, y, x + side, y, x + side, y + side, x, y + side]
    box = {"bbox": [x, y, side, side], "area": side * side, "iscrowd": 0}
    return {"id": id_, "image_id": 1, "category_id": category, "segmentation": [ring], **box, **fields}


@pytest.fixture
def coco(tmp_path):
    """Write a COCO file with the given annotations of image 1 and file names of images 1, 2, …"""

    def write(annotations, names=("a.jpg",), categories=(90, 7)):
        document = {
            "images": [
                {"id": i, "file_name": name, "height": 12, "width": 16} for i, name in enumerate(names, start=1)
            ],
            "annotations": annotations,
            "categories": [{"id": id_, "name": f"class {id_}"} for id_ in categories],
        }
        path = tmp_path / "labels.json"
        path.write_text(json.dumps(document))
        return path

    return write


def read(path):
    with Image.open(path) as image:
        assert image.mode == "P"
        return np.array(image)


def test_an_image_without_objects_is_background(coco, tmp_path):
    write_semantic_maps(coco([]), tmp_path / "out")
    assert (read(tmp_path / "out" / "a.png") == np.zeros((12, 16))).all()


def test_later_objects_are_painted_over_earlier_ones_and_crowds_are_ignored(coco, tmp_path):
    crowd = {"size": [12, 16], "counts": [12 * 15, 12]}
    annotations = [
        square(3, 7, 0, 0, 4),
        square(1, 90, 2, 2, 4),
        square(2, 7, 15, 0, 1, segmentation=crowd, iscrowd=1),
    ]
    write_semantic_maps(coco(annotations), tmp_path / "out")
    expected = np.zeros((12, 16))
    expected[0:4, 0:4] = 1  # category 7 is the first in the order of ids
    expected[2:6, 2:6] = 2
    expected[:, 15] = 255
    assert (read(tmp_path / "out" / "a.png") == expected).all()


def test_folders_of_the_images_are_kept(coco, tmp_path):
    write_semantic_maps(coco([], names=("x/a.b.jpg", "y/a.b.jpg")), tmp_path / "out")
    found = sorted(str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*.png"))
    assert found == ["x/a.b.png", "y/a.b.png"]


def test_the_manifest_says_where_the_maps_come_from(coco, tmp_path):
    source = coco([square(1, 7, 0, 0, 4)])
    manifest = write_semantic_maps(source, tmp_path / "out", background="ground")
    assert json.loads((tmp_path / "out" / "semantic.json").read_text()) == manifest
    assert manifest["source"] == {"file": "labels.json", "sha256": sha256(source)}
    assert manifest["classes"] == ["ground", "class 7", "class 90"]
    assert (manifest["images"], manifest["annotations"]) == (1, 1)


def test_the_palette_does_not_change_the_values(tmp_path):
    classes = np.arange(256, dtype=np.int64).reshape(8, 32)
    labels = SemanticMap(classes, Categories.from_names(map(str, range(255))))
    write_semantic_map(tmp_path / "a.png", labels)
    assert (read(tmp_path / "a.png") == classes).all()


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("a.jpg", "a.png"), r"labels\.json: image 2: file_name: expected another map than image 1 has, got a\.png"),
        (("/a.jpg",), r"labels\.json: image 1: file_name: expected a path inside"),
        (("../a.jpg",), "image 1: file_name: expected a path inside"),
        (("",), "image 1: file_name: expected a name, got ''"),
        ((None,), "image 1: file_name: expected a name, got None"),
    ],
)
def test_names_that_have_no_map_of_their_own_are_refused(coco, tmp_path, names, message):
    with pytest.raises(LabelError, match=message):
        write_semantic_maps(coco([], names=names), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_label_that_cannot_be_painted_is_named_and_nothing_is_left(coco, tmp_path):
    path = coco([square(1, 7, 0, 0, 4), square(2, 7, 0, 0, 4, segmentation=[[1, 2]])])
    with pytest.raises(LabelError, match=r"labels\.json: annotation 2"):
        write_semantic_maps(path, tmp_path / "out")
    assert [entry.name for entry in tmp_path.iterdir()] == ["labels.json"]


def test_boxes_without_masks_are_refused(coco, tmp_path):
    annotation = square(1, 7, 0, 0, 4)
    del annotation["segmentation"]
    with pytest.raises(LabelError, match=r"labels\.json: image 1: painting needs masks"):
        write_semantic_maps(coco([annotation]), tmp_path / "out")


def test_too_many_classes_are_refused(coco, tmp_path):
    with pytest.raises(LabelError, match="at most 254 classes, got 255"):
        write_semantic_maps(coco([square(1, 7, 0, 0, 4)], categories=range(1, 256)), tmp_path / "out")
