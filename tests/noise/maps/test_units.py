import numpy as np
import pytest

from noisyseg.labels import SemanticMap
from noisyseg.labels.rng import keyed_rng
from noisyseg.noise.classes import ClassConfusion
from noisyseg.noise.maps import DropNoise, MapConfusion
from noisyseg.noise.maps.units import framed, units_of


def test_units_are_classes_or_components(semantic):
    labels = semantic([[1, 0, 0, 1], [0, 2, 255, 1], [2, 0, 0, 1]])
    classes = units_of(labels, "class", [0])
    assert [(unit.name, unit.class_, unit.area, unit.box) for unit in classes] == [
        (1, 1, 4, [0, 0, 4, 3]),
        (2, 2, 2, [0, 1, 2, 3]),
    ]
    components = units_of(labels, "component", [0])
    assert [(unit.name, unit.class_, unit.area, unit.box) for unit in components] == [
        (1, 1, 1, [0, 0, 1, 1]),
        (4, 1, 3, [3, 0, 4, 3]),
        (6, 2, 2, [0, 1, 2, 3]),
    ]
    assert [unit.class_ for unit in units_of(labels, "class")] == [0, 1, 2]


def test_units_of_both_kinds_cover_the_map(label_map):
    for kind in ("class", "component"):
        canvas = np.full(label_map.size_hw, 255)
        for unit in units_of(label_map, kind):
            assert (canvas[unit.window][unit.pixels] == 255).all()
            canvas[unit.window][unit.pixels] = unit.class_
            left, top, pixels = framed(unit, 3, label_map.size_hw)
            frame = np.zeros(label_map.size_hw, bool)
            frame[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
            assert frame.sum() == unit.area
            assert frame[unit.window].sum() == unit.area
        np.testing.assert_array_equal(canvas, label_map.classes)


def test_the_record_names_class_area_and_box(label_map):
    params = DropNoise(unit="component", rate=0.6).sample(label_map, keyed_rng(0))
    known = {unit.name: unit for unit in units_of(label_map, "component")}
    assert 0 < len(params["units"]) < len(known)
    for drawn in params["units"]:
        unit = known[drawn["unit"]]
        assert drawn == {"unit": unit.name, "class": unit.class_, "area": unit.area, "box": unit.box}


def test_each_unit_is_hit_at_the_rate(tiles, assert_share):
    model = DropNoise(unit="component", rate=0.3, background=[0])
    for seed in range(3):
        assert_share(len(model.sample(tiles, keyed_rng(seed))["units"]), 2500, 0.3)


def test_whether_a_unit_is_hit_does_not_depend_on_the_others(tiles):
    model = DropNoise(unit="component", rate=0.3, background=[0])
    names = {drawn["unit"] for drawn in model.sample(tiles, keyed_rng(0))["units"]}
    half = tiles.classes.copy()
    half[:, 100:] = 0
    left = {drawn["unit"] for drawn in model.sample(tiles.replace(classes=half), keyed_rng(0))["units"]}
    assert left == {name for name in names if (name - 1) % 200 < 100}


def test_more_are_hit_at_a_higher_rate_and_none_less(tiles):
    hit = [
        {drawn["unit"] for drawn in DropNoise("component", rate, background=[0]).sample(tiles, keyed_rng(0))["units"]}
        for rate in (0.1, 0.4, 1.0)
    ]
    assert hit[0] < hit[1] < hit[2]
    assert len(hit[2]) == 2500


def test_without_a_rate_it_is_one_unit_each_as_often(semantic, assert_share):
    labels = semantic([[0, 1, 2, 3]] * 2)
    model = DropNoise(background=[0])
    drawn = [model.sample(labels, keyed_rng(seed))["units"] for seed in range(900)]
    assert {len(units) for units in drawn} == {1}
    for class_ in (1, 2, 3):
        assert_share(sum(units[0]["class"] == class_ for units in drawn), 900, 1 / 3)


def test_images_are_hit_at_their_rate(semantic, assert_share):
    labels = semantic([[1, 2]])
    hit = [bool(DropNoise(image_rate=0.3).sample(labels, keyed_rng(seed))["units"]) for seed in range(1000)]
    assert_share(sum(hit), 1000, 0.3)


def test_small_units_are_not_hit(label_map):
    drawn = DropNoise(unit="component", rate=1.0, min_area=50).sample(label_map, keyed_rng(0))["units"]
    areas = [unit.area for unit in units_of(label_map, "component")]
    assert sorted(unit["area"] for unit in drawn) == sorted(area for area in areas if area >= 50)
    assert min(areas) < 50


def test_the_draws_of_another_map_are_an_error(label_map, semantic):
    for model in (DropNoise(unit="component", rate=1.0), MapConfusion(ClassConfusion(1.0))):
        params = model.sample(label_map, keyed_rng(0))
        with pytest.raises(ValueError, match=r"params: expected names of units of this map, got \["):
            model.apply(semantic([[1, 2]]), params)


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"unit": "pixel"}, "unit: expected 'class' or 'component', got 'pixel'"),
        ({"rate": 1.2}, r"rate: expected a share in \[0, 1\], got 1.2"),
        ({"image_rate": -0.1}, r"image_rate: expected a share in \[0, 1\], got -0.1"),
        ({"min_area": -1}, "min_area: expected pixels >= 0, got -1"),
    ],
)
def test_what_cannot_be_used_is_an_error(settings, problem):
    with pytest.raises(ValueError, match=problem):
        DropNoise(**settings)


def test_a_background_that_the_map_does_not_have_is_an_error(label_map):
    with pytest.raises(ValueError, match=r"background: expected classes 0\.\.3, got \[4\]"):
        DropNoise(background=[4])(label_map, keyed_rng(0))


def test_a_dtype_that_cannot_hold_what_is_written_is_an_error(label_map):
    labels = SemanticMap(np.ones((2, 2), np.int8), label_map.categories)
    with pytest.raises(ValueError, match="fill: expected a map whose dtype can hold 255, got int8"):
        DropNoise(drop_to="ignore")(labels, keyed_rng(0))
