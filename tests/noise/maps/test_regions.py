import numpy as np
import pytest
from scipy import ndimage

from noisyseg.labels import Categories, Instances, Mask, SemanticMap
from noisyseg.labels.rng import keyed_rng
from noisyseg.noise import Chain, Change, ObjectNoise, Recipe, build_noise
from noisyseg.noise.classes import ClassConfusion
from noisyseg.noise.maps import ByRegion
from noisyseg.noise.maps.regions import regions
from noisyseg.noise.masks import Scale

SEEDS = range(4)
NAMES = Categories.from_names(("ground", "a", "b", "c"))


def semantic(rows):
    return SemanticMap(np.array(rows, np.uint8), NAMES)


def nearest(targets, pixel):
    """Returns the places of all targets at the smallest distance."""
    places = np.argwhere(targets)
    distances = ((places - pixel) ** 2).sum(axis=1)
    return places[distances == distances.min()]


class Replace(Recipe):
    """Replaces the regions by given ones, whatever they were."""

    def __init__(self, **changes):
        super().__init__([])
        self.changes = changes

    def apply(self, labels, params):
        return labels.replace(**self.changes)

    def run(self, labels, rng):
        return self.apply(labels, {}), {}


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
    clean = label_map.classes
    for seed in SEEDS:
        holes = ByRegion(Scale(7), fill="ignore")(label_map, keyed_rng(seed)).classes
        filled = ByRegion(Scale(7), fill="nearest")(label_map, keyed_rng(seed)).classes
        ignored = clean == 255
        open_ = (holes == 255) & ~ignored
        assert open_.any()
        split = 0
        for pixel in np.argwhere(open_):
            allowed, own = set(), clean[tuple(pixel)]
            for place in nearest((clean != own) & (open_ | (holes != own)) & ~ignored, pixel):
                if open_[tuple(place)]:
                    split += 1
                    allowed |= {holes[tuple(other)] for other in nearest(holes != 255, pixel)}
                else:
                    allowed.add(holes[tuple(place)])
            assert filled[tuple(pixel)] in allowed
        np.testing.assert_array_equal(filled[~open_], holes[~open_])
        assert split


def test_two_regions_that_both_draw_back_split_the_gap():
    given = np.zeros((12, 20), np.uint8)
    given[:, 10:] = 1
    halves = [Mask.from_frame(given == class_) for class_ in (0, 1)]
    shrunk = [Mask.from_frame(np.pad((given == 0)[:, :6], ((0, 0), (0, 14)))), halves[1]]
    shrunk[1] = Mask.from_frame(np.pad((given == 1)[:, 12:], ((0, 0), (12, 0))))
    clean = regions(semantic(given))
    model = ByRegion(Replace(masks=tuple(shrunk), boxes=clean.boxes))
    noisy = model(semantic(given), keyed_rng(0)).classes
    # Columns 6 to 11 are nobody's: the first half of them is nearer to the left region.
    np.testing.assert_array_equal(noisy, np.tile(np.arange(20) >= 9, (12, 1)))


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


def changed(labels, **changes):
    return ByRegion(Replace(**changes), background=[0])(labels, keyed_rng(0)).classes


@pytest.fixture
def two_squares():
    given = np.zeros((12, 20), np.uint8)
    given[3:9, 2:8], given[3:9, 12:18] = 1, 2
    return semantic(given)


def test_removed_regions_leave_their_pixels_to_the_fill(two_squares):
    clean = regions(two_squares, [0])
    kept = clean.take(np.array([1]))
    changes = {name: getattr(kept, name) for name in ("masks", "boxes", "classes", "source", "crowd")}
    np.testing.assert_array_equal(changed(two_squares, **changes), np.where(two_squares.classes == 2, 2, 0))


def test_an_object_model_that_removes_works_on_maps(label_map):
    class Remove(ObjectNoise):
        def draw(self, labels, i, streams):
            return {}

        def changes(self, labels, draws):
            return {i: Change(removed=True) for i in draws if labels.classes[i] == 1}

    noisy = ByRegion(Remove(), fill=3)(label_map, keyed_rng(0)).classes
    np.testing.assert_array_equal(noisy, np.where(label_map.classes == 1, 3, label_map.classes))


