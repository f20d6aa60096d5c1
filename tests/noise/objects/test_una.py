"""UNA, through the loop over a file: counts, shares, and that they depend on nothing but seed and annotations."""

import math
from collections import Counter
from itertools import pairwise

import numpy as np
import orjson
import pytest
from scipy import stats

from noisyseg.integration.recipes import load_recipe, shipped_recipes
from noisyseg.labels.check import check_coco
from noisyseg.labels.rng import keyed_rng
from noisyseg.noise import build_noise, generate_noise
from noisyseg.noise.boxes import ResampledBox
from noisyseg.noise.dataset import tasks
from noisyseg.noise.objects import Una

IMAGES, CLASSES = 400, 20


@pytest.fixture(scope="module")
def clean():
    """Returns a COCO file of boxes: 400 images with 0 to 24 objects, and some crowds."""
    rng = np.random.default_rng(0)
    annotations = []
    for image_id in range(1, IMAGES + 1):
        for _ in range(rng.integers(0, 25)):
            x, y, w, h = rng.integers((0, 0, 4, 4), (200, 150, 64, 54)).tolist()
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image_id,
                    "category_id": int(rng.integers(1, CLASSES + 1)),
                    "bbox": [x, y, w, h],
                    "area": w * h,
                    "iscrowd": int(rng.random() < 0.01),
                }
            )
    return {
        "info": {},
        "images": [{"id": key, "file_name": f"{key}.jpg", "height": 220, "width": 280} for key in range(1, IMAGES + 1)],
        "annotations": annotations,
        "categories": [{"id": key, "name": f"class {key}"} for key in range(1, CLASSES + 1)],
    }


@pytest.fixture(scope="module")
def generate(clean, tmp_path_factory):
    """Returns a function that makes the file noisy, and gives what it wrote."""
    folder = tmp_path_factory.mktemp("una")

    def generate_(recipe, document=None, **options):
        source, target = folder / "clean.json", folder / "noisy.json"
        source.write_bytes(orjson.dumps(document or clean))
        config = load_recipe(recipe) if isinstance(recipe, str) else recipe
        manifest = generate_noise(config, source, target, seed=3, force=True, **options)
        return orjson.loads(target.read_bytes()), manifest

    generate_.target = folder / "noisy.json"
    return generate_


def chains(document):
    return {a["id"]: [e["op"] for e in a.get("noise", {"chain": []})["chain"]] for a in document["annotations"]}


@pytest.mark.parametrize(
    ("name", "rate", "survivors", "among", "bogus_share", "untouched_share", "size"),
    [
        ("una_10", 0.1, 0.90, 0.111, 0.110, 0.70, 1.01),
        ("una_20", 0.2, 0.80, 0.250, 0.238, 0.43, 1.05),
        ("una_30", 0.3, 0.70, 0.429, 0.380, 0.20, 1.13),
        ("una_40", 0.4, 0.60, 0.667, 0.526, 0.05, 1.27),
    ],
)
def test_the_table_of_shares(clean, generate, name, rate, survivors, among, bogus_share, untouched_share, size):
    noisy, manifest = generate(name)
    given = {a["id"]: a for a in clean["annotations"]}
    crowds = {key for key, a in given.items() if a["iscrowd"]}
    n = len(given) - len(crowds)
    hits = math.floor(rate * n)
    done = chains(noisy)
    left = [key for key in done if key in given and key not in crowds]
    bogus = [a for a in noisy["annotations"] if a["id"] not in given]

    # Exact numbers.
    assert n - len(left) == manifest["counts"]["removed"] == hits
    assert len(bogus) == manifest["counts"]["bogus"] == math.floor(n * rate / (1 - rate) + 0.5)
    moved = {key for key in left if "ResampledBox" in done[key]}
    confused = {key for key in left if "ClassConfusion" in done[key]}
    assert len(moved) == hits
    # A class that draws itself leaves no trace.
    assert stats.binomtest(len(confused), hits, 1 - 1 / CLASSES).pvalue > 0.001

    # The published shares, to the digits that are given.
    total = len(left) + len(bogus)
    assert len(left) / n == pytest.approx(survivors, abs=0.005)
    assert len(moved) / len(left) == pytest.approx(among, abs=0.001)
    assert len(bogus) / total == pytest.approx(bogus_share, abs=0.001)
    assert total / n == pytest.approx(size, abs=0.01)
    # Boxes and classes are hit independently; the share with neither is free, but for the classes that drew themselves.
    drawn = CLASSES / (CLASSES - 1)
    spoilt = len(moved) + drawn * len(confused - moved)
    spread = 4 * math.sqrt(len(left) * among * (1 - among)) / total
    assert (len(left) - spoilt) / total == pytest.approx(untouched_share, abs=spread + 0.005)

    # What no noise touched stays as it was, byte for byte.
    for a in noisy["annotations"]:
        if a["id"] in given and not done[a["id"]]:
            assert orjson.dumps(a) == orjson.dumps(given[a["id"]])
    assert crowds <= done.keys()


