"""The writer of pseudo labels: layout, scores, all or nothing."""

import json
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from noisyseg.integration.unpaired import KeepForeground, WritePseudoLabels
from noisyseg.integration.unpaired.pseudo_labels import otsu, predicted_mask
from noisyseg.labels import LabelError


class Bright(torch.nn.Module):
    """Holds bright pixels for foreground."""

    def __init__(self):
        super().__init__()
        self.threshold = torch.nn.Parameter(torch.tensor(0.5))

    def forward(self, images):
        return (images.mean(1, keepdim=True) > self.threshold).float()


@pytest.fixture
def data(tmp_path):
    """Two images with a bright left half; the clean maps of both, one with ignored pixels."""
    for kind in ("images", "clean"):
        (tmp_path / kind).mkdir()
    for name in ("a", "b"):
        pixels = np.zeros((8, 8, 3), np.uint8)
        pixels[:, :4] = 255
        Image.fromarray(pixels).save(tmp_path / f"images/{name}.png")
        clean = np.zeros((8, 8), np.uint8)
        clean[:4] = 3
        if name == "b":
            clean[4:] = 255
        Image.fromarray(clean).save(tmp_path / f"clean/{name}.png")
    return tmp_path


def hook_of(folder, **settings):
    return WritePseudoLabels(
        **(
            dict(image_dir=folder / "images", out_dir=folder / "out/train", size=8, clean_dir=folder / "clean")
            | settings
        )
    )


def test_maps_have_the_layout_of_the_data_set(data):
    scores = hook_of(data).write(Bright())
    assert sorted(p.name for p in (data / "out/train").iterdir()) == ["a.png", "b.png", "pseudo_labels.json"]
    with Image.open(data / "out/train/a.png") as image:
        assert image.mode == "P"
        pixels = np.asarray(image)
    assert pixels.tolist() == [[1] * 4 + [0] * 4] * 8
    # a: 16 of 32 + 32 - 16; b, below is ignored: 16 of 32. All pixels: 32 of 64 and 32 of 32.
    assert scores["pseudo_labels"] == pytest.approx(32 / (48 + 32))
    assert scores["all_foreground"] == pytest.approx(64 / 96)
    assert scores["otsu_grey"] == scores["pseudo_labels"]
    manifest = json.loads((data / "out/train/pseudo_labels.json").read_text())
    assert manifest == {"classes": ["background", "object"], "images": 2, "foreground_iou": scores}


def test_without_clean_maps_nothing_is_scored(data):
    shutil.rmtree(data / "clean")
    assert hook_of(data, clean_dir=None).write(Bright()) == {}
    assert (data / "out/train/b.png").is_file()


def test_an_error_leaves_what_was_there(data):
    hook_of(data).write(Bright())
    before = {path.name: path.read_bytes() for path in (data / "out/train").iterdir()}
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(data / "clean/b.png")
    with pytest.raises(LabelError, match=r"b.png: expected \(8, 8\) pixels as in the image, got \(4, 4\)"):
        hook_of(data).write(Bright())
    assert {path.name: path.read_bytes() for path in (data / "out/train").iterdir()} == before
    assert [path.name for path in (data / "out").iterdir()] == ["train"]


def test_a_folder_of_something_else_is_refused_before_the_training(data):
    (data / "out/train").mkdir(parents=True)
    hook_of(data).before_train(None)
    (data / "out/train/mine.png").touch()
    with pytest.raises(FileExistsError, match=r"got one without pseudo_labels.json"):
        hook_of(data).before_train(None)
    with pytest.raises(FileNotFoundError, match="expected PNG files, found none"):
        hook_of(data, image_dir=data, out_dir=data / "new").before_train(None)
    with pytest.raises(ValueError, match="size: expected a multiple of 8, got 12"):
        hook_of(data, size=12)


def test_scores_are_logged_and_the_model_learns_on(data):
    lines, scalars, model = [], {}, Bright()
    hub = SimpleNamespace(update_scalar=scalars.__setitem__)
    hook_of(data).after_train(SimpleNamespace(model=model, logger=SimpleNamespace(info=lines.append), message_hub=hub))
    assert scalars["pseudo_labels/pseudo_labels"] == pytest.approx(0.4)
    assert "foreground IoU of pseudo_labels: 0.4000" in lines
    assert model.training


def test_an_image_of_another_size_gets_a_mask_of_its_size():
    pixels = np.zeros((24, 40, 3), np.uint8)
    pixels[:, 20:] = 200
    mask = predicted_mask(Bright(), pixels, 8)
    assert mask.shape == (24, 40)
    assert mask[:, 25:].all()
    assert not mask[:, :15].any()


def test_otsu_is_the_threshold_of_the_least_variance():
    values = np.array([[10, 12, 11, 200, 190, 60]], np.uint8)
    spread = {t: sum(g.size * g.var() for g in (values[values <= t], values[values > t])) for t in range(12, 190)}
    best = min(spread, key=spread.get)
    assert np.array_equal(otsu(values), values > best)


def test_clean_maps_get_the_two_classes():
    results = KeepForeground()({"gt_seg_map": np.array([[0, 4, 255]], np.uint8)})
    assert results["gt_seg_map"].tolist() == [[0, 1, 255]]
    with pytest.raises(KeyError, match="expected gt_seg_map"):
        KeepForeground()({})
