import math

import cv2
import numpy as np
import pytest
from scipy import ndimage

from noisyseg.evaluation.edges import canny_thresholds, gradient_edges


def step(low, high):
    """Return an image with one upright step between the columns 39 and 40."""
    image = np.full((50, 80, 3), low, np.uint8)
    image[:, 40:] = high
    return image


@pytest.mark.parametrize(("low", "high"), [(0, 255), (100, 151), (200, 174)])
def test_the_strength_is_the_root_of_the_steps_height(low, high):
    found = gradient_edges(step(low, high))
    expected = 255 * math.sqrt(abs(high - low) / 255)
    assert found[25].max() == pytest.approx(expected, rel=0.03)
    assert np.flatnonzero(found[25]).tolist() in ([39], [40], [39, 40])
    assert canny_thresholds(step(low, high))[25].max() == pytest.approx(expected, abs=5)


def test_cannys_map_cut_at_a_threshold_is_one_run_of_canny():
    rng = np.random.default_rng(0)
    image = cv2.GaussianBlur(rng.integers(0, 256, (60, 70, 3), np.uint8), (0, 0), 3)
    image = cv2.normalize(image, None, 0, 255, cv2.NORM_MINMAX)
    found = canny_thresholds(image, sigma=1)
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    dx, dy = (ndimage.gaussian_filter(grey, 1, order=order) * math.sqrt(2 * math.pi) for order in ((0, 1), (1, 0)))
    dx, dy = (np.rint(16384 * side).astype(np.int16) for side in (dx, dy))
    sizes = []
    for k in (5, 20, 40):
        high = 16384 * (k / 100) ** 2
        alone = cv2.Canny(dx, dy, 0.4 * high, high, L2gradient=True) > 0
        assert np.array_equal(found / 255 >= k / 100, alone)
        sizes.append(np.count_nonzero(alone))
    assert sizes[0] > sizes[1] > sizes[2] > 0


@pytest.mark.parametrize("detector", [canny_thresholds, gradient_edges])
def test_an_image_without_contrast_has_no_edges(detector):
    assert not detector(np.full((20, 30, 3), 90, np.uint8)).any()


@pytest.mark.parametrize("detector", [canny_thresholds, gradient_edges])
def test_wrong_input_is_told(detector):
    with pytest.raises(ValueError, match=r"expected \(H, W, 3\) uint8, got \(20, 30\) of uint8"):
        detector(np.zeros((20, 30), np.uint8))
    with pytest.raises(ValueError, match="sigma: expected a length > 0, got 0"):
        detector(np.zeros((20, 30, 3), np.uint8), sigma=0)


def test_a_wrong_ratio_is_told():
    with pytest.raises(ValueError, match="ratio: expected a number"):
        canny_thresholds(np.zeros((20, 30, 3), np.uint8), ratio=1.5)
