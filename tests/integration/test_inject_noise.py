import copy
import pickle

import cv2
import numpy as np
import pytest
from mmcv.transforms import BaseTransform
from mmengine.config import Config
from mmengine.registry import init_default_scope

from noisyseg.integration.inject_noise import InjectNoise
from noisyseg.labels import Categories, EdgeMap, Instances, LabelError, Mask, SemanticMap
from noisyseg.labels.coco import read_coco
from noisyseg.labels.rng import keyed_rng
from noisyseg.noise import NoiseConfigError, NoiseModel, build_noise
from noisyseg.noise.dataset import generate_noise, make_noise
from noisyseg.registry import DATASETS, TASK_UTILS, TRANSFORMS

NOTHING = {"type": "noisyseg.Recipe", "noises": []}
GROW = {"type": "noisyseg.Recipe", "noises": [{"type": "noisyseg.Scale", "size": 3}]}
SHUFFLE = {
    "type": "noisyseg.Recipe",
    "noises": [{"type": "noisyseg.ClassConfusion", "rate": 1.0, "include_self": False}],
}


@TRANSFORMS.register_module(name="TestOnlyHalf", force=True)
class Half(BaseTransform):
    """Halves the image."""

    def transform(self, results):
        return results | {"img": np.ascontiguousarray(results["img"][::2, ::2])}


@TASK_UTILS.register_module(name="TestOnlySpeckle", force=True)
class Speckle(NoiseModel[SemanticMap]):
    """Gives every tenth valid pixel a random class."""

    takes = SemanticMap

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


def rows_of(sample):
    """Returns the objects of a loaded sample as plain values, whatever their order."""
    masks = [mask.tobytes() for mask in sample["gt_masks"].masks] if "gt_masks" in sample else [b""] * 99
    boxes, classes = sample["gt_bboxes"].tensor.tolist(), sample["gt_bboxes_labels"].tolist()
    return sorted(zip(boxes, classes, sample["gt_ignore_flags"].tolist(), masks, strict=False))


RESTOCKED = {
    "missing": [{"type": "noisyseg.Missing", "rate": 0.5}],
    "bogus": [{"type": "noisyseg.Bogus", "rate": 0.5, "spread": "bernoulli"}],
    "split": [{"type": "noisyseg.Split", "rate": 1.0}],
    "all": [
        {"type": "noisyseg.Split", "rate": 0.7},
        {"type": "noisyseg.Missing", "rate": 0.4},
        {"type": "noisyseg.Bogus", "rate": 0.5, "spread": "bernoulli", "mask": "ellipse"},
        {"type": "noisyseg.ClassConfusion", "rate": 0.7},
        {"type": "noisyseg.Scale", "size": 3},
    ],
}


@pytest.mark.parametrize("name", RESTOCKED)
def test_removed_invented_and_split_objects_are_those_of_the_file(write_coco, coco_document, name):
    recipe = {"type": "noisyseg.Recipe", "noises": RESTOCKED[name]}
    del coco_document["annotations"][-1]  # mmdet leaves it out, so online nothing comes of it
    file = write_coco(coco_document)
    clean, changed = dataset(file), 0
    for seed in range(2):
        generate_noise(recipe, file, file.with_name("noisy.json"), seed=seed, force=True)
        offline, online = dataset(file.with_name("noisy.json")), dataset(file, inject(recipe, seed=seed))
        for i in range(2):
            assert rows_of(online[i]) == rows_of(offline[i])
            changed += len(rows_of(online[i])) != len(rows_of(clean[i]))
    assert changed > 0


