"""Spec: weights painted on an object are still on the object after the host's transforms, and 0 on all padding."""

import numpy as np
import pytest
import torch
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS, TRANSFORMS

from noisyseg.integration.segmentation.noise_aware_head import pixel_weights_of
from noisyseg.labels import LabelError
from noisyseg.labels.weight_maps import write_weight_map

SIZE = (40, 56)
OBJECT, SURROUNDINGS = 102, 204  # levels 0.4 and 0.8


@pytest.fixture(autouse=True)
def mmseg_scope():
    init_default_scope("mmseg")


@pytest.fixture
def load(tmp_path):
    """Returns a function that loads weights for a sample whose object, class 1, they follow exactly."""

    def loaded(seed=0):
        rng = np.random.default_rng(seed)
        labels = np.zeros(SIZE, np.uint8)
        y, x = rng.integers(4, 12, 2)
        labels[y : y + 18, x : x + 25] = 1
        labels[y + 9 :, x : x + 12] = 1
        labels[:2, :5] = 255
        write_weight_map(tmp_path / "a.png", np.where(labels == 1, OBJECT, SURROUNDINGS) / 255)
        sample = {
            "img_path": "images/a.png",
            "img": rng.integers(0, 255, (*SIZE, 3), np.uint8),
            "img_shape": SIZE,
            "ori_shape": SIZE,
            "gt_seg_map": labels,
            "seg_fields": ["gt_seg_map"],
        }
        return run([{"type": "noisyseg.LoadWeightMap", "weight_dir": str(tmp_path)}], sample)

    return loaded


def run(steps, sample):
    for step in steps:
        sample = TRANSFORMS.build(step)(sample)
    return sample


def packed(steps, sample, **settings):
    return run([*steps, {"type": "noisyseg.PackSegInputs", **settings}], sample)


def follow(labels, weights):
    """Asserts that each pixel has the weight of its label, and that none has weight where no label is."""
    expected = np.select([labels == 1, labels == 0], [OBJECT, SURROUNDINGS], 0)
    np.testing.assert_array_equal(weights, expected)


CHAINS = {
    "nothing": [],
    "flip": [{"type": "mmseg.RandomFlip", "prob": 1.0}],
    "flip both ways": [{"type": "mmseg.RandomFlip", "prob": 1.0, "direction": "diagonal"}],
    "crop": [{"type": "mmseg.RandomCrop", "crop_size": (24, 24)}],
    "resize up": [{"type": "mmseg.Resize", "scale": (90, 70), "keep_ratio": False}],
    "resize down": [{"type": "mmseg.Resize", "scale": (31, 17), "keep_ratio": True}],
    "random resize": [
        {"type": "mmengine.RandomResize", "scale": (60, 50), "ratio_range": (0.5, 2), "resize_type": "mmseg.Resize"}
    ],
    "pad": [{"type": "mmengine.Pad", "size": (64, 72)}],
    "pad to a multiple": [{"type": "mmengine.Pad", "size_divisor": 32}],
    "rotate": [{"type": "mmseg.RandomRotate", "prob": 1.0, "degree": 35.0}],
    "rotate and pad": [
        {"type": "mmseg.RandomRotate", "prob": 1.0, "degree": (20.0, 35.0)},
        {"type": "mmengine.Pad", "size": (64, 72)},
    ],
    "rotate, filled with background": [
        {"type": "mmseg.RandomRotate", "prob": 1.0, "degree": (30.0, 35.0), "seg_pad_val": 0, "auto_bound": True}
    ],
    "cut out": [{"type": "mmseg.RandomCutOut", "prob": 1.0, "n_holes": 2, "cutout_shape": (9, 9), "seg_fill_in": 255}],
    "all": [
        {"type": "mmengine.RandomResize", "scale": (60, 50), "ratio_range": (0.5, 2), "resize_type": "mmseg.Resize"},
        {"type": "mmseg.RandomCrop", "crop_size": (32, 32), "cat_max_ratio": 0.9},
        {"type": "mmseg.RandomFlip", "prob": 0.5},
        {"type": "mmseg.RandomRotate", "prob": 0.5, "degree": 20.0},
        {"type": "mmseg.PhotoMetricDistortion"},
        {"type": "mmengine.Pad", "size": (48, 48)},
    ],
}


@pytest.mark.parametrize("chain", CHAINS.values(), ids=CHAINS)
def test_weights_stay_on_their_object(load, chain):
    for seed in range(3):
        np.random.seed(seed)  # noqa: NPY002 - the hosts draw from it
        sample = packed(chain, load(seed))["data_samples"]
        labels, weights = sample.gt_sem_seg.data[0].numpy(), sample.gt_weight_map.data[0]
        assert weights.dtype == torch.uint8
        if "background" in str(chain) or any(step.get("seg_pad_val") == 0 for step in chain):
            filled = weights.numpy() == 0
            assert filled.any()
            assert (labels[filled] != 1).all()
            labels = np.where(filled, 255, labels)
        follow(labels, weights.numpy())


