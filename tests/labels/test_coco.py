import copy
import tracemalloc

import numpy as np
import orjson
import pytest
from pycocotools.coco import COCO

from noisyseg.labels import Categories, Instances, LabelError, Mask
from noisyseg.labels.check import check_coco
from noisyseg.labels.coco import (
    CocoFile,
    annotation_from_instance,
    coco_document,
    instances_from_coco,
    mask_fields,
    read_coco,
)
from noisyseg.labels.files import write_json

RING = {"size": [6, 8], "counts": [7, 4, 2, 1, 2, 1, 2, 1, 2, 1, 2, 4, 19]}
TWO_PARTS = [[0, 0, 2, 0, 2, 2, 0, 2], [5, 3, 8, 3, 8, 6, 5, 6]]


def entry(id_, **fields):
    square = {"segmentation": [[1, 1, 4, 1, 4, 3, 1, 3]], "bbox": [1, 1, 3, 2], "area": 6, "iscrowd": 0}
    return {"id": id_, "image_id": 4, "category_id": 9, **square, **fields}


def document():
    packed = Mask.from_coco(RING, (6, 8)).rle
    return {
        "licenses": [{"id": 3}],
        "info": {"x": None},
        "images": [
            {"height": 6, "id": 4, "width": 8, "file_name": "b.png", "note": "kept"},
            {"id": 2, "file_name": "a.png", "height": 5, "width": 5},
        ],
        "annotations": [
            entry(30, score=0.5, attributes={"a": [1]}),
            entry(10, segmentation=RING, bbox=[1, 1, 4, 4], area=12, iscrowd=1, category_id=2),
            entry(20, segmentation=packed, bbox=[1, 1, 4, 4]),
            entry(5, segmentation=TWO_PARTS, bbox=[0.5, 0, 7.25, 6]),
        ],
        "categories": [{"id": 9, "name": "cat", "color": "red"}, {"id": 2, "name": "car", "supercategory": "vehicle"}],
        "unknown": {"anything": [1, 2]},
    }


@pytest.fixture
def write(tmp_path):
    def write_(value):
        path = tmp_path / "labels.json"
        path.write_bytes(value if isinstance(value, bytes) else orjson.dumps(value))
        return path

    return write_


def test_everything_in_the_file_survives(write):
    coco = read_coco(write(document()))
    assert coco.document == document()
    assert list(coco.document) == list(document())
    assert list(coco.images) == [4, 2]
    assert [annotation["id"] for annotation in coco.annotations_of(4)] == [30, 10, 20, 5]
    assert coco.annotations_of(2) == []
    assert coco.positions == {4: [0, 1, 2, 3], 2: []}
    assert coco.categories == Categories((2, 9), ("car", "cat"), ("vehicle", None))


def test_reading_labels_does_not_change_the_document():
    coco = CocoFile(document())
    coco.instances(4)
    assert coco.document == document()


def test_the_labels_of_an_image(write):
    labels = read_coco(write(document())).instances(4)
    assert labels.size_hw == (6, 8)
    assert labels.source.tolist() == [30, 10, 20, 5]
    assert labels.classes.tolist() == [1, 0, 1, 1]
    assert labels.crowd.tolist() == [False, True, False, False]
    assert labels.boxes.tolist() == [[1, 1, 4, 3], [1, 1, 5, 5], [1, 1, 5, 5], [0.5, 0, 7.75, 6]]
    ring = np.zeros((6, 8), np.uint8)
    ring[1:5, 1:5] = 1
    ring[2:4, 2:4] = 0
    np.testing.assert_array_equal(labels.masks[1].frame(), ring)
    np.testing.assert_array_equal(labels.masks[2].frame(), ring)
    parts = np.zeros((6, 8), np.uint8)
    parts[:2, :2] = parts[3:, 5:] = 1
    np.testing.assert_array_equal(labels.masks[3].frame(), parts)


def test_an_image_without_annotations_is_empty():
    labels = CocoFile(document()).instances(2)
    assert len(labels) == 0
    assert labels.masks == ()


def test_boxes_alone():
    value = document()
    for annotation in value["annotations"]:
        del annotation["segmentation"]
    labels = CocoFile(value).instances(4)
    assert labels.masks is None
    assert labels.boxes[0].tolist() == [1, 1, 4, 3]


