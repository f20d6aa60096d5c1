import numpy as np
import pytest

from noisyseg.integration.samples import (
    image_key,
    instances_of,
    put_instances,
    put_semantic_map,
    semantic_map_of,
)
from noisyseg.labels import Categories, LabelError, Mask


@pytest.fixture
def sample():
    """An image of two objects, whose labels 0, 1 are the category ids 9, 4."""
    triangle = [[2, 2, 12, 2, 2, 12]]
    entries = [
        {
            "bbox": [2, 2, 12, 12],
            "bbox_label": 0,
            "ignore_flag": 0,
            "ann_id": 5,
            "mask": triangle,
            "extra": "kept",
        },
        {"bbox": [0, 0, 20, 9], "bbox_label": 1, "ignore_flag": 1, "ann_id": 8, "mask": triangle},
    ]
    return {
        "img_id": 3,
        "img_path": "x/y.png",
        "height": 16,
        "width": 20,
        "instances": entries,
        "categories": Categories((4, 9), ("four", "nine"), (None, None)),
        "category_ids": [9, 4],
    }


def test_instances_of_a_sample(sample):
    labels = instances_of(sample)
    assert labels.size_hw == (16, 20)
    assert labels.boxes.tolist() == [[2, 2, 12, 12], [0, 0, 20, 9]]
    assert labels.classes.tolist() == [1, 0], "ordered by category id, not by label"
    assert labels.source.tolist() == [5, 8]
    assert labels.crowd.tolist() == [False, True]


def test_there_and_back_is_nothing(sample):
    before = [dict(entry) for entry in sample["instances"]]
    put_instances(sample, instances_of(sample))
    assert sample["instances"] == before


def test_dropped_and_invented_objects(sample):
    labels = instances_of(sample).replace(source=np.array([5, -1]))
    put_instances(sample, labels)
    assert [entry["ann_id"] for entry in sample["instances"]] == [5, -1]
    assert "extra" not in sample["instances"][1]


def test_a_box_thinner_than_a_pixel_is_left_out(sample):
    labels = instances_of(sample)
    put_instances(sample, labels.replace(boxes=np.array([[2, 2, 2.5, 12], [0, 0, 1, 1.0]])))
    assert [entry["ann_id"] for entry in sample["instances"]] == [8]


def test_a_changed_mask_comes_as_rle_in_text(sample):
    labels = instances_of(sample)
    frame = np.zeros((16, 20), np.uint8)
    frame[3:6, 4:9] = 1
    put_instances(sample, labels.replace(masks=(Mask.from_frame(frame), labels.masks[1])))
    encoded = sample["instances"][0]["mask"]
    assert encoded["size"] == [16, 20]
    assert isinstance(encoded["counts"], str)
    np.testing.assert_array_equal(Mask.from_coco(encoded, (16, 20)).frame(), frame)


def test_semantic_map_there_and_back():
    classes = np.array([[0, 1], [255, 1]], np.uint8)
    sample = {"gt_seg_map": classes.copy(), "img_path": "a.png"}
    put_semantic_map(sample, semantic_map_of(sample, Categories.from_names(["a", "b"])))
    np.testing.assert_array_equal(sample["gt_seg_map"], classes)
    assert sample["gt_seg_map"].dtype == np.uint8


def test_semantic_map_with_an_unknown_class_names_its_file():
    sample = {"gt_seg_map": np.array([[2]], np.uint8), "seg_map_path": "b/a.png"}
    with pytest.raises(LabelError, match=r"b/a\.png: classes: expected 0\.\.1 or 255, got \[2\]"):
        semantic_map_of(sample, Categories.from_names(["a", "b"]))


def test_image_key_is_the_id_or_the_name():
    assert image_key({"img_id": 17, "img_path": "x/y.png"}) == 17
    assert image_key({"img_path": "x/y_leftImg8bit.png"}) == "y_leftImg8bit"


def test_a_box_beside_the_image_is_left_out(sample):
    labels = instances_of(sample)
    put_instances(sample, labels.replace(boxes=np.array([[-9, 2, 0, 12], [20, 0, 29, 9.0]])))
    assert sample["instances"] == []


def test_pieces_share_what_they_come_from(sample):
    labels = instances_of(sample)
    put_instances(sample, labels.take(np.array([0, 0, 1])))
    assert [entry["ann_id"] for entry in sample["instances"]] == [5, 5, 8]
    assert [entry.get("extra") for entry in sample["instances"]] == ["kept", "kept", None]


def test_an_image_without_objects_has_masks_unless_its_file_has_none(sample):
    sample["instances"] = []
    assert instances_of(sample).masks == ()
    assert instances_of(sample | {"with_masks": True}).masks == ()
    assert instances_of(sample | {"with_masks": False}).masks is None


def test_the_image_comes_as_rgb_and_only_when_it_is_wanted(sample):
    sample["img"] = np.arange(16 * 20 * 3).reshape(16, 20, 3).astype(np.uint8)
    assert instances_of(sample).image is None
    image = instances_of(sample, with_image=True).image
    np.testing.assert_array_equal(image[..., 0], sample["img"][..., 2])
    np.testing.assert_array_equal(image[..., 2], sample["img"][..., 0])
    sample["gt_seg_map"] = np.zeros((16, 20), np.uint8)
    categories = Categories.from_names("a")
    assert semantic_map_of(sample, categories).image is None
    np.testing.assert_array_equal(semantic_map_of(sample, categories, with_image=True).image, image)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (None, "is not loaded; expected a place after LoadImageFromFile"),
        (np.zeros((16, 20, 3), np.float32), r"img: expected \(H, W, 3\) uint8 as it was loaded, got .* of float32"),
        (np.zeros((16, 20), np.uint8), r"img: expected \(H, W, 3\) uint8 .*got \(16, 20\)"),
        (np.zeros((8, 10, 3), np.uint8), r"image: expected \(16, 20, 3\) uint8, got \(8, 10, 3\)"),
    ],
)
def test_an_image_that_is_missing_or_changed_is_an_error(sample, image, message):
    if image is not None:
        sample["img"] = image
    with pytest.raises(LabelError, match=message):
        instances_of(sample, with_image=True)
