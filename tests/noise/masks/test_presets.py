"""Published recipes: their settings, and that a harder one is harder."""

import numpy as np
import pytest

from noisyseg.integration.recipes import load_recipe
from noisyseg.labels import Categories, Instances, Mask
from noisyseg.labels.coco import read_coco
from noisyseg.labels.rng import keyed_rng
from noisyseg.noise import build_noise

V1 = {
    "easy_amount": (0.20, (15, 4, 7)),
    "easy_params": (0.30, (5, 2, 3)),
    "medium_amount": (0.25, (15, 4, 7)),
    "medium_params": (0.30, (10, 3, 5)),
    "hard": (0.30, (15, 4, 7)),
}
V2 = {
    "low": ((5, 2.5), (2, 0.5), (3, 1)),
    "mid": ((10, 2.5), (3, 0.5), (5, 1)),
    "high": ((15, 10), (4, 2), (7, 4)),
}


def rules(recipe):
    return recipe.on_empty, recipe.boxes, recipe.crowds


@pytest.mark.parametrize("name", V1)
@pytest.mark.parametrize("mode", ["fixed", "official"])
def test_the_second_generator_has_the_published_settings(name, mode):
    recipe = build_noise(load_recipe(f"coco_n_v1_{name}" + ("_official" if mode == "official" else "")))
    missing, classes, one_of = recipe.noises
    share, strength = V1[name]
    assert (missing.rate, missing.protocol) == (0.05, "bernoulli")
    assert missing.guard == ("official" if mode == "official" else "last")
    assert (classes.op, classes.rate, classes.include_self) == ("GroupConfusion", 0.05, False)
    assert one_of.probs == [share] * 3
    approximation, localization, scale = one_of.noises
    assert (approximation.tolerance, localization.sigma, scale.size) == strength
    assert (approximation.mode, localization.mode) == (mode, mode)
    assert rules(recipe) == (("keep", "keep", "noise") if mode == "official" else ("restore", "tight", "keep"))


@pytest.mark.parametrize("name", V2)
@pytest.mark.parametrize("mode", ["fixed", "official"])
def test_the_third_generator_has_the_published_settings(name, mode):
    recipe = build_noise(load_recipe(f"coco_n_v2_{name}" + ("_official" if mode == "official" else "")))
    missing, classes, redrawn = recipe.noises
    assert (missing.rate, missing.protocol) == (0.05, "bernoulli")
    assert missing.guard == ("none" if mode == "official" else "last")
    assert classes.op == "GroupConfusion"
    assert classes.rate == (0 if mode == "official" else 0.05)
    assert (redrawn.tolerance, redrawn.sigma, redrawn.size) == V2[name]
    assert redrawn.mode == mode
    assert rules(recipe) == (("drop", "tight", "noise") if mode == "official" else ("restore", "tight", "keep"))


def test_aliases_are_what_they_stand_for():
    for level in V2:
        assert load_recipe(f"viper_n_{level}") == load_recipe(f"coco_n_v2_{level}")
    for level in ("easy", "medium", "hard"):
        assert load_recipe(f"cityscapes_n_{level}") == load_recipe(f"coco_n_{level}")
    for preset in ("j1", "j2"):
        assert load_recipe(f"markov_{preset}_heart") == load_recipe(f"markov_{preset}_lung")
    assert load_recipe("euclidean_j3_heart") == load_recipe("euclidean_j3_lung")


@pytest.fixture(scope="module")
def images(coco_tiny_dir):
    coco = read_coco(coco_tiny_dir / "annotations" / "instances_val2017.json")
    return [(image_id, coco.instances(image_id)) for image_id in coco.images]


def outcome(images, name):
    """Returns mean IoU of what stays, the share of objects that go, and of those that change their class."""
    recipe = build_noise(load_recipe(name))
    iou, gone, flipped, total = [], 0, 0, 0
    for key, clean in images:
        clean = clean.take(np.flatnonzero(~clean.crowd))
        noisy = recipe(clean, keyed_rng(0, key))
        place = {source: i for i, source in enumerate(clean.source.tolist())}
        total += len(clean)
        gone += len(clean) - len(noisy)
        for i, source in enumerate(noisy.source.tolist()):
            iou.append(noisy.masks[i].iou(clean.masks[place[source]]))
            flipped += noisy.classes[i] != clean.classes[place[source]]
        assert len(noisy) or not len(clean) or name.endswith("_official")
    return np.mean(iou), gone / total, flipped / total


def test_recipes_get_harder_from_level_to_level(images):
    iou = {name: outcome(images, f"coco_n_v1_{name}")[0] for name in V1}
    assert iou["easy_amount"] > iou["medium_amount"] > iou["hard"]
    assert iou["easy_params"] > iou["medium_params"] > iou["hard"]
    iou = [outcome(images, f"coco_n_v2_{name}")[0] for name in V2]
    assert iou[0] > iou[1] + 0.05 > iou[2] + 0.1


@pytest.mark.parametrize("name", ["coco_n_v1_hard", "coco_n_v1_hard_official", "coco_n_v2_mid"])
def test_one_object_in_twenty_is_lost_and_one_in_twenty_renamed(images, name):
    _, gone, flipped = outcome(images, name)
    # About 750 objects; classes alone in their group, such as person, never change, and lone objects are spared.
    assert 0.02 < gone < 0.08
    assert 0.005 < flipped < 0.06


def test_official_polygons_change_no_class(images):
    assert outcome(images, "coco_n_v2_mid_official")[2] == 0


@pytest.mark.parametrize("preset", ["j1_lung", "j2_heart", "b1_tumour", "b2_tumour", "i1_lesion", "i2_lesion"])
def test_the_bias_has_the_sign_of_the_preset(preset):
    frame = np.zeros((256, 256), np.uint8)
    frame[90:160, 90:160] = 1
    labels = Instances.from_masks([Mask.from_frame(frame)] * 4, [0] * 4, Categories.from_names("a"), frame.shape)
    areas = [mask.area for mask in build_noise(load_recipe(f"markov_{preset}"))(labels, keyed_rng(0)).masks]
    grows = preset.split("_")[0] in ("j1", "b1", "i2")
    assert all((area > frame.sum()) == grows for area in areas)
