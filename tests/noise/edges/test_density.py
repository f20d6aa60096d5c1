import numpy as np
import pytest

from noisyseg.labels import Categories, EdgeMap
from noisyseg.labels.rng import keyed_rng
from noisyseg.noise.edges import EdgeDensityShift, EdgeShift


@pytest.fixture
def half_textured():
    """Returns horizontal lines over an image that has texture on the right half only."""
    edges = np.zeros((1, 200, 300), bool)
    edges[0, 20:190:40] = True
    image = np.zeros((200, 300, 3), np.uint8)
    image[:, 150:] = np.kron(np.random.default_rng(0).integers(0, 2, (40, 30)), np.ones((5, 5)))[..., None] * 255
    return EdgeMap(edges, Categories.from_names("e"), None, image)


def test_edges_move_where_there_is_much_to_see(half_textured):
    model = EdgeDensityShift(3)
    for seed in range(3):
        params = model.sample(half_textured, keyed_rng(seed))
        lengths = np.hypot(*model.displacement(half_textured, params))
        assert lengths[:, :60].max() < 0.01
        assert lengths[:, 200:].mean() > 2
        assert lengths.max() <= 15 + 1e-9
        noisy = model.apply(half_textured, params)
        np.testing.assert_array_equal(noisy.edges[:, :, :60], half_textured.edges[:, :, :60])


def test_the_factor_is_one_on_the_average_edge_pixel(half_textured):
    model, plain = EdgeDensityShift(3, max_shift=1e6), EdgeShift(3, max_shift=1e6)
    params = model.sample(half_textured, keyed_rng(0))
    factor = np.hypot(*model.displacement(half_textured, params)) / np.hypot(*plain.displacement(half_textured, params))
    assert factor[half_textured.edges[0]].mean() == pytest.approx(1)


def test_an_even_texture_moves_edges_as_without_it(half_textured):
    even = np.kron(np.indices((100, 150)).sum(axis=0) // 4 % 2, np.ones((2, 2)))[..., None] * np.array([255] * 3)
    labels = half_textured.replace(image=even.astype(np.uint8))
    model = EdgeDensityShift(3)
    params = model.sample(labels, keyed_rng(0))
    np.testing.assert_allclose(
        model.displacement(labels, params)[:, 40:160, 40:260],
        EdgeShift(3).displacement(labels, params)[:, 40:160, 40:260],
        rtol=0.2,
        atol=0.05,
    )


def test_an_image_without_anything_to_see_moves_nothing(half_textured):
    flat = half_textured.replace(image=np.zeros_like(half_textured.image))
    np.testing.assert_array_equal(EdgeDensityShift(3)(flat, keyed_rng(0)).edges, flat.edges)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rms": 20}, "rms: expected a length in"),
        ({"rms": 1, "sigma": -1}, "sigma: expected a length > 0, got -1"),
        ({"rms": 1, "low": -5}, "low: expected a threshold in"),
    ],
)
def test_bad_settings_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        EdgeDensityShift(**arguments)
