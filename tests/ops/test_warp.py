import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from noisyseg.ops import reachable, warp


def random_field(size, largest=6.0, dtype=torch.float32, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand(size[0], 2, *size[1:], generator=generator, dtype=dtype) * 2 - 1) * largest


def constant_field(size, rows, columns):
    return torch.tensor([rows, columns], dtype=torch.float32).view(1, 2, 1, 1).expand(1, 2, *size).contiguous()


def bilinear(values, field, border):
    """Returns what a loop over the pixels of one map finds."""
    height, width = values.shape
    out = np.zeros((height, width))
    for row in range(height):
        for column in range(width):
            y, x = row + field[0, row, column], column + field[1, row, column]
            for at_y in (math.floor(y), math.floor(y) + 1):
                for at_x in (math.floor(x), math.floor(x) + 1):
                    share = max(0.0, 1 - abs(y - at_y)) * max(0.0, 1 - abs(x - at_x))
                    inside = 0 <= at_y < height and 0 <= at_x < width
                    if inside or border:
                        out[row, column] += share * values[min(max(at_y, 0), height - 1), min(max(at_x, 0), width - 1)]
    return out


def test_the_released_code_gives_the_same(golden_dir):
    golden = {key: torch.from_numpy(value) for key, value in np.load(golden_dir / "pnt_edge.npz").items()}
    assert (warp(golden["pred"][:, None], golden["flow"])[:, 0] - golden["warped"]).abs().max() < 1e-5
    truncated = reachable(golden["flow"], "truncate")[:, 0]
    assert torch.equal(truncated.float(), golden["unmapped"])
    wrong = (reachable(golden["flow"])[:, 0] != truncated).flatten(1).sum(1)
    assert wrong.min() > 180
    assert wrong.max() < 400


@pytest.mark.parametrize("padding", ["zeros", "border"])
@pytest.mark.parametrize("size", [(1, 7, 9), (1, 1, 6), (1, 8, 1)])
def test_equals_a_loop_over_pixels(size, padding):
    values = torch.rand(2, 3, *size[1:], generator=torch.Generator().manual_seed(1))
    field = random_field((2, *size[1:]))
    found = warp(values, field, padding)
    for image in range(2):
        for channel in range(3):
            expected = bilinear(values[image, channel].numpy(), field[image].numpy(), padding == "border")
            np.testing.assert_allclose(found[image, channel], expected, atol=2e-6)


def test_no_shift_changes_nothing():
    values = torch.rand(2, 3, 48, 48)
    assert (warp(values, torch.zeros(2, 2, 48, 48)) - values).abs().max() <= 2e-6


@given(rows=st.integers(-9, 9), columns=st.integers(-9, 9))
def test_a_whole_shift_moves_the_array_and_lets_zeros_enter(rows, columns):
    values = torch.arange(1.0, 57.0).view(1, 1, 7, 8)
    padded = torch.nn.functional.pad(values, (9, 9, 9, 9))
    expected = padded[..., 9 + rows : 16 + rows, 9 + columns : 17 + columns]
    torch.testing.assert_close(warp(values, constant_field((7, 8), rows, columns)), expected, atol=1e-4, rtol=0)


def test_linear_in_the_values_and_exact_on_a_ramp():
    first, second, field = torch.rand(1, 2, 9, 9), torch.rand(1, 2, 9, 9), random_field((1, 9, 9))
    both = warp(2 * first - second, field)
    torch.testing.assert_close(both, 2 * warp(first, field) - warp(second, field), atol=1e-5, rtol=0)
    ramp = torch.arange(12.0).expand(1, 1, 5, 12)
    assert torch.allclose(warp(ramp, constant_field((5, 12), 0, 0.5))[..., :-1], ramp[..., :-1] + 0.5, atol=1e-5)


def test_gradients_are_those_of_differences():
    values = torch.rand(1, 2, 5, 6, dtype=torch.float64, requires_grad=True)
    field = random_field((1, 5, 6), dtype=torch.float64, largest=3)
    field = (field.floor() + 0.2 + 0.6 * torch.rand_like(field)).requires_grad_()  # away from whole positions
    for padding in ("zeros", "border"):
        assert torch.autograd.gradcheck(lambda v, f, p=padding: warp(v, f, p), (values, field))


def test_positions_stay_exact_under_autocast():
    values, field = torch.rand(1, 1, 4, 512), random_field((1, 4, 512))
    exact = warp(values, field)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = warp(values, field)
    assert found.dtype == torch.float32
    assert torch.equal(found, exact)
    assert warp(values.bfloat16(), field).dtype == torch.float32


def test_a_mask_becomes_shares():
    mask = torch.tensor([[[[False, True, True]]]])
    assert warp(mask, constant_field((1, 3), 0, 0.25)).flatten().tolist() == pytest.approx([0.25, 1, 0.75])


@pytest.mark.parametrize("seed", range(5))
def test_reachable_equals_a_loop(seed):
    field = random_field((2, 11, 8), seed=seed)
    expected = np.zeros((2, 1, 11, 8), bool)
    for image, row, column in np.ndindex(2, 11, 8):
        dy, dx = field[image, :, row, column].numpy()
        at = row + int(np.floor(dy + np.float32(0.5))), column + int(np.floor(dx + np.float32(0.5)))
        if 0 <= at[0] < 11 and 0 <= at[1] < 8:
            expected[image, 0, at[0], at[1]] = True
    np.testing.assert_array_equal(reachable(field), expected)


@pytest.mark.slow  # a gigabyte
def test_more_places_than_float32_can_tell_apart():
    assert reachable(torch.zeros(1, 1, 1, 1).expand(1, 2, 2, 2**23 + 2)).all()


@pytest.mark.parametrize("columns", [-3, 0, 2, 20])
def test_a_constant_shift_leaves_as_many_columns_unreached(columns):
    missed = ~reachable(constant_field((6, 9), 0, columns))
    assert int(missed.sum()) == 6 * min(abs(columns), 9)
    assert int(missed.all(dim=2).sum()) == min(abs(columns), 9)


def test_what_is_no_number_points_nowhere():
    field = torch.zeros(1, 2, 2, 2)
    field[0, 0, 0] = torch.tensor([math.nan, math.inf])
    assert reachable(field).flatten().tolist() == [False, False, True, True]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: warp(torch.zeros(1, 1, 4, 4), torch.zeros(1, 2, 4, 5)), "expected values"),
        (lambda: warp(torch.zeros(1, 4, 4), torch.zeros(1, 2, 4, 4)), "expected values"),
        (lambda: warp(torch.zeros(1, 1, 4, 4), torch.zeros(1, 2, 4, 4).half()), "half pixels get lost"),
        (lambda: warp(torch.zeros(1, 1, 4, 4), torch.zeros(1, 2, 4, 4), "reflection"), "padding: expected one of"),
        (lambda: reachable(torch.zeros(1, 3, 4, 4)), "field: expected"),
        (lambda: reachable(torch.zeros(1, 2, 4, 4).long()), "half pixels get lost"),
        (lambda: reachable(torch.zeros(1, 2, 4, 4), "up"), "rounding: expected one of"),
    ],
)
def test_wrong_input_says_what_was_expected(call, message):
    with pytest.raises(ValueError, match=message):
        call()
