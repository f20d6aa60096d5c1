import math

import pytest
import torch
import torch.nn.functional as F

from noisyseg.losses import SymmetricCrossEntropy, reverse_cross_entropy, symmetric_cross_entropy

LOGITS = torch.tensor([[2.0, 0.0, -1.0]] * 2, dtype=torch.float64)
LABELS = torch.tensor([0, 2])


def test_known_values():
    expected = torch.tensor([1.4557, 9.1404], dtype=torch.float64)
    torch.testing.assert_close(symmetric_cross_entropy(LOGITS, LABELS), expected, rtol=0, atol=1e-4)


def test_limits_are_its_parts():
    torch.testing.assert_close(
        SymmetricCrossEntropy(alpha=1, beta=0)(LOGITS, LABELS), F.cross_entropy(LOGITS, LABELS), rtol=1e-12, atol=0
    )
    torch.testing.assert_close(
        symmetric_cross_entropy(LOGITS, LABELS, alpha=0, beta=2), 2 * reverse_cross_entropy(LOGITS, LABELS)
    )


def test_gradient_is_that_of_cross_entropy_times_alpha_plus_beta_p():
    logits = LOGITS.clone().requires_grad_()
    (ours,) = torch.autograd.grad(symmetric_cross_entropy(logits, LABELS, 6.0, 0.1).sum(), logits)
    p = LOGITS.softmax(1)
    p_y = p.gather(1, LABELS[:, None])
    torch.testing.assert_close(ours, (6 + 0.1 * -math.log(1e-4) * p_y) * (p - F.one_hot(LABELS, 3)))


@pytest.mark.parametrize("name", ["alpha", "beta"])
@pytest.mark.parametrize("factor", [-0.1, math.inf, math.nan])
def test_factor_out_of_range(name, factor):
    with pytest.raises(ValueError, match=f"{name}: expected a finite number >= 0, not"):
        SymmetricCrossEntropy(**{name: factor})


def test_both_factors_zero():
    with pytest.raises(ValueError, match="alpha and beta are both 0"):
        SymmetricCrossEntropy(0, 0)


def test_settings_are_shown():
    assert "alpha=6, beta=0.1" in repr(SymmetricCrossEntropy(6, 0.1))
