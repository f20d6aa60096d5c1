"""What every model of instance noise keeps to, over the table of canonical settings."""

import copy

import numpy as np
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco_mask

from noisyseg.labels import Categories, Instances, Mask
from noisyseg.labels.rng import keyed_rng
from noisyseg.noise import Chain, NoiseModel, ObjectNoise, Population, Recipe, build_noise
from noisyseg.noise.model import object_keys
from noisyseg.registry import TASK_UTILS

SEEDS = range(4)
# Models that draw nothing, so that every seed gives the same labels.
WITHOUT_DRAWS = ("Approximation",)
# Folders, and models of other folders, that cannot do with boxes only.
NEED_MASKS = ("masks", "prompts", "Split")


def population_of(labels):
    """Returns the objects of one image as those of a whole data set."""
    masks, sides = labels.masks, labels.boxes[:, 2:] - labels.boxes[:, :2]
    areas = sides.prod(axis=1) if masks is None else np.array([mask.area for mask in masks], float)
    places = np.zeros(len(labels), np.int64)
    return Population((0,), labels.categories, places, labels.source, labels.classes, areas, labels.crowd)


def ready(config, labels, seed):
    """Returns the model, planned for a data set of this one image."""
    model = build_noise(config)
    if not model.plans:
        return model
    model, left = model.planned(population_of(labels), lambda image: keyed_rng(seed))
    assert not model.plans
    assert set(left.source.tolist()) <= set(labels.source.tolist())
    return model


def run(config, labels, seed):
    return ready(config, labels, seed).run(labels, keyed_rng(seed))


def noised(config, labels, seed):
    return run(config, labels, seed)[0]


def replayed(params):
    return orjson.loads(orjson.dumps(params, option=orjson.OPT_SERIALIZE_NUMPY))


def snapshot(labels):
    """Returns the labels as plain values."""
    fields = {name: getattr(labels, name).tolist() for name in ("boxes", "classes", "source", "crowd")}
    return fields | {"masks": labels.masks and [mask.frame().tolist() for mask in labels.masks]}


def by_object(labels):
    """Returns what the labels say about each object, by its name."""
    return {key: snapshot(labels.take(np.array([i]))) for i, key in enumerate(object_keys(labels))}


def within(model):
    """Yields a model and all that are in it."""
    yield model
    for value in vars(model).values():
        for inner in value if isinstance(value, list) else [value]:
            if isinstance(inner, NoiseModel):
                yield from within(inner)


def folders(model):
    """Returns the folders of the package in which a model and those in it stand."""
    return {type(inner).__module__.removeprefix("noisyseg.noise.").partition(".")[0] for inner in within(model)}


def needs_masks(model):
    """Returns whether a model, or one in it, cannot do with boxes only."""
    return any(name in NEED_MASKS for name in folders(model) | {inner.op for inner in within(model)})


def one_by_one(model):
    """Returns whether a model treats objects one by one."""
    return isinstance(model, ObjectNoise) or (isinstance(model, Chain) and all(map(one_by_one, model.noises)))


def test_every_model_stands_in_the_table(canonical):
    ours = {
        name
        for name, model in TASK_UTILS.module_dict.items()
        if issubclass(model, NoiseModel) and model.__module__.startswith("noisyseg.")
    }
    rows = [row for kind in ("EVERY", "MAPS", "EDGES") for row in canonical[kind].values()]
    assert ours == {row["type"].removeprefix("noisyseg.") for row in rows}


def test_no_noise_is_the_identity(nothing_config, labels, assert_equal_labels):
    for seed in SEEDS:
        model = ready(nothing_config, labels, seed)
        noisy, params = model.run(labels, keyed_rng(seed))
        assert_equal_labels(noisy, labels)
        if "Scale" not in nothing_config["type"]:
            assert all(one is other for one, other in zip(noisy.masks, labels.masks, strict=True))
            assert model.history(params) == {}