def test_mosaic_takes_the_weights_of_all_four(load):
    samples = [load(seed) for seed in range(4)]
    samples[0]["mix_results"] = samples[1:]
    mosaic = {"type": "mmseg.RandomMosaic", "prob": 1.0, "img_scale": (40, 56)}
    sample = packed([mosaic], samples[0])["data_samples"]
    follow(sample.gt_sem_seg.data[0].numpy(), sample.gt_weight_map.data[0].numpy())


def test_padding_of_a_batch_has_no_weight(load):
    crops = [[{"type": "mmseg.Resize", "scale": scale, "keep_ratio": False}] for scale in ((30, 20), (56, 40))]
    batch = [packed(crop, load()) for crop in crops]
    preprocess = MODELS.build({"type": "mmseg.SegDataPreProcessor", "size_divisor": 16})
    data = preprocess(
        {"inputs": [one["inputs"] for one in batch], "data_samples": [one["data_samples"] for one in batch]}, True
    )
    labels = torch.cat([sample.gt_sem_seg.data for sample in data["data_samples"]])
    assert labels.shape == (2, 48, 64)
    weights = pixel_weights_of(data["data_samples"], labels, 255)
    assert weights.dtype == torch.float32
    for i in range(2):
        follow(labels[i].numpy(), (weights[i] * 255).round().numpy())
    assert (weights[0, 20:] == 0).all()
    assert (weights[0, :, 30:] == 0).all()
    # Also where nothing is ignored, padding is no part of the image.
    assert (pixel_weights_of(data["data_samples"], labels, None)[0, 20:] == 0).all()


@pytest.mark.parametrize(
    ("step", "problem"),
    [
        ({"type": "mmengine.RandomFlip", "prob": 1.0}, "the labels have moved or changed since the weights"),
        ({"type": "mmengine.CenterCrop", "crop_size": (30, 30)}, r"expected labels of the weights' size \(40, 56\)"),
        ({"type": "mmengine.Resize", "scale": (90, 70)}, r"expected labels of the weights' size \(40, 56\), or larger"),
        (
            {"type": "mmengine.Pad", "size": (64, 72), "pad_val": {"img": 0, "seg": 0}},
            "expected .* or larger with 255 behind",
        ),
    ],
)
def test_a_transform_that_moves_the_labels_alone_is_an_error(load, step, problem):
    with pytest.raises(LabelError, match=rf"images/a\.png: weights: {problem}"):
        packed([step], load())


def test_noise_behind_the_weights_is_an_error(load):
    sample = load()
    sample["gt_seg_map"][20, 20] ^= 1
    with pytest.raises(LabelError, match="put LoadWeightMap behind what changes labels"):
        packed([], sample)


def test_weights_from_elsewhere_are_refused(load):
    sample = load()
    del sample["gt_weight_witness"]
    with pytest.raises(LabelError, match=r"expected weights that noisyseg\.LoadWeightMap has loaded"):
        packed([], sample)


def test_every_further_map_is_packed_under_its_name(load):
    sample = load()
    sample["ids"] = np.arange(np.prod(SIZE), dtype=np.int32).reshape(SIZE)
    sample["soft"] = np.zeros((*SIZE, 3), np.float32)
    sample["seg_fields"] += ["ids", "soft"]
    result = packed([{"type": "mmseg.RandomFlip", "prob": 1.0}], sample)["data_samples"]
    assert set(result.keys()) == {"gt_sem_seg", "gt_weight_map", "ids", "soft"}
    assert result.ids.data.dtype == torch.int32
    assert result.ids.data[0, 0, 0] == SIZE[1] - 1
    assert result.soft.data.shape == (3, *SIZE)


def test_without_weights_it_is_the_hosts_packing(load):
    sample = load()
    del sample["gt_weight_map"], sample["gt_weight_witness"]
    sample["seg_fields"] = ["gt_seg_map"]
    ours = packed([], dict(sample))
    theirs = run([{"type": "mmseg.PackSegInputs"}], sample)
    assert ours["data_samples"].metainfo == theirs["data_samples"].metainfo
    assert torch.equal(ours["data_samples"].gt_sem_seg.data, theirs["data_samples"].gt_sem_seg.data)
    assert torch.equal(ours["inputs"], theirs["inputs"])


@pytest.mark.parametrize("settings", [{}, {"meta_keys": ("img_path",)}])
def test_the_image_weight_is_meta_information(load, settings):
    sample = load() | {"image_weight": 0.25}
    meta = packed([], sample, **settings)["data_samples"].metainfo
    assert meta["image_weight"] == 0.25
    assert meta["img_path"] == "images/a.png"
    assert ("ori_shape" in meta) == (not settings)
