import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import ndimage

from noisyseg.evaluation.report import kernels

TOLERANCES = np.array([1.0, 2.0, 3.0, 5.0, 2.5])
SIDES = st.integers(1, 14)
MASKS = arrays.arrays(np.uint8, st.tuples(SIDES, SIDES), elements=st.integers(0, 1))
PLACES = st.tuples(st.integers(0, 6), st.integers(0, 6))


def compared(clean, noisy, clean_at=(0, 0), noisy_at=(0, 0)):
    out = np.empty(len(kernels.MEASURES) + len(TOLERANCES))
    kernels.compare(clean, *clean_at, noisy, *noisy_at, TOLERANCES, out)
    return dict(zip(kernels.MEASURES, out, strict=False)) | {"f": out[len(kernels.MEASURES) :]}


def disc(radius, side=101, shift=0):
    y, x = np.mgrid[:side, :side] - side // 2
    return ((x - shift) ** 2 + y**2 <= radius**2).astype(np.uint8)


def square(side, frame=60):
    mask = np.zeros((frame, frame), np.uint8)
    start = (frame - side) // 2
    mask[start : start + side, start : start + side] = 1
    return mask


def on_frame(mask, at):
    frame = np.zeros((30, 30), bool)
    frame[at[1] + 1 : at[1] + 1 + mask.shape[0], at[0] + 1 : at[0] + 1 + mask.shape[1]] = mask
    return frame


def test_a_mask_agrees_with_itself():
    found = compared(disc(20), disc(20))
    assert found["both"] == found["clean_area"] == found["noisy_area"] == disc(20).sum()
    assert (found["distance"], found["hausdorff95"], found["bias"]) == (0, 0, 0)
    assert found["f"].tolist() == [1] * 5


@pytest.mark.parametrize(
    ("radius", "dice"),
    [(10, (0.934, 0.874, 0.694, 0.401)), (20, (0.967, 0.936, 0.843, 0.688)), (50, (0.987, 0.975, 0.937, 0.874))],
)
def test_dice_of_shifted_discs(radius, dice):
    for shift, expected in zip((1, 2, 5, 10), dice, strict=True):
        found = compared(disc(radius, 141), disc(radius, 141, shift))
        assert 2 * found["both"] / (found["clean_area"] + found["noisy_area"]) == pytest.approx(expected, abs=6e-4)


def test_a_shift_of_a_line_moves_every_boundary_pixel_as_far():
    line = np.ones((1, 40), np.uint8)
    found = compared(line, line, (0, 0), (0, 3))
    assert found["distance"] == found["hausdorff95"] == 3
    assert found["f"].tolist() == [0, 0, 1, 1, 0]


@pytest.mark.parametrize("grown", [1, 2, 4])
def test_growing_is_positive_bias_and_shrinking_negative(grown):
    small, large = square(21), square(21 + 2 * grown)
    out = compared(small, large)["bias"]
    # All pixels of the small boundary are `grown` from the large one; of the large one, all but those at corners.
    assert grown <= out < grown * 1.1
    assert compared(large, small)["bias"] == -out


def test_a_pure_shift_has_no_bias():
    found = compared(disc(20), disc(20), (0, 0), (4, 0))
    assert abs(found["bias"]) < 0.05
    assert found["distance"] > 2


def test_two_empty_masks_agree_and_one_empty_mask_does_not():
    empty = np.zeros((3, 3), np.uint8)
    both = compared(empty, empty)
    one = compared(square(5), empty)
    assert both["f"].tolist() == [1] * 5
    assert one["f"].tolist() == [0] * 5
    assert one["both"] == 0
    assert one["clean_area"] == 25
    assert np.isnan([both["distance"], one["distance"], one["hausdorff95"], one["bias"]]).all()


@given(MASKS, MASKS, PLACES, PLACES)
def test_distances_are_those_of_scipy(clean, noisy, clean_at, noisy_at):
    found = compared(clean, noisy, clean_at, noisy_at)
    frames = on_frame(clean, clean_at), on_frame(noisy, noisy_at)
    assert found["both"] == (frames[0] & frames[1]).sum()
    if not clean.any() or not noisy.any():
        return
    edges = [frame & ~ndimage.binary_erosion(frame) for frame in frames]
    to_clean = ndimage.distance_transform_edt(~edges[0])[edges[1]]
    to_noisy = ndimage.distance_transform_edt(~edges[1])[edges[0]]
    outward = np.where(frames[0][edges[1]], -1, 1) * to_clean
    inward = np.where(frames[1][edges[0]], -1, 1) * to_noisy
    assert found["distance"] == pytest.approx((to_clean.mean() + to_noisy.mean()) / 2)
    assert found["hausdorff95"] == pytest.approx(max(np.quantile(to_clean, 0.95), np.quantile(to_noisy, 0.95)))
    assert found["bias"] == pytest.approx((outward.mean() - inward.mean()) / 2)
    for tolerance, f in zip(TOLERANCES, found["f"], strict=True):
        precision, recall = (to_clean <= tolerance).mean(), (to_noisy <= tolerance).mean()
        expected = 2 * precision * recall / (precision + recall) if precision + recall else 0
        assert f == pytest.approx(expected)


@given(MASKS, MASKS, PLACES, PLACES)
def test_swapping_the_masks_turns_the_bias_round(clean, noisy, clean_at, noisy_at):
    there, back = compared(clean, noisy, clean_at, noisy_at), compared(noisy, clean, noisy_at, clean_at)
    np.testing.assert_allclose(there["f"], back["f"])
    np.testing.assert_allclose([there["distance"], there["bias"]], [back["distance"], -back["bias"]])


def test_a_far_pair_is_ranked_by_sorting():
    found = compared(disc(5, 11), disc(5, 11), (0, 0), (200, 0))
    edge = disc(5, 11).astype(bool) & ~ndimage.binary_erosion(disc(5, 11))
    frame = np.zeros((11, 211), bool)
    frame[:, 200:] = edge
    distances = ndimage.distance_transform_edt(~frame)[:, :11][edge]
    assert found["hausdorff95"] == pytest.approx(np.quantile(distances, 0.95))


@given(MASKS)
def test_parts_and_holes_are_those_of_opencv(mask):
    outside = np.pad(1 - mask, 1, constant_values=1)
    parts = cv2.connectedComponents(mask, connectivity=8)[0] - 1
    holes = cv2.connectedComponents(outside, connectivity=4)[0] - 2
    assert kernels.topology(mask) == (parts, holes)


def test_a_ring_that_closes_over_corners_has_a_hole():
    diamond = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], np.uint8)
    assert kernels.topology(diamond) == (1, 1)
    assert kernels.topology(np.zeros((1, 1), np.uint8)) == (0, 0)


def test_claims_are_counted_up_to_two():
    claims = np.zeros((4, 6), np.uint8)
    for left in (0, 1, 1):
        kernels.count_claims(claims, np.ones((2, 3), np.uint8), left, 1)
    assert (claims == 1).sum() == 2  # the first column
    assert (claims == 3).sum() == 6
    assert not claims[[0, 3]].any()
    assert claims[1].tolist() == [1, 3, 3, 3, 0, 0]
