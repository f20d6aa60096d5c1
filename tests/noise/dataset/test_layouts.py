import pytest

from noisyseg.labels.label_pngs import ClassCodes
from noisyseg.noise.dataset.layouts import find_layout

CITY = "aachen/aachen_000000_000019"


@pytest.fixture
def tree(tmp_path):
    """Returns a function that makes empty files."""

    def make(*names, root="data"):
        for name in names:
            path = tmp_path / root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        return tmp_path / root

    return make


def table(found):
    return [(file.name, file.key, file.image, file.split) for file in found.files]


def test_cityscapes_names_a_map_after_its_image(tree):
    kinds = ("labelTrainIds.png", "labelIds.png", "instanceIds.png", "color.png", "polygons.json")
    names = [f"train/{CITY}_gtFine_{kind}" for kind in kinds]
    source = tree(*names, "val/bonn/bonn_000000_000019_gtFine_labelTrainIds.png", root="gtFine")
    found = find_layout(source)
    assert found.layout == "cityscapes"
    key = "aachen_000000_000019_leftImg8bit"
    assert table(found)[:2] == [
        (f"train/{CITY}_gtFine_{kind}.png", key, f"train/aachen/{key}", "train")
        for kind in ("labelIds", "labelTrainIds")
    ]
    assert table(found)[2][3] == "val"
    assert found.notes == (
        "files of color, instanceIds, polygons are not written: they would still show the clean labels",
    )
    ids, train_ids = (file.codes for file in found.files[:2])
    assert ids.values[:3] == (7, 8, 11)
    assert train_ids.values[:3] == (0, 1, 2)
    assert set(ids.ignored) == {*range(34), 255} - set(ids.values)
    assert find_layout(source / "train").files[0].split == "train"  # the folder itself says it


def test_coarse_cityscapes(tree):
    source = tree(f"train_extra/{CITY}_gtCoarse_labelIds.png")
    assert find_layout(source).files[0].key == "aachen_000000_000019_leftImg8bit"


@pytest.mark.parametrize("root", ["ADEChallengeData2016/annotations", "ADEChallengeData2016"])
def test_ade20k(tree, root):
    top = tree(
        "annotations/training/ADE_train_00000001.png",
        "annotations/validation/ADE_val_00000001.png",
        "images/training/ADE_train_00000001.jpg",
        root="ADEChallengeData2016",
    )
    found = find_layout(top.parent / root)
    assert found.layout == "ade20k"
    assert [row[1:] for row in table(found)] == [
        ("ADE_train_00000001", "training/ADE_train_00000001", "train"),
        ("ADE_val_00000001", "validation/ADE_val_00000001", "val"),
    ]
    codes = found.files[0].codes
    assert (codes.values[0], codes.values[-1], codes.ignored, codes.ignore_value) == (1, 150, (0, 255), 0)


def test_voc_takes_its_splits_from_lists(tree):
    source = tree(
        *(f"{kind}/2007_{k}.png" for kind in ("SegmentationClass", "SegmentationObject") for k in "123"),
        root="VOC2012",
    )
    lists = source / "ImageSets" / "Segmentation"
    lists.mkdir(parents=True)
    (lists / "train.txt").write_text("2007_1\n")
    (lists / "val.txt").write_text("2007_2\n")
    for folder, prefix in ((source, "SegmentationClass/"), (source / "SegmentationClass", "")):
        found = find_layout(folder)
        assert found.layout == "voc"
        assert table(found) == [
            (f"{prefix}2007_{k}.png", f"2007_{k}", f"2007_{k}", split)
            for k, split in ((1, "train"), (2, "val"), (3, None))
        ]
        assert found.background == (0,)
    assert "SegmentationObject" in find_layout(source).notes[0]


def test_camvid(tree):
    source = tree("train/a.png", "trainannot/a.png", "val/b.png", "valannot/b.png")
    found = find_layout(source)
    assert found.layout == "camvid"
    assert table(found) == [("trainannot/a.png", "a", "train/a", "train"), ("valannot/b.png", "b", "val/b", "val")]
    assert table(find_layout(source / "valannot")) == [("b.png", "b", "b", "val")]


def test_coco_files_of_one_folder(tree):
    source = tree("a_train.json", "a_val.json", "a_train.manifest.json", "deep/b.json", "readme.txt")
    found = find_layout(source)
    assert found.layout == "coco"
    assert [(file.name, file.split) for file in found.files] == [("a_train.json", "train"), ("a_val.json", "val")]


def test_matlab_files(tree):
    source = tree("groundTruth/train/1.mat", "groundTruth/test/2.mat", "images/train/1.jpg")
    found = find_layout(source)
    assert found.layout == "mat"
    assert table(found) == [
        ("groundTruth/test/2.mat", "2", "test/2", "test"),
        ("groundTruth/train/1.mat", "1", "train/1", "train"),
    ]


def test_matlab_files_of_two_kinds_are_not_mixed(tree):
    source = tree("cls/1.mat", "inst/1.mat")
    with pytest.raises(ValueError, match=r"has files of classes \(cls\) and of objects \(inst\): name one"):
        find_layout(source)
    (source / "train.txt").write_text("1\n")
    assert find_layout(source / "cls").files[0].split == "train"


def test_other_label_maps_need_their_classes(tree):
    source = tree("train/x/1.png", "val/2.png", ".hidden.png")
    with pytest.raises(ValueError, match="label maps of no known layout: classes: expected the names"):
        find_layout(source)
    found = find_layout(source, codes=ClassCodes.counted(("a", "b")))
    assert table(found) == [("train/x/1.png", "1", "train/x/1", "train"), ("val/2.png", "2", "val/2", "val")]
    with pytest.raises(ValueError, match="expected VOC label maps"):
        find_layout(source, "voc")


def test_what_fits_several_layouts_has_to_be_named(tree):
    source = tree("labels.json", "trainannot/a.png")
    with pytest.raises(ValueError, match=r"fits several layouts, so name one \(coco: .*; camvid: CamVid label maps"):
        find_layout(source)
    assert find_layout(source, "camvid").layout == "camvid"
    assert find_layout(source, "coco").layout == "coco"


def test_links_are_followed_once(tree):
    source = tree("trainannot/a.png")
    other = tree("valannot/b.png", root="elsewhere")
    (source / "more").symlink_to(other)
    (other / "back").symlink_to(source)
    assert [file.name for file in find_layout(source).files] == ["more/valannot/b.png", "trainannot/a.png"]


def test_what_cannot_be_found_is_an_error(tree, tmp_path):
    with pytest.raises(NotADirectoryError, match="nowhere: expected a folder, but there is none"):
        find_layout(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="data: expected labels, but there is none of: COCO files"):
        find_layout(tree("readme.txt"))
    with pytest.raises(ValueError, match=r"layout: expected one of auto, coco, .*, got 'lvis'"):
        find_layout(tmp_path, "lvis")
    with pytest.raises(ValueError, match="classes: expected none for the layout camvid"):
        find_layout(tree("trainannot/a.png", root="cam"), codes=ClassCodes.counted(("a",)))
