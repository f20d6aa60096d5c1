"""What every model of edges keeps to, over the table of canonical settings."""

import cv2
import numpy as np
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from noisyseg.labels import Categories, EdgeMap, SemanticMap
from noisyseg.labels.edges import edge_map
from noisyseg.labels.rng import keyed_rng
from noisyseg.noise import build_noise

SEEDS = range(3)
NAMES = Categories.from_names(("ground", "a", "b"))
SIZE_HW = (72, 90)
NO_NOISE = {
    "edge_bias": {"type": "noisyseg.EdgeBias", "offset": 0},
    "edge_chain": {"type": "noisyseg.Chain", "noises": [{"type": "noisyseg.EdgeShift", "rms": 0}]},
    "edge_coarse": {"type": "noisyseg.EdgeCoarse", "delta": 1},
    "edge_density_shift": {"type": "noisyseg.EdgeDensityShift", "rms": 0},
    "edge_drop": {"type": "noisyseg.EdgeDrop", "rate": 0},
    "edge_shift": {"type": "noisyseg.EdgeShift", "rms": 0},
    "edge_spurious": {"type": "noisyseg.EdgeSpurious", "rate": 0},
}
DRAWS_NOTHING = ("noisyseg.EdgeBias", "noisyseg.EdgeCoarse")


def smooth(seed, sigma, size_hw=SIZE_HW):
    return cv2.GaussianBlur(np.random.default_rng(seed).normal(size=size_hw), (0, 0), sigma)


def scene(radius=0, seed=0):
    """Returns three classes with blobs of many sizes, and an image with edges of its own."""
    classes = np.digitize(smooth(seed, 6), [0.0, 0.03]).astype(np.uint8)
    texture = smooth(seed + 9, 3)
    image = np.clip(128 + 900 * texture, 0, 255).astype(np.uint8)
    image = np.repeat(image[..., None], 3, axis=2)
    return edge_map(SemanticMap(classes, NAMES, image), radius)


def single(labels):
    return EdgeMap(
        labels.edges.any(axis=0, keepdims=True), Categories.from_names(["edge"]), labels.regions, labels.image
    )


VARIANTS = {
    "thin": lambda: scene(),
    "wide": lambda: scene(radius=2),
    "binary": lambda: single(scene()),
    "bare": lambda: scene().replace(regions=None),
    "bare_wide_numbers": lambda: (lambda s: s.replace(regions=None, edges=s.edges.astype(np.uint8)))(scene(radius=2)),
}


@pytest.fixture(params=VARIANTS.values(), ids=VARIANTS.keys())
def labels(request):
    return request.param()


def replayed(params):
    return orjson.loads(orjson.dumps(params, option=orjson.OPT_SERIALIZE_NUMPY))


def assert_equal(one, other):
    np.testing.assert_array_equal(one.edges, other.edges)
    np.testing.assert_array_equal(one.regions, other.regions)


@pytest.mark.parametrize("config", NO_NOISE.values(), ids=NO_NOISE.keys())
def test_no_noise_is_the_identity(config, labels):
    noisy = build_noise(config)(labels, keyed_rng(0))
    assert noisy.edges is labels.edges
    assert noisy.regions is labels.regions


def test_there_is_noise_and_the_seed_decides(edge_config, labels):
    noisy = [build_noise(edge_config)(labels, keyed_rng(seed)) for seed in SEEDS]
    again = [build_noise(edge_config)(labels, keyed_rng(seed)) for seed in SEEDS]
    for one, other in zip(noisy, again, strict=True):
        assert_equal(one, other)
        assert (one.edges != labels.edges).any()
    same = [np.array_equal(noisy[0].edges, other.edges) for other in noisy[1:]]
    assert all(same) if edge_config["type"] in DRAWS_NOTHING else not any(same)


def test_what_noisy_edges_keep(edge_config, labels):
    for seed in SEEDS:
        noisy = build_noise(edge_config)(labels, keyed_rng(seed))
        EdgeMap(noisy.edges, noisy.categories, noisy.regions, noisy.image)
        assert noisy.edges.dtype == labels.edges.dtype
        assert noisy.edges.shape == labels.edges.shape
        assert noisy.categories is labels.categories
        assert noisy.image is labels.image
        if noisy.regions is not None:
            assert noisy.regions.dtype == labels.regions.dtype
            assert set(np.unique(noisy.regions)) <= set(np.unique(labels.regions))
        assert not noisy.edges[~labels.edges.any(axis=(1, 2))].any()


def test_draws_are_json_and_give_the_same_edges_again(edge_config, labels):
    model = build_noise(edge_config)
    for seed in SEEDS:
        noisy, params = model.run(labels, keyed_rng(seed))
        assert_equal(model.apply(labels, params), noisy)
        assert_equal(model.apply(labels, replayed(params)), noisy)
        assert replayed(model.sample(labels, keyed_rng(seed))) == replayed(params)


def test_the_input_stays_as_it_was(edge_config, labels):
    arrays_ = [array for array in (labels.edges, labels.regions, labels.image) if array is not None]
    before = [array.copy() for array in arrays_]
    for array in arrays_:
        array.setflags(write=False)
    build_noise(edge_config)(labels, keyed_rng(1))
    for array, old in zip(arrays_, before, strict=True):
        np.testing.assert_array_equal(array, old)


def test_only_what_needs_the_image_asks_for_it(edge_config):
    model, blind = build_noise(edge_config), scene().replace(image=None)
    if model.needs_image:
        with pytest.raises(TypeError, match=f"{model.op} needs the image, but the labels have none"):
            model(blind, keyed_rng(0))
    else:
        assert_equal(model(blind, keyed_rng(0)), model(scene(), keyed_rng(0)))


@pytest.mark.parametrize("known", [True, False])
def test_no_edges_and_nothing_but_edges_are_no_problem(edge_config, known):
    model = build_noise(edge_config)
    image = np.zeros((*SIZE_HW, 3), np.uint8)
    regions = np.zeros(SIZE_HW, np.uint8) if known else None
    none = EdgeMap(np.zeros((3, *SIZE_HW), bool), NAMES, regions, image)
    assert not model(none, keyed_rng(0)).edges.any()
    all_ = EdgeMap(np.ones((3, *SIZE_HW), bool), NAMES, regions, image)
    assert model(all_, keyed_rng(0)).edges.shape == all_.edges.shape


def test_a_model_shows_its_settings(edge_config):
    model = build_noise(edge_config)
    for name, value in edge_config.items():
        if name not in ("type", "noises"):
            assert f"{name}={value!r}" in repr(model)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    classes=arrays.arrays(np.uint8, st.tuples(st.integers(1, 14), st.integers(1, 14)), elements=st.integers(0, 2)),
    radius=st.sampled_from([0, 1, 2]),
    known=st.booleans(),
    seed=st.integers(0, 99),
)
def test_any_small_map_is_no_problem(edge_config, classes, radius, known, seed):
    image = np.repeat(np.kron(classes * 90, np.ones((1, 1), np.uint8))[..., None], 3, axis=2)
    labels = edge_map(SemanticMap(classes, NAMES, image), radius)
    labels = labels if known else labels.replace(regions=None)
    model = build_noise(edge_config)
    noisy, params = model.run(labels, keyed_rng(seed))
    EdgeMap(noisy.edges, noisy.categories, noisy.regions, noisy.image)
    assert noisy.edges.shape == labels.edges.shape
    assert not noisy.edges[~labels.edges.any(axis=(1, 2))].any()
    assert_equal(model.apply(labels, replayed(params)), noisy)
