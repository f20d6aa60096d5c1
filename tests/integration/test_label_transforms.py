"""Noise in albumentations, against the models called directly and against files of make_noise."""

import os
import subprocess
import sys

import numpy as np
import pytest

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
A = pytest.importorskip("albumentations")

from noisyseg.integration.label_transforms import LabelNoise  # noqa: E402 - after the skip
from noisyseg.labels import Categories, Mask, SemanticMap  # noqa: E402
from noisyseg.labels.coco import read_coco  # noqa: E402
from noisyseg.labels.rng import keyed_rng  # noqa: E402
from noisyseg.noise import NoiseModel, build_noise  # noqa: E402
from noisyseg.noise.dataset.generate import generate_noise  # noqa: E402
from noisyseg.registry import TASK_UTILS  # noqa: E402

NAMES = ("two", "five", "nine")
SIZE_HW = (48, 64)
MIXED = {
    "type": "noisyseg.Recipe",
    "noises": [{"type": "noisyseg.ClassConfusion", "rate": 0.7}, {"type": "noisyseg.Localization", "sigma": 2}],
}
RESTOCK = {
    "type": "noisyseg.Recipe",
    "noises": [
        {"type": "noisyseg.Split", "rate": 1.0},
        {"type": "noisyseg.Missing", "rate": 0.4},
        {"type": "noisyseg.Bogus", "rate": 0.5, "spread": "bernoulli", "max_iou": None},
    ],
}
MAP = {"type": "noisyseg.ByRegion", "noise": MIXED}
BOXES = A.BboxParams("pascal_voc", label_fields=["class_labels", "ann_ids", "crowd"])


def image():
    return np.random.default_rng(0).integers(0, 256, (*SIZE_HW, 3), np.uint8)


@pytest.fixture
def clean(write_coco, coco_document):
    """Returns the objects of an image of a file, and the file."""
    file = write_coco(coco_document)
    return read_coco(file).instances(7), file


def call_of(labels, **changes):
    """Returns what albumentations is called with for labels."""
    call = {
        "image": image(),
        "image_id": 7,
        "masks": [mask.frame() for mask in labels.masks],
        "class_labels": labels.classes.tolist(),
        "ann_ids": labels.source.tolist(),
        "crowd": labels.crowd.astype(int).tolist(),
    }
    return call | changes


def noise(recipe, **settings):
    return LabelNoise(recipe, NAMES, crowd_field="crowd", **settings)


def assert_says(result, labels):
    """Assert that the result of a call says what `labels` do."""
    assert len(result["masks"]) == len(labels)
    for frame, mask in zip(result["masks"], labels.masks, strict=True):
        np.testing.assert_array_equal(frame, mask.frame())
    for name, values in (("class_labels", labels.classes), ("ann_ids", labels.source), ("crowd", labels.crowd)):
        np.testing.assert_array_equal(result[name], values)


@pytest.mark.parametrize("recipe", [MIXED, RESTOCK])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_masks_are_those_of_the_model_with_the_same_names(clean, recipe, seed):
    labels, _ = clean
    expected = build_noise(recipe)(labels, keyed_rng(seed, 7))
    call = call_of(labels)
    for transform in (noise(recipe, noise_seed=seed), A.Compose([noise(recipe, noise_seed=seed)])):
        result = transform(**call)
        assert_says(result, expected)
        np.testing.assert_array_equal(result["image"], call["image"])
        assert isinstance(result["masks"], list)


def test_a_file_of_make_noise_says_the_same(clean):
    _, file = clean
    recipe = {"type": "noisyseg.Recipe", "noises": [*MIXED["noises"], {"type": "noisyseg.Missing", "rate": 0.4}]}
    noisy_file = file.with_name("noisy.json")
    generate_noise(recipe, file, noisy_file, seed=5)
    before, after = read_coco(file), read_coco(noisy_file)
    for image_id in before.images:
        labels = before.instances(image_id)
        result = noise(recipe, noise_seed=5)(**call_of(labels, image_id=image_id))
        assert_says(result, after.instances(image_id))


