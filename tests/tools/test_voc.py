import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def tool(load_tool):
    return load_tool("dataset_converters/voc")


@pytest.fixture
def root(tmp_path):
    pixels = np.zeros((20, 30), np.uint8)
    pixels[5:10, 5:10] = 1
    lists = tmp_path / "VOC2012" / "ImageSets" / "Segmentation"
    lists.mkdir(parents=True)
    for split in ("train", "val"):
        (lists / f"{split}.txt").write_text(f"2007_{split}\n")
        for folder in ("SegmentationObject", "SegmentationClass"):
            path = tmp_path / "VOC2012" / folder / f"2007_{split}.png"
            path.parent.mkdir(exist_ok=True)
            Image.fromarray(pixels).save(path)
    return tmp_path / "VOC2012"


def test_it_writes_objects_and_maps(tool, root, tmp_path, capsys):
    assert tool.main([str(root), str(tmp_path / "out")]) == 0
    printed = capsys.readouterr().out
    assert "train: 1 images, 1 objects, 0 of several classes" in printed
    assert f"labels: {tmp_path / 'out'}" in printed
    assert sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.*")) == [
        *("instances_train.json", "instances_val.json"),
        *("semantic/2007_train.png", "semantic/2007_val.png", "voc.json"),
    ]


def test_it_replaces_its_own_folder_with_force_only(tool, root, tmp_path, capsys):
    arguments = [str(root), str(tmp_path / "out"), "--splits", "val"]
    assert tool.main(arguments) == 0
    assert tool.main(arguments) == 2
    assert "out: is there already" in capsys.readouterr().err
    assert tool.main([*arguments, "--force"]) == 0
    assert tool.main([str(root), str(root), "--force"]) == 2
    assert (root / "SegmentationClass" / "2007_val.png").exists()


def test_the_layout_decides_which_files_are_read(tool, root, tmp_path, capsys):
    assert tool.main([str(root), str(tmp_path / "out"), "--layout", "sbd"]) == 2
    assert "train.txt" in capsys.readouterr().err