def test_labels_go_to_a_document_and_back(tmp_path):
    coco = CocoFile(document())
    labels = [coco.instances(image_id) for image_id in coco.images]
    again = CocoFile(coco_document(list(coco.images.values()), labels, coco.categories))
    assert again.categories == coco.categories
    assert list(again.images.values()) == document()["images"]
    for image_id, given in zip(coco.images, labels, strict=True):
        read = again.instances(image_id)
        for name in ("classes", "source", "crowd"):
            np.testing.assert_array_equal(getattr(read, name), getattr(given, name))
        assert [mask.rle for mask in read.masks] == [mask.rle for mask in given.masks]
        assert [mask.segmentation for mask in read.masks] == [mask.segmentation for mask in given.masks]
    write_json(tmp_path / "again.json", again.document)
    assert len(COCO(str(tmp_path / "again.json")).anns) == 4


def test_a_new_document_has_tight_boxes_and_true_areas(tmp_path):
    frames = np.random.default_rng(0).random((3, 20, 30)) < 0.05
    labels = Instances.from_masks(
        [Mask.from_frame(frame) for frame in frames], [0, 1, 1], Categories((1, 5), ("a", "b"), (None, "g")), (20, 30)
    )
    value = coco_document([{"id": 7, "height": 20, "width": 30, "file_name": "a.png"}], [labels], labels.categories)
    for annotation, frame in zip(value["annotations"], frames, strict=True):
        rows, columns = np.nonzero(frame)
        assert annotation["bbox"] == [columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1]
        assert annotation["area"] == frame.sum()
    assert value["categories"] == [{"id": 1, "name": "a"}, {"id": 5, "name": "b", "supercategory": "g"}]
    write_json(tmp_path / "new.json", value)
    assert [finding for finding in check_coco(tmp_path / "new.json") if finding.severity == "error"] == []


def test_an_object_without_mask_keeps_its_box():
    labels = CocoFile(document()).instances(4).replace(masks=None)
    assert annotation_from_instance(labels, 3, 4) == {
        "id": 5,
        "image_id": 4,
        "category_id": 9,
        "iscrowd": 0,
        "bbox": [0.5, 0, 7.25, 6],
        "area": 43.5,
    }


def test_the_fields_of_an_empty_mask():
    assert mask_fields(Mask.empty((2, 3))) == {
        "segmentation": {"size": [2, 3], "counts": "6"},
        "bbox": [0, 0, 0, 0],
        "area": 0,
    }


def test_ten_thousand_small_masks_of_a_4k_image_need_little_memory():
    image = {"id": 1, "height": 2160, "width": 3840}
    rng = np.random.default_rng(0)
    corners = rng.uniform((0, 0), (3800, 2120), (10_000, 2))
    triangle = np.array([[0, 0], [30, 5], [12, 36]])
    annotations = [
        {
            "id": i,
            "image_id": 1,
            "category_id": 1,
            "bbox": [x, y, 30, 36],
            "segmentation": [np.add(triangle, (x, y)).ravel().tolist()],
        }
        for i, (x, y) in enumerate(corners.tolist(), start=1)
    ]
    categories = Categories((1,), ("cell",), (None,))
    instances_from_coco(image, annotations[:10], categories)
    tracemalloc.start()
    labels = instances_from_coco(image, annotations, categories)
    read = tracemalloc.get_traced_memory()[0]
    assert sum(mask.area for mask in labels.masks) > 10_000 * 300
    assert all(mask.crop.pixels.size < 40 * 40 for mask in labels.masks)
    decoded, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    megabytes = 2**20
    assert read < 8 * megabytes
    assert decoded < 32 * megabytes, "one full frame alone is 8 MB"
    assert peak < 40 * megabytes