@TASK_UTILS.register_module(name="TestOnlyInvent", force=True)
class Invent(NoiseModel[Instances]):
    """Adds an object to every image, whose class depends on whether the data set has masks."""

    def sample(self, labels, rng):
        return {"op": self.op, "left": int(rng.integers(20))}

    def apply(self, labels, params):
        box = [params["left"], 3, params["left"] + 9, 12]
        masks = labels.masks
        if masks is not None:
            masks += (Mask.from_crop(box[0], 3, np.ones((9, 9), np.uint8), labels.size_hw),)
        return labels.replace(
            boxes=np.append(labels.boxes, [box], 0).astype(float),
            classes=np.append(labels.classes, int(masks is None)),
            masks=masks,
            source=np.append(labels.source, -1),
            crowd=np.append(labels.crowd, False),
        )

    def history(self, params):
        return {-1: [{"op": self.op, "params": {}, "draws": {"left": params["left"]}}]}


@pytest.mark.parametrize(
    "noises",
    [
        [{"type": "noisyseg.CenterScaleJitter", "level": 0.3}, {"type": "noisyseg.ClassConfusion", "rate": 0.5}],
        [{"type": "noisyseg.Bogus", "rate": 0.5, "spread": "bernoulli", "mask": "ellipse"}],
        [{"type": "TestOnlyInvent"}],
    ],
    ids=["moved", "bogus", "invented_on_an_empty_image"],
)
def test_boxes_without_masks_are_those_of_the_file(write_coco, coco_document, noises):
    recipe = {"type": "noisyseg.Recipe", "noises": noises}
    coco_document["annotations"] = coco_document["annotations"][:3]
    for entry in coco_document["annotations"]:
        del entry["segmentation"]
    file = write_coco(coco_document)
    load = {"type": "mmdet.LoadAnnotations", "with_bbox": True}
    clean = dataset(file, pipeline=[load])
    for seed in range(2):
        generate_noise(recipe, file, file.with_name("noisy.json"), seed=seed, force=True)
        offline = dataset(file.with_name("noisy.json"), pipeline=[load])
        online = dataset(file, pipeline=[inject(recipe, seed=seed), load])
        for i in range(2):
            assert rows_of(online[i]) == rows_of(offline[i])
        assert rows_of(online[0]) != rows_of(clean[0])
    assert len(rows_of(online[1])) == (noises[0]["type"] == "TestOnlyInvent")


def test_invented_objects_have_ids_below_zero(write_coco, coco_document):
    noise = {"type": "noisyseg.Bogus", "rate": 0.5, "spread": "bernoulli", "max_iou": None}
    data = dataset(write_coco(coco_document), pipeline=[inject(noise)])
    ids = [entry["ann_id"] for entry in data[0]["instances"]]
    assert ids == [11, 12, 13, -1, -2], "one for each object that is no crowd"


LOOK = {
    "type": "noisyseg.Recipe",
    "noises": [
        {
            "type": "noisyseg.PromptNoise",
            "prompter": {"type": "noisyseg.StubPrompter", "by": "colour"},
            "prompt": "random_point",
        }
    ],
}


@pytest.fixture
def coloured(write_coco, coco_document):
    """Returns a file of two images with patches of many colours, without what mmdet leaves out."""
    del coco_document["annotations"][-1]
    file = write_coco(coco_document)
    for image in coco_document["images"]:
        patches = np.random.default_rng(image["id"]).integers(0, 90, (6, 8, 3), np.uint8)
        cv2.imwrite(str(file.with_name(image["file_name"])), patches.repeat(8, 0).repeat(8, 1))
    return file


def test_noise_that_looks_sees_the_image_in_rgb(coloured):
    online = dataset(coloured, pipeline=[{"type": "mmengine.LoadImageFromFile"}, inject(LOOK, seed=3)])
    coco = read_coco(coloured)
    model = build_noise(LOOK)
    for i, (image_id, image) in enumerate(coco.images.items()):
        pixels = cv2.imread(str(coloured.with_name(image["file_name"])))[..., ::-1]
        clean = coco.instances(image_id)
        noisy = model(clean.replace(image=np.ascontiguousarray(pixels)), keyed_rng(3, image_id))
        masks = {entry["ann_id"]: entry["mask"] for entry in online[i]["instances"]}
        for source, mask, before in zip(noisy.source.tolist(), noisy.masks, clean.masks, strict=True):
            assert masks[source] == mask.segmentation
            assert source == 13 or mask.rle != before.rle, "only the crowd is left alone"


