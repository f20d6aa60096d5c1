import cv2
import numpy as np
import pytest

from noisyseg.noise.kernels import medical

# Factors of the area and IoU by steps, measured on the authors' code.
SHRUNK = {2: 0.73, 3: 0.61, 4: 0.50}
GROWN = {2: 1.31, 3: 1.47, 4: 1.64}
GROWN_IOU = {2: 0.76, 3: 0.68, 4: 0.61}
RADII = range(6, 41, 2)


def disc(radius, size=160, centre=(80, 80)):
    rows, columns = np.ogrid[:size, :size]
    return ((columns - centre[0]) ** 2 + (rows - centre[1]) ** 2 <= radius**2).astype(np.uint8)


def iou(one, other):
    return (one & other).sum() / (one | other).sum()


def whole_frame(pixels, steps, grow):
    """Returns the same on the whole frame, as the authors do it."""
    factor = np.sqrt(1000 / pixels.sum())
    size = [round(side * factor) for side in pixels.shape[::-1]]
    common = (cv2.resize(pixels, size, interpolation=cv2.INTER_CUBIC) > 0).astype(np.uint8)
    common = (cv2.dilate if grow else cv2.erode)(common, np.ones((3, 3), np.uint8), iterations=steps)
    return (cv2.resize(common, pixels.shape[::-1], interpolation=cv2.INTER_CUBIC) > 0).astype(np.uint8)


def windowed(pixels, steps, grow, max_ratio=8.0):
    """Returns what the kernel makes of a window of the frame."""
    rows, columns = np.nonzero(pixels)
    around = medical.margin(int(pixels.sum()), steps, max_ratio)
    top, left = max(rows.min() - around, 0), max(columns.min() - around, 0)
    window = np.s_[top : rows.max() + 1 + around, left : columns.max() + 1 + around]
    result = np.zeros_like(pixels)
    result[window] = medical.resized_morphology(pixels[window], steps, grow, max_ratio, (left, top), pixels.shape)
    return result


@pytest.mark.parametrize("steps", [2, 3, 4])
def test_discs_change_by_the_published_share_of_their_area(steps):
    for grow, factors, ious in ((False, SHRUNK, SHRUNK), (True, GROWN, GROWN_IOU)):
        pairs = [(disc(radius), windowed(disc(radius), steps, grow)) for radius in RADII]
        areas = [noisy.sum() / clean.sum() for clean, noisy in pairs]
        assert np.mean(areas) == pytest.approx(factors[steps], abs=0.03)
        assert np.mean([iou(*pair) for pair in pairs]) == pytest.approx(ious[steps], abs=0.03)
        # Whatever the size: small discs scatter more, since their pixels are coarse.
        assert max(abs(area - factors[steps]) for area in areas) < 0.12


@pytest.mark.parametrize("radius", [6, 9, 17, 30])
@pytest.mark.parametrize("grow", [False, True])
def test_a_window_gives_what_the_frame_gives(radius, grow):
    for centre in ((80, 80), (70, 93), (radius - 2, 80), (80, 159)):
        for steps in (1, 3, 4):
            clean = disc(radius, centre=centre)
            noisy = windowed(clean, steps, grow)
            np.testing.assert_array_equal(noisy, medical.resized_morphology(clean, steps, grow, 8.0))
            assert iou(noisy, whole_frame(clean, steps, grow)) > 0.995


def test_what_lies_at_the_border_is_not_eroded_from_there():
    clean = np.zeros((100, 100), np.uint8)
    clean[:, :50] = 1
    noisy = medical.resized_morphology(clean, 2, False, 8.0)
    assert noisy[:, 0].all()
    assert not noisy[:, 46:].any()


def test_a_single_pixel_is_not_blown_up_without_bound():
    assert medical.ratio(1, 8.0) == 8.0
    assert medical.ratio(1, 1e9) == pytest.approx(31.62, abs=0.01)
    assert medical.ratio(4000, 8.0) == 0.5
    clean = np.zeros((31, 31), np.uint8)
    clean[15, 15] = 1
    assert windowed(clean, 2, True).sum() >= 1
    # At a ratio of 32 a pixel is dilated by a share of itself, at 8 by about as much.
    assert windowed(clean, 4, True, 32.0)[14:17, 14:17].sum() == windowed(clean, 4, True, 32.0).sum()


def test_an_empty_mask_stays():
    assert not medical.resized_morphology(np.zeros((5, 5), np.uint8), 3, True, 8.0).any()


def test_no_steps_change_nearly_nothing():
    for radius in RADII:
        assert iou(windowed(disc(radius), 0, True), disc(radius)) > 0.95
