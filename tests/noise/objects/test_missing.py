from functools import partial
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from noisyseg.labels.rng import keyed_rng
from noisyseg.noise import Chain
from noisyseg.noise.objects import Missing

RATES = (0.05, 0.3, 0.5, 0.7, 1.0)
BY_RATE = ("bernoulli", "per_image_exact", "global_exact", "per_class_exact", "size_biased")
SMALL_FIRST = {"protocol": "size_biased", "beta": 0.7}


def objects(images):
    """Returns the ids of all objects that are no crowds, by image."""
    return {key: set(labels.source[~labels.crowd].tolist()) for key, labels in images.items()}


def union(sets):
    return set().union(*sets)


def settings_of(protocol):
    return SMALL_FIRST if protocol == "size_biased" else {"protocol": protocol}


@pytest.mark.parametrize("protocol", BY_RATE)
def test_what_is_missing_at_a_lower_rate_is_missing_at_a_higher_one(images, left_after, protocol):
    left = [left_after(Missing(rate, **settings_of(protocol)), images) for rate in RATES]
    assert all(more < fewer for fewer, more in pairwise(left))


@pytest.mark.parametrize("guard", ["last", "official"])
def test_a_guard_keeps_what_is_missing_nested(images, left_after, guard):
    for protocol in ("bernoulli", "per_image_exact"):
        left = [left_after(Missing(rate, protocol, guard), images) for rate in RATES]
        assert all(more <= fewer for fewer, more in pairwise(left))


def test_easy_hard_and_extreme_are_nested(images, left_after):
    easy, hard, extreme = (
        left_after(Missing(protocol=name), images) for name in ("remove_one", "remove_half", "keep_one")
    )
    assert extreme < hard < easy