@pytest.mark.parametrize("with_masks", [True, False])
@pytest.mark.parametrize("recipe", [MIXED, RESTOCK, {"type": "noisyseg.CenterScaleJitter", "level": 0.3}])
def test_boxes_and_their_fields_follow(clean, recipe, with_masks):
    labels, _ = clean
    labels = labels.replace(masks=labels.masks if with_masks else None)
    if not with_masks:
        recipe = {
            "type": "noisyseg.Recipe",
            "noises": [{"type": "noisyseg.ClassConfusion", "rate": 0.9}, RESTOCK["noises"][2]],
        }
    call = call_of(clean[0], bboxes=labels.boxes)
    if not with_masks:
        del call["masks"]
    for seed in range(3):
        expected = build_noise(recipe)(labels, keyed_rng(seed, 7))
        result = A.Compose([noise(recipe, noise_seed=seed)], bbox_params=BOXES)(**call)
        np.testing.assert_allclose(np.reshape(result["bboxes"], (-1, 4)), expected.boxes, atol=1e-3)
        for name, values in (("class_labels", expected.classes), ("ann_ids", expected.source)):
            np.testing.assert_array_equal(result[name], values)
        assert ("masks" in result) == with_masks
        if with_masks:
            assert_says(result, expected)


@pytest.mark.parametrize("form", ["coco", "yolo", "albumentations"])
def test_boxes_come_in_any_form(clean, form):
    labels, _ = clean
    x0, y0, x1, y1 = labels.boxes.T
    height, width = SIZE_HW
    boxes = {
        "coco": np.stack([x0, y0, x1 - x0, y1 - y0], 1),
        "yolo": np.stack([(x0 + x1) / 2 / width, (y0 + y1) / 2 / height, (x1 - x0) / width, (y1 - y0) / height], 1),
        "albumentations": labels.boxes / [width, height, width, height],
    }[form]
    params = A.BboxParams(form, label_fields=["class_labels", "ann_ids", "crowd"])
    result = A.Compose([noise(MIXED)], bbox_params=params)(**call_of(labels, bboxes=boxes))
    expected = build_noise(MIXED)(labels, keyed_rng(0, 7))
    found = np.array(result["bboxes"])
    if form == "coco":
        found[:, 2:] += found[:, :2]
        np.testing.assert_allclose(found, expected.boxes, atol=1e-3)
    elif form == "albumentations":
        np.testing.assert_allclose(found * [width, height, width, height], expected.boxes, atol=1e-3)
    else:
        middles = (expected.boxes[:, :2] + expected.boxes[:, 2:]) / 2
        np.testing.assert_allclose(found[:, :2] * [width, height], middles, atol=1e-3)


def test_labels_are_augmented_after_the_noise(clean):
    labels, _ = clean
    expected = build_noise(RESTOCK)(labels, keyed_rng(1, 7))
    transform = A.Compose([noise(RESTOCK, noise_seed=1), A.HorizontalFlip(p=1)], bbox_params=BOXES)
    result = transform(**call_of(labels, bboxes=labels.boxes.tolist()))
    for frame, mask in zip(result["masks"], expected.masks, strict=True):
        np.testing.assert_array_equal(frame, mask.frame()[:, ::-1])
    np.testing.assert_allclose(np.array(result["bboxes"])[:, 0], 64 - expected.boxes[:, 2], atol=1e-3)


def test_the_same_at_every_call_whatever_albumentations_draws(clean):
    labels, _ = clean
    transform = A.Compose([noise(MIXED)], seed=1)
    first, again = transform(**call_of(labels)), transform(**call_of(labels))
    other = A.Compose([noise(MIXED)], seed=2)(**call_of(labels))
    for result in (again, other):
        assert result["class_labels"] == first["class_labels"]
        np.testing.assert_array_equal(result["masks"], first["masks"])
    elsewhere = transform(**call_of(labels, image_id=8))
    assert any((one != two).any() for one, two in zip(elsewhere["masks"], first["masks"], strict=True))


def test_a_label_map_is_that_of_the_model_and_of_nobody_elses_image():
    numbers = np.random.default_rng(1).integers(0, 3, (6, 8)).repeat(8, 0).repeat(8, 1).astype(np.int32)
    numbers[:5] = 255
    transform = A.Compose([LabelNoise(MAP, NAMES, noise_seed=3)])
    result = transform(image=image(), mask=numbers, image_id="street_0001")
    labels = SemanticMap(numbers, Categories.from_names(NAMES))
    expected = build_noise(MAP)(labels, keyed_rng(3, "street_0001")).classes
    np.testing.assert_array_equal(result["mask"], expected)
    assert (expected != numbers).any()
    assert result["mask"].dtype == np.int32
    other = transform(image=image(), mask=numbers, image_id="street_0002")["mask"]
    assert (other != expected).any()


