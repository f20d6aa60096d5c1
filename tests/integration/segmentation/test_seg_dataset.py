import cv2
import numpy as np
import pytest

from noisyseg.registry import DATASETS

pytest.importorskip("mmseg")


@pytest.fixture
def folder(tmp_path):
    for name in ("img", "map"):
        (tmp_path / name).mkdir()
    cv2.imwrite(str(tmp_path / "img" / "a.png"), np.zeros((4, 6, 3), np.uint8))
    labels = np.array([[0, 1, 2, 3, 11, 255]] * 4, np.uint8)
    cv2.imwrite(str(tmp_path / "map" / "a.png"), labels)
    return tmp_path


def build(folder, **settings):
    return DATASETS.build(
        {
            "type": "noisyseg.SegDataset",
            "data_root": str(folder),
            "img_suffix": ".png",
            "data_prefix": {"img_path": "img", "seg_map_path": "map"},
            "metainfo": {"classes": ("a", "b", "c", "d")},
            "pipeline": [{"type": "mmseg.LoadAnnotations"}],
        }
        | settings
    )


def test_labels_are_those_of_the_file(folder):
    assert build(folder)[0]["gt_seg_map"][0].tolist() == [0, 1, 2, 3, 11, 255]


def test_void_is_ignored(folder):
    assert build(folder, void=[11])[0]["gt_seg_map"][0].tolist() == [0, 1, 2, 3, 255, 255]


def test_void_comes_after_the_reduction_of_zero(folder):
    dataset = build(folder, void=[10], reduce_zero_label=True)
    assert dataset[0]["gt_seg_map"][0].tolist() == [255, 0, 1, 2, 255, 255]


def test_a_folder_without_images_is_an_error(folder):
    with pytest.raises(FileNotFoundError, match=r"no image \*\.jpg in .*img"):
        build(folder, img_suffix=".jpg")


def test_camvid_has_its_eleven_classes(camvid_dir):
    dataset = build(
        camvid_dir,
        data_prefix={"img_path": "val", "seg_map_path": "valannot"},
        metainfo={"classes": tuple("abcdefghijk")},
        void=[11],
    )
    found = np.unique(np.concatenate([np.unique(dataset[i]["gt_seg_map"]) for i in range(0, 101, 10)]))
    assert set(found.tolist()) == {*range(11), 255}
