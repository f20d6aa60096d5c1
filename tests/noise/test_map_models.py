"""What every model of semantic maps keeps to, over the table of canonical settings."""

import copy
import runpy
from pathlib import Path

import cv2
import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from noisyseg.labels import Categories, SemanticMap
from noisyseg.labels.rng import keyed_rng
from noisyseg.noise import build_noise

SEEDS = range(4)
NAMES = Categories.from_names(("ground", "a", "b", "c"))
NOTHING = runpy.run_path(str(Path(__file__).parent / "maps" / "canonical.py"))["MAPS_NOTHING"]
DTYPES = (np.uint8, np.int16, np.uint16, np.int32, np.int64)
# Models that invent no class: what they write stood on the map, or is what `fill` says.
KEEPS_CLASSES = {
    "BoundaryNoise",
    "ClickDisc",
    "CoarsePolygons",
    "DropNoise",
    "ElasticMap",
    "MarkovMap",
    "ShiftNoise",
    "SuperpixelNoise",
}


def pictured(classes):
    """Returns the map with an image whose edges are near its boundaries."""
    shown = np.where(classes == 255, 4, classes).astype(np.uint8)
    image = cv2.blur(np.ascontiguousarray(np.roll(shown, 1, axis=1)) * np.uint8(50), (3, 3))
    return SemanticMap(classes, NAMES, np.repeat(image[..., None], 3, axis=2))


@pytest.fixture
def scene(label_map):
    return pictured(label_map.classes)


def replayed(params):
    return orjson.loads(orjson.dumps(params, option=orjson.OPT_SERIALIZE_NUMPY))


def writes_ignore(config):
    return "ignore" in (config.get("fill"), config.get("drop_to"))


def check_invariants(config, labels, seed=0):
    """Asserts what holds for any map: size, dtype, legal classes, ignored pixels, the seed, replay, the input."""
    model = build_noise(config)
    before = labels.classes.copy()
    labels.classes.setflags(write=False)
    noisy, params = model.run(labels, keyed_rng(seed))
    SemanticMap(noisy.classes, noisy.categories, noisy.image)
    np.testing.assert_array_equal(labels.classes, before)
    assert noisy.classes.dtype == before.dtype
    assert noisy.classes.shape == before.shape
    assert noisy.categories == labels.categories
    ignored = before == 255
    assert (noisy.classes[ignored] == 255).all()
    if not writes_ignore(config):
        assert (noisy.classes[~ignored] != 255).all()
    if config["type"].removeprefix("noisyseg.") in KEEPS_CLASSES:
        fills = {value for value in (config.get("fill"), config.get("drop_to")) if isinstance(value, int)}
        assert set(np.unique(noisy.classes)) <= set(np.unique(before)) | fills | {255}
    np.testing.assert_array_equal(model(labels, keyed_rng(seed)).classes, noisy.classes)
    assert replayed(model.sample(labels, keyed_rng(seed))) == replayed(params)
    np.testing.assert_array_equal(model.apply(labels, replayed(params)).classes, noisy.classes)
    return noisy


@pytest.mark.parametrize("config", NOTHING.values(), ids=NOTHING.keys())
def test_no_noise_is_the_identity(config, scene):
    for seed in SEEDS:
        noisy = check_invariants(config, scene, seed)
        np.testing.assert_array_equal(noisy.classes, scene.classes)


def test_there_is_noise_and_the_seed_decides(map_config, scene):
    noisy = [build_noise(map_config)(scene, keyed_rng(seed)).classes for seed in SEEDS]
    again = [build_noise(map_config)(scene, keyed_rng(seed)).classes for seed in SEEDS]
    np.testing.assert_array_equal(noisy, again)
    assert all((classes != scene.classes).any() for classes in noisy)
    assert any((classes != noisy[0]).any() for classes in noisy[1:])


@pytest.mark.parametrize("dtype", DTYPES)
def test_what_a_noisy_map_keeps(map_config, scene, dtype):
    given = pictured(scene.classes.astype(dtype))
    noisy = check_invariants(map_config, given)
    np.testing.assert_array_equal(noisy.classes, build_noise(map_config)(scene, keyed_rng(0)).classes)


@settings(max_examples=12)
@given(
    classes=hnp.arrays(
        st.sampled_from(DTYPES),
        hnp.array_shapes(min_dims=2, max_dims=2, max_side=9),
        elements=st.sampled_from([0, 1, 2, 3, 255]),
    ),
    seed=st.integers(0, 3),
)
def test_any_map(map_config, classes, seed):
    check_invariants(map_config, pictured(classes), seed)


@pytest.mark.parametrize("class_", [0, 1, 255])
@pytest.mark.parametrize("size_hw", [(1, 1), (1, 30), (24, 20)])
def test_a_map_of_one_class(map_config, class_, size_hw):
    labels = pictured(np.full(size_hw, class_, np.uint8))
    noisy = check_invariants(map_config, labels)
    if class_ == 255:
        np.testing.assert_array_equal(noisy.classes, labels.classes)


def test_a_name_twice_in_a_chain_draws_anew(map_config, scene):
    model = build_noise({"type": "noisyseg.Chain", "noises": [map_config, map_config]})
    noisy, params = model.run(scene, keyed_rng(0))
    np.testing.assert_array_equal(model.apply(scene, replayed(params)).classes, noisy.classes)
    alone = build_noise({"type": "noisyseg.Chain", "noises": [map_config]}).sample(scene, keyed_rng(0))
    assert replayed(params["steps"][0]) == replayed(alone["steps"][0])


def test_the_config_stays_as_it_was_and_is_shown(map_config):
    before = copy.deepcopy(map_config)
    model = build_noise(map_config)
    assert map_config == before
    assert model.takes is SemanticMap
    assert repr(model).startswith(f"{map_config['type'].removeprefix('noisyseg.')}(")
    for name, value in map_config.items():
        if name not in ("type", "noise", "noises", "confusion"):
            shown = model.settings[name]
            assert (list(shown) if isinstance(shown, tuple) else shown) == value


def test_it_keeps_no_history(map_config, scene):
    model = build_noise(map_config)
    if map_config["type"] != "noisyseg.Chain":
        with pytest.raises(TypeError, match=f"{model.op} keeps no history of single objects"):
            model.history(model.sample(scene, keyed_rng(0)))
