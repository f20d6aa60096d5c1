import numpy as np
import pytest
from scipy import stats

from noisyseg.labels.rng import keyed_rng
from noisyseg.noise.masks import Rotate


def test_angles_are_uniform(labels):
    one = labels.take(np.array([0]))
    angles = [Rotate(30).sample(one, keyed_rng(seed))["objects"]["11"]["degrees"] for seed in range(1500)]
    assert stats.kstest(angles, stats.uniform(-30, 60).cdf).pvalue > 0.001


def test_a_wider_range_turns_each_object_farther(labels):
    # The same draws: objects lose more overlap the farther they are turned.
    noisy = [Rotate(degrees)(labels, keyed_rng(3)) for degrees in (5, 20, 60)]
    iou = [np.mean([a.iou(b) for a, b in zip(one.masks, labels.masks, strict=True)]) for one in noisy]
    assert iou[0] > iou[1] > iou[2]


@pytest.mark.parametrize("degrees", [-1, 181, float("nan")])
def test_an_angle_out_of_range_is_an_error(degrees):
    with pytest.raises(ValueError, match=r"^degrees: expected an angle in \[0, 180\], got"):
        Rotate(degrees)
