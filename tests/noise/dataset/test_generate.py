import copy
import os
import subprocess
import sys
from collections import Counter
from importlib.metadata import version

import cv2
import numpy as np
import orjson
import pytest
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

from noisyseg.integration.recipes import load_recipe
from noisyseg.labels import LabelError
from noisyseg.labels.check import check_coco
from noisyseg.labels.files import sha256
from noisyseg.noise.dataset import generate, tasks
from noisyseg.noise.dataset.generate import generate_noise, is_evaluation_split, manifest_path

HARD = load_recipe("coco_n_hard")
GROW = {"type": "noisyseg.Recipe", "noises": [{"type": "noisyseg.Scale", "size": 3}]}
NOTHING = {
    "type": "noisyseg.Recipe",
    "noises": [
        {"type": "noisyseg.ClassConfusion", "rate": 0},
        {"type": "noisyseg.OneOf", "noises": [{"type": "noisyseg.Scale", "size": 3}], "probs": [0]},
    ],
}


def read(path):
    return orjson.loads(path.read_bytes())


def by_id(document):
    return {annotation["id"]: annotation for annotation in document["annotations"]}


@pytest.fixture
def document():
    def annotation(id_, image_id, left, **fields):
        ring = [left, 5, left + 9, 5, left + 9, 14, left, 14]
        given = {"id": id_, "image_id": image_id, "category_id": 7, "segmentation": [ring]}
        return given | {"bbox": [left, 5, 9, 9], "area": 81, "iscrowd": 0} | fields

    crowd = {"size": [30, 40], "counts": [300, 30, 30, 30, 810]}
    return {
        "licenses": [],
        "annotations": [
            annotation(12, 2, 4, score=0.25),
            annotation(11, 1, 8, category_id=3),
            annotation(13, 2, 20),
            annotation(14, 1, 3, segmentation=crowd, bbox=[10, 0, 3, 30], area=60, iscrowd=1),
            annotation(15, 1, 25),
        ],
        "images": [
            {"id": 2, "file_name": "b.png", "height": 30, "width": 40},
            {"id": 5, "file_name": "c.png", "height": 30, "width": 40},
            {"id": 1, "file_name": "a.png", "height": 30, "width": 40, "note": "kept"},
        ],
        "categories": [{"id": 7, "name": "seven"}, {"id": 3, "name": "three"}],
        "info": {"note": [1, None]},
    }


@pytest.fixture
def write(tmp_path):
    """Returns a function that writes a document; the folder's name says nothing about a split."""

    def write_(value, name="labels.json"):
        path = tmp_path / "data" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(orjson.dumps(value))
        return path

    return write_


@pytest.fixture
def train(coco_tiny_dir):
    return coco_tiny_dir / "annotations" / "instances_train2017.json"


@pytest.fixture
def hard(train, tmp_path):
    """Returns real annotations with COCO-N hard in them, and the manifest."""
    target = tmp_path / "hard.json"
    return target, generate_noise(HARD, train, target, seed=1)


def test_no_noise_gives_the_file_back(train, tmp_path, write, document):
    for source in (train, write(document)):
        manifest = generate_noise(NOTHING, source, tmp_path / "out.json", seed=0, force=True)
        assert (tmp_path / "out.json").read_bytes() == orjson.dumps(read(source)) + b"\n"
        assert set(manifest["counts"]) == {"untouched"}


def test_class_noise_leaves_the_form_of_masks_alone(write, document, tmp_path):
    recipe = {
        "type": "noisyseg.Recipe",
        "noises": [{"type": "noisyseg.ClassConfusion", "rate": 1.0, "include_self": False}],
    }
    generate_noise(recipe, write(document), tmp_path / "out.json", seed=0)
    noisy = by_id(read(tmp_path / "out.json"))
    for id_, given in by_id(document).items():
        record = noisy[id_].pop("noise", None)
        assert (record is None) == bool(given["iscrowd"])
        expected = given if given["iscrowd"] else given | {"category_id": 10 - given["category_id"]}
        assert noisy[id_] == expected


def test_what_is_no_noise_survives(write, document, tmp_path):
    generate_noise(GROW, write(document), tmp_path / "out.json", seed=0)
    noisy = read(tmp_path / "out.json")
    assert list(noisy) == list(document)
    for key in ("licenses", "images", "categories", "info"):
        assert noisy[key] == document[key]
    assert [entry["id"] for entry in noisy["annotations"]] == [12, 11, 13, 14, 15]
    assert noisy["annotations"][0]["score"] == 0.25


def test_every_mask_of_a_noisy_file_is_compressed_rle(hard):
    for annotation in read(hard[0])["annotations"]:
        assert type(annotation["segmentation"]["counts"]) is str


