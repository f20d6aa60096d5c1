import math

import pytest
import torch
import torch.nn.functional as F

from noisyseg.losses import Bootstrapping, hard_bootstrapping, soft_bootstrapping

LOGITS = torch.tensor([[2.0, 0.0, -1.0]] * 2, dtype=torch.float64)
LABELS = torch.tensor([0, 2])


def random_batch():
    generator = torch.Generator().manual_seed(0)
    logits = 2 * torch.randn(2, 4, 5, 6, generator=generator, dtype=torch.float64)
    return logits.requires_grad_(), torch.randint(0, 4, (2, 5, 6), generator=generator)


def gradient(value, logits):
    return torch.autograd.grad(value.sum(), logits)[0]


@pytest.mark.parametrize("detach", [False, True])
def test_known_values(detach):
    soft = torch.tensor([0.1876, 3.0376], dtype=torch.float64)
    hard = torch.tensor([0.1698, 2.5698], dtype=torch.float64)
    settings = dict(detach=detach, reduction="none")
    torch.testing.assert_close(Bootstrapping("soft", **settings)(LOGITS, LABELS), soft, rtol=0, atol=1e-4)
    torch.testing.assert_close(Bootstrapping("hard", **settings)(LOGITS, LABELS), hard, rtol=0, atol=1e-4)


@pytest.mark.parametrize("beta", [0.95, 0.5, 0.1])
def test_with_a_constant_target_the_gradient_is_exactly_that_of_cross_entropy_times_beta(beta):
    logits, labels = random_batch()
    one_hot = F.one_hot(labels, 4).movedim(-1, 1)
    constant_target = (beta * one_hot + (1 - beta) * logits.softmax(1)).detach()
    by_hand = F.cross_entropy(logits, constant_target, reduction="none")
    ours = soft_bootstrapping(logits, labels, beta, detach=True)
    torch.testing.assert_close(ours, by_hand)
    scaled = beta * gradient(F.cross_entropy(logits, labels, reduction="none"), logits)
    torch.testing.assert_close(gradient(by_hand, logits), scaled)
    torch.testing.assert_close(gradient(ours, logits), scaled)
    torch.testing.assert_close(scaled, (beta * (logits.softmax(1) - one_hot)).detach())


def test_under_adam_a_constant_target_trains_like_cross_entropy():
    _, labels = random_batch()
    start = torch.randn(2, 4, 5, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    results = []
    for loss in (Bootstrapping(beta=0.5, detach=True), Bootstrapping(beta=0.5), F.cross_entropy):
        logits = start.clone().requires_grad_()
        optimizer = torch.optim.Adam([logits], lr=0.1, eps=0)
        for _ in range(5):
            optimizer.zero_grad()
            loss(logits, labels).backward()
            optimizer.step()
        results.append(logits.detach())
    constant, moving, cross_entropy = results
    torch.testing.assert_close(constant, cross_entropy)
    assert (moving - cross_entropy).abs().max() > 0.001


def test_with_a_moving_target_the_gradient_has_that_of_the_entropy():
    logits, labels = random_batch()
    log_p = logits.log_softmax(1)
    entropy = -(log_p.exp() * log_p).sum(1)
    by_hand = 0.9 * F.cross_entropy(logits, labels, reduction="none") + 0.1 * entropy
    ours = soft_bootstrapping(logits, labels, 0.9)
    torch.testing.assert_close(ours, by_hand)
    torch.testing.assert_close(gradient(ours, logits), gradient(by_hand, logits))


def test_hard_is_cross_entropy_to_the_label_and_to_the_prediction():
    logits, labels = random_batch()
    by_hand = 0.8 * F.cross_entropy(logits, labels, reduction="none")
    by_hand = by_hand + 0.2 * F.cross_entropy(logits, logits.argmax(1), reduction="none")
    ours = hard_bootstrapping(logits, labels)
    torch.testing.assert_close(ours, by_hand)
    torch.testing.assert_close(gradient(ours, logits), gradient(by_hand, logits))


def test_equal_logits_pull_to_one_class_of_them():
    logits = torch.zeros(1, 3, dtype=torch.float64, requires_grad=True)
    torch.testing.assert_close(
        gradient(hard_bootstrapping(logits, torch.tensor([2]), beta=0.75), logits),
        torch.tensor([[1 / 3 - 0.25, 1 / 3, 1 / 3 - 0.75]], dtype=torch.float64),
    )


@pytest.mark.parametrize("mode", ["soft", "hard"])
def test_with_beta_1_it_is_cross_entropy(mode):
    logits, labels = random_batch()
    ours, expected = Bootstrapping(mode, beta=1)(logits, labels), F.cross_entropy(logits, labels)
    torch.testing.assert_close(ours, expected)
    torch.testing.assert_close(gradient(ours, logits), gradient(expected, logits))


@pytest.mark.parametrize("loss", [Bootstrapping(use_sigmoid=True), Bootstrapping("hard", use_sigmoid=True)])
def test_sigmoid_form(loss):
    logits = torch.linspace(-3, 3, 6, dtype=torch.float64).reshape(2, 3)
    target = torch.tensor([[1.0, 0.0, 1.0], [0.0, 0.25, 1.0]], dtype=torch.float64)
    p = torch.sigmoid(logits)
    other = p if loss.mode == "soft" else (p > 0.5).double()
    mixed = loss.beta * target + (1 - loss.beta) * other
    expected = F.binary_cross_entropy(p, mixed, reduction="none")
    torch.testing.assert_close(loss(logits, target, reduction_override="none"), expected)


def test_detached_form_has_a_gradient_in_the_sigmoid_form_too():
    logits = torch.linspace(-3, 3, 6, dtype=torch.float64).reshape(2, 3).requires_grad_()
    target = torch.tensor([[1, 0, 1], [0, 1, 1]]).bool()
    loss = Bootstrapping(detach=True, use_sigmoid=True, reduction="sum")
    expected = 0.95 * (torch.sigmoid(logits) - target.double())
    torch.testing.assert_close(gradient(loss(logits, target), logits), expected.detach())


def test_settings_out_of_range():
    with pytest.raises(ValueError, match="mode: expected one of soft, hard, not 'medium'"):
        Bootstrapping("medium")
    for beta in (0, -0.1, 1.1, math.nan):
        with pytest.raises(ValueError, match="beta: expected 0 < beta <= 1, not"):
            Bootstrapping(beta=beta)


def test_settings_are_shown():
    assert "mode='hard', beta=0.8, detach=False" in repr(Bootstrapping("hard"))
    assert Bootstrapping().beta == 0.95
