import numpy as np
import pytest
from scipy import stats

from noisyseg.labels import Categories, Instances
from noisyseg.labels.rng import keyed_rng
from noisyseg.noise.classes import ClassConfusion

OBJECTS = 24_000


def boxes(classes, count):
    n = len(classes)
    return Instances(
        size_hw=(9, 9),
        categories=Categories.from_names(map(str, range(count))),
        boxes=np.tile([0.0, 0, 1, 1], (n, 1)),
        classes=np.asarray(classes),
        masks=None,
        source=np.arange(1, n + 1),
        crowd=np.zeros(n, bool),
    )


def transition_matrix(rate, count, include_self):
    if include_self:
        return (1 - rate) * np.eye(count) + rate / count
    return (1 - rate) * np.eye(count) + rate / (count - 1) * (1 - np.eye(count))


@pytest.mark.parametrize("include_self", [True, False])
@pytest.mark.parametrize("count", [2, 6])
@pytest.mark.parametrize("rate", [0.4, 1.0])
def test_the_confusion_matrix_is_the_one_asked_for(include_self, count, rate):
    labels = boxes(np.arange(OBJECTS) % count, count)
    noisy = ClassConfusion(rate, include_self)(labels, keyed_rng(3))
    observed = np.zeros((count, count))
    np.add.at(observed, (labels.classes, noisy.classes), 1)
    expected = transition_matrix(rate, count, include_self) * OBJECTS / count
    possible = expected > 0
    assert observed[~possible].sum() == 0
    # Every row is fixed in its sum, so each row costs a degree of freedom.
    statistic = ((observed - expected)[possible] ** 2 / expected[possible]).sum()
    freedom = possible.sum() - count
    assert freedom == 0 or stats.chi2.sf(statistic, freedom) > 0.001
    assert statistic == 0 or freedom > 0


@pytest.mark.parametrize("include_self", [True, False])
def test_the_share_that_changes(include_self):
    labels = boxes(np.arange(OBJECTS) % 4, 4)
    noisy = ClassConfusion(0.4, include_self)(labels, keyed_rng(0))
    changed = int((noisy.classes != labels.classes).sum())
    assert stats.binomtest(changed, OBJECTS, 0.4 * 3 / 4 if include_self else 0.4).pvalue > 0.001


def test_only_classes_change(labels):
    noisy = ClassConfusion(1.0)(labels, keyed_rng(0))
    assert noisy.masks == labels.masks
    np.testing.assert_array_equal(noisy.boxes, labels.boxes)
    assert noisy.categories is labels.categories


def test_rate_one_exclusive_changes_every_object(labels):
    noisy = ClassConfusion(1.0, include_self=False)(labels, keyed_rng(0))
    assert (noisy.classes != labels.classes).tolist() == (~labels.crowd).tolist()


@pytest.mark.parametrize("include_self", [True, False])
def test_a_single_class_cannot_change(include_self):
    model = ClassConfusion(1.0, include_self)
    noisy, params = model.run(boxes([0] * 50, 1), keyed_rng(0))
    assert not noisy.classes.any()
    assert params["objects"] == {}


def test_who_draws_the_own_class_is_not_in_the_history():
    labels = boxes(np.zeros(1000, int), 2)
    noisy, params = ClassConfusion(1.0).run(labels, keyed_rng(0))
    assert len(params["objects"]) == noisy.classes.sum()


@pytest.mark.parametrize("rate", [-0.1, 1.1, float("nan")])
def test_a_rate_that_is_no_share_is_an_error(rate):
    with pytest.raises(ValueError, match=r"rate: expected a share in \[0, 1\], got"):
        ClassConfusion(rate)
