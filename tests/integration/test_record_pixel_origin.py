"""Painted pixels are found again behind every transform of mmseg that moves labels, and no others are."""

import numpy as np
import pytest
import torch
from mmengine.registry import init_default_scope

from noisyseg.integration.record_pixel_origin import ORIGIN, origin_index, origin_key, origin_map
from noisyseg.labels import LabelError
from noisyseg.registry import TRANSFORMS

pytest.importorskip("mmseg")
SIZE = (37, 53)
STEPS = {
    "flip": [dict(type="mmseg.RandomFlip", prob=1.0, direction="horizontal")],
    "both flips": [
        dict(type="mmseg.RandomFlip", prob=1.0, direction="vertical"),
        dict(type="mmseg.RandomFlip", prob=1.0, direction="horizontal"),
    ],
    "crop": [dict(type="mmseg.RandomCrop", crop_size=(20, 24))],
    "enlarge": [dict(type="mmseg.Resize", scale=(90, 90), keep_ratio=True)],
    "shrink": [dict(type="mmseg.Resize", scale=(31, 17))],
    "rotate": [dict(type="mmseg.RandomRotate", prob=1.0, degree=30, seg_pad_val=255)],
    "cut-out": [dict(type="mmseg.RandomCutOut", prob=1.0, n_holes=3, cutout_shape=(9, 9), seg_fill_in=255)],
    "all": [
        dict(type="mmengine.RandomResize", scale=(53, 37), ratio_range=(0.6, 1.7), keep_ratio=True),
        dict(type="mmseg.RandomCrop", crop_size=(30, 30)),
        dict(type="mmseg.RandomFlip", prob=0.5),
        dict(type="mmseg.RandomRotate", prob=0.5, degree=20, seg_pad_val=255),
    ],
}


def sample(seed):
    """A sample whose image holds the place of each pixel: red the row, green the column."""
    init_default_scope("mmseg")
    rows, columns = np.indices(SIZE)
    image = np.stack((rows, columns, 0 * rows), -1).astype(np.uint8)
    labels = np.random.default_rng(seed).integers(0, 5, SIZE, np.uint8)
    return {
        "img_path": "data/train/a.png",
        "img": image,
        "img_shape": SIZE,
        "ori_shape": SIZE,
        "gt_seg_map": labels,
        "seg_fields": ["gt_seg_map"],
    }


def run(results, steps):
    for step in [dict(type="noisyseg.RecordPixelOrigin"), *steps]:
        results = TRANSFORMS.build(step)(results)
    return results


@pytest.mark.parametrize("name", STEPS)
def test_each_pixel_tells_which_one_it_was(name):
    for seed in range(3):
        np.random.seed(seed)  # noqa: NPY002 - what mmcv's transforms draw from
        before = sample(seed)
        labels = before["gt_seg_map"].copy()
        after = run(before, STEPS[name])
        index = origin_index(torch.from_numpy(after[ORIGIN]), "train/a", SIZE).numpy()
        assert index.shape == after["gt_seg_map"].shape
        real = index >= 0
        assert real.any()
        np.testing.assert_array_equal(labels.reshape(-1)[index[real]], after["gt_seg_map"][real])
        assert (after["gt_seg_map"][~real] == 255).all()
        if name in ("flip", "both flips", "crop"):
            assert real.all()
            place = np.stack((index // SIZE[1], index % SIZE[1]), -1)
            np.testing.assert_array_equal(place, after["img"][..., :2])


def test_numbers_of_another_image_are_noticed():
    numbers = torch.from_numpy(origin_map("train/b", SIZE))
    with pytest.raises(ValueError, match="expected pixels of train/a alone"):
        origin_index(numbers, "train/a", SIZE)
    assert (origin_index(numbers, "train/b", SIZE).flatten() == torch.arange(SIZE[0] * SIZE[1])).all()


@pytest.mark.parametrize("fill", [0, 11, 255])
def test_what_transforms_fill_with_is_no_pixel(fill):
    assert (origin_index(torch.full((3,), fill, dtype=torch.int32), "a", (1024, 2048)) == -1).all()


def test_a_key_is_folder_and_file():
    assert origin_key("/data/leftImg8bit/train/aachen/aachen_000.0.png") == "aachen/aachen_000.0"
    assert origin_key("a.png") == "a"


def test_it_stands_before_all_that_moves_pixels():
    with pytest.raises(LabelError, match="before all that moves pixels"):
        run(sample(0) | {"img_shape": (20, 20)}, [])
    with pytest.raises(LabelError, match="before all that moves pixels"):
        run(sample(0) | {"flip": True}, [])
    unlabelled = sample(0)
    del unlabelled["gt_seg_map"]
    with pytest.raises(LabelError, match="after LoadAnnotations"):
        run(unlabelled, [])
