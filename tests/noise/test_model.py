"""What every noise model keeps to, over the table of canonical settings."""

import copy

import numpy as np
import orjson

from noisyseg.labels import Instances, Mask
from noisyseg.labels.rng import keyed_rng
from noisyseg.noise import NoiseModel, build_noise
from noisyseg.registry import TASK_UTILS

SEEDS = range(4)


def replayed(params):
    return orjson.loads(orjson.dumps(params, option=orjson.OPT_SERIALIZE_NUMPY))


def snapshot(labels):
    """Returns the labels as plain values."""
    fields = {name: getattr(labels, name).tolist() for name in ("boxes", "classes", "source", "crowd")}
    return fields | {"masks": labels.masks and [mask.frame().tolist() for mask in labels.masks]}


def test_every_model_stands_in_the_table(canonical):
    ours = {
        name
        for name, model in TASK_UTILS.module_dict.items()
        if issubclass(model, NoiseModel) and model.__module__.startswith("noisyseg.")
    }
    rows = [row for kind in ("EVERY", "MAPS", "EDGES") for row in canonical[kind].values()]
    assert ours == {row["type"].removeprefix("noisyseg.") for row in rows}


def test_no_noise_is_the_identity(nothing_config, labels, assert_equal_labels):
    model = build_noise(nothing_config)
    for seed in SEEDS:
        noisy, params = model.run(labels, keyed_rng(seed))
        assert_equal_labels(noisy, labels)
        if "Scale" not in nothing_config["type"]:
            assert all(one is other for one, other in zip(noisy.masks, labels.masks, strict=True))
            assert model.history(params) == {}


def test_there_is_noise(every_config, labels):
    model = build_noise(every_config)
    noisy = [snapshot(model(labels, keyed_rng(seed))) for seed in SEEDS]
    assert all(labels_ != snapshot(labels) for labels_ in noisy)


def test_the_seed_decides(every_config, labels, assert_equal_labels):
    model = build_noise(every_config)
    for seed in SEEDS:
        assert_equal_labels(model(labels, keyed_rng(seed)), build_noise(every_config)(labels, keyed_rng(seed)))
    if "Approximation" not in every_config["type"]:
        noisy = [snapshot(model(labels, keyed_rng(seed))) for seed in SEEDS]
        assert any(labels_ != noisy[0] for labels_ in noisy)


def test_the_input_stays_as_it_was(every_config, labels):
    before = snapshot(labels)
    masks = labels.masks
    for array in (labels.boxes, labels.classes, labels.source, labels.crowd, *(mask.crop.pixels for mask in masks)):
        array.setflags(write=False)
    build_noise(every_config)(labels, keyed_rng(1))
    assert snapshot(labels) == before
    assert labels.masks is masks


def test_the_config_stays_as_it_was(every_config):
    before = copy.deepcopy(every_config)
    build_noise(every_config)
    assert every_config == before


def test_draws_are_json_and_give_the_same_labels_again(every_config, labels, assert_equal_labels):
    model = build_noise(every_config)
    for seed in SEEDS:
        noisy, params = model.run(labels, keyed_rng(seed))
        assert_equal_labels(model.apply(labels, params), noisy)
        assert_equal_labels(model.apply(labels, replayed(params)), noisy)
        assert replayed(model.sample(labels, keyed_rng(seed))) == replayed(params)


def test_an_object_has_its_noise_whatever_the_others_are(every_config, labels):
    model = build_noise(every_config)
    alone = {}
    for i in range(len(labels)):
        one = model(labels.take(np.array([i])), keyed_rng(5))
        alone |= {source: (snapshot(one.take(np.array([k])))) for k, source in enumerate(one.source.tolist())}
    for order in ([8, 7, 6, 5, 4, 3, 2, 1, 0], [4, 1, 7], [2, 5, 0, 3]):
        part = model(labels.take(np.array(order)), keyed_rng(5))
        for k, source in enumerate(part.source.tolist()):
            assert snapshot(part.take(np.array([k]))) == alone[source]