def test_every_image_gets_the_same_number_of_new_objects(clean, generate):
    noisy, _ = generate("una_40")
    last = clean["annotations"][-1]["id"]
    new = [a for a in noisy["annotations"] if a["id"] > last]
    counts = Counter(a["image_id"] for a in new)
    assert len(counts) == IMAGES
    assert max(counts.values()) - min(counts.values()) == 1
    assert [a["image_id"] for a in new] == sorted(a["image_id"] for a in new)
    assert [a["id"] for a in new] == list(range(last + 1, last + 1 + len(new)))
    for a in new:
        x, y, w, h = a["bbox"]
        assert x >= 0 <= y
        assert x + w <= 280
        assert y + h <= 220
        assert w >= 1 <= h
        assert a["area"] == w * h
        assert a["noise"]["flags"] == ["bogus"]
        assert "segmentation" not in a
    assert stats.chisquare(list(Counter(a["category_id"] for a in new).values())).pvalue > 0.001


def test_confused_classes_are_uniform(generate):
    noisy, _ = generate("una_40")
    steps = Counter()
    for a in noisy["annotations"]:
        record = a.get("noise", {})
        if "clean_category_id" in record and a["category_id"] != record["clean_category_id"]:
            steps[(a["category_id"] - record["clean_category_id"]) % CLASSES] += 1
    assert len(steps) == CLASSES - 1
    assert stats.chisquare(list(steps.values())).pvalue > 0.001


@pytest.mark.parametrize("name", ["una_30", "missing_per_class_50", "dn_tod_all"])
def test_neither_workers_nor_order_change_anything(clean, generate, name, monkeypatch):
    expected, _ = generate(name)
    monkeypatch.setattr(tasks, "TASK_SIZE", 900)
    assert generate(name, workers=2)[0] == expected

    rng = np.random.default_rng(5)
    shuffled = dict(clean)
    for key in ("images", "annotations", "categories"):
        shuffled[key] = [clean[key][i] for i in rng.permutation(len(clean[key]))]
    noisy, _ = generate(name, shuffled)
    by_id = {a["id"]: a for a in noisy["annotations"]}
    assert len(by_id) == len(noisy["annotations"])
    assert by_id == {a["id"]: a for a in expected["annotations"]}


def test_noisy_files_pass_the_check(generate):
    for name in ("una_40", "dn_tod_all", "missing_extreme"):
        generate(name)
        problems = [finding for finding in check_coco(generate.target) if finding.severity == "error"]
        assert problems == []


def test_more_noise_has_what_less_noise_lacks(generate):
    ids = [set(chains(generate(f"una_{percent}")[0])) for percent in ("05", "15", "25", "35")]
    last = max(min(ids, key=len))
    clean_ids = [{key for key in one if key <= last} for one in ids]
    assert all(more < fewer for fewer, more in pairwise(clean_ids))


def test_modes_of_dn_tod_share_their_draws(clean, generate):
    noisy = {mode: generate(f"dn_tod_{mode}")[0]["annotations"] for mode in ("missing", "boxes", "class", "all")}
    known = {a["id"] for a in clean["annotations"]}
    alone = {mode: {a["id"]: a for a in annotations if a["id"] in known} for mode, annotations in noisy.items()}
    assert alone["all"].keys() == alone["missing"].keys() < known
    for key, annotation in alone["all"].items():
        assert annotation["bbox"] == alone["boxes"][key]["bbox"]
        assert annotation["category_id"] == alone["class"][key]["category_id"]


def test_objects_with_masks_get_new_ones_with_masks(labels, run_over):
    noisy, _ = run_over(Una(0.4, {"type": "noisyseg.ResampledBox"}), {1: labels})[1]
    # 8 objects: 3 go, 5 come, beside the crowd.
    assert [source for source in noisy.source.tolist() if source < 0] == [-1, -2, -3, -4, -5]
    assert len(noisy) == 8 - 3 + 5 + 1
    for mask, box in zip(noisy.masks[-5:], noisy.boxes[-5:].tolist(), strict=True):
        assert box == list(mask.box)


@pytest.mark.parametrize("rate", [-0.1, 0.5, 0.9])
def test_a_rate_from_a_half_on_is_an_error(rate):
    with pytest.raises(ValueError, match=rf"^rate: expected a share in \[0, 0\.5\), got {rate}"):
        Una(rate, ResampledBox())


def test_a_box_noise_that_cannot_be_used_is_named():
    with pytest.raises(ValueError, match=r"^box_noise\.prob: expected a share"):
        Una(0.1, {"type": "noisyseg.ResampledBox", "prob": 2})
    with pytest.raises(ValueError, match=r"one by one, got Missing"):
        Una(0.1, {"type": "noisyseg.Missing", "rate": 0.1})


def test_it_needs_a_plan(labels):
    with pytest.raises(ValueError, match=r"^Una counts over the whole data set: it has to be planned"):
        Una(0.1, ResampledBox())(labels, keyed_rng(0))


def test_shipped_recipes_have_the_rate_of_their_name():
    names = [name for name in shipped_recipes() if name.startswith(("una_", "missing_")) and name[-2:].isdigit()]
    assert len(names) == 8 + 4 + 3 + 3
    for name in names:
        (model,) = build_noise(load_recipe(name)).noises
        assert model.rate == int(name[-2:]) / 100
        assert getattr(model, "protocol", "una") in (f"{name[8:-3]}_exact", "una")


def test_published_splits_are_named_by_our_reading():
    for level, protocol in (("easy", "remove_one"), ("hard", "remove_half"), ("extreme", "keep_one")):
        (model,) = build_noise(load_recipe(f"missing_{level}")).noises
        assert (model.protocol, model.rate) == (protocol, None)
