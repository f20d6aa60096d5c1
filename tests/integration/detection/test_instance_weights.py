"""An object keeps its weight through all of mmdet's transforms, and forgetting a part is an error."""

import json

import numpy as np
import pytest
import torch
from mmengine.registry import init_default_scope

from noisyseg.integration.detection.instance_weights import LoadInstanceWeights, PackDetInputs
from noisyseg.labels import LabelError
from noisyseg.labels.weight_maps import write_key_weights
from noisyseg.registry import DATASETS

mmdet = pytest.importorskip("mmdet")
from mmdet.registry import TRANSFORMS  # noqa: E402

SIZE = (96, 128)
SIDES = (16, 20, 24, 28, 32, 36)


@pytest.fixture(autouse=True)
def mmdet_scope():
    init_default_scope("mmdet")


@pytest.fixture
def load():
    """Returns a function that loads six squares, each of a class of its own and of weight class / 8 + 1 / 3."""

    def loaded(seed):
        rng = np.random.default_rng(seed)
        instances = []
        for label, side in enumerate(SIDES):
            x, y = rng.integers(0, SIZE[1] - side), rng.integers(0, SIZE[0] - side)
            corners = [x, y, x + side, y, x + side, y + side, x, y + side]
            instances.append(
                {
                    "bbox": [float(x), float(y), float(x + side), float(y + side)],
                    "bbox_label": label,
                    "ignore_flag": int(label == 2),
                    "mask": [[float(corner) for corner in corners]],
                    "ann_id": 10 * seed + label,
                    "weight": float(weight_of(label)),
                }
            )
        sample = {
            "img": rng.integers(0, 255, (*SIZE, 3), np.uint8),
            "img_id": seed,
            "img_path": "a.png",
            "img_shape": SIZE,
            "ori_shape": SIZE,
            "height": SIZE[0],
            "width": SIZE[1],
            "instances": instances,
        }
        return run(
            [{"type": "mmdet.LoadAnnotations", "with_bbox": True, "with_mask": True}, "noisyseg.LoadInstanceWeights"],
            sample,
        )

    return loaded


def weight_of(label):
    return np.asarray(label / 8 + 1 / 3, np.float32)


def run(steps, sample):
    for step in steps:
        sample = TRANSFORMS.build({"type": step} if isinstance(step, str) else step)(sample)
    return sample


CHAINS = {
    "nothing": [],
    "flip": [{"type": "mmdet.RandomFlip", "prob": 1.0}],
    "resize": [{"type": "mmdet.Resize", "scale": (200, 150)}],
    "crop": [{"type": "mmdet.RandomCrop", "crop_size": (48, 64)}],
    "filter": [{"type": "mmdet.FilterAnnotations", "min_gt_bbox_wh": (22, 22)}],
    "IoU crop": [{"type": "mmdet.MinIoURandomCrop"}],
    "affine": [{"type": "mmdet.RandomAffine", "max_rotate_degree": 0}],
    "expand": [{"type": "mmdet.Expand", "prob": 1.0}],
    "pad": [{"type": "mmdet.Pad", "size": (256, 256)}],
    "rotate": [{"type": "mmdet.Rotate", "prob": 1.0, "level": 5}],
    "erase": [{"type": "mmdet.RandomErasing", "n_patches": 2, "ratio": 0.2}],
    "mosaic": [{"type": "mmdet.Mosaic", "img_scale": (128, 96), "prob": 1.0}],
    "cached mosaic": [{"type": "mmdet.CachedMosaic", "img_scale": (128, 96), "prob": 1.0, "max_cached_images": 4}],
    "mix-up": [{"type": "mmdet.MixUp", "img_scale": (128, 96), "flip_ratio": 0.5}],
    "copy and paste": [{"type": "mmdet.CopyPaste", "max_num_pasted": 4}],
}


@pytest.mark.parametrize("chain", CHAINS.values(), ids=CHAINS)
def test_an_object_keeps_its_weight(load, chain):
    kept = 0
    for seed in range(3):
        np.random.seed(seed)  # noqa: NPY002 - the hosts draw from it
        sample = load(seed)
        others = {"mosaic": 3, "mix-up": 1, "copy and paste": 1}
        count = next((number for name, number in others.items() if CHAINS[name] is chain), 0)
        if count:
            sample["mix_results"] = [load(10 + seed + i) for i in range(count)]
        if "Mosaic" in str(chain) or "MixUp" in str(chain) or "Affine" in str(chain) or "Erasing" in str(chain):
            del sample["gt_masks"]  # these know none
        if chain is CHAINS["cached mosaic"]:
            transform = TRANSFORMS.build(chain[0])
            for i in range(4):
                fresh = load(20 + i)
                del fresh["gt_masks"]
                moved = transform(fresh)
            sample = moved
        else:
            sample = run(chain, sample)
        if sample is None:
            continue
        packed = run(["noisyseg.PackDetInputs"], sample)["data_samples"]
        for objects in (packed.gt_instances, packed.ignored_instances):
            assert objects.labels.dtype == torch.int64
            assert objects.weights.dtype == torch.float32
            assert len(objects.weights) == len(objects.bboxes)
            np.testing.assert_array_equal(objects.weights.numpy(), weight_of(objects.labels.numpy()))
            if chain in (CHAINS["nothing"], CHAINS["flip"], CHAINS["filter"], CHAINS["pad"]):
                widths = objects.bboxes.widths.numpy()
                np.testing.assert_array_equal(widths, np.array(SIDES)[objects.labels.numpy()])
            kept += len(objects.weights)
        assert (packed.ignored_instances.labels == 2).all()
    assert kept >= 3