@pytest.mark.parametrize("workers", [2, 5])
def test_any_number_of_workers_writes_the_same_bytes(train, tmp_path, hard, workers, monkeypatch):
    monkeypatch.setattr(tasks, "TASK_SIZE", 60)
    generate_noise(HARD, train, tmp_path / "out.json", seed=1, workers=workers)
    assert (tmp_path / "out.json").read_bytes() == hard[0].read_bytes()


def test_a_model_of_other_people_reaches_the_workers(train, tmp_path):
    script = tmp_path / "generate.py"
    script.write_text(
        "import sys\n"
        "from noisyseg.noise import generate_noise\n"
        "import theirs\n"
        'recipe = {"type": "noisyseg.Recipe", "noises": [{"type": "noisyseg.NextClass"}]}\n'
        "generate_noise(recipe, sys.argv[1], sys.argv[2], seed=0, workers=2)\n"
    )
    (tmp_path / "theirs.py").write_text(
        "from noisyseg.noise import Change, ObjectNoise\n"
        "from noisyseg.registry import TASK_UTILS\n"
        "@TASK_UTILS.register_module()\n"
        "class NextClass(ObjectNoise):\n"
        "    def draw(self, labels, i, streams):\n"
        "        return {}\n"
        "    def changes(self, labels, draws):\n"
        "        count = len(labels.categories)\n"
        "        return {i: Change(class_=(int(labels.classes[i]) + 1) % count) for i in draws}\n"
    )
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    subprocess.run([sys.executable, script, train, tmp_path / "out.json"], check=True, env=environment)
    clean, noisy = by_id(read(train)), by_id(read(tmp_path / "out.json"))
    changed = [
        noisy[id_]["category_id"] != given["category_id"] for id_, given in clean.items() if not given["iscrowd"]
    ]
    assert all(changed)


@pytest.mark.parametrize("size", [1, 100])
def test_the_size_of_a_task_changes_no_byte(train, tmp_path, hard, size, monkeypatch):
    monkeypatch.setattr(tasks, "TASK_SIZE", size)
    monkeypatch.setattr(generate, "BLOCK", size)
    generate_noise(HARD, train, tmp_path / "out.json", seed=1)
    assert (tmp_path / "out.json").read_bytes() == hard[0].read_bytes()


def test_another_seed_is_another_noise(train, tmp_path, hard):
    generate_noise(HARD, train, tmp_path / "out.json", seed=2)
    one, other = by_id(read(hard[0])), by_id(read(tmp_path / "out.json"))
    assert sum(one[id_] != other[id_] for id_ in one) > len(one) / 2


def test_an_annotation_has_its_noise_wherever_it_stands(train, tmp_path, hard, write):
    value = read(train)
    rng = np.random.default_rng(0)
    for key in ("images", "annotations", "categories"):
        rng.shuffle(value[key])
    generate_noise(HARD, write(value, "shuffled.json"), tmp_path / "shuffled_out.json", seed=1)
    shuffled = read(tmp_path / "shuffled_out.json")
    assert [a["id"] for a in shuffled["annotations"]] == [a["id"] for a in value["annotations"]]
    assert by_id(shuffled) == by_id(read(hard[0]))


def test_an_annotation_has_its_noise_whatever_the_others_are(train, tmp_path, hard, write):
    value = read(train)
    value["annotations"] = value["annotations"][::3]
    generate_noise(HARD, write(value, "third.json"), tmp_path / "third_out.json", seed=1)
    all_ = by_id(read(hard[0]))
    third = by_id(read(tmp_path / "third_out.json"))
    assert third == {id_: all_[id_] for id_ in third}
    assert len(third) == len(value["annotations"])


def test_the_manifest_tells_the_truth(train, hard):
    target, manifest = hard
    assert read(manifest_path(target)) == manifest
    assert manifest["recipe"] == HARD
    assert manifest["seed"] == 1
    assert manifest["clean"] == {"file": train.name, "sha256": sha256(train)}
    assert manifest["noisy"] == {"file": "hard.json", "sha256": sha256(target)}
    assert manifest["warnings"] == []
    assert manifest["versions"]["opencv"] == cv2.__version__
    assert manifest["versions"]["numpy"] == version("numpy")
    assert manifest["seconds"] > 0

    annotations = read(target)["annotations"]
    assert manifest["annotations"] == len(annotations)
    counted = Counter()
    for annotation in annotations:
        if "noise" not in annotation:
            counted["untouched"] += 1
            continue
        counted.update(entry["op"] for entry in annotation["noise"]["chain"])
        counted.update(annotation["noise"]["flags"])
    assert manifest["counts"] == counted
    assert manifest["rates"] == {name: round(count / len(annotations), 6) for name, count in counted.items()}
    for name, share in (("Scale", 0.3), ("Localization", 0.3), ("Approximation", 0.3), ("class_changed", 0.395)):
        assert manifest["rates"][name] == pytest.approx(share, abs=4 * (0.25 / len(annotations)) ** 0.5)


