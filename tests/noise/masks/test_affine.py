import cv2
import numpy as np
import pytest
from scipy import ndimage, stats

from noisyseg.labels import Mask
from noisyseg.labels.rng import keyed_rng
from noisyseg.noise.masks import Affine, Rotate
from noisyseg.noise.masks.affine import transformed

STILL = {"degrees": 0.0, "dx": 0.0, "dy": 0.0, "scale": 1.0, "shear": 0.0}


def with_scipy(frame, degrees, dx, dy, scale, shear):
    """Returns the transformed frame; scipy wants the way back, in rows and columns."""
    rows, columns = np.nonzero(frame)
    centre = np.array([rows.mean(), columns.mean()])
    turn, slope = np.radians(degrees), np.tan(np.radians(shear))
    forth = scale * np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]) @ [[1, 0], [slope, 1]]
    back = np.linalg.inv(forth)
    offset = centre - back @ (centre + np.array([dy, dx]))
    return ndimage.affine_transform(frame, back, offset, order=0, mode="grid-constant", prefilter=False)


@pytest.mark.parametrize(
    "change",
    [
        {"degrees": 33.0},
        {"dx": 7.0, "dy": -4.0},
        {"scale": 1.7},
        {"scale": 0.4},
        {"shear": 25.0},
        {"degrees": -140.0, "dx": 3.3, "dy": 12.7, "scale": 1.3, "shear": -10.0},
    ],
)
def test_the_transform_is_that_of_scipy(frames, change):
    for frame in frames:
        noisy = transformed(Mask.from_frame(frame), **STILL | change).frame()
        # Where a place lies between two pixels, rounding decides.
        differ = noisy != with_scipy(frame, **STILL | change)
        assert differ.mean() < 0.005


def test_a_quarter_turn_swaps_the_sides_and_is_clockwise():
    frame = np.zeros((61, 61), np.uint8)
    frame[30, 10:51] = 1
    frame[28:33, 50] = 1  # a head on the right
    x0, y0, x1, y1 = transformed(Mask.from_frame(frame), **STILL | {"degrees": 90.0}).box
    assert (x1 - x0, y1 - y0) == (5, 41)
    turned = transformed(Mask.from_frame(frame), **STILL | {"degrees": 90.0}).frame()
    assert turned[y1 - 1].sum() == 5


@pytest.mark.parametrize(("change", "factor"), [({"degrees": 30.0}, 1), ({"scale": 1.5}, 2.25), ({"shear": 30.0}, 1)])
def test_areas_are_those_of_the_determinant(change, factor):
    frame = cv2.ellipse(np.zeros((200, 200), np.uint8), (100, 100), (40, 20), 0, 0, 360, 1, -1)
    assert transformed(Mask.from_frame(frame), **STILL | change).area / frame.sum() == pytest.approx(factor, rel=0.02)


def test_a_disc_does_not_mind_being_turned():
    frame = cv2.circle(np.zeros((80, 80), np.uint8), (40, 40), 25, 1, -1)
    mask = Mask.from_frame(frame)
    assert transformed(mask, **STILL | {"degrees": 37.0}).iou(mask) > 0.97


def test_what_leaves_the_frame_is_cut():
    mask = Mask.from_frame(np.pad(np.ones((10, 10), np.uint8), 5))
    assert transformed(mask, **STILL | {"dx": 40.0}).area == 0
    cut = transformed(mask, **STILL | {"dx": 10.0})
    assert cut.box == (15, 5, 20, 15)
    assert cut.area == 50


def test_draws_are_uniform_within_their_limits(labels):
    one = labels.take(np.array([0]))
    model = Affine(degrees=20, shift=6, scale=(0.8, 1.5), shear=10)
    draws = [model.sample(one, keyed_rng(seed))["objects"]["11"] for seed in range(1500)]
    limits = {"degrees": (-20, 20), "dx": (-6, 6), "dy": (-6, 6), "scale": (0.8, 1.5), "shear": (-10, 10)}
    for name, (low, high) in limits.items():
        values = [draw[name] for draw in draws]
        assert stats.kstest(values, stats.uniform(low, high - low).cdf).pvalue > 0.001


def test_rotation_is_the_affine_transform_without_the_rest(labels):
    draws = {"op": "Rotate", "objects": {"11": {"degrees": 25.0}, "33": {"degrees": -70.0}}}
    noisy = Rotate(80).apply(labels, draws)
    for i, degrees in ((0, 25.0), (2, -70.0)):
        assert noisy.masks[i].rle == transformed(labels.masks[i], **STILL | {"degrees": degrees}).rle
    assert noisy.masks[1] is labels.masks[1]


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"degrees": -1}, r"degrees: expected an angle in \[0, 180\], got -1"),
        ({"degrees": 181}, r"degrees: expected an angle in \[0, 180\], got 181"),
        ({"shift": -1}, "shift: expected pixels >= 0, got -1"),
        ({"scale": (0, 1)}, r"scale: expected two factors, 0 < smallest <= largest, got \(0, 1\)"),
        ({"scale": (2, 1)}, r"scale: expected two factors, 0 < smallest <= largest, got \(2, 1\)"),
        ({"scale": (1,)}, r"scale: expected two factors, 0 < smallest <= largest, got \(1,\)"),
        ({"shear": 90}, r"shear: expected an angle in \[0, 90\), got 90"),
    ],
)
def test_bad_settings_are_errors(settings, problem):
    with pytest.raises(ValueError, match=f"^{problem}"):
        Affine(**settings)
