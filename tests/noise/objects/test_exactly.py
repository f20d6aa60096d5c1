from functools import partial

import numpy as np
import pytest
from scipy import stats

from noisyseg.labels.rng import keyed_rng
from noisyseg.noise import Chain
from noisyseg.noise.classes import ClassConfusion
from noisyseg.noise.masks import Scale
from noisyseg.noise.objects import Bogus, Exactly, Missing

OTHER_CLASS = ClassConfusion(1.0, include_self=False)


def hit(noisy):
    return {int(source) for _, params in noisy.values() for source in params["objects"]}


@pytest.fixture
def ours(images):
    return {source for labels in images.values() for source in labels.source[~labels.crowd].tolist()}


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.5, 1.0])
def test_so_many_objects_are_hit(images, run_over, ours, rate):
    noisy = run_over(Exactly(OTHER_CLASS, rate), images)
    changed = [(labels.classes != images[key].classes).sum() for key, (labels, _) in noisy.items()]
    assert sum(changed) == len(hit(noisy)) == int(rate * len(ours))
    assert hit(noisy) <= ours


def test_every_object_has_the_same_chance(images, run_over, ours):
    count = dict.fromkeys(ours, 0)
    for seed in range(40):
        for source in hit(run_over(Exactly(OTHER_CLASS, 0.25), images, seed)):
            count[source] += 1
    # Of 40 rounds; without replacement a round's hits are a little less alike than independent ones.
    observed = np.bincount(list(count.values()), minlength=41)
    expected = stats.binom.pmf(np.arange(41), 40, 0.25) * len(ours)
    large = expected > 5
    assert ((observed - expected)[large] ** 2 / expected[large]).sum() < stats.chi2.ppf(0.999, large.sum())


def test_what_is_hit_at_a_lower_rate_is_hit_at_a_higher_one(images, run_over):
    assert hit(run_over(Exactly(OTHER_CLASS, 0.2), images)) < hit(run_over(Exactly(OTHER_CLASS, 0.6), images))


def test_two_in_a_row_choose_independently(images, run_over, ours):
    noisy = run_over(Chain([Exactly(OTHER_CLASS, 0.5), Exactly(OTHER_CLASS, 0.5)]), images)
    one, other = (
        {source for _, params in noisy.values() for source in params["steps"][place]["objects"]} for place in (0, 1)
    )
    assert stats.binomtest(len(one & other), len(ours), 0.25).pvalue > 0.001


def test_the_rate_may_refer_to_another_number(images, run_over, ours):
    model = Chain([Missing(0.4, "global_exact"), Exactly(OTHER_CLASS, 0.4, total=len(ours))])
    noisy = run_over(model, images)
    steps = [params["steps"] for _, params in noisy.values()]
    assert sum(len(step[0]["removed"]) for step in steps) == int(0.4 * len(ours))
    assert sum(len(step[1]["objects"]) for step in steps) == int(0.4 * len(ours))


def test_more_than_there_are_is_an_error(images, population_of, ours):
    with pytest.raises(ValueError, match=rf"^rate: 0\.5 of 9999 are 4999 objects, but only {len(ours)} are left"):
        Exactly(OTHER_CLASS, 0.5, total=9999).planned(population_of(images), partial(keyed_rng, 0))


def test_objects_that_noise_invented_are_not_counted(images, run_over, ours):
    noisy = run_over(Chain([Bogus(0.3), Exactly(OTHER_CLASS, 0.5)]), images)
    chosen = {int(source) for _, params in noisy.values() for source in params["steps"][1]["objects"]}
    assert len(chosen) == int(0.5 * len(ours))
    assert chosen <= ours


def test_the_history_is_that_of_the_inner_model(images, run_over):
    model = Exactly(OTHER_CLASS, 0.5)
    _, params = max(run_over(model, images).values(), key=lambda run: len(run[1]["objects"]))
    assert len(params["objects"]) > 3
    for source, draws in params["objects"].items():
        assert model.history(params)[int(source)] == [
            {"op": "ClassConfusion", "params": OTHER_CLASS.settings, "draws": draws}
        ]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"noise": Missing(0.5), "rate": 0.5}, "^noise: expected a model that treats objects one by one, got Missing"),
        ({"noise": Exactly(Scale(3), 0.5), "rate": 0.5}, "^noise: expected a model that treats objects one by one"),
        ({"noise": Scale(3), "rate": -1}, r"^rate: expected a share in \[0, 1\], got -1"),
        ({"noise": Scale(3), "rate": 0.5, "total": -1}, "^total: expected a number of objects >= 0, got -1"),
    ],
)
def test_arguments_that_cannot_be_used_are_errors(arguments, problem):
    with pytest.raises(ValueError, match=problem):
        Exactly(**arguments)
