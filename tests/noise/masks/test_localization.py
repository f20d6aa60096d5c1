import numpy as np
import pytest
from scipy import stats

from noisyseg.labels import Categories, Instances, Mask
from noisyseg.labels.rng import keyed_rng
from noisyseg.noise.masks import Localization


@pytest.fixture
def rings():
    """Returns 500 square rings with 4 vertices outside and 8 around the hole."""
    frame = np.zeros((40, 50), np.uint8)
    frame[5:35, 5:45] = 1
    frame[15:25, 15:35] = 0
    masks = [Mask.from_frame(frame)] * 500
    return Instances.from_masks(masks, [0] * 500, Categories.from_names("a"), frame.shape)


@pytest.mark.parametrize("sigma", [0.5, 3])
def test_offsets_are_rounded_gaussians(rings, sigma):
    objects = Localization(sigma).sample(rings, keyed_rng(0))["objects"]
    offsets = np.concatenate([draws["offsets"] for draws in objects.values()])
    assert offsets.size == 500 * 12 * 2
    values = np.arange(-1, 2)
    expected = stats.norm.cdf(values + 0.5, scale=sigma) - stats.norm.cdf(values - 0.5, scale=sigma)
    counts = np.array([(offsets == value).sum() for value in values])
    rest = offsets.size - counts.sum()
    assert stats.chisquare([*counts, rest], offsets.size * np.array([*expected, 1 - expected.sum()])).pvalue > 0.001


def test_holes_move_when_fixed_and_are_filled_officially(rings):
    one = rings.take(np.array([0]))
    fixed, params = Localization(1, mode="fixed").run(one, keyed_rng(0))
    assert len(params["objects"]["1"]["offsets"]) == 2 * 12
    assert fixed.masks[0].frame()[20, 25] == 0
    official, params = Localization(1, mode="official").run(one, keyed_rng(0))
    assert len(params["objects"]["1"]["offsets"]) == 2 * 4
    assert official.masks[0].frame()[20, 25] == 1


def test_a_move_by_hand(rings):
    one = rings.take(np.array([0]))
    still = {"op": "Localization", "objects": {"1": {"offsets": [0] * 24}}}
    np.testing.assert_array_equal(Localization(1).apply(one, still).masks[0].frame(), one.masks[0].frame())
    shifted = {"op": "Localization", "objects": {"1": {"offsets": [2, -3] * 12}}}
    expected = np.roll(one.masks[0].frame(), (-3, 2), axis=(0, 1))
    np.testing.assert_array_equal(Localization(1).apply(one, shifted).masks[0].frame(), expected)


def test_an_object_without_pixels_draws_nothing(rings):
    empty = rings.take(np.array([0])).replace(masks=(Mask.empty(rings.size_hw),))
    assert Localization(1).sample(empty, keyed_rng(0))["objects"] == {}


def test_history_counts_vertices(rings):
    model = Localization(1)
    history = model.history(model.sample(rings.take(np.array([2])), keyed_rng(0)))
    assert history == {3: [{"op": "Localization", "params": model.settings, "draws": {"vertices": 12}}]}


@pytest.mark.parametrize("sigma", [0, -1, float("nan")])
def test_a_sigma_that_is_not_positive_is_an_error(sigma):
    with pytest.raises(ValueError, match="sigma: expected pixels > 0, got"):
        Localization(sigma)
