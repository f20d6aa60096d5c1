import pytest
import torch

from noisyseg.losses.reduction import check_weight, reduce_values

VALUES = torch.tensor([1.0, 2.0, 6.0])
WEIGHT = torch.tensor([1.0, 0.0, 0.5])


def test_a_mean_divides_by_the_weights():
    assert reduce_values(VALUES) == 3
    assert reduce_values(VALUES, WEIGHT) == pytest.approx(4 / 1.5)


def test_avg_factor_replaces_the_divisor():
    assert reduce_values(VALUES, WEIGHT, avg_factor=8) == 0.5
    assert reduce_values(VALUES, avg_factor=torch.tensor(9.0)) == 1


def test_sum_and_none():
    assert reduce_values(VALUES, WEIGHT, reduction="sum") == 4
    assert reduce_values(VALUES, WEIGHT, reduction="none").tolist() == [1, 0, 3]


@pytest.mark.parametrize("avg_factor", [None, 0, torch.tensor(0.0)])
def test_without_weight_the_mean_is_zero_with_gradient(avg_factor):
    values = VALUES.clone().requires_grad_()
    result = reduce_values(values, torch.zeros(3), avg_factor=avg_factor)
    result.backward()
    assert result == 0
    assert values.grad.tolist() == [0, 0, 0]


@pytest.mark.parametrize("avg_factor", [0, -1.0, float("nan"), float("inf"), torch.tensor(0.0), torch.tensor(-2.0)])
def test_a_divisor_has_to_be_one(avg_factor):
    with pytest.raises(ValueError, match="cannot divide a sum of losses of 9 by"):
        reduce_values(VALUES, avg_factor=avg_factor)


def test_divisors_of_other_types_and_shapes():
    assert reduce_values(VALUES, torch.zeros(3), avg_factor=torch.tensor(0.0).half()) == 0
    assert reduce_values(VALUES, avg_factor=torch.tensor([9])).shape == ()
    assert reduce_values(VALUES, torch.full((3,), 1e-40)) == pytest.approx(3, rel=1e-3)


def test_what_does_not_fit_raises():
    with pytest.raises(ValueError, match="too large for a number"):
        reduce_values(VALUES, torch.full((3,), 1e38))
    with pytest.raises(ValueError, match=r"weight: expected the shape \(3,\) of the values, not \(2, 3\)"):
        reduce_values(VALUES, torch.ones(2, 3), reduction="none")


def test_unknown_reductions_and_a_divided_sum_raise():
    with pytest.raises(ValueError, match="reduction: expected one of mean, sum, none, not 'avg'"):
        reduce_values(VALUES, reduction="avg")
    with pytest.raises(ValueError, match="nothing to divide"):
        reduce_values(VALUES, reduction="sum", avg_factor=2.0)


@pytest.mark.parametrize("wrong", [-1.0, float("nan"), float("inf")])
def test_weights_have_to_be_finite_and_not_negative(wrong):
    with pytest.raises(ValueError, match="here: expected finite values >= 0"):
        check_weight(torch.tensor([1.0, wrong]), "here")
