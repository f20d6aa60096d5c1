import numpy as np
import pytest
from scipy import stats

from noisyseg.labels import Categories, Instances, Mask, SemanticMap
from noisyseg.labels.rng import keyed_rng
from noisyseg.noise import Chain, NoiseConfigError, OneOf, Recipe, build_noise
from noisyseg.noise.classes import ClassConfusion
from noisyseg.noise.masks import Approximation, Localization, Scale
from noisyseg.registry import TASK_UTILS

OBJECTS = 4000
SHRINK = {"type": "noisyseg.Scale", "size": 9}


@pytest.fixture(scope="module")
def many():
    """Returns many equal squares of 5 px, which an erosion by 9 px removes."""
    square = Mask.from_frame(np.pad(np.ones((5, 5), np.uint8), 6))
    categories = Categories.from_names("abcd")
    return Instances.from_masks([square] * OBJECTS, [0] * OBJECTS, categories, square.size_hw)


def coins(step):
    """Returns for each source whether it grew, from the draws of Scale, alone or chosen by OneOf."""
    return {source: draws.get("draws", draws)["grow"] for source, draws in step["objects"].items()}


def independent(one, other):
    """Returns whether two coins that are tossed for the same sources agree in half of the cases."""
    sources = one.keys() & other.keys()
    agree = sum(one[source] == other[source] for source in sources)
    return len(sources) > 500 and stats.binomtest(agree, len(sources), 0.5).pvalue > 0.001


def test_a_config_is_built_and_a_model_comes_back():
    model = build_noise({"type": "noisyseg.Scale", "size": 3})
    assert isinstance(model, Scale)
    assert build_noise(model) is model
    assert isinstance(build_noise({"type": "Scale", "size": 3}), Scale)
    assert isinstance(TASK_UTILS.build({"type": "noisyseg.Scale", "size": 3}), Scale)


def test_what_is_no_noise_is_an_error():
    with pytest.raises(NoiseConfigError, match=r"^noise: .*NoSuchNoise"):
        build_noise({"type": "noisyseg.NoSuchNoise"})
    with pytest.raises(NoiseConfigError, match=r"^noise: expected dict\(type=\.\.\.\)"):
        build_noise({"size": 3})
    with pytest.raises(NoiseConfigError, match=r"^noise: .*unexpected keyword argument 'siez'"):
        build_noise({"type": "noisyseg.Scale", "siez": 3})


def test_an_error_in_a_recipe_says_where_it_stands():
    nested = {
        "type": "noisyseg.Recipe",
        "noises": [
            {"type": "noisyseg.ClassConfusion", "rate": 0.1},
            {"type": "noisyseg.OneOf", "noises": [{"type": "noisyseg.Scale", "size": 4}], "probs": [1.0]},
        ],
    }
    with pytest.raises(NoiseConfigError, match=r"^noise\.noises\[1\]\.noises\[0\]\.size: expected an odd number"):
        build_noise(nested)
    nested["noises"][1]["noises"][0]["size"] = 3
    nested["noises"][1]["probs"] = [1.5]
    with pytest.raises(NoiseConfigError, match=r"^noise\.noises\[1\]\.probs: expected shares"):
        build_noise(nested)


def test_a_chain_is_for_one_kind_of_labels():
    by_region = {"type": "noisyseg.ByRegion", "noise": SHRINK}
    assert Chain([by_region]).takes is SemanticMap
    with pytest.raises(NoiseConfigError, match=r"noises\[1\]: expected noise for SemanticMap, but Scale is for Inst"):
        Chain([by_region, SHRINK])
    with pytest.raises(NoiseConfigError, match=r"noises\[0\]: expected noise for Instances, but it is for SemanticMap"):
        Recipe([by_region])


