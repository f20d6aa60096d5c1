"""Many objects without masks, and what class noise made of them."""

import numpy as np
import pytest
from scipy import stats

from noisyseg.labels import Categories, Instances
from noisyseg.labels.rng import keyed_rng

OBJECTS = 24_000


def _boxes(categories, classes=None):
    classes = np.arange(OBJECTS) % len(categories) if classes is None else np.asarray(classes)
    return Instances(
        size_hw=(9, 9),
        categories=categories,
        boxes=np.tile([0.0, 0, 1, 1], (len(classes), 1)),
        classes=classes,
        masks=None,
        source=np.arange(1, len(classes) + 1),
        crowd=np.zeros(len(classes), bool),
    )


@pytest.fixture(scope="session")
def boxes():
    """Returns a function from categories to 24,000 objects, as many of each class."""
    return _boxes


@pytest.fixture(scope="session")
def named():
    """Returns a function from names and groups to categories."""
    return lambda names, groups=None: Categories(
        tuple(range(1, len(names) + 1)), tuple(names), tuple(groups or [None] * len(names))
    )


@pytest.fixture(scope="session")
def assert_confuses():
    """Returns a function that asserts that a model's confusion matrix is the expected one, by chi-square."""

    def check(model, categories, expected, seed=3):
        labels = _boxes(categories)
        noisy = model(labels, keyed_rng(seed))
        expected = np.asarray(expected, float)
        np.testing.assert_allclose(model.transition_matrix(categories), expected, atol=1e-12)
        observed = np.zeros(expected.shape)
        np.add.at(observed, (labels.classes, noisy.classes), 1)
        expected = expected * observed.sum(axis=1, keepdims=True)
        assert observed[expected == 0].sum() == 0
        possible = expected > 0
        statistic = ((observed - expected)[possible] ** 2 / expected[possible]).sum()
        # Every row is fixed in its sum, so each row costs a degree of freedom.
        freedom = possible.sum() - len(expected)
        assert stats.chi2.sf(statistic, freedom) > 0.001 if freedom else statistic == 0
        for class_, rate in enumerate(model.flip_rates(categories)):
            of_class = labels.classes == class_
            changed = int((noisy.classes[of_class] != class_).sum())
            rate = min(max(rate, 0.0), 1.0)
            assert stats.binomtest(changed, int(of_class.sum()), rate).pvalue > 0.001

    return check