def test_noise_that_looks_is_that_of_the_file(coloured):
    generate_noise(LOOK, coloured, coloured.with_name("noisy.json"), seed=3, images=coloured.parent)
    offline = dataset(coloured.with_name("noisy.json"))
    for i, noisy in enumerate(dataset(coloured, inject(LOOK, seed=3))):
        assert_same_labels(noisy, offline[i])


def test_noise_that_looks_stands_after_the_image_was_loaded(coloured):
    with pytest.raises(LabelError, match=r"a\.png: InjectNoise, image 7: .*expected a place after LoadImageFromFile"):
        dataset(coloured, pipeline=[inject(LOOK)])[0]
    load = {"type": "mmengine.LoadImageFromFile"}
    with pytest.raises(LabelError, match=r"image: expected \(48, 64, 3\) uint8, got \(24, 32, 3\)"):
        dataset(coloured, pipeline=[load, {"type": "noisyseg.TestOnlyHalf"}, inject(LOOK)])[0]
    floats = {"type": "mmengine.LoadImageFromFile", "to_float32": True}
    with pytest.raises(LabelError, match=r"img: expected \(H, W, 3\) uint8 as it was loaded, got .* of float32"):
        dataset(coloured, pipeline=[floats, inject(LOOK)])[0]


def test_noise_that_does_not_look_needs_no_image(coloured):
    assert dataset(coloured, pipeline=[inject(GROW)])[0]["instances"]


@pytest.mark.parametrize(
    "noise",
    [
        {"type": "noisyseg.Missing", "rate": 0.5, "protocol": "global_exact"},
        {"type": "noisyseg.Recipe", "noises": [{"type": "noisyseg.Exactly", "rate": 0.5, "noise": GROW["noises"][0]}]},
    ],
)
def test_noise_that_counts_over_the_data_set_is_refused_with_the_way_out(noise):
    with pytest.raises(NoiseConfigError, match=r"noise: .* exact numbers over .*tools/make_noise\.py"):
        InjectNoise(noise)


@TASK_UTILS.register_module(name="TestOnlyEdges", force=True)
class Edges(Speckle):
    takes = EdgeMap


@pytest.mark.parametrize(
    ("noise", "classes", "message"),
    [
        (
            GROW,
            ("a", "b"),
            r"noise for SemanticMap, but Recipe is for Instances; wrap it: dict\(type='noisyseg.ByRegion'",
        ),
        ({"type": "TestOnlySpeckle"}, None, "noise for Instances, but Speckle is for SemanticMap; name the classes"),
        ({"type": "TestOnlyEdges"}, None, "but Edges is for EdgeMap; no pipeline has such labels"),
        ({"type": "TestOnlyEdges"}, ("a", "b"), "but Edges is for EdgeMap; no pipeline has such labels"),
    ],
)
def test_noise_for_other_labels_is_an_error_that_says_what_to_do(noise, classes, message):
    with pytest.raises(NoiseConfigError, match=message):
        InjectNoise(noise, classes=classes)


@pytest.mark.parametrize(("seed", "error"), [(-1, ValueError), (1.5, TypeError), ("0", TypeError)])
def test_a_bad_seed_is_found_at_once(seed, error):
    with pytest.raises(error, match="seed: expected an integer"):
        InjectNoise(GROW, seed=seed)


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
    clean = SemanticMap(label_map["gt_seg_map"], Categories.from_names("abc"))
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


