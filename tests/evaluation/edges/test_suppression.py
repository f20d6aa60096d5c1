import math

import cv2
import numpy as np
import pytest

from noisyseg.evaluation.edges import suppressed
from noisyseg.evaluation.edges.suppression import largest_across


@pytest.mark.parametrize("degrees", [0, 30, 45, 90, 120])
def test_a_blurred_line_is_left_where_it_was_drawn(degrees):
    y, x = np.mgrid[-40:41, -40:41]
    across = x * math.sin(math.radians(degrees)) - y * math.cos(math.radians(degrees))
    kept = suppressed(np.rint(255 * np.exp(-(across**2) / 18)).astype(np.uint8))
    inner = kept[10:-10, 10:-10]
    assert np.abs(across[10:-10, 10:-10][inner > 0]).max() < 1
    # The line's length in pixels, at most doubled where it runs between two.
    assert 61 <= np.count_nonzero(inner) <= 2 * 87


def test_pixels_near_the_frame_are_weakened():
    line = np.zeros((40, 60), np.uint8)
    line[20] = 200
    kept = suppressed(cv2.GaussianBlur(line, (0, 0), 2), border=5)
    assert kept[20, 0] == 0
    assert kept[20, 2] == pytest.approx(0.4 * kept[20, 30], abs=1)
    assert kept[20, 5] == kept[20, 30] > 0


def test_the_largest_across_is_kept_and_nothing_of_an_empty_map():
    strength = np.zeros((9, 9), np.float32)
    strength[:, 3:6] = [1, 2, 1]
    assert np.flatnonzero(largest_across(strength, np.zeros((9, 9), np.float32))[4]).tolist() == [4]
    along = largest_across(strength, np.full((9, 9), np.pi / 2, np.float32))
    assert np.flatnonzero(along[4]).tolist() == [3, 4, 5]
    assert not suppressed(np.zeros((20, 30), np.uint8)).any()


@pytest.mark.parametrize(
    ("probability", "settings", "message"),
    [
        (np.ones((9, 9), np.float32), {}, r"probability: expected \(H, W\) uint8, got \(9, 9\) of float32"),
        (np.ones((9, 9, 3), np.uint8), {}, r"probability: expected \(H, W\) uint8, got \(9, 9, 3\)"),
        (np.ones((9, 9), np.uint8), {"reach": 0}, "reach: expected a whole number >= 1, got 0"),
        (np.ones((9, 9), np.uint8), {"reach": 1.5}, "reach: expected a whole number >= 1, got 1.5"),
        (np.ones((9, 9), np.uint8), {"border": -1}, "border: expected a number of pixels >= 0, got -1"),
        (np.ones((9, 9), np.uint8), {"margin": 0}, "margin: expected a finite factor > 0, got 0"),
    ],
)
def test_wrong_input_is_told(probability, settings, message):
    with pytest.raises(ValueError, match=message):
        suppressed(probability, **settings)
