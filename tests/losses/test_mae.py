import math

import pytest
import torch
import torch.nn.functional as F

from noisyseg.losses import MeanAbsoluteError, ReverseCrossEntropy, mean_absolute_error, reverse_cross_entropy

LOGITS = torch.tensor([[2.0, 0.0, -1.0]] * 2, dtype=torch.float64)
LABELS = torch.tensor([0, 2])


def test_known_values():
    for loss, expected in [(mean_absolute_error, [0.3124, 1.9160]), (reverse_cross_entropy, [1.4387, 8.8234])]:
        expected = torch.tensor(expected, dtype=torch.float64)
        torch.testing.assert_close(loss(LOGITS, LABELS), expected, rtol=0, atol=1e-4)


def test_it_is_the_absolute_difference_to_the_one_hot_label():
    one_hot = F.one_hot(LABELS, 3).double()
    torch.testing.assert_close(
        mean_absolute_error(LOGITS, LABELS), F.l1_loss(LOGITS.softmax(1), one_hot, reduction="none").sum(1)
    )


def test_reverse_cross_entropy_is_cross_entropy_with_its_arguments_swapped():
    log_one_hot = torch.where(F.one_hot(LABELS, 3) == 1, 0.0, math.log(1e-4)).double()
    torch.testing.assert_close(reverse_cross_entropy(LOGITS, LABELS), -(LOGITS.softmax(1) * log_one_hot).sum(1))


def test_the_two_are_proportional():
    factor = 3.5 / 2
    torch.testing.assert_close(
        ReverseCrossEntropy(log_zero=-3.5)(LOGITS, LABELS), factor * MeanAbsoluteError()(LOGITS, LABELS)
    )


def test_over_all_labels_the_values_add_up_to_a_constant():
    logits = 3 * torch.randn(20, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    total = sum(mean_absolute_error(logits, torch.full((20,), label)) for label in range(6))
    torch.testing.assert_close(total, torch.full_like(total, 2 * 5))


def test_the_gradient_vanishes_where_the_model_is_wrong():
    logits = torch.tensor([[0.0, 12.0]], dtype=torch.float64, requires_grad=True)
    mean_absolute_error(logits, torch.tensor([0])).backward()
    assert logits.grad.abs().max() < 2e-5


@pytest.mark.parametrize("log_zero", [0, 1.0, -math.inf, math.nan])
def test_log_zero_out_of_range(log_zero):
    with pytest.raises(ValueError, match="log_zero: expected a finite number < 0, not"):
        ReverseCrossEntropy(log_zero)


def test_settings_are_shown():
    assert "log_zero=-9.2103" in repr(ReverseCrossEntropy())