def test_packing_is_otherwise_the_hosts(load):
    sample = load(0)
    plain = dict(sample, gt_bboxes_labels=sample["gt_bboxes_labels"]["label"].copy())
    theirs = run(["mmdet.PackDetInputs"], plain)["data_samples"]
    ours = run(["noisyseg.PackDetInputs"], sample)["data_samples"]
    assert ours.metainfo == theirs.metainfo
    assert set(ours.gt_instances.keys()) == {*theirs.gt_instances.keys(), "weights"}
    assert torch.equal(ours.gt_instances.labels, theirs.gt_instances.labels)
    assert torch.equal(ours.ignored_instances.bboxes.tensor, theirs.ignored_instances.bboxes.tensor)
    assert run([{"type": "noisyseg.PackDetInputs", "meta_keys": ("img_id",)}], load(0))["data_samples"].metainfo == {
        "img_id": 0
    }


def test_the_hosts_packing_fails_on_weights(load):
    with pytest.raises(TypeError, match=r"can't convert np\.ndarray of type numpy\.void"):
        run(["mmdet.PackDetInputs"], load(0))


def test_objects_with_and_without_weights_do_not_mix(load):
    sample, other = load(0), load(1)
    other["gt_bboxes_labels"] = other["gt_bboxes_labels"]["label"].copy()
    sample["mix_results"] = [other]
    with pytest.raises(TypeError, match="could not be promoted"):
        run(CHAINS["mix-up"], sample)


def test_packing_without_weights_is_an_error(load):
    sample = load(0)
    sample["gt_bboxes_labels"] = sample["gt_bboxes_labels"]["label"].copy()
    with pytest.raises(LabelError, match=r"a\.png: .*expected weights from noisyseg\.LoadInstanceWeights"):
        PackDetInputs()(sample)


def test_a_weight_of_the_image_is_refused(load):
    with pytest.raises(LabelError, match=r"a\.png: .*take weights of objects, none of images"):
        PackDetInputs()(load(0) | {"image_weight": 0.5})


def test_an_image_without_objects_has_no_weights():
    sample = {"instances": [], "gt_bboxes_labels": np.zeros(0, np.int64), "gt_bboxes": np.zeros((0, 4), np.float32)}
    packed = PackDetInputs()(LoadInstanceWeights()(sample))["data_samples"].gt_instances
    assert packed.weights.shape == (0,)
    assert packed.labels.shape == (0,)


def test_the_place_in_the_pipeline_is_checked(load):
    for sample in ({"img_path": "a.png", "instances": []}, load(0)):
        with pytest.raises(LabelError, match=r"a\.png: LoadInstanceWeights: expected a place right behind"):
            LoadInstanceWeights()(sample)


def sample_of(**instance):
    return {"img_path": "a.png", "instances": [instance], "gt_bboxes_labels": np.array([4])}


def test_weights_come_from_a_file_by_annotation(tmp_path):
    write_key_weights(tmp_path / "w.json", {12: 0.75, 13: 0.5})
    load = LoadInstanceWeights(str(tmp_path / "w.json"))
    record = load(sample_of(ann_id=12, weight=0.1))["gt_bboxes_labels"][0]
    assert record["label"] == 4
    assert record["weight"] == np.float32(0.75)
    with pytest.raises(LabelError, match=r"w\.json: annotation 14: expected a weight for it; missing='ones'"):
        load(sample_of(ann_id=14))
    with pytest.raises(LabelError, match=r"a\.png: expected objects with ann_id, as noisyseg\.CocoDataset has them"):
        load(sample_of())
    ones = LoadInstanceWeights(str(tmp_path / "w.json"), missing="ones")
    assert ones(sample_of(ann_id=14))["gt_bboxes_labels"]["weight"] == 1


@pytest.mark.parametrize("weight", [-0.5, float("nan"), "1"])
def test_a_weight_that_is_none_is_an_error(weight):
    with pytest.raises(LabelError, match=r"a\.png: annotation 3: expected a finite weight >= 0"):
        LoadInstanceWeights()(sample_of(ann_id=3, weight=weight))


def test_an_annotation_without_weight_is_an_error():
    with pytest.raises(LabelError, match=r"a\.png: annotation 3: expected a weight for it"):
        LoadInstanceWeights()(sample_of(ann_id=3))


def test_the_data_set_hands_the_weights_of_the_file_on(write_coco, coco_document):
    for annotation in coco_document["annotations"]:
        annotation["weight"] = annotation["id"] / 100
    file = write_coco(coco_document)
    pipeline = [
        {"type": "mmengine.LoadImageFromFile"},
        {"type": "mmdet.LoadAnnotations", "with_bbox": True},
        {"type": "noisyseg.LoadInstanceWeights"},
        {"type": "noisyseg.PackDetInputs"},
    ]
    assert json.loads(file.read_text())["annotations"][0]["weight"] == 0.11
    dataset = DATASETS.build(
        {
            "type": "noisyseg.CocoDataset",
            "ann_file": str(file),
            "data_prefix": {"img": str(file.parent)},
            "pipeline": pipeline,
        }
    )
    sample = dataset[0]["data_samples"]
    np.testing.assert_allclose(sample.gt_instances.weights, [0.11, 0.12])
    np.testing.assert_allclose(sample.ignored_instances.weights, [0.13])