def test_provenance_and_geometry_are_true(train, hard):
    clean = COCO(str(train))
    noisy = COCO(str(hard[0]))
    assert list(noisy.anns) == list(clean.anns)
    for id_, annotation in noisy.anns.items():
        given = clean.anns[id_]
        frame, clean_frame = noisy.annToMask(annotation), clean.annToMask(given)
        record = annotation.get("noise")
        if record is None or "mask_changed" not in record["flags"]:
            np.testing.assert_array_equal(frame, clean_frame)
            assert (annotation["bbox"], annotation["area"]) == (given["bbox"], given["area"])
        else:
            assert annotation["area"] == frame.sum() > 0
            assert annotation["bbox"] == coco_mask.toBbox(annotation["segmentation"]).tolist()
            union = (frame | clean_frame).sum()
            assert record["iou"] == pytest.approx((frame & clean_frame).sum() / union, abs=1e-4)
        if record is None:
            assert annotation["category_id"] == given["category_id"]
        else:
            assert record["clean_category_id"] == given["category_id"]
            assert (record["clean_bbox"], record["clean_area"]) == (given["bbox"], given["area"])
            assert ("class_changed" in record["flags"]) == (annotation["category_id"] != given["category_id"])
            assert not given["iscrowd"]


def test_the_label_check_finds_nothing_new(train, hard):
    def found(path):
        return {(f.code, f.annotation): f for f in check_coco(path) if f.severity != "info"}

    noisy = by_id(read(hard[0]))
    new = found(hard[0]).keys() - found(train).keys()
    # The box of a polygon thinner than a pixel is off the mask's, which RLE alone shows; the box is the given one.
    thin = {
        id_ for code, id_ in new if code == "bbox-mismatch" and noisy[id_]["bbox"] == by_id(read(train))[id_]["bbox"]
    }
    assert new == {("bbox-mismatch", id_) for id_ in thin}
    assert len(thin) <= 2


def test_official_files_keep_boxes_and_areas(train, tmp_path):
    target = tmp_path / "official.json"
    manifest = generate_noise(load_recipe("coco_n_hard_official"), train, target, seed=1)
    clean, noisy = by_id(read(train)), by_id(read(target))
    assert list(noisy) == list(clean)
    for id_, annotation in noisy.items():
        assert annotation["bbox"] == clean[id_]["bbox"]
        assert annotation["area"] == clean[id_]["area"]
        assert annotation["iscrowd"] == clean[id_]["iscrowd"]
    assert manifest["counts"]["vanished"] == sum(
        "vanished" in annotation.get("noise", {"flags": []})["flags"] for annotation in noisy.values()
    )
    assert any("noise" in annotation for annotation in noisy.values() if annotation["iscrowd"])


def test_dropped_objects_are_gone_and_counted(train, tmp_path):
    recipe = {
        "type": "noisyseg.Recipe",
        "on_empty": "drop",
        "noises": [{"type": "noisyseg.Scale", "size": 15}],
    }
    manifest = generate_noise(recipe, train, tmp_path / "out.json", seed=0)
    left = [annotation["id"] for annotation in read(tmp_path / "out.json")["annotations"]]
    assert manifest["counts"]["removed"] == manifest["annotations"] - len(left) > 50
    assert left == [id_ for id_ in by_id(read(train)) if id_ in set(left)]


def test_id_zero_is_renumbered_and_said(write, document, tmp_path):
    expected = tmp_path / "expected.json"
    for annotation in document["annotations"]:
        annotation["id"] -= 11
    manifest = generate_noise(GROW, write(document), tmp_path / "out.json", seed=0)
    assert [a["id"] for a in read(tmp_path / "out.json")["annotations"]] == [2, 1, 3, 4, 5]
    assert manifest["warnings"] == ["an annotation had id 0: every annotation id is one higher than in the input"]
    assert generate_noise(GROW, write(read(tmp_path / "out.json")), expected, seed=0)["warnings"] == []


@pytest.mark.parametrize("without", ["annotations", "images"])
def test_nothing_to_do_is_no_problem(write, document, tmp_path, without):
    document["annotations"] = []
    document[without] = []
    manifest = generate_noise(GROW, write(document), tmp_path / "out.json", seed=0)
    assert read(tmp_path / "out.json") == document
    assert (manifest["annotations"], manifest["counts"], manifest["rates"]) == (0, {}, {})


