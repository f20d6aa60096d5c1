import numpy as np
import pytest

from noisyseg.correction import GuidedSmoothing, guided_filter


def by_regression(values, guide, radius, eps):
    """The guided filter as it is defined: ridge regression in each window, then the mean over windows."""
    H, W = values.shape
    total, count = np.zeros((H, W)), np.zeros((H, W))
    for y in range(H):
        for x in range(W):
            window = np.s_[max(y - radius, 0) : y + radius + 1, max(x - radius, 0) : x + radius + 1]
            colours, p = guide[window].reshape(-1, 3).astype(float), values[window].ravel().astype(float)
            penalty = np.sqrt(eps * len(p)) * np.eye(3)
            slope = np.linalg.lstsq(
                np.vstack([colours - colours.mean(axis=0), penalty]), np.r_[p - p.mean(), np.zeros(3)], rcond=None
            )[0]
            total[window] += (guide[window] - colours.mean(axis=0)) @ slope + p.mean()
            count[window] += 1
    return total / count


@pytest.mark.parametrize(("radius", "eps"), [(1, 1e-3), (2, 0.1), (9, 1e-4)])
def test_it_is_a_regression_in_each_window(radius, eps):
    rng = np.random.default_rng(0)
    maps, guide = rng.random((2, 8, 11)).astype(np.float32), rng.random((8, 11, 3)).astype(np.float32)
    smooth = guided_filter(maps, guide, radius, eps)
    for values, result in zip(maps, smooth, strict=True):
        np.testing.assert_allclose(result, by_regression(values, guide, radius, eps), atol=1e-4)


def test_constants_stay():
    guide = np.random.default_rng(0).random((20, 30, 3)).astype(np.float32)
    np.testing.assert_allclose(guided_filter(np.full((1, 20, 30), 0.3), guide, 4, 1e-3), 0.3, atol=1e-5)


def test_the_border_of_a_prediction_moves_to_that_of_the_image():
    image = np.full((40, 60, 3), 60, np.uint8)
    image[:, 30:] = [200, 60, 60]  # of nearly the same brightness
    probs = np.full((2, 40, 60), 0.1, np.float32)
    probs[0, :, :34], probs[1, :, 34:] = 0.9, 0.9
    smooth = GuidedSmoothing(radius=10)(probs, image)
    np.testing.assert_array_equal(smooth.argmax(axis=0), np.tile(np.arange(60) >= 30, (40, 1)))


def test_probabilities_stay_probabilities():
    rng = np.random.default_rng(0)
    probs = rng.dirichlet(np.full(5, 0.1), (30, 40)).transpose(2, 0, 1)
    smooth = GuidedSmoothing(radius=2, eps=1e-4)(probs, rng.integers(0, 256, (30, 40, 3), np.uint8))
    assert smooth.dtype == np.float32
    assert smooth.min() >= 0
    np.testing.assert_allclose(smooth.sum(axis=0), 1, atol=1e-5)
    assert abs(smooth - probs).max() > 0.1


def test_errors():
    probs = np.full((2, 4, 5), 0.5, np.float32)
    with pytest.raises(ValueError, match=r"guide: expected \(4, 5, 3\), got \(5, 4, 3\)"):
        GuidedSmoothing()(probs, np.zeros((5, 4, 3), np.uint8))
    with pytest.raises(ValueError, match="image: expected uint8, got float64"):
        GuidedSmoothing()(probs, np.zeros((4, 5, 3)))
    with pytest.raises(ValueError, match="radius: expected pixels >= 1, got 0"):
        GuidedSmoothing(radius=0)
    with pytest.raises(ValueError, match="eps: expected a number above 0, got 0"):
        GuidedSmoothing(eps=0)