def test_noise_that_looks_sees_the_image(clean):
    labels, _ = clean
    prompter = {"type": "noisyseg.StubPrompter", "by": "colour"}
    recipe = {
        "type": "noisyseg.Recipe",
        "noises": [{"type": "noisyseg.PromptNoise", "prompter": prompter}],
        "on_empty": "drop",
    }
    pixels = image() // 4
    result = noise(recipe)(**call_of(labels, image=pixels))
    assert_says(result, build_noise(recipe)(labels.replace(image=pixels), keyed_rng(0, 7)))


@pytest.mark.parametrize(
    ("dtype", "top"), [(np.uint8, 1), (np.uint8, 255), (bool, True), (np.int64, 1), (np.float32, 1)]
)
@pytest.mark.parametrize("stacked", [True, False])
def test_masks_keep_their_kind(clean, dtype, top, stacked):
    labels, _ = clean
    masks = [mask.frame().astype(dtype) * dtype(top) for mask in labels.masks]
    result = noise(MIXED)(**call_of(labels, masks=np.stack(masks) if stacked else masks))["masks"]
    assert isinstance(result, np.ndarray if stacked else list)
    expected = build_noise(MIXED)(labels, keyed_rng(0, 7))
    for frame, mask in zip(result, expected.masks, strict=True):
        assert frame.dtype == dtype
        np.testing.assert_array_equal(frame == top, mask.frame() == 1)
        np.testing.assert_array_equal(frame == 0, mask.frame() == 0)


@pytest.mark.parametrize("as_array", [True, False])
def test_fields_keep_their_kind(clean, as_array):
    labels, _ = clean
    call = call_of(labels)
    if as_array:
        call["class_labels"] = np.array(call["class_labels"], np.int16)
    result = noise(MIXED)(**call)["class_labels"]
    assert (result.dtype == np.int16) if as_array else (type(result) is list and type(result[0]) is int)


def test_an_image_that_loses_everything_goes_on(clean):
    labels, _ = clean
    labels = labels.take(np.array([0, 1]))
    recipe = {"type": "noisyseg.Missing", "rate": 1.0}
    transform = A.Compose([noise(recipe), A.HorizontalFlip(p=1)], bbox_params=BOXES)
    result = transform(**call_of(labels, bboxes=labels.boxes))
    assert [len(result[name]) for name in ("masks", "bboxes", "class_labels", "ann_ids")] == [0] * 4


def test_an_image_without_objects_stays_without(clean):
    empty = clean[0].take(np.array([], int))
    transform = A.Compose([noise(RESTOCK), A.HorizontalFlip(p=1)], bbox_params=BOXES)
    result = transform(**call_of(empty, bboxes=[]))
    assert [len(result[name]) for name in ("masks", "bboxes", "class_labels", "ann_ids")] == [0] * 4


@TASK_UTILS.register_module(name="TestOnlyNewcomer", force=True)
class Newcomer(NoiseModel):
    """Adds an object of class 2 to every image."""

    def sample(self, labels, rng):
        return {"left": int(rng.integers(20))}

    def apply(self, labels, params):
        mask = Mask.from_crop(params["left"], 3, np.ones((8, 9), np.uint8), labels.size_hw)
        return labels.replace(
            boxes=np.append(labels.boxes, [mask.box], 0).astype(float),
            classes=np.append(labels.classes, 2),
            masks=(*labels.masks, mask),
            source=np.append(labels.source, -1),
            crowd=np.append(labels.crowd, False),
        )


@pytest.mark.parametrize("empty_boxes", [[], np.zeros((0, 4))], ids=["list", "array"])
def test_an_image_without_objects_can_get_some_at_the_first_call(clean, empty_boxes):
    labels, _ = clean
    transform = A.Compose([noise({"type": "TestOnlyNewcomer"}), A.HorizontalFlip(p=1)], bbox_params=BOXES)
    result = transform(**call_of(labels.take(np.array([], int)), bboxes=empty_boxes))
    assert (result["class_labels"], result["ann_ids"], result["crowd"]) == ([2], [-1], [0])
    x0, y0, x1, y1 = np.array(result["bboxes"])[0].tolist()
    assert (x1 - x0, y1 - y0, y0) == pytest.approx((9, 8, 3))
    assert np.asarray(result["masks"]).sum() == 72
    later = transform(**call_of(labels, bboxes=labels.boxes))
    assert later["ann_ids"] == [11, 12, 13, -1]
    assert len(later["masks"]) == 4


