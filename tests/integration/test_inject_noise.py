import copy
import pickle

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import init_default_scope

from noisyseg.integration.inject_noise import InjectNoise
from noisyseg.labels import LabelError, SemanticMap
from noisyseg.labels.rng import keyed_rng
from noisyseg.noise import NoiseModel
from noisyseg.noise.dataset.generate import generate_noise
from noisyseg.registry import DATASETS, TASK_UTILS

NOTHING = {"type": "noisyseg.Recipe", "noises": []}
GROW = {"type": "noisyseg.Recipe", "noises": [{"type": "noisyseg.Scale", "size": 3}]}
SHUFFLE = {
    "type": "noisyseg.Recipe",
    "noises": [{"type": "noisyseg.ClassConfusion", "rate": 1.0, "include_self": False}],
}


@TASK_UTILS.register_module(name="TestOnlySpeckle", force=True)
class Speckle(NoiseModel[SemanticMap]):
    """Gives every tenth valid pixel a random class."""

    def sample(self, labels, rng):
        return {
            "hit": rng.random(labels.size_hw) < 0.1,
            "classes": rng.integers(len(labels.categories), size=labels.size_hw),
        }

    def apply(self, labels, params):
        hit = params["hit"] & (labels.classes != 255)
        return labels.replace(classes=np.where(hit, params["classes"], labels.classes))


def dataset(file, *steps, images=None, **settings):
    """Returns a data set whose samples went through ``steps`` and mmdet's loading."""
    load = {"type": "mmdet.LoadAnnotations", "with_bbox": True, "with_mask": True}
    config = {
        "type": "noisyseg.CocoDataset",
        "ann_file": str(file),
        "data_prefix": {"img": str(images or file.parent)},
        "pipeline": [{"type": "mmengine.LoadImageFromFile"}, *steps, load],
    }
    return DATASETS.build(config | settings)


def inject(noise, **settings):
    return {"type": "noisyseg.InjectNoise", "noise": noise} | settings


def assert_same_labels(one, other):
    assert one["img_id"] == other["img_id"]
    np.testing.assert_array_equal(one["gt_bboxes"].tensor, other["gt_bboxes"].tensor)
    np.testing.assert_array_equal(one["gt_bboxes_labels"], other["gt_bboxes_labels"])
    np.testing.assert_array_equal(one["gt_ignore_flags"], other["gt_ignore_flags"])
    np.testing.assert_array_equal(one["gt_masks"].masks, other["gt_masks"].masks)


@pytest.fixture(autouse=True)
def _detection_scope():
    pytest.importorskip("mmdet")
    init_default_scope("mmdet")


def test_no_noise_changes_nothing(write_coco, coco_document):
    file = write_coco(coco_document)
    for clean, noisy in zip(dataset(file), dataset(file, inject(NOTHING)), strict=True):
        assert_same_labels(clean, noisy)


def test_masks_boxes_and_classes_change_together(write_coco, coco_document):
    clean, noisy = (dataset(write_coco(coco_document), *steps)[0] for steps in ((), (inject(GROW),)))
    areas = np.array([mask.sum() for mask in noisy["gt_masks"].masks])
    assert (areas[:2] != [mask.sum() for mask in clean["gt_masks"].masks][:2]).all()
    tight = noisy["gt_masks"].get_bboxes("hbox").tensor[:2]
    np.testing.assert_array_equal(noisy["gt_bboxes"].tensor[:2], tight)
    assert noisy["gt_ignore_flags"].tolist() == [False, False, True], "the crowd stays a crowd"


def test_classes_are_numbered_as_mmdet_does(write_coco, coco_document):
    # The file lists its classes as 9, 2, 5; the noise sees them as 2, 5, 9.
    file = write_coco(coco_document)
    generate_noise(SHUFFLE, file, file.with_name("noisy.json"), seed=5)
    offline = dataset(file.with_name("noisy.json"))
    online = dataset(file, inject(SHUFFLE, seed=5))
    assert [s["gt_bboxes_labels"].tolist() for s in online] == [s["gt_bboxes_labels"].tolist() for s in offline]
    assert online[0]["gt_bboxes_labels"].tolist() != dataset(file)[0]["gt_bboxes_labels"].tolist()


@pytest.mark.parametrize("name", ["coco_n_hard", "coco_n_medium_official"])
def test_online_equals_offline_on_real_annotations(coco_tiny_dir, repository, tmp_path, name):
    recipe = Config.fromfile(repository / "configs" / "_base_" / "noise" / f"{name}.py").noise.to_dict()
    file = coco_tiny_dir / "annotations" / "instances_train2017.json"
    generate_noise(recipe, file, tmp_path / "noisy.json", seed=3)
    images = coco_tiny_dir / "train2017"
    online = dataset(file, inject(recipe, seed=3), images=images)
    offline = dataset(tmp_path / "noisy.json", images=images)
    changed = dataset(file, images=images)
    differing = 0
    for i in range(len(offline)):
        noisy = online[i]
        assert_same_labels(noisy, offline[i])
        differing += not np.array_equal(noisy["gt_masks"].masks, changed[i]["gt_masks"].masks)
    assert len(offline) == 80
    assert differing > 70


