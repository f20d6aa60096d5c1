import numpy as np
import pytest

from noisyseg.integration.recipes import load_recipe
from noisyseg.labels.coco import read_coco
from noisyseg.labels.rng import keyed_rng
from noisyseg.noise import build_noise

CITYSCAPES = ("person", "rider", "car", "truck", "bus", "train", "motorcycle", "bicycle")
VOC = (
    *("aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow", "diningtable", "dog"),
    *("horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor"),
)


def model_of(recipe):
    (model,) = build_noise(load_recipe(recipe)).noises
    return model


@pytest.mark.parametrize("rate", [20, 40, 60, 80])
def test_symmetric_noise_reaches_every_class_the_last_one_too(named, rate):
    matrix = model_of(f"lncis_sym_{rate}").transition_matrix(named(VOC))
    np.testing.assert_allclose(1 - np.diagonal(matrix), rate / 100 * 19 / 20)
    np.testing.assert_allclose(matrix[:-1, -1], rate / 100 / 20)


@pytest.mark.parametrize("rate", [20, 40])
def test_symmetric_noise_of_noisy_lvis(named, rate):
    rates = model_of(f"noisy_lvis_sym_{rate}").flip_rates(named([f"class {k}" for k in range(1203)]))
    np.testing.assert_allclose(rates, rate / 100 * 1202 / 1203)


@pytest.mark.parametrize("rate", [20, 40])
def test_pairs_of_cityscapes_are_mistaken_both_ways_and_cars_and_trains_stay(named, rate):
    matrix = model_of(f"lncis_asym_{rate}_cityscapes").transition_matrix(named(CITYSCAPES))
    expected = np.eye(8)
    for a, b in ((0, 1), (3, 4), (6, 7)):
        expected[[a, b], [a, b]] = 1 - rate / 100
        expected[[a, b], [b, a]] = rate / 100
    np.testing.assert_allclose(matrix, expected)


@pytest.mark.parametrize("rate", [20, 40])
def test_pairs_of_voc(named, rate):
    matrix = model_of(f"lncis_asym_{rate}_voc").transition_matrix(named(VOC))
    becomes = {VOC[i]: VOC[j] for i, j in zip(*np.nonzero(matrix * (1 - np.eye(20))), strict=True)}
    one_way = {"bird": "aeroplane", "diningtable": "chair", "bus": "car", "sheep": "horse"}
    both_ways = {"bicycle": "motorbike", "motorbike": "bicycle", "cat": "dog", "dog": "cat"}
    assert becomes == one_way | both_ways
    np.testing.assert_allclose(matrix[matrix * (1 - np.eye(20)) > 0], rate / 100)


def test_asymmetric_noise_stays_in_the_super_categories_of_coco(coco_tiny_dir):
    coco = read_coco(coco_tiny_dir / "annotations" / "instances_train2017.json")
    groups = coco.categories.groups
    model = model_of("lncis_asym_40_coco")
    flips, expected = 0, 0.0
    rates = model.flip_rates(coco.categories)
    for image_id in coco.images:
        clean = coco.instances(image_id)
        noisy = model(clean, keyed_rng(0, image_id))
        assert [groups[k] for k in noisy.classes] == [groups[k] for k in clean.classes]
        flips += (noisy.classes != clean.classes).sum()
        expected += rates[clean.classes[~clean.crowd]].sum()
    assert rates[coco.categories.names.index("person")] == 0, "persons are a super-category of their own"
    assert abs(flips - expected) < 4 * np.sqrt(expected)
