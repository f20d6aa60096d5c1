"""Labels and weights in force, from the store into samples."""

import cv2
import numpy as np
import pytest
from mmcv.transforms import Compose
from mmengine.registry import init_default_scope

from noisyseg.integration.load_stored_labels import LoadStoredLabels
from noisyseg.labels import LabelError
from noisyseg.labels.store import LabelStore


@pytest.fixture
def store(tmp_path):
    return LabelStore(tmp_path / "store")


def sample(given, path="images/a.png"):
    return {"img_path": path, "gt_seg_map": given, "seg_fields": ["gt_seg_map"]}


def put_in_force(store, key, **maps):
    version = store.begin()
    for kind, pixels in maps.items():
        store.put(key, kind, pixels, version)
    store.finish(version, parent=store.current, values={"image_weight": {key: 0.5}})
    store.set_current(version)


def test_without_a_version_the_given_labels_count_fully(store):
    given = np.array([[0, 1, 255]], np.uint8)
    found = LoadStoredLabels(str(store.root))(sample(given))
    assert found["gt_seg_map"] is given
    assert (found["gt_weight_map"] == 255).all()
    assert (found["image_weight"], found["label_key"]) == (1.0, "a")


def test_the_version_in_force_replaces_them_at_the_next_call(store):
    load = LoadStoredLabels(str(store.root), keep_given=True)
    given = np.array([[0, 1, 255]], np.int64)
    load(sample(given))
    put_in_force(store, "a", labels=np.array([[1, 1, 255]], np.uint8), weights=np.array([[9, 255, 0]], np.uint8))
    found = load(sample(given.copy()))
    assert found["gt_seg_map"].tolist() == [[1, 1, 255]]
    assert found["gt_seg_map"].dtype == np.int64
    assert found["gt_weight_map"].tolist() == [[9, 255, 0]]
    assert found["gt_given_map"].tolist() == [[0, 1, 255]]
    assert found["image_weight"] == 0.5
    assert set(found["seg_fields"]) == {"gt_seg_map", "gt_weight_map", "gt_weight_witness", "gt_given_map"}
    put_in_force(store, "b", weights=np.zeros((1, 3), np.uint8))
    assert load(sample(given.copy()))["gt_weight_map"].tolist() == [[9, 255, 0]]


def test_weights_move_with_the_labels(store, tmp_path):
    pytest.importorskip("mmseg")
    init_default_scope("mmseg")
    size = (48, 64)
    labels = np.zeros(size, np.uint8)
    labels[10:30, 20:40] = 1
    cv2.imwrite(str(tmp_path / "a.png"), np.repeat(labels[..., None] * 200, 3, axis=2))
    cv2.imwrite(str(tmp_path / "labels.png"), np.zeros(size, np.uint8))
    put_in_force(store, "a", labels=labels, weights=np.where(labels, 255, 51).astype(np.uint8))
    pipeline = Compose(
        [
            dict(type="mmengine.LoadImageFromFile"),
            dict(type="mmseg.LoadAnnotations"),
            dict(type="noisyseg.LoadStoredLabels", store=str(store.root)),
            dict(type="mmengine.RandomResize", scale=(96, 96), ratio_range=(0.6, 1.5), keep_ratio=True),
            dict(type="mmseg.RandomCrop", crop_size=(40, 40)),
            dict(type="mmseg.RandomFlip", prob=0.5),
            dict(type="noisyseg.PackSegInputs"),
        ]
    )
    objects = 0
    for _ in range(10):
        info = {
            "img_path": str(tmp_path / "a.png"),
            "seg_map_path": str(tmp_path / "labels.png"),
            "seg_fields": [],
            "label_map": None,
            "reduce_zero_label": False,
        }
        packed = pipeline(info)["data_samples"]
        on_object = packed.gt_sem_seg.data == 1
        assert ((packed.gt_weight_map.data == 255) == on_object).all()
        objects += int(on_object.sum())
    assert objects > 1000


def test_a_map_of_another_size_is_refused(store):
    put_in_force(store, "a", weights=np.zeros((2, 3), np.uint8))
    with pytest.raises(LabelError, match=r"a: weights of version 1: expected the size of the given labels, \(1, 3\)"):
        LoadStoredLabels(str(store.root))(sample(np.zeros((1, 3), np.uint8)))


def test_a_key_can_hold_folders(store):
    put_in_force(store, "town/a", weights=np.zeros((1, 1), np.uint8))
    load = LoadStoredLabels(str(store.root), img_dir="images", img_suffix="_rgb.png")
    found = load(sample(np.zeros((1, 1), np.uint8), "images/town/a_rgb.png"))
    assert found["gt_weight_map"].item() == 0


def test_a_place_before_the_labels_and_a_missing_store_are_errors(store):
    with pytest.raises(LabelError, match=r"a\.png: LoadStoredLabels: the given labels are not loaded yet"):
        LoadStoredLabels(str(store.root))({"img_path": "a.png"})
    load = LoadStoredLabels()
    with pytest.raises(LabelError, match="LoadStoredLabels has no store: there is no hook that writes one"):
        load(sample(np.zeros((1, 1), np.uint8)))
    load.bind(store.root)
    assert load(sample(np.zeros((1, 1), np.uint8)))["image_weight"] == 1
    with pytest.raises(LabelError, match="but the hook writes elsewhere"):
        load.bind(type(store.root)("elsewhere"))
