import numpy as np
import pytest
from scipy.stats import binom

from noisyseg.evaluation.report.distributions import binomial_range, distribution, mean, rounded, share


def test_quantiles_and_histogram():
    found = distribution(np.arange(101) / 100, 0, 1, bins=4)
    assert (found["count"], found["mean"], found["p5"], found["median"], found["p95"]) == (101, 0.5, 0.05, 0.5, 0.95)
    assert found["histogram"] == {"low": 0, "high": 1, "counts": [25, 25, 25, 26]}


def test_what_is_not_defined_is_counted_and_what_is_outside_is_in_the_last_bins():
    found = distribution(np.array([np.nan, -5, 0.5, 7]), 0, 1, bins=2)
    assert (found["count"], found["undefined"]) == (3, 1)
    assert found["histogram"]["counts"] == [1, 2]


def test_nothing_has_no_mean():
    assert distribution(np.array([]))["median"] is None
    assert mean(np.array([np.nan])) is None
    assert share(1, 0) is None
    assert rounded(float("inf")) is None


@pytest.mark.parametrize(("total", "rate"), [(100, 0.3), (10_000, 0.01), (7, 0.5)])
def test_99_of_100_files_are_in_the_interval(total, rate):
    low, high = binomial_range(total, [rate])
    inside = binom.cdf(high, total, rate) - binom.cdf(low - 1, total, rate)
    narrower = binom.cdf(high - 1, total, rate) - binom.cdf(low, total, rate)
    assert inside >= 0.99 > narrower


def test_two_trials_are_about_one_with_the_sum():
    low, high = binomial_range(10_000, [0.01, 0.01])
    one = binomial_range(10_000, [0.02])
    assert (low, high) == pytest.approx(one, abs=2)


def test_certain_hits():
    assert binomial_range(50, [1.0]) == (50, 50)
    assert binomial_range(50, [0.0]) == (0, 0)
