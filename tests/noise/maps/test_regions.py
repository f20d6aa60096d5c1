import numpy as np
import orjson
import pytest
from scipy import ndimage

from noisyseg.labels import Categories, Instances, Mask, SemanticMap
from noisyseg.labels.rng import keyed_rng
from noisyseg.noise import Chain, Recipe, build_noise
from noisyseg.noise.classes import ClassConfusion
from noisyseg.noise.maps import ByRegion
from noisyseg.noise.maps.regions import regions
from noisyseg.noise.masks import Scale

SEEDS = range(4)
NAMES = Categories.from_names(("ground", "a", "b", "c"))


def semantic(rows):
    return SemanticMap(np.array(rows, np.uint8), NAMES)


class Replace(Recipe):
    """Replaces the regions by given ones, whatever they were."""

    def __init__(self, **changes):
        super().__init__([])
        self.changes = changes

    def apply(self, labels, params):
        return labels.replace(**self.changes)

    def run(self, labels, rng):
        return self.apply(labels, {}), {}


def test_no_noise_is_the_identity(label_map):
    for nothing in (Recipe([]), ClassConfusion(0), Scale(1)):
        for settings in ({}, {"background": [0]}, {"fill": "ignore"}, {"fill": 2}):
            noisy = ByRegion(nothing, **settings)(label_map, keyed_rng(0))
            np.testing.assert_array_equal(noisy.classes, label_map.classes)


def test_there_is_noise_and_the_seed_decides(map_config, label_map):
    noisy = [build_noise(map_config)(label_map, keyed_rng(seed)).classes for seed in SEEDS]
    again = [build_noise(map_config)(label_map, keyed_rng(seed)).classes for seed in SEEDS]
    np.testing.assert_array_equal(noisy, again)
    assert all((classes != label_map.classes).any() for classes in noisy)
    assert all((classes != noisy[0]).any() for classes in noisy[1:])


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int64])
def test_what_a_noisy_map_keeps(map_config, label_map, dtype):
    given = SemanticMap(label_map.classes.astype(dtype), label_map.categories)
    given.classes.setflags(write=False)
    ignored = given.classes == 255
    for seed in SEEDS:
        noisy = build_noise(map_config)(given, keyed_rng(seed))
        SemanticMap(noisy.classes, noisy.categories)
        assert noisy.classes.dtype == dtype
        assert (noisy.classes[ignored] == 255).all()
        if map_config.get("fill") != "ignore":
            assert (noisy.classes[~ignored] != 255).all()


def test_draws_are_json_and_give_the_same_map_again(map_config, label_map):
    model = build_noise(map_config)
    noisy, params = model.run(label_map, keyed_rng(1))
    replayed = orjson.loads(orjson.dumps(params, option=orjson.OPT_SERIALIZE_NUMPY))
    np.testing.assert_array_equal(model.apply(label_map, replayed).classes, noisy.classes)
    sampled = orjson.dumps(model.sample(label_map, keyed_rng(1)), option=orjson.OPT_SERIALIZE_NUMPY)
    assert orjson.loads(sampled) == replayed


def test_regions_are_the_connected_parts_of_each_class(label_map):
    found = regions(label_map)
    assert len(set(found.source.tolist())) == len(found)
    flat = label_map.classes.ravel()
    for class_ in range(4):
        numbers, count = ndimage.label(label_map.classes == class_, np.ones((3, 3)))
        ours = [i for i in range(len(found)) if found.classes[i] == class_]
        assert len(ours) == count
        for i in ours:
            first = found.source[i] - 1
            assert flat[first] == class_
            region = numbers == numbers.ravel()[first]
            np.testing.assert_array_equal(found.masks[i].frame(), region)
            assert np.flatnonzero(region)[0] == first
    assert sum(mask.area for mask in found.masks) == (label_map.classes != 255).sum()


def test_background_is_no_region(label_map):
    assert 0 not in regions(label_map, [0]).classes
    assert len(regions(label_map, [0, 1, 2, 3])) == 0


def test_background_stays_under_a_region_that_grows_or_shrinks():
    given = np.zeros((20, 20), np.uint8)
    given[5:15, 5:15] = 1
    model = ByRegion(Scale(3), background=[0], fill=0)
    noisy = [model(SemanticMap(given, NAMES), keyed_rng(seed)).classes.tolist() for seed in range(8)]
    grown, shrunk = np.zeros((2, 20, 20), int)
    grown[4:16, 4:16] = shrunk[6:14, 6:14] = 1
    assert grown.tolist() in noisy
    assert shrunk.tolist() in noisy
    assert all(classes in (grown.tolist(), shrunk.tolist()) for classes in noisy)


