import importlib.util
import sys
from collections import namedtuple
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import orjson
import pytest

from noisyseg.labels import LabelError
from noisyseg.labels.coco import CocoFile
from noisyseg.labels.gt_fine import LABELS, THINGS, categories, coco_from_gt_fine, find_files

SIZE = (40, 60)
# Back to front, as the annotation tool stores them.
POLYGONS = (
    ("sky", [[0, 0], [59, 0], [59, 39], [0, 39]]),
    ("car", [[10, 10], [40, 10], [40, 30], [10, 30]]),
    ("persongroup", [[45, 5], [55, 5], [55, 15], [45, 15]]),
    ("pole", [[24, 0], [26, 0], [26, 39], [24, 39]]),
    ("rider", [[2, 2], [6, 2], [6, 8], [2, 8]]),
    ("caravan", [[50, 30], [58, 30], [58, 38], [50, 38]]),
    ("license plate", [[12, 25], [16, 25], [16, 27], [12, 27]]),
)
IDS = {label.name: label.id for label in LABELS}


def paint(shift=0):
    """Returns the instance image of the polygons, without the plate and with a second car."""
    numbers = np.full(SIZE, IDS["sky"], np.uint16)
    numbers[10:31, 10:41] = 26000
    numbers[5:16, 45:56] = IDS["person"]
    numbers[:, 24:27] = IDS["pole"]
    numbers[2:9, 2 + shift : 7 + shift] = 25000
    numbers[30:39, 50:59] = 29000
    numbers[33:36, 5:9] = 26001
    numbers[38:, :] = 1
    return numbers


@pytest.fixture
def root(tmp_path):
    """Returns a small tree in the layout of Cityscapes, with two cities."""
    for split, stems in (
        ("train", ["ulm/ulm_000001_000019", "aachen/aachen_000002_000019", "aachen/aachen_000001_000019"]),
        ("val", ["bochum/bochum_000000_000019"]),
    ):
        for shift, stem in enumerate(stems):
            path = tmp_path / "gtFine" / split / stem
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(f"{path}_gtFine_instanceIds.png", paint(shift))
            cv2.imwrite(f"{path}_gtFine_labelIds.png", np.zeros(SIZE, np.uint8))
            objects = [{"label": label, "polygon": polygon} for label, polygon in POLYGONS]
            objects.append({"label": "car", "polygon": [[0, 0], [9, 0], [9, 9]], "deleted": 1})
            document = {"imgHeight": SIZE[0], "imgWidth": SIZE[1], "objects": objects}
            Path(f"{path}_gtFine_polygons.json").write_bytes(orjson.dumps(document))
            image = tmp_path / "leftImg8bit" / split / f"{stem}_leftImg8bit.png"
            image.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(image), np.zeros((*SIZE, 3), np.uint8))
    return tmp_path


@pytest.fixture(params=["mmdet", "authors", "detectron2"])
def convention(request):
    return request.param


def test_the_table_of_labels_has_the_eight_classes():
    assert [(label.id, label.name) for label in THINGS] == [
        *((24, "person"), (25, "rider"), (26, "car"), (27, "truck"), (28, "bus")),
        *((31, "train"), (32, "motorcycle"), (33, "bicycle")),
    ]
    assert len(LABELS) == 34
    assert {label.name: label.group for label in THINGS}["rider"] == "human"
    assert {label.group for label in THINGS} == {"human", "vehicle"}
    assert (LABELS[7].name, LABELS[11].name, LABELS[23].name) == ("road", "building", "sky")


def test_ids_count_from_one_whatever_the_order_of_files(root, convention):
    files = find_files(root, "train", convention)
    document, _ = coco_from_gt_fine(files, convention)
    assert document == coco_from_gt_fine(files[::-1], convention).document
    assert [image["id"] for image in document["images"]] == [1, 2, 3]
    assert [image["file_name"] for image in document["images"]] == [
        "aachen/aachen_000001_000019_leftImg8bit.png",
        "aachen/aachen_000002_000019_leftImg8bit.png",
        "ulm/ulm_000001_000019_leftImg8bit.png",
    ]
    for image in document["images"]:
        assert (root / "leftImg8bit" / "train" / image["file_name"]).exists()
    assert [one["id"] for one in document["annotations"]] == list(range(1, len(document["annotations"]) + 1))
    assert all(category["supercategory"] for category in document["categories"])
    coco = CocoFile(document)
    for image_id in coco.images:
        assert len(coco.instances(image_id)) == len(coco.positions[image_id])