def test_objects_keep_their_order(every_config, labels):
    noisy = build_noise(every_config)(labels, keyed_rng(2))
    kept = [source for source in labels.source.tolist() if source in noisy.source]
    assert noisy.source.tolist() == kept


def test_noisy_labels_pass_the_door(every_config, labels):
    for seed in SEEDS:
        noisy = build_noise(every_config)(labels, keyed_rng(seed))
        fields = ("size_hw", "categories", "boxes", "classes", "masks", "source", "crowd")
        Instances(**{name: getattr(noisy, name) for name in fields})
        assert noisy.size_hw == labels.size_hw
        assert noisy.classes.dtype == labels.classes.dtype
        for mask in noisy.masks:
            assert set(np.unique(mask.crop.pixels)) <= {0, 1}
            np.testing.assert_array_equal(Mask.from_coco(mask.rle, mask.size_hw).frame(), mask.frame())


def test_crowds_stay_unless_asked(every_config, labels):
    noisy = build_noise(every_config)(labels, keyed_rng(0))
    assert noisy.crowd.tolist() == [source == 99 for source in noisy.source]
    if every_config.get("crowds") != "noise":
        assert noisy.masks[-1] is labels.masks[-1]
        assert noisy.classes[-1] == labels.classes[-1]


def test_history_tells_what_was_done_to_whom(every_config, labels):
    model = build_noise(every_config)
    for seed in SEEDS:
        noisy, params = model.run(labels, keyed_rng(seed))
        history = model.history(params)
        assert set(history) <= set(labels.source.tolist())
        for entries in history.values():
            for entry in entries:
                assert set(entry) == {"op", "params", "draws"}
                rebuilt = build_noise({"type": f"noisyseg.{entry['op']}"} | entry["params"])
                assert rebuilt.settings == entry["params"]
        orjson.dumps(list(history.values()))
        after = dict(zip(noisy.source.tolist(), noisy.masks, strict=True))
        for source, mask, class_ in zip(labels.source.tolist(), labels.masks, labels.classes, strict=True):
            if source not in history:
                assert after[source] is mask
                assert noisy.classes[noisy.source == source].tolist() == [class_]


def test_no_objects_are_no_problem(every_config, labels):
    empty = labels.take(np.array([], int))
    noisy, params = build_noise(every_config).run(empty, keyed_rng(0))
    assert len(noisy) == 0
    assert build_noise(every_config).history(params) == {}


def test_empty_masks_are_no_problem(every_config, labels):
    empty = labels.replace(masks=tuple(Mask.empty(labels.size_hw) for _ in labels.masks))
    noisy = build_noise(every_config)(empty, keyed_rng(0))
    assert all(mask.area == 0 for mask in noisy.masks)


def test_labels_of_boxes_only(every_config, labels):
    boxes = labels.replace(masks=None)
    model = build_noise(every_config)
    folder = type(model).__module__.split(".")[2]
    try:
        noisy = model(boxes, keyed_rng(0))
    except TypeError as error:
        assert folder not in ("boxes", "classes")
        assert "needs masks, but the labels have boxes only" in str(error)  # noqa: PT017 - some models need none
        return
    assert folder != "masks"
    assert noisy.masks is None
    if folder == "classes":
        np.testing.assert_array_equal(noisy.classes, model(labels, keyed_rng(0)).classes)
        np.testing.assert_array_equal(noisy.boxes, labels.boxes)


def test_a_model_shows_its_settings(every_config):
    model = build_noise(every_config)
    assert repr(model).startswith(f"{every_config['type'].removeprefix('noisyseg.')}(")
    for name, value in every_config.items():
        if name not in ("type", "noises"):
            assert model.settings[name] == value
            assert f"{name}={value!r}" in repr(model)
