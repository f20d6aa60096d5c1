"""What is painted into a view is found in the bank at its place, and comes back in any other view of the image."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS as MMSEG_MODELS

from noisyseg.integration.target_bank import TargetBank
from noisyseg.registry import MODELS, TRANSFORMS

SIZE = (37, 53)
STRIDE = 4
GRID = (10, 14)
CLASSES = 6
RESIZE = dict(type="mmengine.RandomResize", scale=(53, 37), ratio_range=(0.7, 1.8), keep_ratio=True)
CROP = dict(type="mmseg.RandomCrop", crop_size=(30, 30))
FLIP = dict(type="mmseg.RandomFlip", prob=0.5)
ROTATE = dict(type="mmseg.RandomRotate", prob=1.0, degree=20, seg_pad_val=255)


@pytest.fixture
def bank(tmp_path):
    init_default_scope("mmseg")
    bank = MODELS.build(dict(type="noisyseg.TargetBank", momentum=0.5, top=3, stride=STRIDE))
    bank.open(tmp_path, "loss")
    bank.files.start(0)
    return bank


def painting(seed=0):
    """Labels that are constant in each cell."""
    cells = np.random.default_rng(seed).integers(0, CLASSES, GRID, np.uint8)
    return cells, np.kron(cells, np.ones((STRIDE, STRIDE), np.uint8))[: SIZE[0], : SIZE[1]]


def batch_of(*views):
    """Returns the samples of a padded batch, of views (name, labels, steps)."""
    packed = []
    for name, labels, steps in views:
        results = {
            "img_path": f"train/{name}.png",
            "img": np.zeros((*SIZE, 3), np.uint8),
            "img_shape": SIZE,
            "ori_shape": SIZE,
            "gt_seg_map": labels.copy(),
            "seg_fields": ["gt_seg_map"],
        }
        for step in [dict(type="noisyseg.RecordPixelOrigin"), *steps, dict(type="noisyseg.PackSegInputs")]:
            results = TRANSFORMS.build(step)(results)
        packed.append(results)
    preprocessor = MMSEG_MODELS.build(dict(type="SegDataPreProcessor", size_divisor=16))
    batch = {key: [results[key] for results in packed] for key in ("inputs", "data_samples")}
    return preprocessor(batch, training=True)["data_samples"]


def labels_of(samples):
    return torch.cat([sample.gt_sem_seg.data for sample in samples])


def sure_of(labels):
    """Logits of a network that is certain of each label."""
    return 50 * F.one_hot(torch.where(labels == 255, 0, labels), CLASSES).permute(0, 3, 1, 2).float()


def call(bank, samples, logits=None, *, training=True):
    logits = sure_of(labels_of(samples)) if logits is None else logits
    found = bank(logits, samples, sigmoid=False, ignore_index=255, training=training)
    bank.iteration += 1
    return found


@pytest.mark.parametrize("steps", [[], [RESIZE], [CROP], [FLIP], [RESIZE, CROP, FLIP], [RESIZE, CROP, FLIP, ROTATE]])
def test_a_painted_view_is_written_to_its_place(bank, steps):
    cells, labels = painting()
    seen = np.zeros(GRID, bool)
    for seed in range(4):
        np.random.seed(seed)  # noqa: NPY002 - what mmcv's transforms draw from
        samples = batch_of(("a", labels, steps), ("b", 5 - labels, []))
        call(bank, samples)
        stored = bank.files.read("train/a", bank.iteration)
        seen |= stored[0, 0] > 0
        assert (stored[0, 0][seen] == 255).all()
        assert (stored[1, 0][seen] == cells[seen]).all()
        assert (stored[0, 1:] == 0).all()
        assert (stored[:, :, ~seen] == 0).all()
    assert seen.all() == (CROP not in steps)
    assert seen.any()
    other = bank.files.read("train/b", bank.iteration)
    assert (other[1, 0] == 5 - cells).all()


def test_what_one_view_wrote_another_one_reads(bank):
    _, labels = painting()
    np.random.seed(0)  # noqa: NPY002
    first = call(bank, batch_of(("a", labels, [CROP])))
    assert (first["target_weight"] == 0).all()
    for _ in range(6):
        samples = batch_of(("a", labels, [RESIZE, CROP, FLIP, ROTATE]))
        view = labels_of(samples)
        found = call(bank, samples, training=False)
        known = found["target_weight"] == 1
        assert ((found["target_weight"] == 0) | known).all()
        assert (known & (view != 255)).any()
        assert not (known & (view == 255)).any()
        assert (found["target_classes"][:, 0][known] == view[known]).all()
        assert (found["soft_targets"][:, 0][known] == 1).all()
        assert found["soft_targets"].shape == found["target_classes"].shape == (1, 3, *view.shape[1:])


def test_the_target_is_the_average_of_what_was_predicted(bank):
    samples = batch_of(("a", np.zeros(SIZE, np.uint8), []))
    p, q = torch.tensor([0.5, 0.3, 0.2, 0, 0, 0]), torch.tensor([0, 0.1, 0.9, 0, 0, 0])
    shape = labels_of(samples).shape
    logits = [(v + 1e-9).log().reshape(1, -1, 1, 1).expand(1, CLASSES, *shape[1:]) for v in (p, q)]
    for view, expected, weight in [(0, p, 0), (1, 0.5 * p + 0.5 * q, 1), (0, 0.75 * p + 0.25 * q, 1)]:
        found = call(bank, samples, logits[view])
        target = torch.zeros(CLASSES).scatter(0, found["target_classes"][0, :, 0, 0], found["soft_targets"][0, :, 0, 0])
        torch.testing.assert_close(target, expected, atol=1.5 / 255, rtol=0)
        assert found["target_weight"][0, 0, 0] == weight


def test_pixels_under_ignored_labels_change_nothing(bank):
    _, labels = painting()
    labels = labels.copy()
    labels[:, 20:] = 255
    samples = batch_of(("a", labels, []))
    logits = sure_of(labels_of(samples))
    call(bank, samples, torch.where((labels_of(samples) == 255)[:, None], torch.randn_like(logits), logits))
    stored = bank.files.read("train/a", bank.iteration)
    assert (stored[:, :, :, 5:] == 0).all()
    assert (stored[0, 0, :, :5] == 255).all()


def test_the_same_image_twice_in_a_batch(bank):
    _, labels = painting()
    call(bank, batch_of(("a", labels, []), ("a", labels, [])))
    found = call(bank, batch_of(("a", labels, [])))
    assert (found["target_weight"][0, : SIZE[0], : SIZE[1]] == 1).all()


def test_transforms_that_move_the_labels_alone_are_noticed(bank):
    _, labels = painting()
    for step in [
        dict(type="mmengine.RandomFlip", prob=1.0),
        dict(type="mmengine.Resize", scale=(80, 80)),
        dict(type="mmengine.Resize", scale=(30, 30)),
    ]:
        with pytest.raises(ValueError, match=r"the labels of train/a.png have moved or changed"):
            call(bank, batch_of(("a", labels, [step])))
    samples = batch_of(("a", labels, [dict(type="mmengine.Pad", size=(64, 64), pad_val=dict(img=0, seg=255))]))
    assert call(bank, samples)["target_weight"].shape == (1, 64, 64)


def test_what_cannot_work_raises(bank, tmp_path):
    _, labels = painting()
    samples = batch_of(("a", labels, []))
    with pytest.raises(ValueError, match="expected 3 to 256 classes, not 2"):
        call(bank, samples, torch.zeros(1, 2, 48, 64))
    with pytest.raises(ValueError, match=r"noisyseg.TargetBankHook"):
        call(TargetBank(), samples)
    call(bank, samples)
    same_name = batch_of(("a", labels, []))
    same_name[0].set_metainfo({"img_path": "elsewhere/train/a.png"})
    with pytest.raises(ValueError, match="differ in the names of folder or file"):
        call(bank, same_name)
    coarser = TargetBank(stride=8)
    coarser.open(tmp_path, "loss")
    coarser.iteration = 5
    with pytest.raises(ValueError, match=r"expected \(2, 3, 5, 7\) for train/a"):
        call(coarser, samples)
    del samples[0].pixel_origin
    with pytest.raises(ValueError, match=r"noisyseg.RecordPixelOrigin in the pipeline"):
        call(bank, samples)


def test_bad_settings_raise():
    with pytest.raises(ValueError, match="momentum: expected a number in"):
        TargetBank(momentum=1.0)
    with pytest.raises(ValueError, match="top: expected a whole number >= 1"):
        TargetBank(top=0)
    with pytest.raises(ValueError, match="TargetBank has none for the sigmoid form"):
        MODELS.build(dict(type="noisyseg.PixelELR", targets=dict(type="noisyseg.TargetBank"), use_sigmoid=True))