def change(value, **annotation_30):
    value = copy.deepcopy(value)
    value["annotations"][0].update(annotation_30)
    return value


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"category_id": 3}, "category_id: expected one of the file's categories, got 3"),
        ({"category_id": None}, "category_id: expected one of the file's categories, got None"),
        ({"category_id": [9]}, "category_id: expected one of the file's categories"),
        ({"category_id": True}, "category_id: expected one of the file's categories, got True"),
        ({"bbox": None}, "bbox: expected four finite numbers .*got None"),
        ({"bbox": [1, 2, 3]}, "bbox: expected four finite numbers"),
        ({"bbox": [1, 2, 3, "4"]}, "bbox: expected four finite numbers"),
        ({"bbox": [1, 2, 3, float("nan")]}, "bbox: expected four finite numbers"),
        ({"bbox": [1, 2, 1e300, 4]}, "bbox: expected four finite numbers"),
        ({"bbox": [1, 2, -3, 4]}, "bbox: expected width and height >= 0"),
        ({"iscrowd": "0"}, "iscrowd: expected 0 or 1, got '0'"),
        ({"segmentation": None}, "segmentation: expected polygons or RLE, got NoneType"),
        ({"segmentation": []}, "segmentation: expected at least one polygon"),
        ({"segmentation": [[1, 2, 3, 4]]}, "polygon 0: expected an even count >= 6 of coordinates, got 4"),
        ({"segmentation": [[1, 2, 3, float("nan"), 5, 6]]}, "polygon 0: expected finite coordinates"),
        ({"segmentation": {"size": [8, 6], "counts": [48]}}, "RLE size: expected the image's"),
        ({"segmentation": {"size": [6, 8], "counts": [47]}}, "RLE: expected runs that sum to 48"),
    ],
)
def test_an_unusable_object_is_an_error_that_names_file_and_annotation(changes, problem, tmp_path):
    coco = CocoFile(change(document(), **changes), tmp_path / "labels.json")
    with pytest.raises(LabelError, match=rf"labels\.json: annotation 30: {problem}"):
        coco.instances(4)


def test_an_object_without_mask_among_others_is_an_error():
    value = document()
    del value["annotations"][1]["segmentation"]
    with pytest.raises(LabelError, match="annotation 10: segmentation: expected polygons or RLE"):
        CocoFile(value).instances(4)


@pytest.mark.parametrize("size", [{"height": 0}, {"height": None}, {"width": 8.0}, {"width": "8"}, {"height": True}])
def test_an_image_of_unknown_size_is_an_error_that_names_it(size):
    value = document()
    value["images"][0].update(size)
    with pytest.raises(LabelError, match="image 4: height, width: expected whole numbers >= 1"):
        CocoFile(value).instances(4)


@pytest.mark.parametrize(
    ("part", "problem"),
    [
        ({"images": None}, "expected a list under 'images', got NoneType"),
        ({"annotations": {}}, "expected a list under 'annotations', got dict"),
        ({"categories": "cat"}, "expected a list under 'categories', got str"),
        ({"categories": [{"id": 1}]}, r"categories\[0\]: expected an id"),
        ({"images": [{"height": 5}]}, r"images\[0\]: expected a whole number .* under 'id', got None"),
        ({"images": [7]}, r"images\[0\]: expected a whole number .* under 'id', got None"),
        ({"images": [{"id": 4}, {"id": 4}]}, "image 4: expected unique ids, got this one twice"),
        ({"annotations": [entry(1), entry(1)]}, "annotation 1: expected unique ids, got this one twice"),
        ({"annotations": [entry("1")]}, r"annotations\[0\]: expected a whole number .* under 'id', got '1'"),
        ({"annotations": [entry(True)]}, r"annotations\[0\]: expected a whole number"),
        ({"annotations": [entry(2**63)]}, r"annotations\[0\]: expected a whole number of at most 63 bits"),
        ({"annotations": [entry(-1)]}, "annotation -1: expected an id >= 0"),
        ({"annotations": [entry(1, image_id=3)]}, "annotation 1: image_id: expected an image of the file, got 3"),
        ({"annotations": [entry(1, image_id=[4])]}, r"annotation 1: image_id: expected an image .*got \[4\]"),
    ],
)
def test_a_broken_document_is_an_error_that_names_the_file(part, problem, write):
    with pytest.raises(LabelError, match=rf"labels\.json: {problem}"):
        read_coco(write(document() | part))


@pytest.mark.parametrize(
    ("text", "problem"),
    [(b"", "not JSON"), (b"{", "not JSON"), (b"\xff", "not JSON"), (b"[]", "expected a JSON object, got list")],
)
def test_what_is_no_document_is_an_error_that_names_the_file(text, problem, write):
    with pytest.raises(LabelError, match=rf"labels\.json: {problem}"):
        read_coco(write(text))


def test_a_file_that_cannot_be_read_is_an_error_that_names_it(tmp_path):
    with pytest.raises(LabelError, match=r"none\.json: cannot be read: No such file"):
        read_coco(tmp_path / "none.json")
    with pytest.raises(LabelError, match="cannot be read: Is a directory"):
        read_coco(tmp_path)