def test_areas_are_the_pixel_histogram_and_no_two_objects_overlap(root):
    files = find_files(root, "train")
    document, left_out = coco_from_gt_fine(files)
    assert left_out == {}
    coco = CocoFile(document)
    for image_id, file in enumerate(files, start=1):
        numbers = cv2.imread(str(file.path), cv2.IMREAD_UNCHANGED)
        labels = np.where(numbers >= 1000, numbers // 1000, numbers)
        found = coco.annotations_of(image_id)
        for label in THINGS:
            areas = [one["area"] for one in found if one["category_id"] == label.id]
            assert sum(areas) == (labels == label.id).sum()
        frames = [mask.frame() for mask in coco.instances(image_id).masks]
        assert np.sum(frames, axis=0).max() == 1
        for one, frame in zip(found, frames, strict=True):
            rows, columns = np.nonzero(frame)
            box = [columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1]
            assert one["bbox"] == box
            assert isinstance(one["segmentation"]["counts"], str)
    assert [one["iscrowd"] for one in coco.annotations_of(1)] == [1, 0, 0, 0]
    assert [one["category_id"] for one in coco.annotations_of(1)] == [24, 25, 26, 26]
    assert coco.images[1]["segm_file"] == "aachen/aachen_000001_000019_gtFine_labelIds.png"


def test_it_says_what_mmdets_converter_says(root, monkeypatch):
    """Ours equals theirs but for ids, super-categories and number types; they take labels from cityscapesscripts."""
    pytest.importorskip("mmcv")
    package = Path(importlib.util.find_spec("mmdet").origin).parent
    path = package / ".mim" / "tools" / "dataset_converters" / "cityscapes.py"
    if not path.exists():
        pytest.skip(f"{path} is absent")
    row = namedtuple("Label", "id name hasInstances ignoreInEval")
    rows = [row(label.id, label.name, label.id > 23, not label.thing) for label in LABELS]
    for name in ("cityscapesscripts", "cityscapesscripts.helpers", "cityscapesscripts.helpers.labels"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    table = sys.modules["cityscapesscripts.helpers.labels"]
    table.labels, table.id2label = rows, {label.id: label for label in rows}
    sys.modules["cityscapesscripts.helpers"].labels = table
    sys.modules["cityscapesscripts"].helpers = sys.modules["cityscapesscripts.helpers"]
    spec = importlib.util.spec_from_file_location("mmdet_cityscapes", path)
    theirs = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(theirs)
    files = theirs.collect_files(f"{root}/leftImg8bit/train", f"{root}/gtFine/train")
    expected = theirs.cvt_annotations(theirs.collect_annotations(sorted(files)), str(root / "theirs.json"))
    document, _ = coco_from_gt_fine(find_files(root, "train"))
    for entry in expected["images"]:
        entry["id"] += 1
    for entry in expected["annotations"]:
        entry["id"] += 1
        entry["image_id"] += 1
    ours = [{key: value for key, value in entry.items() if key != "supercategory"} for entry in document["categories"]]
    assert ours == expected["categories"]
    assert document["images"] == expected["images"]
    assert document["annotations"] == expected["annotations"]


def test_the_authors_take_every_polygon_of_every_label(root):
    document, _ = coco_from_gt_fine(find_files(root, "val", "authors"), "authors")
    names = {category["id"]: category["name"] for category in document["categories"]}
    assert [names[one["category_id"]] for one in document["annotations"]] == [name for name, _ in POLYGONS]
    assert [one["iscrowd"] for one in document["annotations"]] == [0] * 7
    assert document["annotations"][1]["segmentation"] == [[10, 10, 40, 10, 40, 30, 10, 30]]
    assert document["annotations"][1]["bbox"] == [10, 10, 30, 20]
    frames = [mask.frame() for mask in CocoFile(document).instances(1).masks]
    assert np.sum(frames, axis=0).max() == 3
    assert {category["name"]: category["supercategory"] for category in document["categories"]}["cargroup"] == "vehicle"


def test_detectron2_cuts_polygons_by_those_in_front(root):
    document, _ = coco_from_gt_fine(find_files(root, "val", "detectron2"), "detectron2")
    rider, group, car = document["annotations"]
    assert [one["category_id"] for one in (rider, group, car)] == [25, 24, 26]
    assert [one["iscrowd"] for one in (rider, group, car)] == [0, 1, 0]
    assert len(car["segmentation"]) == 2
    assert car["bbox"] == [10, 10, 31, 21]
    # The pole covers three of the 31 columns; corners are rounded by half a pixel.
    assert car["area"] == pytest.approx(28 * 21, abs=4)
    assert rider["area"] == pytest.approx(5 * 7, abs=4)
    masks = CocoFile(document).instances(1).masks
    assert not masks[2].frame()[:, 24:27].any()


def test_what_is_left_out_is_counted(root):
    document, left_out = coco_from_gt_fine(find_files(root, "val"), min_area=20)
    assert left_out == {"too small": 1}
    assert [one["area"] for one in document["annotations"]] == [121, 35, 588]
    path = find_files(root, "val", "authors")[0].path
    changed = orjson.loads(path.read_bytes())
    changed["objects"] += [
        {"label": "car", "polygon": [[1, 1], [2, 2]]},
        {"label": "bus", "polygon": [[30, 12], [33, 12], [33, 15]]},
        {"label": "road", "polygon": [[0, 0], [59, 0], [59, 39], [0, 39]]},
    ]
    path.write_bytes(orjson.dumps(changed))
    assert coco_from_gt_fine(find_files(root, "val", "authors"), "authors").left_out == {"fewer than three corners": 1}
    covered = coco_from_gt_fine(find_files(root, "val", "detectron2"), "detectron2")
    assert covered.left_out == {"fewer than three corners": 1, "without pixels": 4}
    assert covered.document["annotations"] == []


def test_an_image_without_objects_stays(root):
    path = find_files(root, "val")[0].path
    cv2.imwrite(str(path), np.zeros(SIZE, np.uint16))
    document, _ = coco_from_gt_fine(find_files(root, "val"))
    assert len(document["images"]) == 1
    assert document["annotations"] == []
    assert document["categories"] == categories("mmdet")


def test_bad_files_are_named(root):
    with pytest.raises(LabelError, match=r"gtFine/test: expected files <city>/\*_gtFine_instanceIds\.png, got none"):
        find_files(root, "test")
    with pytest.raises(ValueError, match="convention: expected one of mmdet, authors, detectron2, got 'coco'"):
        coco_from_gt_fine([], "coco")
    image = find_files(root, "val")[0].path
    cv2.imwrite(str(image), np.full(SIZE, 99, np.uint16))
    with pytest.raises(LabelError, match=r"expected labels 0\.\.33, times 1000 plus a number, got 99"):
        coco_from_gt_fine(find_files(root, "val"))
    cv2.imwrite(str(image), np.zeros(SIZE, np.uint8))
    with pytest.raises(LabelError, match=r"instanceIds\.png: expected a grey PNG of 16 bits"):
        coco_from_gt_fine(find_files(root, "val"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{}", "got no 'imgHeight'"),
        (b"[1, 2]", r"polygons\.json: expected imgHeight, imgWidth and objects"),
        (b"not json", "expected imgHeight, imgWidth and objects"),
        (
            b'{"imgHeight": 9, "imgWidth": 9, "objects": [{"label": "boat", "polygon": [[0, 0], [5, 0], [5, 5]]}]}',
            "expected a label of Cityscapes, got 'boat'",
        ),
        (b'{"imgHeight": 9, "imgWidth": 9, "objects": [{"label": "car", "polygon": [[0, 0, 1]]}]}', "got cannot resh"),
    ],
)
def test_bad_polygons_are_named_with_the_file(root, content, message):
    for convention in ("authors", "detectron2"):
        files = find_files(root, "val", convention)
        files[0].path.write_bytes(content)
        with pytest.raises(LabelError, match=message):
            coco_from_gt_fine(files, convention)
