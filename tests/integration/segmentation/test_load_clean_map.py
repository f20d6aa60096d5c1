"""Clean labels come beside the given ones, as these are read, and move with them."""

import cv2
import numpy as np
import pytest
from mmcv.transforms import Compose
from mmengine.registry import init_default_scope

from noisyseg.integration.segmentation.load_clean_map import LoadCleanMap
from noisyseg.labels import LabelError
from noisyseg.labels.store import LabelStore


@pytest.fixture
def files(tmp_path):
    """An image, the given labels, and clean labels that have class 2 where the given ones have 3."""
    init_default_scope("mmseg")
    given = np.zeros((48, 64), np.uint8)
    given[10:30, 20:40] = 1
    given[30:40, 20:40] = 3
    given[:5] = 255
    for folder, pixels in (
        ("images", np.repeat(given[..., None] * 60, 3, axis=2)),
        ("given", given),
        ("clean", np.where(given == 3, 2, given).astype(np.uint8)),
    ):
        (tmp_path / folder / "town").mkdir(parents=True)
        cv2.imwrite(str(tmp_path / folder / "town" / "a.png"), pixels)
    return tmp_path


def info(files, **settings):
    return {
        "img_path": str(files / "images" / "town" / "a.png"),
        "seg_map_path": str(files / "given" / "town" / "a.png"),
        "seg_fields": [],
        "label_map": None,
        "reduce_zero_label": False,
    } | settings


def clean_map(files, **settings):
    return dict(type="noisyseg.LoadCleanMap", root=str(files / "clean"), img_dir=str(files / "images")) | settings


def test_it_is_read_as_the_given_labels_are(files):
    pipeline = Compose([dict(type="LoadAnnotations"), clean_map(files)])
    found = pipeline(info(files))
    given, clean = found["gt_seg_map"], found["gt_clean_map"]
    assert found["seg_fields"] == ["gt_seg_map", "gt_clean_map"]
    assert (clean[given != 3] == given[given != 3]).all()
    assert (clean[given == 3] == 2).all()
    found = pipeline(info(files, label_map={2: 255, 3: 1}))
    assert (found["gt_clean_map"][given == 3] == 255).all()
    assert (found["gt_seg_map"][given == 3] == 1).all()


def test_a_zero_label_is_left_out_of_all_maps_alike(files):
    store = LabelStore(files / "store")
    version = store.begin()
    store.put("a", "labels", np.full((48, 64), 4, np.uint8), version)
    store.finish(version, parent=store.current)
    store.set_current(version)
    steps = [dict(type="LoadAnnotations"), clean_map(files)]
    steps.append(dict(type="noisyseg.LoadStoredLabels", store=str(store.root), keep_given=True))
    raw = Compose(steps[:2])(info(files))["gt_seg_map"]
    found = Compose(steps)(info(files, reduce_zero_label=True))
    expected = np.where((raw == 0) | (raw == 255), 255, raw - 1)
    assert (found["gt_given_map"] == expected).all()
    assert (found["gt_clean_map"] == np.where(expected == 2, 1, expected)).all()
    assert (found["gt_seg_map"] == 4).all()


def test_it_moves_with_the_labels(files):
    pipeline = Compose(
        [
            dict(type="mmengine.LoadImageFromFile"),
            dict(type="LoadAnnotations"),
            clean_map(files),
            dict(type="RandomResize", scale=(96, 96), ratio_range=(0.6, 1.5), keep_ratio=True),
            dict(type="RandomCrop", crop_size=(40, 40)),
            dict(type="RandomFlip", prob=0.5),
            dict(type="noisyseg.PackSegInputs"),
        ]
    )
    changed = 0
    for _ in range(10):
        packed = pipeline(info(files))["data_samples"]
        given, clean = packed.gt_sem_seg.data, packed.gt_clean_map.data
        assert (clean == given.where(given != 3, 2)).all()
        changed += int((given == 3).sum())
    assert changed > 1000


def test_what_does_not_fit_is_an_error_that_names_the_file(files):
    load = Compose([dict(type="LoadAnnotations"), clean_map(files)])
    with pytest.raises(LabelError, match=r"a\.png: LoadCleanMap: the given labels are not loaded yet"):
        LoadCleanMap("clean")({"img_path": "a.png"})
    cv2.imwrite(str(files / "clean" / "town" / "a.png"), np.zeros((48, 63), np.uint8))
    with pytest.raises(LabelError, match=r"clean/town/a\.png: .*given labels' size \(48, 64\), got \(48, 63\)"):
        load(info(files))
    (files / "clean" / "town" / "a.png").unlink()
    with pytest.raises(LabelError, match=r"clean/town/a\.png: expected the clean labels of .*images/town/a\.png"):
        load(info(files))
    with pytest.raises(LabelError, match=r"clean/a_clean\.png: expected the clean labels"):
        Compose([dict(type="LoadAnnotations"), clean_map(files, img_dir=None, suffix="_clean.png")])(info(files))