def test_pieces_and_invented_objects_are_painted(two_squares):
    clean = regions(two_squares, [0])
    frames = np.zeros((4, 12, 20), np.uint8)
    frames[0, 3:9, 2:4] = frames[1, 3:9, 6:8] = frames[2, 3:9, 12:18] = frames[3, 0:2, 9:11] = 1
    masks = tuple(Mask.from_frame(frame) for frame in frames)
    first, second = clean.source.tolist()
    made = Instances.from_masks(masks, [1, 1, 2, 3], NAMES, (12, 20), [first, first, second, -1])
    changes = {name: getattr(made, name) for name in ("masks", "boxes", "classes", "source", "crowd")}
    expected = np.zeros((12, 20), int)
    expected[3:9, 2:4] = expected[3:9, 6:8] = 1
    expected[3:9, 12:18], expected[0:2, 9:11] = 2, 3
    np.testing.assert_array_equal(changed(two_squares, **changes), expected)


def modules_of(model):
    """Returns the modules of a model and of all models inside it."""
    return {type(model).__module__}.union(*(modules_of(inner) for inner in getattr(model, "noises", ())))


def test_every_model_of_instances_works_by_regions(every_config, label_map, labels):
    model = build_noise(every_config)
    image = np.zeros((*label_map.size_hw, 3), np.uint8)
    clean = np.where(label_map.classes == 3, 2, label_map.classes)
    given = SemanticMap(clean, labels.categories, image)
    if model.plans:
        with pytest.raises(ValueError, match=f"noise: {model.op} counts objects over a data set"):
            ByRegion(model)
    elif any(".noise.boxes." in module for module in modules_of(model)) and "policy" not in str(every_config):
        with pytest.raises(ValueError, match=r"moved the box of region \d+ and left its mask; a map has no boxes"):
            [ByRegion(model)(given, keyed_rng(seed)) for seed in SEEDS]
    else:
        for seed in SEEDS:
            noisy = ByRegion(model)(given, keyed_rng(seed)).classes
            SemanticMap(noisy, labels.categories)
            np.testing.assert_array_equal(noisy == 255, clean == 255)


def test_a_box_that_moved_alone_is_an_error(two_squares):
    boxes = regions(two_squares, [0]).boxes - np.array([1.0, 0, 0, 0])
    with pytest.raises(ValueError, match="moved the box of region 63 and left its mask; a map has no boxes"):
        changed(two_squares, boxes=boxes)


def test_noise_that_counts_objects_is_an_error():
    model = ClassConfusion(0.5)
    model.plans = True
    with pytest.raises(ValueError, match="noise: ClassConfusion counts objects over a data set"):
        ByRegion(model)


def test_the_image_comes_along(label_map):
    seen = []

    class Look(ClassConfusion):
        needs_image = True

        def draw(self, labels, i, streams):
            seen.append(labels.image)

    image = np.zeros((*label_map.size_hw, 3), np.uint8)
    model = ByRegion(Look(0.5))
    assert model.needs_image
    model(label_map.replace(image=image), keyed_rng(0))
    assert seen
    assert all(shown is image for shown in seen)


@pytest.mark.parametrize("fill", ["far", -1])
def test_an_unknown_fill_is_an_error(fill):
    with pytest.raises(ValueError, match="fill: expected 'nearest', 'ignore' or a class number, got"):
        ByRegion(Scale(3), fill=fill)


@pytest.mark.parametrize("settings", [{"fill": 4}, {"fill": 255}, {"background": [4]}, {"background": [-1]}])
def test_a_class_that_the_map_does_not_have_is_an_error(label_map, settings):
    model = ByRegion(Scale(3), **settings)
    with pytest.raises(ValueError, match=r"background, fill: expected classes 0\.\.3, got"):
        model(label_map, keyed_rng(0))