@pytest.mark.parametrize("protocol", BY_RATE)
def test_crowds_and_survivors_stay_as_they_were(images, run_over, protocol):
    for key, (noisy, _) in run_over(Missing(0.6, **settings_of(protocol)), images).items():
        clean = images[key]
        stays = np.isin(clean.source, noisy.source)
        assert stays[clean.crowd].all()
        for name in ("boxes", "classes", "source", "crowd"):
            np.testing.assert_array_equal(getattr(noisy, name), getattr(clean, name)[stays])


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.29, 0.3, 1.0])
@pytest.mark.parametrize("beta", [None, 0.0, 1.0])
def test_the_exact_share_of_the_data_set_goes(images, left_after, rate, beta):
    model = Missing(rate, "global_exact") if beta is None else Missing(rate, "size_biased", beta=beta)
    ours = union(objects(images).values())
    assert len(ours - left_after(model, images)) == int(round(rate * 100) * len(ours) // 100)


def test_the_exact_share_of_a_hundred_goes(make_images, left_after):
    hundred = make_images([5] * 20)
    for labels in hundred.values():
        labels.crowd[:] = False
    for percent in range(101):
        # 0.29 * 100 is 28.999999999999996.
        assert len(left_after(Missing(percent / 100, "global_exact"), hundred)) == 100 - percent


def test_the_exact_share_of_each_class_goes(images, left_after):
    left = left_after(Missing(0.3, "per_class_exact"), images)
    for class_ in range(5):
        ours = union(
            set(labels.source[(labels.classes == class_) & ~labels.crowd].tolist()) for labels in images.values()
        )
        assert len(ours) > 10
        assert len(ours - left) == int(0.3 * len(ours))


@pytest.mark.parametrize("rate", [0.0, 0.25, 0.5, 1.0])
@pytest.mark.parametrize("guard", ["none", "last"])
def test_the_rounded_share_of_each_image_goes(images, left_after, rate, guard):
    left = left_after(Missing(rate, "per_image_exact", guard), images)
    for ours in objects(images).values():
        expected = int(rate * len(ours) + 0.5)
        if guard == "last":
            expected = max(min(expected, len(ours) - 1), 0)
        assert len(ours - left) == expected


@pytest.mark.parametrize(
    ("protocol", "kept"),
    [
        ("remove_one", lambda n: max(n - 1, min(n, 1))),
        ("remove_half", lambda n: n - n // 2),
        ("keep_one", lambda n: min(n, 1)),
    ],
)
def test_so_many_of_each_image_stay(images, left_after, protocol, kept):
    left = left_after(Missing(protocol=protocol), images)
    for ours in objects(images).values():
        assert len(ours & left) == kept(len(ours))


def test_bernoulli_is_binomial(images, left_after):
    ours = union(objects(images).values())
    gone = sum(len(ours - left_after(Missing(0.3), images, seed)) for seed in range(20))
    assert stats.binomtest(gone, 20 * len(ours), 0.3).pvalue > 0.001


def test_the_guard_of_the_authors_spares_lonely_objects_only(make_images, left_after):
    many = make_images([1] * 300 + [2] * 3000)
    for labels in many.values():
        labels.crowd[:] = False
    lonely = union(ours for ours in objects(many).values() if len(ours) == 1)
    pairs = [ours for ours in objects(many).values() if len(ours) == 2]

    left = left_after(Missing(0.5, guard="official"), many)
    assert lonely <= left
    emptied = sum(not ours & left for ours in pairs)
    assert stats.binomtest(emptied, len(pairs), 0.25).pvalue > 0.001

    left = left_after(Missing(0.5, guard="last"), many)
    assert lonely <= left
    # Counting down while removing empties no image; of a pair, nobody goes with probability 1/4, else one.
    assert all(ours & left for ours in pairs)
    assert stats.binomtest(sum(ours <= left for ours in pairs), len(pairs), 0.25).pvalue > 0.001

    left = left_after(Missing(0.5), many)
    assert stats.binomtest(len(lonely & left), len(lonely), 0.5).pvalue > 0.001


def test_the_guard_leaves_one_when_all_are_to_go(images, left_after):
    left = left_after(Missing(1.0, guard="last"), images)
    assert all(len(ours & left) == min(len(ours), 1) for ours in objects(images).values())


def test_size_bias_follows_the_areas(make_images, left_after):
    # Two kinds of objects, one of a sixteenth of the other's area: with beta 0.5 the first goes four times as often.
    many = make_images([2] * 4000)
    for labels in many.values():
        labels.crowd[:] = False
        labels.boxes[:] = [[0, 0, 2, 2], [0, 0, 8, 8]]
    left = left_after(Missing(0.02, "size_biased", beta=0.5), many)
    small = sum(labels.source[0] not in left for labels in many.values())
    # At a small rate drawing without replacement hardly differs from drawing with it.
    assert stats.binomtest(small, 160, 4 / 5).pvalue > 0.001
    left = left_after(Missing(0.02, "size_biased", beta=-0.5), many)
    assert stats.binomtest(sum(labels.source[0] not in left for labels in many.values()), 160, 1 / 5).pvalue > 0.001


def test_without_bias_sizes_do_not_matter(images, left_after):
    assert left_after(Missing(0.4, "size_biased"), images) == left_after(Missing(0.4, "global_exact"), images)


@pytest.mark.parametrize("protocol", ["global_exact", "per_class_exact", "size_biased"])
def test_the_order_of_the_data_set_changes_nothing(images, left_after, protocol):
    rng = np.random.default_rng(0)
    shuffled = {
        key: images[key].take(rng.permutation(len(images[key]))) for key in rng.permutation(list(images)).tolist()
    }
    model = Missing(0.37, **settings_of(protocol))
    assert left_after(model, shuffled) == left_after(model, images)


@pytest.mark.parametrize(
    "first",
    [
        Missing(0.4),
        Missing(0.4, guard="last"),
        Missing(protocol="remove_half"),
        Missing(0.2, "per_class_exact"),
    ],
    ids=repr,
)
def test_what_the_models_before_leave_is_what_counts(images, population_of, run_over, first):
    # The second of two models of one name has draws of its own.
    model = Chain([first, Missing(0.25, "global_exact")])
    params = [params["steps"] for _, params in run_over(model, images).values()]
    ours = sum(map(len, objects(images).values()))
    once, again = (sum(len(step[place]["removed"]) for step in params) for place in (0, 1))
    assert again == int(0.25 * (ours - once))
    _, left = model.planned(population_of(images), partial(keyed_rng, 0))
    assert (~left.crowd).sum() == ours - once - again


def test_pieces_go_one_by_one(labels):
    pieces = labels.take(np.repeat(np.arange(8), 2))
    removed = []
    for seed in range(10):
        noisy, params = Missing(0.5).run(pieces, keyed_rng(seed))
        history = Missing(0.5).history(params)
        assert sum(map(len, history.values())) == len(pieces) - len(noisy)
        removed += [tuple(entry.get("piece") for entry in entries) for entries in history.values()]
    assert set(removed) == {(None,), (1,), (None, 1)}


@given(counts=st.lists(st.integers(0, 6), max_size=8), rate=st.floats(0, 1), seed=st.integers(0, 5))
def test_any_data_set_loses_the_exact_share(make_images, left_after, counts, rate, seed):
    data = make_images([*counts, 0])
    ours = union(objects(data).values())
    gone = ours - left_after(Missing(rate, "global_exact"), data, seed)
    assert len(gone) == int(rate * len(ours) + 1e-9)


def test_equal_ids_cannot_be_counted(images, population_of):
    one = next(labels for labels in images.values() if len(labels) > 4)
    population = population_of({1: one, 2: one})
    with pytest.raises(ValueError, match="where every annotation needs an id of its own"):
        Missing(0.5, "global_exact").planned(population, partial(keyed_rng, 0))


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"rate": 1.5}, r"^rate: expected a share in \[0, 1\], got 1\.5"),
        ({"rate": float("nan")}, r"^rate: expected a share in \[0, 1\], got nan"),
        ({}, r"^rate: expected a share in \[0, 1\], got None"),
        ({"rate": 0.5, "protocol": "keep_one"}, r"^rate: 'keep_one' takes none, got 0\.5"),
        ({"rate": 0.5, "protocol": "some"}, r"^protocol: expected one of bernoulli, .*, got 'some'"),
        ({"rate": 0.5, "guard": "first"}, r"^guard: expected one of none, last, official, got 'first'"),
        ({"rate": 0.5, "protocol": "global_exact", "guard": "last"}, r"^guard: 'global_exact' takes none, got 'last'"),
        ({"rate": 0.5, "beta": 1.0}, r"^beta: expected .* 0 unless the protocol is 'size_biased', got 1\.0"),
        ({"rate": 0.5, "protocol": "size_biased", "beta": float("inf")}, r"^beta: expected a finite number"),
    ],
)
def test_arguments_that_cannot_be_used_are_errors(arguments, problem):
    with pytest.raises(ValueError, match=problem):
        Missing(**arguments)


@pytest.mark.parametrize("protocol", ["global_exact", "per_class_exact", "size_biased"])
def test_an_exact_number_needs_a_plan(labels, protocol):
    with pytest.raises(ValueError, match=f"Missing: protocol '{protocol}' counts over the whole data set"):
        Missing(0.5, protocol)(labels, keyed_rng(0))
