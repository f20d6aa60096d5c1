"""The unpaired draw: disjoint scenes, named by seed and number alone."""

import shutil

import numpy as np
import pytest
import torch
from PIL import Image

from noisyseg.integration.unpaired import UnpairedDataset
from noisyseg.integration.unpaired.unpaired_dataset import foreground, image_tensor, read_image
from noisyseg.labels import LabelError


def folders(scenes):
    return dict(image_dir=str(scenes / "images/train"), mask_dir=str(scenes / "semantic/train"), size=16)


def test_images_and_masks_are_of_other_scenes(scenes):
    data = UnpairedDataset(**folders(scenes))
    assert data.image_names + data.mask_names == [f"{i:06d}.png" for i in range(1, 7)]
    assert len(data.image_names) == 3
    assert len(UnpairedDataset(**folders(scenes), share=0.01).image_names) == 1
    assert len(UnpairedDataset(**folders(scenes), share=0.99).mask_names) == 1


def test_a_sample_depends_on_seed_and_number_alone(scenes):
    one, same, other = (UnpairedDataset(**folders(scenes), seed=seed, length=40) for seed in (1, 1, 2))
    backwards = {i: same[i] for i in reversed(range(40))}
    assert all(torch.equal(one[i][key], backwards[i][key]) for i in range(40) for key in ("image", "mask"))
    assert any(not torch.equal(one[i]["image"], other[i]["image"]) for i in range(40))
    assert one[7]["index"] == 7


def test_all_pairs_come(scenes):
    data = UnpairedDataset(**folders(scenes))
    sums = {(round(data[i]["image"].sum().item(), 2), data[i]["mask"].sum().item()) for i in range(150)}
    assert len(sums) == 9


def test_shapes_and_ranges(scenes):
    sample = UnpairedDataset(**folders(scenes))[0]
    assert sample["image"].shape == (3, 16, 16)
    assert sample["mask"].shape == (1, 16, 16)
    assert 0 <= sample["image"].min() < sample["image"].max() <= 1
    assert set(sample["mask"].unique().tolist()) <= {0.0, 1.0}


def test_pixels_are_averaged_and_red_comes_first(tmp_path):
    pixels = np.zeros((4, 4, 3), np.uint8)
    pixels[:2, :, 0] = 255
    Image.fromarray(pixels).save(tmp_path / "a.png")
    tensor = image_tensor(read_image(tmp_path / "a.png"), 2)
    assert tensor[0].tolist() == [[1, 1], [0, 0]]
    assert tensor[1:].sum() == 0


def test_foreground_is_whatever_is_not_class_zero():
    assert foreground(np.array([[0, 1, 6, 255]])).tolist() == [[0, 1, 1, 255]]


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        ("share", 1.0, "share: expected a number between 0 and 1"),
        ("size", 20, "size: expected a multiple of 8"),
        ("length", 0, "length: expected at least 1"),
        ("seed", -1, "seed: expected an integer >= 0"),
    ],
)
def test_settings_out_of_range_are_refused(scenes, setting, value, message):
    with pytest.raises(ValueError, match=message):
        UnpairedDataset(**(folders(scenes) | {setting: value}))


def test_unusable_data_are_refused(scenes, tmp_path):
    with pytest.raises(FileNotFoundError, match="expected PNG files, found none"):
        UnpairedDataset(str(tmp_path), str(tmp_path))
    copy = shutil.copytree(scenes, tmp_path / "copy")
    last = copy / "semantic/train/000006.png"
    Image.fromarray(np.full((32, 32), 255, np.uint8)).save(last)
    with pytest.raises(LabelError, match=r"000006.png: expected a mask without ignored pixels"):
        UnpairedDataset(**folders(copy))
    (copy / "images/train/000001.png").write_text("no image")
    with pytest.raises(ValueError, match=r"000001.png: expected an image"):
        UnpairedDataset(**folders(copy))
    for number in range(2, 7):
        (copy / f"images/train/{number:06d}.png").unlink()
    with pytest.raises(ValueError, match="expected at least two images"):
        UnpairedDataset(**folders(copy))
    with pytest.raises(IndexError, match="expected 0 to 3, got 4"):
        UnpairedDataset(**folders(scenes), length=4)[4]
