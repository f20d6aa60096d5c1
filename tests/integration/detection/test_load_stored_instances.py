"""Masks in force, from the store into mmdet's samples, and through what follows."""

import numpy as np
import pytest
import torch
from mmengine.registry import init_default_scope

from noisyseg.labels import LabelError, Mask
from noisyseg.labels.store import LabelStore
from noisyseg.registry import DATASETS

pytest.importorskip("mmdet")
from mmdet.structures.mask import BitmapMasks

from noisyseg.integration.detection.load_stored_instances import LoadStoredInstances

LOAD = {"type": "mmdet.LoadAnnotations", "with_bbox": True, "with_mask": True}


@pytest.fixture(autouse=True)
def mmdet_scope():
    init_default_scope("mmdet")


@pytest.fixture
def store(tmp_path):
    return LabelStore(tmp_path / "store")


@pytest.fixture
def dataset(write_coco, coco_document, store):
    """Returns a function that builds the two images with a pipeline; image a has the objects 11, 12 and a crowd, 13."""
    file = write_coco(coco_document)

    def build(*after, load=LOAD, before=(), pack=True, **settings):
        settings = {"type": "noisyseg.LoadStoredInstances", "store": str(store.root)} | settings
        steps = [{"type": "mmengine.LoadImageFromFile"}, *before, load, settings, *after]
        return DATASETS.build(
            {
                "type": "noisyseg.CocoDataset",
                "ann_file": str(file),
                "data_prefix": {"img": str(file.parent)},
                "pipeline": [*steps, {"type": "mmdet.PackDetInputs"}] if pack else steps,
            }
        )

    return build


def corner(x0, y0, x1, y1):
    frame = np.zeros((48, 64), np.uint8)
    frame[y0:y1, x0:x1] = 1
    return frame


def put_in_force(store, key, masks):
    version = store.begin()
    rles = {id_: mask if isinstance(mask, dict) else Mask.from_frame(mask).rle for id_, mask in masks.items()}
    store.put(key, "instances", rles, version)
    store.finish(version, parent=store.current)
    store.set_current(version)


NEW = corner(40, 20, 60, 45)


def test_without_a_version_the_given_masks_stay(dataset):
    found, plain = dataset(pack=False)[0], dataset(pack=False)
    plain.pipeline.transforms.pop()
    expected = plain[0]
    np.testing.assert_array_equal(found["gt_masks"].masks, expected["gt_masks"].masks)
    assert torch.equal(found["gt_bboxes"].tensor, expected["gt_bboxes"].tensor)
    assert found["label_key"] == "a"


def test_the_version_in_force_replaces_one_mask_and_its_box_at_the_next_call(dataset, store):
    data = dataset(pack=False)
    before = data[0]
    put_in_force(store, "a", {12: NEW})
    after = data[0]
    np.testing.assert_array_equal(after["gt_masks"].masks[1], NEW)
    assert after["gt_bboxes"].tensor[1].tolist() == [40, 20, 60, 45]
    for i in (0, 2):
        np.testing.assert_array_equal(after["gt_masks"].masks[i], before["gt_masks"].masks[i])
        assert torch.equal(after["gt_bboxes"].tensor[i], before["gt_bboxes"].tensor[i])
    for name in ("gt_bboxes_labels", "gt_ignore_flags"):
        np.testing.assert_array_equal(after[name], before[name])
    np.testing.assert_array_equal(data[1]["gt_masks"].masks, dataset(pack=False)[1]["gt_masks"].masks)
    store.set_current(0)
    np.testing.assert_array_equal(data[0]["gt_masks"].masks, before["gt_masks"].masks)


def test_masks_and_boxes_move_with_the_image(dataset, store):
    put_in_force(store, "a", {11: corner(0, 0, 10, 48), 12: NEW})
    steps = [{"type": "mmdet.RandomFlip", "prob": 1.0}, {"type": "mmdet.Resize", "scale": (128, 96)}]
    objects = dataset(*steps)[0]["data_samples"].gt_instances
    flipped = BitmapMasks([corner(54, 0, 64, 48), corner(4, 20, 24, 45)], 48, 64).resize((96, 128))
    np.testing.assert_array_equal(objects.masks.masks, flipped.masks)
    assert objects.bboxes.tensor.tolist() == [[108, 0, 128, 96], [8, 40, 48, 90]]


def test_weights_of_objects_and_masks_in_force_go_together(dataset, store, tmp_path):
    from noisyseg.labels.weight_maps import write_key_weights

    write_key_weights(tmp_path / "w.json", {id_: id_ / 100 for id_ in range(11, 16)})
    weights = {"type": "noisyseg.LoadInstanceWeights", "file": str(tmp_path / "w.json")}
    put_in_force(store, "a", {12: NEW})
    found = dataset(weights, pack=False)[0]
    assert found["gt_bboxes_labels"]["weight"][1] == np.float32(0.12)
    np.testing.assert_array_equal(found["gt_masks"].masks[1], NEW)


def test_an_image_without_objects(store):
    sample = {"img_path": "a.png", "img": np.zeros((48, 64, 3), np.uint8), "ori_shape": (48, 64), "instances": []}
    from mmdet.registry import TRANSFORMS

    loaded = TRANSFORMS.build(LOAD)(sample)
    assert len(LoadStoredInstances(str(store.root))(loaded)["gt_masks"]) == 0


class TestErrors:
    def test_polygons_and_annotations_that_are_not_loaded(self, dataset):
        place = r"a\.png: LoadStoredInstances: expected a place right behind mmdet\.LoadAnnotations"
        with pytest.raises(LabelError, match=place + ".*got 3 PolygonMasks and 3 HorizontalBoxes"):
            dataset(load=LOAD | {"poly2mask": False})[0]
        with pytest.raises(LabelError, match=place + ".*got none and 3 HorizontalBoxes"):
            dataset(load=LOAD | {"with_mask": False})[0]

    def test_a_place_behind_what_selects_objects(self, dataset):
        data = dataset({"type": "mmdet.FilterAnnotations", "min_gt_bbox_wh": (22, 22)}, pack=False)
        data.pipeline.transforms[2:] = reversed(data.pipeline.transforms[2:])
        with pytest.raises(LabelError, match=r"expected .* of 3 objects, got 1 BitmapMasks and 1 HorizontalBoxes"):
            data[0]

    def test_a_mask_of_nobody(self, dataset, store):
        put_in_force(store, "a", {14: NEW})
        with pytest.raises(
            LabelError, match=r"masks of a: expected masks of objects of the image, got .* annotation 14"
        ):
            dataset()[0]

    def test_a_mask_of_another_size(self, dataset, store):
        put_in_force(store, "a", {11: np.ones((4, 4), np.uint8)})
        with pytest.raises(LabelError, match=r"masks of a: RLE size: expected the image's \[48, 64\]"):
            dataset()[0]

    def test_no_store(self, dataset):
        with pytest.raises(LabelError, match="LoadStoredInstances has no store"):
            dataset(store=None)[0]