def test_there_is_noise(every_config, labels):
    noisy = [snapshot(noised(every_config, labels, seed)) for seed in SEEDS]
    assert all(labels_ != snapshot(labels) for labels_ in noisy)


def test_the_seed_decides(every_config, labels, assert_equal_labels):
    for seed in SEEDS:
        assert_equal_labels(noised(every_config, labels, seed), noised(every_config, labels, seed))
    if every_config["type"].removeprefix("noisyseg.") not in WITHOUT_DRAWS:
        noisy = [snapshot(noised(every_config, labels, seed)) for seed in SEEDS]
        assert any(labels_ != noisy[0] for labels_ in noisy)


def test_the_input_stays_as_it_was(every_config, labels):
    before = snapshot(labels)
    masks = labels.masks
    for array in (labels.boxes, labels.classes, labels.source, labels.crowd, *(mask.crop.pixels for mask in masks)):
        array.setflags(write=False)
    noised(every_config, labels, 1)
    assert snapshot(labels) == before
    assert labels.masks is masks


def test_the_config_stays_as_it_was(every_config):
    before = copy.deepcopy(every_config)
    build_noise(every_config)
    assert every_config == before


def test_planning_leaves_the_model_as_it_was(every_config, labels):
    model = build_noise(every_config)
    if model.plans:
        before = repr(model)
        model.planned(population_of(labels), lambda image: keyed_rng(0))
        assert model.plans
        assert repr(model) == before
        with pytest.raises(ValueError, match="counts over the whole data set: it has to be planned"):
            model.run(labels, keyed_rng(0))
    else:
        planned, left = model.planned(population_of(labels), lambda image: keyed_rng(0))
        assert repr(planned) == repr(model)
        assert len(left) <= len(labels)


def test_draws_are_json_and_give_the_same_labels_again(every_config, labels, assert_equal_labels):
    for seed in SEEDS:
        model = ready(every_config, labels, seed)
        noisy, params = model.run(labels, keyed_rng(seed))
        assert_equal_labels(model.apply(labels, params), noisy)
        assert_equal_labels(model.apply(labels, replayed(params)), noisy)
        assert replayed(model.sample(labels, keyed_rng(seed))) == replayed(params)


def test_an_object_has_its_noise_whatever_the_others_are(every_config, labels):
    model = ready(every_config, labels, 5)
    if not one_by_one(model):
        pytest.skip(f"{model.op} looks at all objects of an image")
    alone = {}
    for i in range(len(labels)):
        alone |= by_object(model(labels.take(np.array([i])), keyed_rng(5)))
    for order in ([8, 7, 6, 5, 4, 3, 2, 1, 0], [4, 1, 7], [2, 5, 0, 3]):
        part = by_object(model(labels.take(np.array(order)), keyed_rng(5)))
        assert part == {key: alone[key] for key in part}
        assert {key for key in alone if int(key.partition(".")[0]) in labels.source[order]} == set(part)


def test_the_order_of_objects_changes_nothing(every_config, labels):
    expected = by_object(noised(every_config, labels, 6))
    for order in ([8, 7, 6, 5, 4, 3, 2, 1, 0], [3, 8, 0, 6, 1, 5, 2, 7, 4]):
        assert by_object(noised(every_config, labels.take(np.array(order)), 6)) == expected


def test_objects_keep_their_order(every_config, labels):
    noisy = noised(every_config, labels, 2).source.tolist()
    known = [source for source in noisy if source >= 0]
    # Pieces stand right behind what they were split from, and what was invented behind everything.
    assert known == sorted(known, key=labels.source.tolist().index)
    assert noisy[: len(known)] == known
    assert len(set(noisy[len(known) :])) == len(noisy) - len(known)


