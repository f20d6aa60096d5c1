"""The whole way of box noise on data that has boxes only: file to file, and in a pipeline."""

import json

import cv2
import numpy as np
import pytest

from noisyseg.integration.recipes import load_recipe
from noisyseg.labels.check import check_coco
from noisyseg.labels.coco import read_coco
from noisyseg.noise import build_noise, generate_noise, keyed_rng

RECIPE = {
    "type": "noisyseg.Recipe",
    "noises": [
        {"type": "noisyseg.PairConfusion", "rate": 0.5, "pairs": {"two": "five"}},
        {"type": "noisyseg.CenterScaleJitter", "level": 0.3},
        {"type": "noisyseg.ResampledBox", "prob": 0.2},
    ],
}


@pytest.fixture
def boxes_only(tmp_path):
    """Returns a COCO file of 20 images and 160 boxes, at the border and across the image, and its images."""
    rng = np.random.default_rng(0)
    folder = tmp_path / "coco"  # for make_noise, a folder with "test" in its name holds an evaluation split
    folder.mkdir()
    images, annotations = [], []
    for image_id in range(1, 21):
        images.append({"id": image_id, "file_name": f"{image_id}.png", "height": 48, "width": 64})
        cv2.imwrite(str(folder / f"{image_id}.png"), np.full((48, 64, 3), 100, np.uint8))
        for _ in range(8 if image_id < 20 else 0):
            sides = rng.uniform(2, (64, 48))
            x, y = rng.uniform(0, np.array([64, 48]) - sides)
            width, height = sides
            box = [round(value, 2) for value in (x, y, width, height)]
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image_id,
                    "category_id": int(rng.choice([2, 5, 9])),
                    "bbox": box,
                    "area": round(box[2] * box[3], 2),
                    "iscrowd": 0,
                }
            )
    annotations[0]["bbox"], annotations[0]["area"] = [0, 0, 64, 48], 64 * 48
    annotations[1]["bbox"], annotations[1]["area"] = [60, 0, 4, 48], 4 * 48
    names = {2: "two", 5: "five", 9: "nine"}
    categories = [{"id": id_, "name": name, "supercategory": "any"} for id_, name in names.items()]
    path = folder / "train.json"
    path.write_text(json.dumps({"images": images, "annotations": annotations, "categories": categories}))
    return path


@pytest.mark.parametrize(
    "recipe", ["own", "oa_mil_40", "coordinate_boxes_40", "gaussian_boxes_10", "lncis_asym_40_coco"]
)
def test_a_noisy_file_of_boxes_is_a_sound_one(boxes_only, recipe):
    noise = RECIPE if recipe == "own" else load_recipe(recipe)
    target = boxes_only.with_name("noisy.json")
    manifest = generate_noise(noise, boxes_only, target, seed=3)
    findings = check_coco(target)
    assert [finding for finding in findings if finding.severity != "info"] == []
    clean, noisy = read_coco(boxes_only), read_coco(target)
    changed = {"box_changed": 0, "class_changed": 0}
    model = build_noise(noise)
    for image_id in clean.images:
        before, after = clean.instances(image_id), noisy.instances(image_id)
        if not len(before):
            continue
        expected = model(before, keyed_rng(3, image_id))
        assert after.masks is None
        np.testing.assert_allclose(after.boxes, expected.boxes, rtol=0, atol=1e-12)
        np.testing.assert_array_equal(after.classes, expected.classes)
        changed["box_changed"] += (expected.boxes != before.boxes).any(axis=1).sum()
        changed["class_changed"] += (expected.classes != before.classes).sum()
    assert sum(changed.values()) > 30
    for name, count in changed.items():
        assert manifest["counts"].get(name, 0) == count


def test_an_annotation_says_where_its_box_was(boxes_only):
    target = boxes_only.with_name("noisy.json")
    generate_noise(RECIPE, boxes_only, target, seed=0)
    given = json.loads(boxes_only.read_text())["annotations"]
    moved = 0
    for clean, noisy in zip(given, json.loads(target.read_text())["annotations"], strict=True):
        assert noisy["id"] == clean["id"]
        assert "segmentation" not in noisy
        if noisy["bbox"] == clean["bbox"]:
            continue
        moved += 1
        assert noisy["noise"]["clean_bbox"] == clean["bbox"]
        assert "box_changed" in noisy["noise"]["flags"]
        x0, y0, x1, y1 = noisy["noise"]["chain"][-1]["draws"]["box"]
        assert noisy["bbox"] == [x0, y0, x1 - x0, y1 - y0]
        assert noisy["area"] == pytest.approx((x1 - x0) * (y1 - y0))
    assert moved == len(given)


@pytest.mark.parametrize("recipe", ["own", "oa_mil_40"])
def test_a_pipeline_gives_the_boxes_of_the_file(boxes_only, recipe):
    pytest.importorskip("mmdet")
    from mmengine.registry import init_default_scope

    from noisyseg.registry import DATASETS

    init_default_scope("mmdet")
    noise = RECIPE if recipe == "own" else load_recipe(recipe)
    target = boxes_only.with_name("noisy.json")
    generate_noise(noise, boxes_only, target, seed=5)

    def samples(file, *steps):
        load = {"type": "mmdet.LoadAnnotations", "with_bbox": True}
        dataset = DATASETS.build(
            {
                "type": "noisyseg.CocoDataset",
                "ann_file": str(file),
                "data_prefix": {"img": str(file.parent)},
                "pipeline": [*steps, load],
            }
        )
        return [dataset[i] for i in range(len(dataset))]

    online = samples(boxes_only, {"type": "noisyseg.InjectNoise", "noise": noise, "seed": 5})
    offline = samples(target)
    clean = samples(boxes_only)
    assert len(online) == len(offline) == 20
    for one, other in zip(online, offline, strict=True):
        # The file holds widths and heights, so a right side may differ in the last digit.
        np.testing.assert_allclose(one["gt_bboxes"].tensor, other["gt_bboxes"].tensor, rtol=1e-6)
        np.testing.assert_array_equal(one["gt_bboxes_labels"], other["gt_bboxes_labels"])
    moved = [
        (one["gt_bboxes"].tensor != other["gt_bboxes"].tensor).any(dim=1).sum()
        for one, other in zip(online, clean, strict=True)
    ]
    assert sum(moved) > 100