def test_the_nearest_pixel_fills_what_is_left(label_map):
    for seed in SEEDS:
        holes = ByRegion(Scale(7), fill="ignore")(label_map, keyed_rng(seed)).classes
        filled = ByRegion(Scale(7), fill="nearest")(label_map, keyed_rng(seed)).classes
        ignored = label_map.classes == 255
        open_ = (holes == 255) & ~ignored
        assert open_.any()
        for pixel in np.argwhere(open_):
            others = (holes != 255) & (label_map.classes != label_map.classes[tuple(pixel)])
            distances = ((np.argwhere(others) - pixel) ** 2).sum(axis=1)
            nearest = set(holes[others][distances == distances.min()].tolist())
            assert filled[tuple(pixel)] in nearest
        np.testing.assert_array_equal(filled[~open_], holes[~open_])


def test_a_region_that_draws_back_loses_its_whole_rim_to_its_neighbour():
    given = np.zeros((20, 20), np.uint8)
    given[5:15, 5:15] = 1
    model = ByRegion(Scale(3), background=[0])
    noisy = [model(SemanticMap(given, NAMES), keyed_rng(seed)).classes for seed in range(8)]
    assert {int((classes == 1).sum()) for classes in noisy} == {8 * 8, 12 * 12}


def test_a_number_fills_what_is_left(label_map):
    holes = ByRegion(Scale(7), fill="ignore")(label_map, keyed_rng(0)).classes
    filled = ByRegion(Scale(7), fill=3)(label_map, keyed_rng(0)).classes
    np.testing.assert_array_equal(filled, np.where((holes == 255) & (label_map.classes != 255), 3, holes))


def test_where_everything_is_gone_the_map_stays(label_map):
    gone = Replace(masks=(), boxes=np.zeros((0, 4)), classes=np.array([], int), source=np.array([], int))
    noisy = ByRegion(gone)(label_map, keyed_rng(0))
    np.testing.assert_array_equal(noisy.classes, label_map.classes)


def test_small_regions_are_painted_over_large_ones():
    small, large = np.zeros((2, 6, 8), np.uint8)
    small[2:4, 2:4] = 1
    large[1:6, 1:8] = 1
    made = [Mask.from_frame(frame) for frame in (small, large)]
    both = Instances.from_masks(made, [1, 2], NAMES, (6, 8))
    changes = {name: getattr(both, name) for name in ("masks", "boxes", "classes", "source", "crowd")}
    noisy = ByRegion(Replace(**changes), background=[0])(semantic(np.zeros((6, 8))), keyed_rng(0)).classes
    np.testing.assert_array_equal(noisy, np.where(small, 1, np.where(large, 2, 0)))


def test_a_class_is_confused_region_by_region(label_map):
    noisy = ByRegion(ClassConfusion(1.0, include_self=False))(label_map, keyed_rng(0)).classes
    for region, class_ in zip(regions(label_map).masks, regions(label_map).classes, strict=True):
        (new,) = np.unique(noisy[region.frame() != 0])
        assert new != class_


def test_two_of_them_in_a_chain_draw_anew(label_map):
    # Scale by one pixel tosses its coin and changes nothing, so both see the same regions.
    model = Chain([ByRegion(Scale(1)), ByRegion(Scale(1))])
    noisy, params = model.run(label_map, keyed_rng(0))
    np.testing.assert_array_equal(model.apply(label_map, params).classes, label_map.classes)
    np.testing.assert_array_equal(noisy.classes, label_map.classes)
    one, two = (step["regions"]["objects"] for step in params["steps"])
    assert one.keys() == two.keys()
    assert one != two


def test_a_map_that_is_all_ignored_stays():
    labels = semantic(np.full((5, 6), 255))
    for fill in ("nearest", "ignore", 0):
        noisy = ByRegion(Scale(3), fill=fill)(labels, keyed_rng(0))
        np.testing.assert_array_equal(noisy.classes, labels.classes)


def test_it_keeps_no_history(label_map):
    model = ByRegion(Scale(3))
    with pytest.raises(TypeError, match="ByRegion keeps no history of single objects"):
        model.history(model.sample(label_map, keyed_rng(0)))


@pytest.mark.parametrize("fill", ["far", -1])
def test_an_unknown_fill_is_an_error(fill):
    with pytest.raises(ValueError, match="fill: expected 'nearest', 'ignore' or a class number, got"):
        ByRegion(Scale(3), fill=fill)


@pytest.mark.parametrize("settings", [{"fill": 4}, {"fill": 255}, {"background": [4]}, {"background": [-1]}])
def test_a_class_that_the_map_does_not_have_is_an_error(label_map, settings):
    model = ByRegion(Scale(3), **settings)
    with pytest.raises(ValueError, match=r"background, fill: expected classes 0\.\.3, got"):
        model(label_map, keyed_rng(0))