def test_noisy_labels_pass_the_door(every_config, labels):
    for seed in SEEDS:
        noisy = noised(every_config, labels, seed)
        fields = ("size_hw", "categories", "boxes", "classes", "masks", "source", "crowd")
        Instances(**{name: getattr(noisy, name) for name in fields})
        assert noisy.size_hw == labels.size_hw
        for name in ("boxes", "classes", "source", "crowd"):
            assert getattr(noisy, name).dtype == getattr(labels, name).dtype
        for mask in noisy.masks:
            assert set(np.unique(mask.crop.pixels)) <= {0, 1}
            np.testing.assert_array_equal(Mask.from_coco(mask.rle, mask.size_hw).frame(), mask.frame())


def test_crowds_stay_unless_asked(every_config, labels):
    noisy = noised(every_config, labels, 0)
    assert noisy.crowd.tolist() == [source == 99 for source in noisy.source]
    if every_config.get("crowds") != "noise":
        (place,) = np.flatnonzero(noisy.crowd)
        assert noisy.masks[place] is labels.masks[-1]
        assert noisy.classes[place] == labels.classes[-1]
        np.testing.assert_array_equal(noisy.boxes[place], labels.boxes[-1])


def test_history_tells_what_was_done_to_whom(every_config, labels):
    for seed in SEEDS:
        model = ready(every_config, labels, seed)
        noisy, params = model.run(labels, keyed_rng(seed))
        history = model.history(params)
        invented = {source for source in history if source < 0}
        assert {source for source in noisy.source.tolist() if source < 0} <= invented
        assert set(history) - invented <= set(labels.source.tolist())
        for entries in history.values():
            for entry in entries:
                assert set(entry) - {"piece"} == {"op", "params", "draws"}
                rebuilt = build_noise({"type": f"noisyseg.{entry['op']}"} | entry["params"])
                assert rebuilt.settings == entry["params"]
        orjson.dumps(list(history.values()))
        after = by_object(noisy)
        before = by_object(labels)
        for i, source in enumerate(labels.source.tolist()):
            if source not in history:
                assert after[str(source)] == before[str(source)]
                assert noisy.masks[noisy.source.tolist().index(source)] is labels.masks[i]


def test_no_objects_are_no_problem(every_config, labels):
    empty = labels.take(np.array([], int))
    model = ready(every_config, empty, 0)
    noisy, params = model.run(empty, keyed_rng(0))
    assert len(noisy) == 0
    assert model.history(params) == {}


def test_empty_masks_are_no_problem(every_config, labels):
    empty = labels.replace(masks=tuple(Mask.empty(labels.size_hw) for _ in labels.masks))
    if any(getattr(inner, "size", None) == "log_normal" for inner in within(build_noise(every_config))):
        with pytest.raises(ValueError, match="size: 'log_normal' is fitted to the areas of the data set"):
            ready(every_config, empty, 0)
        return
    noisy = noised(every_config, empty, 0)
    assert all(mask.area == 0 for mask, source in zip(noisy.masks, noisy.source, strict=True) if source >= 0)


def test_labels_of_boxes_only(every_config, labels, assert_equal_labels):
    boxes = labels.replace(masks=None)
    model = ready(every_config, boxes, 0)
    if needs_masks(model):
        with pytest.raises(TypeError, match="needs masks, but the labels have boxes only"):
            model(boxes, keyed_rng(0))
        return
    noisy, params = model.run(boxes, keyed_rng(0))
    assert noisy.masks is None
    assert_equal_labels(model.apply(boxes, replayed(params)), noisy)
    assert (noisy.boxes[:, :2] < noisy.boxes[:, 2:]).all()
    if folders(model) == {"classes"}:
        np.testing.assert_array_equal(noisy.classes, noised(every_config, labels, 0).classes)
        np.testing.assert_array_equal(noisy.boxes, labels.boxes)


def test_a_model_shows_its_settings(every_config):
    model = build_noise(every_config)
    assert repr(model).startswith(f"{every_config['type'].removeprefix('noisyseg.')}(")
    for name, value in every_config.items():
        built = model.settings.get(name)
        if name != "type" and not isinstance(built, NoiseModel) and name != "noises":
            assert built == value
            assert f"{name}={value!r}" in repr(model)


