import json

import numpy as np
import pytest
from pycocotools import mask as coco_masks

from noisyseg.evaluation.label_diff import CleanMasks, compare_masks
from noisyseg.labels import LabelError
from noisyseg.labels.store import LabelStore
from noisyseg.labels.versions import GivenMasks, VersionMasks

SIZE = (9, 12)


def encode(frame):
    found = coco_masks.encode(np.asfortranarray(frame.astype(np.uint8)))
    return {"size": list(SIZE), "counts": found["counts"].decode()}


def write(path, masks):
    """Write a COCO file of two images with a mask an id; odd ids are in the first image and of the first class."""
    document = {
        "images": [{"id": k, "file_name": f"{k}.png", "height": SIZE[0], "width": SIZE[1]} for k in (1, 2)],
        "annotations": [
            {
                "id": id_,
                "image_id": 2 - id_ % 2,
                "category_id": 2 - id_ % 2,
                "segmentation": encode(mask),
                "bbox": [0, 0, 1, 1],
                "area": 1,
                "iscrowd": 0,
            }
            for id_, mask in masks.items()
        ],
        "categories": [{"id": 1, "name": "odd"}, {"id": 2, "name": "even"}],
    }
    path.write_text(json.dumps(document))
    return path


@pytest.fixture
def case(tmp_path):
    rng = np.random.default_rng(0)
    given, new, clean = ({id_: rng.random(SIZE) < 0.5 for id_ in (1, 2, 3)} for _ in range(3))
    new[2] = given[2]
    store = LabelStore(tmp_path / "store")
    version = store.begin()
    store.put("1", "instances", {id_: encode(new[id_]) for id_ in (1, 3)}, version)
    store.finish(version, parent=0)
    masks = GivenMasks(write(tmp_path / "given.json", given))
    old, late = (VersionMasks(store, number, masks) for number in (0, version))
    return tmp_path, old, late, (given, new, clean)


def test_the_numbers_are_those_of_frames(case):
    root, old, late, (given, new, clean) = case
    found = compare_masks(old, late, CleanMasks(write(root / "clean.json", clean)))
    g, n, c = (np.stack([masks[id_] for id_ in (1, 3)]) for masks in (given, new, clean))
    odd, even = found["by_class"]
    assert (odd["before"], odd["after"]) == (g.sum(), n.sum())
    assert (odd["gained"], odd["lost"]) == ((n & ~g).sum(), (g & ~n).sum())
    assert (odd["right"], odd["wrong"]) == (((n != g) & (n == c)).sum(), ((n != g) & (n != c)).sum())
    assert odd["iou_before"] == (g & c).sum() / (g | c).sum()
    assert odd["iou_after"] == (n & c).sum() / (n | c).sum()
    assert even == {
        "class": "even",
        "objects": 1,
        "objects_changed": 0,
        "before": given[2].sum(),
        "after": given[2].sum(),
        "gained": 0,
        "lost": 0,
        "right": 0,
        "wrong": 0,
        "neither": 0,
        "unknown": 0,
        "iou_before": (both := (given[2] & clean[2]).sum() / (given[2] | clean[2]).sum()),
        "iou_after": both,
    }
    totals = found["totals"]
    assert (totals["images_changed"], totals["objects"], totals["objects_changed"]) == (1, 3, 2)
    assert totals["changed"] == (n != g).sum() == totals["right"] + totals["wrong"]
    assert totals["share"] == (n != g).sum() / (2 * SIZE[0] * SIZE[1])


def test_an_object_without_a_clean_one_is_unknown(case):
    root, old, late, (given, new, clean) = case
    found = compare_masks(old, late, CleanMasks(write(root / "clean.json", {1: clean[1]})))
    assert found["totals"]["unknown"] == (new[3] != given[3]).sum()
    assert found["totals"]["right"] + found["totals"]["wrong"] == (new[1] != given[1]).sum()
    assert "right" not in compare_masks(old, late)["totals"]


def test_a_clean_mask_of_another_size_is_named(case):
    root, old, late, (_, _, clean) = case
    path = write(root / "clean.json", clean)
    path.write_text(path.read_text().replace(f'"size": {list(SIZE)}', '"size": [9, 11]'))
    with pytest.raises(LabelError, match=r"clean\.json: annotation 1: RLE size: expected the image's \[9, 12\]"):
        compare_masks(old, late, CleanMasks(path))
