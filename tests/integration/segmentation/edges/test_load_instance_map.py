import cv2
import numpy as np
import pytest

from noisyseg.integration.segmentation.edges.load_instance_map import LoadInstanceMap
from noisyseg.labels import LabelError


@pytest.fixture
def sample(tmp_path):
    cv2.imwrite(str(tmp_path / "objects.png"), np.array([[7, 26001, 26002]], np.uint16))
    return {
        "gt_seg_map": np.array([[0, 13, 13]], np.uint8),
        "instance_map_path": str(tmp_path / "objects.png"),
        "seg_fields": ["gt_seg_map"],
        "img_path": "a.png",
    }


def test_the_numbers_of_the_file_come_beside_the_labels(sample):
    found = LoadInstanceMap()(sample)
    assert found["gt_instance_map"].tolist() == [[7, 26001, 26002]]
    assert found["gt_instance_map"].dtype == np.int32
    assert found["seg_fields"] == ["gt_seg_map", "gt_instance_map"]


def test_what_does_not_fit_is_an_error_that_names_the_file(sample):
    with pytest.raises(LabelError, match=r"a\.png: LoadInstanceMap: expected gt_seg_map, got img_path"):
        LoadInstanceMap()({"img_path": "a.png"})
    with pytest.raises(LabelError, match=r"LoadInstanceMap: expected instance_map_path, got gt_seg_map"):
        LoadInstanceMap()({"gt_seg_map": sample["gt_seg_map"]})
    with pytest.raises(LabelError, match=r"objects\.png: expected objects of .* size \(1, 2\), got \(1, 3\)"):
        LoadInstanceMap()(sample | {"gt_seg_map": np.zeros((1, 2), np.uint8)})
    with pytest.raises(LabelError, match=r"gone\.png: cannot be read"):
        LoadInstanceMap()(sample | {"instance_map_path": "gone.png"})