def test_objects_without_ids_are_counted(clean):
    labels, _ = clean
    call = call_of(labels)
    del call["ann_ids"]
    result = noise(MIXED, id_field=None)(**call)
    expected = build_noise(MIXED)(labels.replace(source=np.array([1, 2, 3])), keyed_rng(0, 7))
    np.testing.assert_array_equal(result["class_labels"], expected.classes)
    np.testing.assert_array_equal(result["masks"], [mask.frame() for mask in expected.masks])


def test_an_object_left_without_pixels_has_no_box(clean):
    labels, _ = clean
    recipe = {"type": "noisyseg.Recipe", "noises": [{"type": "noisyseg.Scale", "size": 49}], "on_empty": "keep"}
    result = A.Compose([noise(recipe, noise_seed=1)], bbox_params=BOXES)(**call_of(labels, bboxes=labels.boxes))
    expected = build_noise(recipe)(labels, keyed_rng(1, 7))
    left = [source for source, mask in zip(expected.source, expected.masks, strict=True) if mask.area]
    assert len(left) < 3
    assert result["ann_ids"] == left
    assert len(result["masks"]) == len(result["bboxes"]) == len(left)


def test_it_is_written_down_and_read_back(clean):
    labels, _ = clean
    transform = A.Compose([noise(MIXED, noise_seed=4)])
    again = A.from_dict(A.to_dict(transform))
    one, other = transform(**call_of(labels)), again(**call_of(labels))
    np.testing.assert_array_equal(one["masks"], other["masks"])
    assert again[0].noise_seed == 4


def test_strict_pipelines_know_its_fields(clean):
    labels, _ = clean
    result = A.Compose([noise(MIXED)], bbox_params=BOXES, strict=True)(**call_of(labels, bboxes=labels.boxes))
    assert len(result["masks"]) == 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"image_id": None}, r"image_id: expected a number or a name, got None"),
        ({"image_id": 1.5}, r"image_id: expected a number or a name, got 1\.5"),
        ({"class_labels": ["two", "five", "nine"]}, r"image 7: class_labels: expected whole numbers, got \['two'"),
        ({"class_labels": [0, 1]}, r"image 7: class_labels: expected 3 numbers, one an object, got shape \(2,\)"),
        ({"class_labels": [0, 1, 3]}, r"image 7: classes: expected 0\.\.2, got \[0 1 3\]"),
        ({"class_labels": [0, 1, 0.5]}, r"image 7: class_labels: expected whole numbers, got \[0\.0, 1\.0, 0\.5\]"),
        ({"ann_ids": [1, 2, 1]}, r"image 7: ann_ids: expected each id once, and none below 0, got \[1, 2, 1\]"),
        ({"ann_ids": [1, 2, -3]}, r"image 7: ann_ids: expected each id once, and none below 0"),
        ({"masks": [np.zeros((4, 4), np.uint8)] * 3}, r"masks\[0\]: expected shape \(48, 64\), got \(4, 4\)"),
        (
            {"masks": [np.arange(48 * 64).reshape(SIZE_HW) % 3] * 3},
            r"masks\[0\]: expected 0 and one other number, got \[0, 1, 2\]",
        ),
        ({"mask": np.zeros(SIZE_HW, np.uint8)}, r"image 7: mask: a recipe for instances would leave it as it is"),
        ({"bboxes": np.zeros((3, 4))}, r"image 7: bboxes: expected them to run through A\.Compose"),
        ({"bboxes": np.zeros((2, 4))}, r"expected as many masks as bboxes, got \{'masks': 3, 'bboxes': 2\}"),
    ],
)
def test_labels_that_cannot_be_used_name_their_image(clean, changes, message):
    with pytest.raises(ValueError, match=message):
        noise(MIXED)(**call_of(clean[0], **changes))


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ("image_id", "LabelNoise requires .*image_id"),
        ("class_labels", "image 7: expected a field 'class_labels', got .*ann_ids"),
        ("ann_ids", "image 7: expected a field 'ann_ids', got .*class_labels"),
        ("crowd", "image 7: expected a field 'crowd'"),
        ("masks", "image 7: expected objects under 'masks' or 'bboxes'"),
    ],
)
def test_a_missing_field_is_an_error(clean, missing, message):
    call = call_of(clean[0])
    del call[missing]
    with pytest.raises(ValueError, match=message):
        noise(MIXED)(**call)