def test_a_chain_applies_one_after_the_other(labels, assert_equal_labels):
    chain = Chain([Scale(3), ClassConfusion(1.0), Localization(2)])
    noisy, params = chain.run(labels, keyed_rng(0))
    by_hand = labels
    for noise, step in zip(chain.noises, params["steps"], strict=True):
        by_hand = noise.apply(by_hand, step)
    assert_equal_labels(noisy, by_hand)


def test_the_place_in_a_chain_changes_no_draw(many):
    one, two, three = Scale(3), ClassConfusion(0.5), OneOf([Approximation(3)], [0.3])
    steps = Chain([one, two, three]).sample(many, keyed_rng(0))["steps"]
    assert Chain([three, one, two]).sample(many, keyed_rng(0))["steps"] == [steps[2], steps[0], steps[1]]
    assert Chain([two]).sample(many, keyed_rng(0))["steps"] == [steps[1]]


def test_a_model_that_occurs_again_draws_anew(many):
    first, second, third = Chain([Scale(3), Scale(3), Scale(5)]).sample(many, keyed_rng(0))["steps"]
    assert independent(coins(first), coins(second))
    assert independent(coins(first), coins(third))
    assert independent(coins(second), coins(third))


def test_a_model_inside_another_draws_anew(many):
    inside, outside = Chain([OneOf([Scale(3)], [0.6]), Scale(3)]).sample(many, keyed_rng(0))["steps"]
    assert independent(coins(inside), coins(outside))
    outer, nested = Chain([Scale(3), Chain([Scale(3)])]).sample(many, keyed_rng(0))["steps"]
    assert independent(coins(outer), coins(nested["steps"][0]))


@pytest.mark.parametrize("probs", [[0.3, 0.3, 0.3], [0.2, 0.0, 0.8], [1.0, 0, 0]])
def test_one_of_gives_each_model_its_share(many, probs):
    model = OneOf([Approximation(1), Localization(1), Scale(3)], probs)
    objects = model.sample(many, keyed_rng(2))["objects"]
    chosen = [draws["choice"] for draws in objects.values()]
    for choice, share in enumerate(probs):
        assert stats.binomtest(chosen.count(choice), OBJECTS, share).pvalue > 0.001
    assert stats.binomtest(len(objects), OBJECTS, min(sum(probs), 1)).pvalue > 0.001


def test_one_of_inside_one_of_keeps_the_shares(many):
    inner = OneOf([ClassConfusion(1.0, include_self=False), Scale(3)], [0.25, 0.5])
    objects = OneOf([Scale(5), inner], [0.4, 0.4]).sample(many, keyed_rng(0))["objects"]
    chosen = [draws["draws"].get("choice") for draws in objects.values() if draws["choice"] == 1]
    assert stats.binomtest(chosen.count(0), OBJECTS, 0.4 * 0.25).pvalue > 0.001
    assert stats.binomtest(chosen.count(1), OBJECTS, 0.4 * 0.5).pvalue > 0.001


def test_one_of_tells_the_model_that_it_chose(many):
    model = OneOf([Scale(3), Scale(5)], [0.5, 0.5])
    history = model.history(model.sample(many, keyed_rng(0)))
    assert len(history) == OBJECTS
    assert {entries[0]["op"] for entries in history.values()} == {"Scale"}
    assert {entries[0]["params"]["size"] for entries in history.values()} == {3, 5}


@pytest.mark.parametrize(
    ("probs", "problem"),
    [
        ([0.5], "probs: expected 2, one a model, got 1"),
        ([0.6, 0.5], r"sum to at most 1, got \[0.6, 0.5\]"),
        ([-0.1, 0.5], r"shares in \[0, 1\]"),
        ([1.5, -0.5], r"shares in \[0, 1\]"),
        ([float("nan"), 0.5], r"shares in \[0, 1\]"),
    ],
)
def test_wrong_shares_are_an_error(probs, problem):
    with pytest.raises(ValueError, match=problem):
        OneOf([Scale(3), Scale(5)], probs)


def test_shares_that_round_to_one_are_fine():
    assert len(OneOf([Scale(3)] * 10, [0.1] * 10).noises) == 10