@st.composite
def small_labels(draw):
    """Returns a few objects on a small image: dots, blocks, blobs with holes, whole frames, twins, empty ones."""
    height, width = draw(st.integers(1, 20)), draw(st.integers(1, 20))
    frames, crowd = [], []
    for _ in range(draw(st.integers(0, 5))):
        frame = np.zeros((height, width), np.uint8)
        kind = draw(st.sampled_from(["dot", "block", "blob", "whole", "twin", "empty"]))
        top, left = draw(st.integers(0, height - 1)), draw(st.integers(0, width - 1))
        if kind == "dot":
            frame[top, left] = 1
        elif kind == "block":
            frame[top : draw(st.integers(top + 1, height)), left : draw(st.integers(left + 1, width))] = 1
        elif kind == "blob":
            frame[np.random.default_rng(draw(st.integers(0, 999))).random(frame.shape) < 0.6] = 1
        elif kind == "whole":
            frame[:] = 1
        elif kind == "twin" and frames:
            frame = frames[-1].copy()
        frames.append(frame)
        crowd.append(draw(st.booleans()) and draw(st.booleans()))
    categories = Categories((2, 5, 9), ("two", "five", "nine"), ("a", "a", "b"))
    classes = [draw(st.integers(0, 2)) for _ in frames]
    ids = draw(st.permutations(range(1, 3 * len(frames) + 1)))[: len(frames)]
    masks = [Mask.from_frame(frame) for frame in frames]
    labels = Instances.from_masks(masks, classes, categories, (height, width), ids)
    return labels.replace(crowd=np.array(crowd, bool))


@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(labels=small_labels(), seed=st.integers(0, 9), order=st.randoms(use_true_random=False))
def test_a_recipe_holds_on_any_labels(every_config, labels, seed, order):
    config = every_config
    if not isinstance(build_noise(config), Recipe):
        config = {"type": "noisyseg.Recipe", "noises": [config]}
    if not any(labels.boxes[~labels.crowd].any(axis=1)) and "log_normal" in str(config):
        return  # has no areas to fit; see test_empty_masks_are_no_problem
    before = snapshot(labels)
    model = ready(config, labels, seed)
    noisy, params = model.run(labels, keyed_rng(seed))
    assert snapshot(labels) == before

    expected = by_object(noisy)
    assert by_object(model.apply(labels, replayed(params))) == expected
    places = list(range(len(labels)))
    order.shuffle(places)
    assert by_object(noised(config, labels.take(np.array(places, int)), seed)) == expected

    history = model.history(params)
    known, given_ = set(noisy.source[noisy.source >= 0].tolist()), set(labels.source.tolist())
    assert known <= given_
    assert given_ - known <= set(history) | set(params["vanished"])
    invented = noisy.source[noisy.source < 0].tolist()
    assert len(set(invented)) == len(invented)
    assert set(invented) <= set(history)
    crowds = set(labels.source[labels.crowd].tolist())
    assert set(noisy.source[noisy.crowd].tolist()) <= crowds
    if model.crowds == "keep":
        assert crowds <= known
        assert not crowds & set(history)

    clean_masks = {id(mask) for mask in labels.masks}
    for i, mask in enumerate(noisy.masks):
        frame = coco_mask.decode(mask.rle)
        assert frame.shape == labels.size_hw
        np.testing.assert_array_equal(frame, mask.frame())
        assert mask.area == frame.sum()
        if id(mask) in clean_masks:
            continue
        assert mask.area or model.on_empty == "keep"
        if mask.area and model.boxes == "tight" and "boxes" not in folders(model):
            rows, columns = np.nonzero(frame)
            tight = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
            assert noisy.boxes[i].tolist() == list(mask.box) == tight