def loaded_map(folder, *steps, texture=0, **settings):
    """Returns a sample after mmseg's own loading and `steps`, and the numbers and the image in its files."""
    pytest.importorskip("mmseg")
    from mmengine.dataset import Compose
    from mmseg.registry import TRANSFORMS as THEIRS

    numbers = np.zeros((48, 64), np.uint8)
    numbers[8:30, 10:50] = 1
    numbers[20:44, 30:60] = 2
    numbers[:4] = 255
    image = np.full((48, 64, 3), 20, np.uint8)
    image[numbers == 1] = (200, 60, 10)
    image[numbers == 2] = (10, 60, 200)
    image += np.random.default_rng(0).integers(0, texture + 1, (12, 16, 3), np.uint8).repeat(4, 0).repeat(4, 1)
    cv2.imwrite(str(folder / "17.png"), image[..., ::-1])
    cv2.imwrite(str(folder / "17_map.png"), numbers)
    sample = {"img_path": str(folder / "17.png"), "seg_map_path": str(folder / "17_map.png"), "seg_fields": []}
    sample |= {"label_map": None, "reduce_zero_label": False} | settings
    load = [{"type": "mmengine.LoadImageFromFile"}, {"type": "mmseg.LoadAnnotations"}]
    return Compose([THEIRS.build(step) for step in (*load, *steps)])(sample), numbers, image


def test_reduced_zero_labels_are_ignored_pixels(tmp_path):
    noise = {"type": "noisyseg.ByRegion", "noise": GROW}
    step = inject(noise, seed=1, classes=("one", "two"))
    sample, numbers, _ = loaded_map(tmp_path, step, reduce_zero_label=True)
    noisy = sample["gt_seg_map"]
    clean = np.where(np.isin(numbers, (0, 255)), 255, numbers.astype(int) - 1).astype(np.uint8)
    expected = build_noise(noise)(SemanticMap(clean, Categories.from_names(("one", "two"))), keyed_rng(1, "17"))
    np.testing.assert_array_equal(noisy, expected.classes)
    np.testing.assert_array_equal(noisy == 255, clean == 255)
    assert (noisy != clean).any()
    assert noisy.dtype == np.uint8


def test_noise_on_maps_that_looks_sees_the_image_in_rgb(tmp_path):
    noise = {"type": "noisyseg.ByRegion", "noise": LOOK, "background": [0]}
    sample, numbers, image = loaded_map(tmp_path, inject(noise, seed=2, classes=("ground", "one", "two")))
    np.testing.assert_array_equal(sample["gt_seg_map"], numbers)  # flat colours: the prompter finds the regions
    swapped = SemanticMap(numbers, Categories.from_names("abc"), image=np.ascontiguousarray(image[..., [1, 1, 1]]))
    noisy = build_noise(noise)(swapped, keyed_rng(2, "17")).classes
    assert (noisy != numbers).any(), "without colours it does not"


def test_the_map_of_a_file_is_that_of_the_model(tmp_path):
    noise = {"type": "noisyseg.ByRegion", "noise": GROW, "background": [0]}
    sample, numbers, _ = loaded_map(tmp_path, inject(noise, seed=4, classes=("ground", "one", "two")))
    expected = build_noise(noise)(SemanticMap(numbers, Categories.from_names("abc")), keyed_rng(4, "17")).classes
    np.testing.assert_array_equal(sample["gt_seg_map"], expected)
    assert (expected != numbers).any()


@pytest.mark.parametrize("inner", [GROW, LOOK], ids=["grow", "look"])
def test_label_maps_are_those_of_the_files(tmp_path, inner):
    names = ("ground", "one", "two")
    noise = {"type": "noisyseg.ByRegion", "noise": inner, "background": [0]}
    sample, numbers, image = loaded_map(tmp_path, inject(noise, seed=6, classes=names), texture=50)
    for folder, pixels in (("maps", numbers), ("images", image[..., ::-1])):
        (tmp_path / folder).mkdir()
        cv2.imwrite(str(tmp_path / folder / "17.png"), pixels)
    make_noise(noise, tmp_path / "maps", tmp_path / "noisy", seed=6, classes=names, images=tmp_path / "images")
    noisy = cv2.imread(str(tmp_path / "noisy" / "17.png"), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(noisy, sample["gt_seg_map"])
    assert (noisy != numbers).any()