def test_the_same_on_every_epoch_in_any_order_and_in_another_process(write_coco, coco_document):
    first = dataset(write_coco(coco_document), inject(GROW, seed=1))
    again = pickle.loads(pickle.dumps(first))
    assert_same_labels(first[1], again[1])
    for i in (1, 0, 1):
        assert_same_labels(first[i], again[i])


def test_another_seed_is_another_noise(write_coco, coco_document):
    file = write_coco(coco_document)
    labels = [[s["gt_bboxes"].tensor.tolist() for s in dataset(file, inject(GROW, seed=seed))] for seed in range(8)]
    assert any(one != labels[0] for one in labels)


def test_an_image_without_objects_passes(write_coco, coco_document):
    coco_document["annotations"] = coco_document["annotations"][:3]
    sample = dataset(write_coco(coco_document), inject(GROW))[1]
    assert len(sample["gt_bboxes"]) == len(sample["gt_masks"]) == 0


def test_boxes_without_masks_get_class_noise(write_coco, coco_document):
    for entry in coco_document["annotations"]:
        del entry["segmentation"]
    load = {"type": "mmdet.LoadAnnotations", "with_bbox": True}
    sample = dataset(write_coco(coco_document), pipeline=[inject(SHUFFLE), load])[0]
    assert len(sample["gt_bboxes"]) == 3


def test_a_data_set_without_ids_is_an_error_that_names_ours(write_coco, coco_document):
    file = write_coco(coco_document)
    theirs = dataset(file, inject(GROW), type="mmdet.CocoDataset", metainfo={"classes": ("nine", "two", "five")})
    with pytest.raises(LabelError, match=r"a\.png: InjectNoise, image 7: .*noisyseg\.CocoDataset"):
        theirs[0]


def test_after_loading_is_too_late(write_coco, coco_document):
    load = {"type": "mmdet.LoadAnnotations", "with_bbox": True}
    late = dataset(write_coco(coco_document), pipeline=[load, inject(GROW)])
    with pytest.raises(LabelError, match=r"before mmdet\.LoadAnnotations"):
        late[0]


def test_a_part_of_the_classes_is_an_error(write_coco, coco_document):
    part = dataset(write_coco(coco_document), inject(GROW), metainfo={"classes": ("two", "five")})
    with pytest.raises(LabelError, match="expected all 3 classes of the file, got 2"):
        part[0]


def test_some_objects_without_mask_are_an_error(write_coco, coco_document):
    del coco_document["annotations"][1]["segmentation"]
    with pytest.raises(LabelError, match="a mask for all 3 objects or none, got 2"):
        dataset(write_coco(coco_document), inject(GROW))[0]


def test_what_is_no_noise_model_is_an_error():
    pytest.importorskip("mmdet")
    with pytest.raises(ValueError, match=r"noise: expected a noise model, but .* builds a MaxIoUAssigner"):
        InjectNoise(noise={"type": "mmdet.MaxIoUAssigner", "pos_iou_thr": 0.5, "neg_iou_thr": 0.5})


@pytest.fixture
def label_map():
    classes = np.random.default_rng(0).integers(0, 3, (20, 30)).astype(np.uint8)
    classes[:5] = 255
    return {"gt_seg_map": classes, "img_path": "folder/000017.png", "seg_map_path": "labels/000017.png"}


def speckled(sample, **settings):
    return InjectNoise(noise={"type": "TestOnlySpeckle"}, classes=("a", "b", "c"), **settings)(copy.deepcopy(sample))


def test_a_label_map_is_keyed_by_its_file_name(label_map):
    noisy = speckled(label_map, seed=4)["gt_seg_map"]
    clean = SemanticMap(label_map["gt_seg_map"], InjectNoise(NOTHING, classes=("a", "b", "c")).categories)
    np.testing.assert_array_equal(noisy, Speckle()(clean, keyed_rng(4, "000017")).classes)
    assert noisy.dtype == np.uint8
    assert (noisy != label_map["gt_seg_map"]).any()
    moved = speckled(label_map | {"img_path": "elsewhere/000017.jpg"}, seed=4)["gt_seg_map"]
    np.testing.assert_array_equal(noisy, moved)
    other = speckled(label_map | {"img_path": "folder/000018.png"}, seed=4)["gt_seg_map"]
    assert (noisy != other).any()


def test_ignored_pixels_of_a_label_map_stay(label_map):
    noisy = speckled(label_map)["gt_seg_map"]
    np.testing.assert_array_equal(noisy == 255, label_map["gt_seg_map"] == 255)


def test_a_label_map_with_other_numbers_is_an_error_that_names_its_file(label_map):
    label_map["gt_seg_map"][7, 7] = 11
    with pytest.raises(LabelError, match=r"labels/000017\.png: InjectNoise, image 000017: .*got \[11\]"):
        speckled(label_map)


def test_before_loading_is_too_early_for_a_label_map(label_map):
    del label_map["gt_seg_map"]
    with pytest.raises(LabelError, match=r"after mmseg\.LoadAnnotations"):
        speckled(label_map)
