"""An object is trusted as far as somebody else sees it, of its class, in its place."""

import numpy as np
import pytest

from noisyseg.correction.object_weights import object_agreement_weights
from noisyseg.labels import Categories, Instances

CATEGORIES = Categories.from_names(["a", "b"])


def objects(*boxes, classes, size_hw=(50, 50), categories=CATEGORIES):
    count = len(boxes)
    return Instances(
        size_hw=size_hw,
        categories=categories,
        boxes=np.array(boxes, np.float64).reshape(-1, 4),
        classes=np.array(classes, np.int64),
        masks=None,
        source=np.arange(1, count + 1),
        crowd=np.zeros(count, bool),
    )


def test_the_weight_is_the_best_overlap_within_the_class():
    ours = objects([0, 0, 10, 10], [20, 20, 30, 30], [40, 40, 50, 50], classes=[0, 0, 1])
    others = objects([0, 0, 10, 5], [0, 0, 10, 8], [20, 20, 30, 30], [0, 0, 10, 10], classes=[0, 0, 1, 1])
    weights = object_agreement_weights(ours, others, floor=0.1)
    assert weights.dtype == np.float32
    np.testing.assert_allclose(weights, [0.8, 0.1, 0.1])


def test_partial_overlap_counts_common_over_joint_area():
    weights = object_agreement_weights(
        objects([0, 0, 10, 10], classes=[0]), objects([5, 5, 15, 15], classes=[0]), floor=0
    )
    np.testing.assert_allclose(weights, 25 / 175)


def test_no_objects_have_no_weights_and_nobody_else_means_the_floor():
    none = objects(classes=[])
    some = objects([0, 0, 5, 5], classes=[1])
    assert object_agreement_weights(none, some).shape == (0,)
    np.testing.assert_allclose(object_agreement_weights(some, none, floor=0.25), [0.25])


def test_opinions_about_different_things_are_errors():
    some = objects([0, 0, 5, 5], classes=[1])
    with pytest.raises(ValueError, match=r"one image of \(50, 50\) .* got one of \(40, 50\)"):
        object_agreement_weights(some, objects(classes=[], size_hw=(40, 50)))
    with pytest.raises(ValueError, match=r"with the classes a, b, got one of .* with a, c"):
        object_agreement_weights(some, objects(classes=[], categories=Categories.from_names(["a", "c"])))
    with pytest.raises(ValueError, match=r"floor: expected a number in \[0, 1\], got 1\.5"):
        object_agreement_weights(some, some, floor=1.5)
