import numpy as np
import pytest

from noisyseg.labels.coco import instances_from_coco
from noisyseg.labels.rng import keyed_rng
from noisyseg.noise import Recipe
from noisyseg.noise.classes import ClassConfusion
from noisyseg.noise.dataset.provenance import noisy_annotations
from noisyseg.noise.masks import Scale

SQUARE = [[6, 6, 15, 6, 15, 15, 6, 15]]


@pytest.fixture
def annotations():
    common = {"image_id": 1, "iscrowd": 0, "attributes": {"occluded": True}}
    return [
        {"segmentation": SQUARE, "id": 3, "category_id": 2, "bbox": [6, 6, 9, 9.5], "area": 81.5, **common},
        {"id": 8, "category_id": 5, "bbox": [1, 1, 2, 2], "segmentation": [[1, 1, 3, 1, 3, 3, 1, 3]], **common},
    ]


def rewritten(annotations, recipe, categories, keep_boxes=False):
    clean = instances_from_coco({"id": 1, "height": 20, "width": 22}, annotations, categories)
    noisy, params = recipe.run(clean, keyed_rng(0, 1))
    history = recipe.history(params)
    written = noisy_annotations(annotations, clean, noisy, history, params["vanished"], keep_boxes=keep_boxes)
    assert written.added == []
    return (written.entries, written.happened), params


def test_untouched_objects_keep_all_but_the_form_of_their_mask(annotations, labels):
    (written, counts), _ = rewritten(annotations, Recipe([]), labels.categories)
    assert counts == {"untouched": 2}
    for entry, given in zip(written, annotations, strict=True):
        assert list(entry) == list(given)
        assert {**entry, "segmentation": given["segmentation"]} == given
        assert entry["segmentation"]["size"] == [20, 22]


def test_a_touched_object_says_what_happened_to_it(annotations, labels):
    recipe = Recipe([Scale(3), ClassConfusion(1.0, include_self=False)])
    (written, counts), params = rewritten(annotations, recipe, labels.categories)
    grow = params["steps"][0]["objects"]["3"]["grow"]
    drawn = params["steps"][1]["objects"]["3"]["class"]
    entry = written[0]
    assert list(entry) == [*annotations[0], "noise"]
    assert entry["attributes"] == {"occluded": True}
    assert entry["bbox"] == ([5, 5, 11, 11] if grow else [7, 7, 7, 7])
    assert entry["area"] == (121 if grow else 49)
    assert entry["category_id"] == labels.categories.ids[drawn] != 2
    assert entry["noise"] == {
        "chain": [
            {"op": "Scale", "params": {"size": 3}, "draws": {"grow": grow}},
            {"op": "ClassConfusion", "params": {"rate": 1.0, "include_self": False}, "draws": {"class": drawn}},
        ],
        "clean_category_id": 2,
        "clean_bbox": [6, 6, 9, 9.5],
        "clean_area": 81.5,
        "iou": pytest.approx(81 / 121 if grow else 49 / 81, abs=1e-4),
        "flags": ["class_changed", "mask_changed"],
    }
    assert written[1]["noise"]["clean_area"] is None
    assert counts["Scale"] == counts["ClassConfusion"] == counts["class_changed"] == 2


def test_clean_boxes_stay_on_request(annotations, labels):
    (written, _), _ = rewritten(annotations, Recipe([Scale(3)], boxes="keep"), labels.categories, keep_boxes=True)
    assert written[0]["bbox"] == [6, 6, 9, 9.5]
    assert written[0]["area"] == 81.5
    assert written[0]["noise"]["flags"] == ["mask_changed"]


@pytest.mark.parametrize(("on_empty", "flags"), [("restore", ["vanished"]), ("keep", ["mask_changed", "vanished"])])
def test_a_vanished_mask_is_flagged(annotations, labels, on_empty, flags):
    recipe = Recipe([Scale(15)], on_empty=on_empty)
    (written, counts), params = rewritten(annotations, recipe, labels.categories)
    assert params["vanished"], "with this key at least one square is eroded"
    for entry in written:
        if entry["id"] in params["vanished"]:
            assert entry["noise"]["flags"] == flags
            assert entry["noise"]["iou"] == (1.0 if on_empty == "restore" else 0.0)
            assert entry["bbox"] == (entry["noise"]["clean_bbox"] if on_empty == "restore" else [0, 0, 0, 0])
    assert counts["vanished"] == len(params["vanished"])


def test_a_dropped_object_is_none(annotations, labels):
    (written, counts), params = rewritten(annotations, Recipe([Scale(15)], on_empty="drop"), labels.categories)
    gone = [entry is None for entry in written]
    assert gone == [annotation["id"] in params["vanished"] for annotation in annotations]
    assert counts["removed"] == sum(gone) > 0


def test_boxes_alone(annotations, labels):
    for annotation in annotations:
        del annotation["segmentation"]
    recipe = Recipe([ClassConfusion(1.0, include_self=False)])
    (written, counts), _ = rewritten(annotations, recipe, labels.categories)
    assert all("segmentation" not in entry for entry in written)
    assert counts == {"ClassConfusion": 2, "class_changed": 2}
    assert [entry["noise"]["iou"] for entry in written] == [1.0, 1.0]


def test_the_given_annotations_stay_as_they_were(annotations, labels):
    before = repr(annotations)
    rewritten(annotations, Recipe([Scale(3), ClassConfusion(1.0)]), labels.categories)
    assert repr(annotations) == before
    assert np.array_equal(annotations[0]["segmentation"], SQUARE)
