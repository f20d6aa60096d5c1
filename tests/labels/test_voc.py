import cv2
import numpy as np
import orjson
import pytest
from PIL import Image
from scipy import sparse
from scipy.io import savemat

from noisyseg.labels import LabelError
from noisyseg.labels.coco import read_coco
from noisyseg.labels.voc import convert_voc, read_image, read_split

SIZE = (30, 40)
IDS = ["2008_000008", "2007_000032", "2007_000039"]


def frames(shift=0):
    """Returns object numbers and classes: two aeroplanes and a person, with void around them."""
    objects, classes = np.zeros(SIZE, np.uint8), np.zeros(SIZE, np.uint8)
    for number, (class_, box) in enumerate([(1, (2, 3, 12, 9)), (1, (15, 5, 22, 20)), (15, (25, 8, 33, 28))], 1):
        x0, y0, x1, y1 = box
        window = np.s_[y0:y1, x0 + shift : x1 + shift]
        objects[window], classes[window] = number, class_
        around = np.s_[y0 - 1 : y1 + 1, x0 + shift - 1 : x1 + shift + 1]
        void = (objects == 0)[around]
        objects[around][void] = classes[around][void] = 255
    return objects, classes


def save_palette(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(pixels).convert("P")
    image.putpalette([int(v) for v in np.random.default_rng(0).integers(0, 256, 768)])
    image.putdata(pixels.ravel().tolist())
    image.save(path)


@pytest.fixture
def voc(tmp_path):
    root = tmp_path / "VOC2012"
    for shift, image in enumerate(IDS):
        objects, classes = frames(shift)
        save_palette(root / "SegmentationObject" / f"{image}.png", objects)
        save_palette(root / "SegmentationClass" / f"{image}.png", classes)
    lists = root / "ImageSets" / "Segmentation"
    lists.mkdir(parents=True)
    (lists / "train.txt").write_text("\n".join(IDS[:2]) + "\n")
    (lists / "val.txt").write_text(IDS[2] + "\n")
    return root


@pytest.fixture
def sbd(tmp_path):
    root = tmp_path / "dataset"
    for folder in ("inst", "cls"):
        (root / folder).mkdir(parents=True)
    for shift, image in enumerate(IDS):
        objects, classes = frames(shift)
        objects[objects == 255] = classes[classes == 255] = 0
        cells = {"inst": np.empty((3, 1), object), "cls": np.empty((20, 1), object)}
        for k in range(3):
            cells["inst"][k, 0] = sparse.csc_array(objects == k + 1)
        for k in range(20):
            cells["cls"][k, 0] = sparse.csc_array(classes == k + 1)
        categories = np.array([[1], [1], [15]], np.uint8)
        instances = {"Segmentation": objects, "Boundaries": cells["inst"], "Categories": categories}
        savemat(root / "inst" / f"{image}.mat", {"GTinst": instances})
        present = {"Segmentation": classes, "Boundaries": cells["cls"], "CategoriesPresent": categories[1:]}
        savemat(root / "cls" / f"{image}.mat", {"GTcls": present})
    (root / "train.txt").write_text("\n".join(IDS[:2]))
    (root / "val.txt").write_text(IDS[2])
    return root


@pytest.fixture(params=["voc", "sbd"])
def tree(request):
    return request.param, request.getfixturevalue(request.param)


def test_both_layouts_become_the_same_objects(tree, tmp_path):
    layout, root = tree
    manifest = convert_voc(root, tmp_path / "out", layout=layout)
    assert manifest["splits"]["train"] == {"images": 2, "objects": 6, "of several classes": 0}
    assert orjson.loads((tmp_path / "out" / "voc.json").read_bytes()) == manifest
    coco = read_coco(tmp_path / "out" / "instances_train.json")
    assert [(i, entry["file_name"]) for i, entry in coco.images.items()] == [
        (1, "2007_000032.jpg"),
        (2, "2008_000008.jpg"),
    ]
    annotations = coco.document["annotations"]
    assert [one["id"] for one in annotations] == [1, 2, 3, 4, 5, 6]
    assert [one["category_id"] for one in annotations] == [1, 1, 15] * 2
    assert annotations[1]["bbox"] == [16, 5, 7, 15]
    assert [coco.categories.names[k] for k in coco.instances(1).classes] == ["aeroplane", "aeroplane", "person"]
    assert coco.categories.groups[14] == "person"


def test_areas_are_the_pixel_histogram_and_no_two_objects_overlap(tree, tmp_path):
    layout, root = tree
    convert_voc(root, tmp_path / "out", layout=layout)
    coco = read_coco(tmp_path / "out" / "instances_val.json")
    classes = np.array(Image.open(tmp_path / "out" / "semantic" / f"{IDS[2]}.png"))
    expected = frames(2)[1]
    if layout == "sbd":
        expected[expected == 255] = 0
    np.testing.assert_array_equal(classes, expected)
    for number in range(1, 21):
        areas = [one["area"] for one in coco.document["annotations"] if one["category_id"] == number]
        assert sum(areas) == (classes == number).sum()
    assert np.sum([mask.frame() for mask in coco.instances(1).masks], axis=0).max() == 1
    assert [mask.area for mask in coco.instances(1).masks] == [one["area"] for one in coco.document["annotations"]]


def test_the_order_of_the_list_changes_nothing(tree, tmp_path):
    layout, root = tree
    convert_voc(root, tmp_path / "one", layout=layout)
    path = root / ("train.txt" if layout == "sbd" else "ImageSets/Segmentation/train.txt")
    path.write_text("\n".join(reversed(path.read_text().split())))
    convert_voc(root, tmp_path / "two", layout=layout)
    name = "instances_train.json"
    assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_an_object_of_several_classes_has_that_of_most_pixels_and_is_counted(voc):
    objects, classes = frames()
    classes[3, 2:8] = 7
    save_palette(voc / "SegmentationClass" / f"{IDS[0]}.png", classes)
    labels = read_image(voc, IDS[0])
    assert labels.class_of == {1: 1, 2: 1, 3: 15}
    assert labels.mixed == 1
    classes[objects == 2] = 255
    save_palette(voc / "SegmentationClass" / f"{IDS[0]}.png", classes)
    with pytest.raises(LabelError, match=r"2008_000008\.png: expected a class on the pixels of object 2, got none"):
        read_image(voc, IDS[0])


def test_an_image_without_objects_stays(voc, tmp_path):
    for folder in ("SegmentationObject", "SegmentationClass"):
        save_palette(voc / folder / f"{IDS[2]}.png", np.zeros(SIZE, np.uint8))
    convert_voc(voc, tmp_path / "out", splits=["val"])
    coco = read_coco(tmp_path / "out" / "instances_val.json")
    assert len(coco.images) == 1
    assert coco.document["annotations"] == []


def test_nothing_is_written_when_a_file_cannot_be_used(voc, tmp_path):
    path = voc / "SegmentationClass" / f"{IDS[0]}.png"
    cv2.imwrite(str(path), np.zeros((*SIZE, 3), np.uint8))
    with pytest.raises(LabelError, match=r"SegmentationClass/2008_000008\.png: expected a PNG with a palette, got one"):
        convert_voc(voc, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    path.write_bytes(b"none")
    with pytest.raises(LabelError, match="expected a PNG with a palette, got no image"):
        convert_voc(voc, tmp_path / "out")
    save_palette(path, np.zeros((5, 5), np.uint8))
    with pytest.raises(LabelError, match=r"expected classes of \(30, 40\), got \(5, 5\)"):
        convert_voc(voc, tmp_path / "out")
    save_palette(path, np.full(SIZE, 33, np.uint8))
    with pytest.raises(LabelError, match=r"expected classes 0\.\.20 or 255, got 33"):
        convert_voc(voc, tmp_path / "out")
    path.unlink()
    with pytest.raises(FileNotFoundError):
        convert_voc(voc, tmp_path / "out")
    with pytest.raises(FileNotFoundError):
        convert_voc(voc, tmp_path / "out", splits=["test"])


def test_bad_lists_and_mat_files_are_named(sbd):
    (sbd / "train.txt").write_text("a b a")
    with pytest.raises(LabelError, match=r"train\.txt: expected each image once, got a again"):
        read_split(sbd, "train", "sbd")
    (sbd / "train.txt").write_text("\n")
    with pytest.raises(LabelError, match=r"train\.txt: expected image ids, got none"):
        read_split(sbd, "train", "sbd")
    (sbd / "inst" / "a.mat").write_bytes((sbd / "cls" / f"{IDS[0]}.mat").read_bytes())
    with pytest.raises(LabelError, match=r"a\.mat: expected the variable GTinst, got GTcls"):
        read_image(sbd, "a", "sbd")
    cells = np.empty((1, 1), object)
    cells[0, 0] = sparse.csc_array(np.zeros(SIZE, bool))
    instances = {"Segmentation": frames()[0], "Boundaries": cells, "Categories": np.array([[1]])}
    savemat(sbd / "inst" / f"{IDS[0]}.mat", {"GTinst": instances})
    with pytest.raises(LabelError, match="expected a category for each object, got none for 2"):
        read_image(sbd, IDS[0], "sbd")
    del instances["Categories"]
    savemat(sbd / "inst" / f"{IDS[0]}.mat", {"GTinst": instances})
    with pytest.raises(LabelError, match="expected the field Categories, got Segmentation, Boundaries"):
        read_image(sbd, IDS[0], "sbd")
