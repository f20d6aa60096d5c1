"""The shipped recipes for maps: their settings, and what they do to real maps."""

import numpy as np
import pytest
from PIL import Image

from noisyseg.integration.recipes import load_recipe, shipped_recipes
from noisyseg.labels import Categories, SemanticMap
from noisyseg.labels.rng import keyed_rng
from noisyseg.noise import build_noise

NAMES = Categories.from_names(map(str, range(11)))
IMAGES = 6
RECIPES = (
    "adele_segthor",
    "adele_segthor_official",
    "coarse_4",
    "coarse_8",
    "coarse_16",
    "coarse_32",
    "component_swap_40",
    "components_mixed",
    "dilate_erode_missing",
    "drop_swap_shift",
    "euclidean_i3_map",
    "euclidean_j3_clavicle_map",
    "euclidean_j3_map",
    "markov_i1_map",
    "markov_i2_map",
    "markov_j1_clavicle_map",
    "markov_j1_map",
    "markov_j2_clavicle_map",
    "markov_j2_map",
    "nsegment",
    "superpixel_random",
    "superpixel_snap",
)


@pytest.fixture(scope="module")
def camvid(camvid_dir):
    maps = []
    for path in sorted((camvid_dir / "valannot").glob("*.png"))[:: 100 // IMAGES][:IMAGES]:
        classes = np.array(Image.open(path))
        classes[classes == 11] = 255
        image = np.array(Image.open(camvid_dir / "val" / path.name).convert("RGB"))
        maps.append(SemanticMap(classes, NAMES, image))
    return maps


def mean_iou(clean, noisy):
    """Returns mean IoU over the classes that are in either of two lists of maps."""
    one = np.concatenate([labels.classes.ravel() for labels in clean])
    two = np.concatenate([labels.classes.ravel() for labels in noisy])
    valid = (one != 255) & (two != 255)
    counts = np.bincount(one[valid] * 11 + two[valid].astype(np.int64), minlength=121).reshape(11, 11)
    hits = np.diagonal(counts)
    union = counts.sum(0) + counts.sum(1) - hits
    return (hits[union > 0] / union[union > 0]).mean()


def strength(recipe, maps):
    model = build_noise(load_recipe(recipe))
    return mean_iou(maps, [model(labels, keyed_rng(0, number)) for number, labels in enumerate(maps)])


def test_the_shipped_recipes_for_maps():
    assert set(RECIPES) <= set(shipped_recipes())


@pytest.mark.parametrize("recipe", RECIPES)
def test_each_recipe_makes_real_maps_noisy(recipe, camvid):
    assert 0.2 < strength(recipe, camvid) < 0.97


def test_coarser_polygons_agree_less(camvid):
    agreements = [strength(f"coarse_{delta}", camvid) for delta in (4, 8, 16, 32)]
    assert agreements == sorted(agreements, reverse=True)
    assert agreements[0] > agreements[3] + 0.2


def test_snapping_superpixels_costs_less_than_drawing_their_class(camvid):
    settings = {"type": "noisyseg.SuperpixelNoise", "rate": 1.0}
    snapped, drawn = (
        build_noise(settings | {"rule": rule})(camvid[0], keyed_rng(0)).classes for rule in ("snap", "random")
    )
    clean = camvid[0].classes
    assert 0 < (snapped != clean).sum() < (drawn != clean).sum()


@pytest.mark.parametrize(
    ("recipe", "settings"),
    [
        ("adele_segthor", {"order": [1, 3, 4, 2], "steps": [2, 4], "rate": 1.0, "mode": "fixed", "max_ratio": 8.0}),
        ("adele_segthor_official", {"order": [1, 3, 4, 2], "steps": [2, 4], "rate": 1.0, "mode": "official"}),
        ("nsegment", {"alpha": [1, 15, 30, 50, 100], "sigma": [3, 5, 10], "rate": 0.5}),
        ("markov_j1_map", {"steps": 180, "theta1": 0.8, "theta2": 0.05, "theta3": 0.2}),
        ("markov_j2_map", {"steps": 180, "theta1": 0.2, "theta2": 0.05, "theta3": 0.2}),
        ("markov_j1_clavicle_map", {"steps": 100, "theta1": 0.8, "theta2": 0.02, "theta3": 0.2}),
        ("markov_j2_clavicle_map", {"steps": 100, "theta1": 0.2, "theta2": 0.02, "theta3": 0.2}),
        ("markov_i1_map", {"steps": 200, "theta1": 0.2, "theta2": 0.05, "theta3": 0.2}),
        ("markov_i2_map", {"steps": 200, "theta1": 0.8, "theta2": 0.05, "theta3": 0.2}),
        ("euclidean_j3_map", {"radius": [7, 9], "direction": "either", "unit": "class"}),
        ("euclidean_j3_clavicle_map", {"radius": [3, 5], "direction": "either", "unit": "class"}),
        ("euclidean_i3_map", {"radius": [7, 9], "direction": "either", "unit": "class"}),
    ],
)
def test_the_settings_are_the_published_ones(recipe, settings):
    model = build_noise(load_recipe(recipe))
    assert {name: model.settings[name] for name in settings} == settings