def test_what_albumentations_would_change_in_label_fields_is_an_error(clean):
    labels, _ = clean
    transform = A.Compose([noise(MIXED)], bbox_params=BOXES)
    with pytest.raises(ValueError, match="ann_ids: albumentations rounds numbers from 16777216 in label_fields"):
        transform(**call_of(labels, bboxes=labels.boxes, ann_ids=[11, 12, 2**24 + 1]))
    beside = A.Compose([noise(MIXED)], bbox_params=A.BboxParams("pascal_voc", label_fields=["class_labels", "crowd"]))
    result = beside(**call_of(labels, bboxes=labels.boxes, ann_ids=[11, 12, 2**24 + 1]))
    assert result["ann_ids"] == [11, 12, 2**24 + 1]
    transform = A.Compose([noise(MIXED)], bbox_params=BOXES)
    with pytest.raises(ValueError, match="class_labels: expected whole numbers, got names"):
        transform(**call_of(labels, bboxes=labels.boxes, class_labels=["two", "five", "two"]))


def test_a_field_that_nobody_knows_for_new_objects_is_an_error(clean):
    labels, _ = clean
    params = A.BboxParams("pascal_voc", label_fields=["class_labels", "ann_ids", "crowd", "score"])
    transform = A.Compose([noise(RESTOCK)], bbox_params=params)
    call = call_of(labels, bboxes=labels.boxes, score=[0.5, 0.25, 0.125])
    with pytest.raises(ValueError, match="adds objects, for which nobody knows score"):
        transform(**call)
    result = A.Compose([noise(MIXED)], bbox_params=params)(**call)
    assert result["score"] == [0.5, 0.25, 0.125]


def test_label_maps_and_objects_do_not_mix():
    mask = np.zeros(SIZE_HW, np.uint8)
    with pytest.raises(ValueError, match=r"a label map under 'mask' and no objects, got image, image_id, mask, masks$"):
        LabelNoise(MAP, NAMES)(image=image(), image_id=7, mask=mask, masks=[mask])
    with pytest.raises(ValueError, match=r"a label map under 'mask' and no objects, got image, image_id$"):
        LabelNoise(MAP, NAMES)(image=image(), image_id=7)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"p": 0.5}, r"p: expected 1, .*got 0\.5"),
        ({"noise_seed": -1}, "seed: expected an integer >= 0, got -1"),
        ({"noise": {"type": "noisyseg.Scale", "size": 2}}, "noise.size: expected an odd number"),
        (
            {"noise": {"type": "noisyseg.Missing", "rate": 0.5, "protocol": "global_exact"}},
            "noise: Missing promises exact",
        ),
    ],
)
def test_bad_settings(settings, message):
    with pytest.raises(ValueError, match=message):
        LabelNoise(**{"noise": MIXED, "classes": NAMES} | settings)


def printed(code, **variables):
    environment = {name: value for name, value in os.environ.items() if name != "NO_ALBUMENTATIONS_UPDATE"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment | variables)
    return done.stdout.split()


def test_importing_it_asks_the_network_for_nothing_and_leaves_the_setting():
    code = """
import os, urllib.request
class Opener:
    def open(self, *given, **options):
        print("asked")
urllib.request.build_opener = lambda *handlers: Opener()
import noisyseg.integration.label_transforms
print(os.environ.get("NO_ALBUMENTATIONS_UPDATE"))
"""
    assert printed(code) == ["None"]
    assert printed(code, NO_ALBUMENTATIONS_UPDATE="0")[-1] == "0", "what the user has set stays"


def test_without_albumentations_the_way_out_is_named():
    code = """
import sys
sys.modules["albumentations"] = None
try:
    import noisyseg.integration.label_transforms
except ImportError as error:
    print(error)
"""
    assert " ".join(printed(code)).endswith("needs albumentations 2: pip install 'noisyseg[albumentations]'")


def test_no_noise_gives_back_what_came(clean):
    labels, _ = clean
    recipe = {"type": "noisyseg.Recipe", "noises": []}
    call = call_of(labels)
    result = noise(recipe)(**call)
    assert all(frame is given for frame, given in zip(result["masks"], call["masks"], strict=True))
    assert result["class_labels"] == call["class_labels"]
    assert all(
        Mask.from_frame(frame).rle == mask.rle for frame, mask in zip(result["masks"], labels.masks, strict=True)
    )
