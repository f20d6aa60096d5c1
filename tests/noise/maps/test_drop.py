import numpy as np
import pytest
from scipy import ndimage

from noisyseg.labels.rng import keyed_rng
from noisyseg.noise.maps import DropNoise
from noisyseg.noise.maps.units import units_of


def test_a_dropped_class_is_gone_and_nothing_else_changes(label_map):
    clean = label_map.classes
    for seed in range(6):
        model = DropNoise()
        noisy, params = model.run(label_map, keyed_rng(seed))
        (dropped,) = (unit["class"] for unit in params["units"])
        assert dropped not in noisy.classes
        np.testing.assert_array_equal(noisy.classes[clean != dropped], clean[clean != dropped])


def test_the_nearest_neighbour_takes_the_place(label_map):
    clean = label_map.classes
    for seed in range(4):
        noisy, params = DropNoise().run(label_map, keyed_rng(seed))
        dropped = params["units"][0]["class"]
        others = (clean != dropped) & (clean != 255)
        distances = ndimage.distance_transform_edt(~others)
        for pixel in np.argwhere(clean == dropped)[::7]:
            places = np.argwhere(others & (clean == noisy.classes[tuple(pixel)]))
            nearest = np.sqrt(((places - pixel) ** 2).sum(axis=1).min())
            assert nearest == pytest.approx(distances[tuple(pixel)])


@pytest.mark.parametrize(("drop_to", "value"), [("ignore", 255), (2, 2)])
def test_what_stands_there_is_as_asked(label_map, drop_to, value):
    noisy, params = DropNoise("component", 0.5, drop_to=drop_to).run(label_map, keyed_rng(0))
    expected = label_map.classes.copy()
    known = {unit.name: unit for unit in units_of(label_map, "component")}
    for drawn in params["units"]:
        unit = known[drawn["unit"]]
        expected[unit.window][unit.pixels] = value
    np.testing.assert_array_equal(noisy.classes, expected)


def test_a_map_of_one_class_has_no_neighbour_to_take_over(semantic):
    labels = semantic([[1, 1], [1, 255]])
    np.testing.assert_array_equal(DropNoise()(labels, keyed_rng(0)).classes, labels.classes)


@pytest.mark.parametrize("drop_to", ["nearest", -1, True])
def test_an_unknown_place_is_an_error(drop_to):
    with pytest.raises(ValueError, match="drop_to: expected 'neighbour', 'ignore' or a class number, got"):
        DropNoise(drop_to=drop_to)


def test_a_class_that_the_map_does_not_have_is_an_error(label_map):
    with pytest.raises(ValueError, match=r"fill: expected classes 0\.\.3, got \[9\]"):
        DropNoise(drop_to=9)(label_map, keyed_rng(0))