def test_boxes_alone_get_class_noise(write, document, tmp_path):
    for annotation in document["annotations"]:
        del annotation["segmentation"]
    recipe = {"type": "noisyseg.Recipe", "noises": [{"type": "noisyseg.ClassConfusion", "rate": 1.0}]}
    assert generate_noise(recipe, write(document), tmp_path / "out.json", seed=0)["counts"]["class_changed"] > 0
    with pytest.raises(TypeError, match="Scale needs masks, but the labels have boxes only"):
        generate_noise(GROW, write(document), tmp_path / "other.json", seed=0)
    assert not (tmp_path / "other.json").exists()


def test_what_is_there_stays_unless_forced(write, document, tmp_path):
    source, target = write(document), tmp_path / "out.json"
    for path in (target, manifest_path(target)):
        path.write_text("precious")
        with pytest.raises(FileExistsError, match=rf"{path.name}: is there already; nothing was written"):
            generate_noise(GROW, source, target, seed=0)
        assert path.read_text() == "precious"
        generate_noise(GROW, source, target, seed=0, force=True)
        assert len(read(target)["annotations"]) == 5
        target.unlink()
        manifest_path(target).unlink()


def test_the_input_is_never_replaced(write, document):
    source = write(document, "a.manifest.json")
    os.link(source, source.with_name("link.json"))
    for target in ("a.manifest.json", "../data/a.manifest.json", "link.json", "a.json"):
        with pytest.raises(FileExistsError, match="is there already"):
            generate_noise(GROW, source, source.parent / target, seed=0, force=True)
    assert read(source) == document


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("annotations/instances_val2017.json", True),
        ("annotations/instances_minival.json", True),
        ("annotations/image_info_test-dev2017.json", True),
        ("coco/validation.json", True),
        ("valid/_annotations.coco.json", True),
        ("test/labels.json", True),
        ("annotations/instances_train2017.json", False),
        ("annotations/instances_trainval.json", False),
        ("cavalry/evaluated.json", False),
        ("contest/latest_values.json", False),
        ("validity/medieval.json", False),
        ("test_run/labels.json", False),
        ("test/train.json", False),
    ],
)
def test_which_files_look_like_an_evaluation_split(name, expected):
    assert is_evaluation_split(name) == expected


def test_an_evaluation_split_is_refused_unless_named(write, document, tmp_path):
    source = write(document, "instances_val2017.json")
    with pytest.raises(ValueError, match=r"instances_val2017\.json: looks like a validation or test file"):
        generate_noise(GROW, source, tmp_path / "out.json", seed=0)
    assert not (tmp_path / "out.json").exists()
    generate_noise(GROW, source, tmp_path / "out.json", seed=0, split="val")
    assert len(read(tmp_path / "out.json")["annotations"]) == 5


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(
    ("place", "value", "problem"),
    [
        ("category_id", 99, "category_id: expected one of the file's categories, got 99"),
        ("segmentation", [[1, 2, 3, 4]], "polygon 0: expected an even count >= 6"),
        ("image_id", 99, "image_id: expected an image of the file, got 99"),
    ],
)
def test_a_broken_input_is_named_and_nothing_is_written(write, document, tmp_path, place, value, problem, workers):
    broken = copy.deepcopy(document)
    broken["annotations"][2][place] = value
    target = tmp_path / "out.json"
    target.write_text("old")
    with pytest.raises(LabelError, match=rf"labels\.json: annotation 13: {problem}"):
        generate_noise(GROW, write(broken), target, seed=0, workers=workers, force=True)
    assert target.read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "out.json"]


def test_only_a_recipe_is_taken(write, document, tmp_path):
    with pytest.raises(ValueError, match=r"expected a noisyseg\.Recipe at the outside, got Scale"):
        generate_noise({"type": "noisyseg.Scale", "size": 3}, write(document), tmp_path / "out.json", seed=0)


def test_a_name_without_json_is_an_error(write, document, tmp_path):
    with pytest.raises(ValueError, match=r"out\.txt: expected a name that ends in \.json"):
        generate_noise(GROW, write(document), tmp_path / "out.txt", seed=0)


@pytest.mark.parametrize(("seed", "error"), [(-1, ValueError), (1.5, TypeError), ("1", TypeError)])
def test_a_wrong_seed_is_an_error(write, document, tmp_path, seed, error):
    with pytest.raises(error, match="seed: expected an integer"):
        generate_noise(GROW, write(document), tmp_path / "out.json", seed=seed)
    assert not (tmp_path / "out.json").exists()
