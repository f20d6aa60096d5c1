import math

import pytest
import torch
import torch.nn.functional as F

from noisyseg.losses import JensenShannon, jensen_shannon


def random_batch():
    generator = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(40, 5, generator=generator, dtype=torch.float64)
    return logits, torch.randint(0, 5, (40,), generator=generator)


@pytest.mark.parametrize("pi", [0.001, 0.1, 0.5, 0.9, 0.999])
def test_it_is_the_divergence_of_the_whole_distributions(pi):
    logits, labels = random_batch()
    p, label = logits.softmax(1), F.one_hot(labels, 5).double()
    mixture = pi * label + (1 - pi) * p
    # F.kl_div takes the logarithm of its second distribution first, and 0 log 0 as 0
    divergence = pi * F.kl_div(mixture.log(), label, reduction="none").sum(1)
    divergence += (1 - pi) * F.kl_div(mixture.log(), p, reduction="none").sum(1)
    expected = divergence / (-(1 - pi) * math.log(1 - pi))
    torch.testing.assert_close(jensen_shannon(logits, labels, pi), expected, rtol=1e-9, atol=1e-12)


def test_a_small_pi_is_cross_entropy():
    logits, labels = random_batch()
    entropy = F.cross_entropy(logits, labels, reduction="none")
    errors = [(jensen_shannon(logits, labels, pi) - entropy).abs().max() for pi in (1e-7, 1e-9, 1e-11)]
    assert errors[0] < 0.01
    assert errors[1] < errors[0] / 50
    assert errors[2] < errors[1] / 50


def test_a_large_pi_is_one_minus_p_slowly():
    logits, labels = random_batch()
    p_y = logits.softmax(1).gather(1, labels[:, None]).squeeze(1)
    for rest in (1e-6, 1e-8, 1e-10):
        excess = jensen_shannon(logits, labels, pi=1 - rest) - (1 - p_y)
        expected = (1 - p_y + p_y * p_y.log()) / -math.log(rest)
        torch.testing.assert_close(excess, expected, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("pi", [0.01, 0.5, 0.99])
def test_gradient_is_that_of_cross_entropy_times_a_closed_form(pi):
    logits, labels = random_batch()
    logits.requires_grad_()
    (gradient,) = torch.autograd.grad(jensen_shannon(logits, labels, pi).sum(), logits)
    p = logits.detach().softmax(1)
    p_y = p.gather(1, labels[:, None])
    slope = p_y * (1 + torch.log((pi + (1 - pi) * p_y) / p_y) / -math.log(1 - pi))
    torch.testing.assert_close(gradient, slope * (p - F.one_hot(labels, 5)))


def test_single_precision_keeps_its_digits_with_a_small_pi():
    logits, labels = random_batch()
    double, single = logits.clone().requires_grad_(), logits.float().requires_grad_()
    expected, value = jensen_shannon(double, labels, 1e-4), jensen_shannon(single, labels, 1e-4)
    torch.testing.assert_close(value.double(), expected, rtol=1e-4, atol=1e-5)
    expected.sum().backward()
    value.sum().backward()
    torch.testing.assert_close(single.grad.double(), double.grad, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("pi", [0.1, 0.5, 0.9])
def test_it_is_bounded(pi):
    logits = torch.tensor([[-100.0, 100.0]], dtype=torch.float64)
    bound = 1 + pi * math.log(pi) / ((1 - pi) * math.log(1 - pi))
    assert jensen_shannon(logits, torch.tensor([0]), pi).item() == pytest.approx(bound)
    assert jensen_shannon(logits, torch.tensor([1]), pi).item() == 0


@pytest.mark.parametrize("pi", [0, 1, -0.5, math.nan])
def test_pi_out_of_range(pi):
    with pytest.raises(ValueError, match="pi: expected 0 < pi < 1, not"):
        JensenShannon(pi)


def test_settings_are_shown():
    assert "pi=0.3" in repr(JensenShannon(0.3))
