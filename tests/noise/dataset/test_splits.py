from pathlib import PurePosixPath

import pytest

from noisyseg.noise.dataset.splits import chosen, listed, split_of, split_of_folder


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("a/instances_train2017.json", "train"),
        ("val/trainval.json", "train"),
        ("train/labels.json", "train"),
        ("a/instances_val2017.json", "val"),
        ("valid/labels.json", "val"),
        ("a/image_info_test-dev2017.json", "test"),
        ("a/part_0001.json", None),
    ],
)
def test_files(name, split):
    assert split_of(name) == split


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("gtFine/train/aachen", "train"),
        ("gtFine/val", "val"),
        ("annotations/training", "train"),
        ("annotations/validation", "val"),
        ("trainannot", "train"),
        ("valannot", "val"),
        ("data/test2017/a", "test"),
        ("train/val", "val"),
        ("trains", None),
        ("trainers/values", None),
        (".", None),
    ],
)
def test_folders(name, split):
    assert split_of_folder(PurePosixPath(name)) == split


def test_validation_is_left_out_unless_named():
    splits = {"a": "train", "b": "val", "c": None, "d": "val", "e": "test"}
    assert chosen(splits, None) == (["a", "c"], {"test": 1, "val": 2})
    assert chosen(splits, "train") == (["a", "c"], {"test": 1, "val": 2})
    assert chosen(splits, "val") == (["b", "d"], {"test": 1, "train": 1, "unnamed": 1})
    assert chosen({"a": None, "b": None}, "val") == (["a", "b"], {})


def test_validation_alone_is_refused():
    with pytest.raises(ValueError, match=r"looks like validation or test labels \(test, val\), and models are to be"):
        chosen({"a": "val", "b": "test"}, None)
    with pytest.raises(ValueError, match="split: expected train, which are there, got val"):
        chosen({"a": "train"}, "val")


def test_lists_of_images(tmp_path):
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "train.txt").write_text("2007_000032\n\nfolder/a.jpg labels/a.png\n")
    (tmp_path / "lists" / "val.txt").write_text("2007_000033\n")
    assert listed([tmp_path, tmp_path / "lists"]) == {"2007_000032": "train", "a": "train", "2007_000033": "val"}
    assert listed([tmp_path]) == {}