def test_one_of_takes_only_models_of_single_objects():
    with pytest.raises(ValueError, match=r"noises\[0\]: expected a model that treats objects one by one, got Chain"):
        OneOf([Chain([])], [1.0])


def erased(many, seed=0):
    """Returns which of the squares vanish under SHRINK."""
    noisy = Recipe([SHRINK], on_empty="keep")(many, keyed_rng(seed))
    return np.array([mask.area == 0 for mask in noisy.masks])


def test_what_vanishes_is_restored_dropped_or_kept(many):
    gone = erased(many)
    assert 0.4 < gone.mean() < 0.6

    restored, params = Recipe([SHRINK]).run(many, keyed_rng(0))
    assert params["vanished"] == many.source[gone].tolist()
    assert all(restored.masks[i] is many.masks[i] for i in np.flatnonzero(gone))
    assert len(restored) == OBJECTS

    dropped = Recipe([SHRINK], on_empty="drop")(many, keyed_rng(0))
    assert dropped.source.tolist() == many.source[~gone].tolist()

    kept = Recipe([SHRINK], on_empty="keep")(many, keyed_rng(0))
    assert kept.boxes[gone].tolist() == [[0, 0, 0, 0]] * gone.sum()
    for noisy in (restored, dropped, kept):
        assert all(mask.box == tuple(box) for mask, box in zip(noisy.masks, noisy.boxes.tolist(), strict=True))


def test_boxes_are_tight_or_stay(labels):
    for boxes in ("tight", "keep"):
        noisy = Recipe([Scale(5)], boxes=boxes)(labels, keyed_rng(0))
        tight = np.array([mask.box for mask in noisy.masks])
        assert (noisy.boxes == (tight if boxes == "tight" else labels.boxes)).all()
        assert not (tight == labels.boxes).all()


def test_a_loose_box_around_an_untouched_mask_stays(labels):
    loose = labels.replace(boxes=np.add(labels.boxes, [-0.5, 0, 0.25, 0]))
    noisy = Recipe([OneOf([Scale(5)], [0.5])])(loose, keyed_rng(3))
    touched = [one is not other for one, other in zip(noisy.masks, labels.masks, strict=True)]
    assert 0 < sum(touched) < len(labels)
    for i, box in enumerate(noisy.boxes):
        assert tuple(box) == (noisy.masks[i].box if touched[i] else tuple(loose.boxes[i]))


def test_crowds_are_kept_or_noised(labels):
    assert labels.crowd[-1]
    kept = Recipe([Scale(5), ClassConfusion(1.0, include_self=False)])(labels, keyed_rng(0))
    assert kept.masks[-1] is labels.masks[-1]
    assert kept.classes[-1] == labels.classes[-1]
    noisy = Recipe([Scale(5), ClassConfusion(1.0, include_self=False)], crowds="noise")(labels, keyed_rng(0))
    assert noisy.masks[-1].area != labels.masks[-1].area
    assert noisy.classes[-1] != labels.classes[-1]
    assert noisy.crowd.tolist() == labels.crowd.tolist()


def test_boxes_alone_pass_a_recipe_of_class_noise(labels):
    noisy, params = Recipe([ClassConfusion(1.0, include_self=False)]).run(labels.replace(masks=None), keyed_rng(0))
    assert noisy.masks is None
    assert params["vanished"] == []
    assert (noisy.classes != labels.classes).sum() == len(labels) - 1


@pytest.mark.parametrize(
    ("option", "problem"),
    [
        ({"on_empty": "delete"}, "on_empty: expected one of restore, drop, keep, got 'delete'"),
        ({"boxes": True}, "boxes: expected one of tight, keep, got True"),
        ({"crowds": "ignore"}, "crowds: expected one of keep, noise, got 'ignore'"),
    ],
)
def test_an_unknown_option_is_an_error(option, problem):
    with pytest.raises(ValueError, match=problem):
        Recipe([], **option)
