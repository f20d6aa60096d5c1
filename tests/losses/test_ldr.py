import math

import pytest
import torch
import torch.nn.functional as F

from noisyseg.losses import ALDR, LDR, adaptive_ldr, ldr

KNOWN = torch.tensor([[2.0, 0.0, -1.0]] * 2, dtype=torch.float64)
KNOWN_LABELS = torch.tensor([0, 2])
GENERATOR = torch.Generator().manual_seed(0)
LOGITS = 2 * torch.randn(2, 4, 5, 6, generator=GENERATOR, dtype=torch.float64)
LABELS = torch.randint(0, 4, (2, 5, 6), generator=GENERATOR)

every_rescaling = pytest.mark.parametrize("rescale", ["none", "l1", "softplus"])


def rescaled(logits, rescale):
    if rescale == "none":
        return logits
    positive = F.softplus(logits) if rescale == "softplus" else logits
    return positive / positive.abs().mean(1, keepdim=True)


def formula(logits, target, lam, margin, rescale):
    """The definition, term by term, for autograd."""
    scaled = rescaled(logits, rescale)
    label = target.unsqueeze(1)
    violations = scaled - scaled.gather(1, label) + margin * torch.ones_like(scaled).scatter(1, label, 0)
    each = lam.unsqueeze(1) if isinstance(lam, torch.Tensor) else lam
    return lam * (torch.logsumexp(violations / each, 1) - math.log(scaled.shape[1]))


def temperature(logits, lam0, alpha, rescale):
    p = (rescaled(logits, rescale) / lam0).softmax(1)
    log_k = math.log(logits.shape[1])
    return lam0 * (1 - ((p * p.log()).sum(1) + log_k) / (alpha * log_k))


def value_and_gradient(function):
    logits = LOGITS.clone().requires_grad_()
    values = function(logits)
    (gradient,) = torch.autograd.grad(values.sum(), logits)
    return values.detach(), gradient


@pytest.mark.parametrize(
    ("function", "settings", "expected"),
    [
        (ldr, dict(margin=0.0, rescale="none"), [-0.9288, 2.0712]),
        (ldr, dict(margin=0.1, rescale="none"), [-0.9125, 2.1672]),
        (adaptive_ldr, {}, [-0.8188, 2.2715]),
    ],
)
def test_known_values(function, settings, expected):
    values = function(KNOWN, KNOWN_LABELS, **settings)
    torch.testing.assert_close(values, torch.tensor(expected, dtype=torch.float64), rtol=0, atol=1e-4)


def test_the_temperature_of_the_known_value():
    assert temperature(KNOWN[:1, :, None, None], 1.0, 2.0, "l1").item() == pytest.approx(0.7386, abs=1e-4)


@every_rescaling
@pytest.mark.parametrize(("lam", "margin"), [(1.0, 0.1), (0.3, 0.0), (2.0, 1.0)])
def test_values_and_gradient_are_those_of_the_definition(rescale, lam, margin):
    ours = value_and_gradient(lambda z: ldr(z, LABELS, lam, margin, rescale))
    torch.testing.assert_close(ours, value_and_gradient(lambda z: formula(z, LABELS, lam, margin, rescale)))


@every_rescaling
@pytest.mark.parametrize(("lam0", "alpha"), [(1.0, 2.0), (0.5, 5.0)])
def test_the_adaptive_temperature_counts_as_a_constant(rescale, lam0, alpha):
    lam = temperature(LOGITS, lam0, alpha, rescale)
    penalty = alpha * math.log(4) / (2 * lam0) * (lam - lam0) ** 2
    ours = value_and_gradient(lambda z: adaptive_ldr(z, LABELS, lam0, alpha, 0.1, rescale))
    theirs = value_and_gradient(lambda z: formula(z, LABELS, lam, 0.1, rescale) - penalty)
    torch.testing.assert_close(ours, theirs)


def test_one_without_margin_is_cross_entropy_less_log_k():
    entropy = value_and_gradient(lambda z: F.cross_entropy(z, LABELS, reduction="none") - math.log(4))
    torch.testing.assert_close(value_and_gradient(lambda z: ldr(z, LABELS, 1.0, 0.0, "none")), entropy)


def test_the_limits_are_the_largest_violation_and_their_mean():
    others = LOGITS.scatter(1, LABELS[:, None], -torch.inf).amax(1)
    label = LOGITS.gather(1, LABELS[:, None])[:, 0]
    largest = (others - label + 0.5).clamp(min=0)
    torch.testing.assert_close(ldr(LOGITS, LABELS, 0.01, 0.5, "none"), largest, rtol=0, atol=0.03)
    mean = LOGITS.mean(1) - label + 0.5 * 3 / 4
    torch.testing.assert_close(ldr(LOGITS, LABELS, 1e5, 0.5, "none"), mean, rtol=0, atol=1e-3)


def test_a_flat_adaptive_temperature_is_ldr():
    torch.testing.assert_close(adaptive_ldr(LOGITS, LABELS, 1.5, 1e9), ldr(LOGITS, LABELS, 1.5, rescale="l1"))


def test_dividing_by_the_mean_size_makes_blind_to_it():
    torch.testing.assert_close(ldr(7 * LOGITS, LABELS, rescale="l1"), ldr(LOGITS, LABELS, rescale="l1"))
    torch.testing.assert_close(adaptive_ldr(7 * LOGITS, LABELS), adaptive_ldr(LOGITS, LABELS))


@pytest.mark.parametrize("function", [ldr, adaptive_ldr])
@every_rescaling
@pytest.mark.parametrize("level", [0.0, -100.0, 1e-4])
def test_logits_without_size_do_not_explode(function, rescale, level):
    logits = torch.full((2, 4), level, requires_grad=True)
    values = function(logits, torch.tensor([0, 3]), rescale=rescale)
    values.sum().backward()
    assert torch.isfinite(values).all()
    assert logits.grad.abs().max() <= 101


def test_the_margin_may_be_as_large_as_it_is_allowed_to():
    values = ldr(torch.tensor([[9.0, 0.0], [-90.0, 0.0]]), torch.tensor([0, 0]), 0.01, 0.8, "none")
    torch.testing.assert_close(values, torch.tensor([0.0, 90.8]), rtol=0, atol=0.01)


def test_the_sigmoid_form_is_logistic():
    target = (LOGITS.flip(0) > 0).double()
    expected = F.binary_cross_entropy_with_logits(LOGITS, target) - math.log(2)
    torch.testing.assert_close(LDR(margin=0, rescale="none", use_sigmoid=True)(LOGITS, target), expected)


@pytest.mark.parametrize(
    ("loss", "settings", "message"),
    [
        (LDR, dict(lam=0), "lam: expected a finite number > 0"),
        (LDR, dict(margin=-0.1), "margin: expected 0 <= margin <= 80"),
        (LDR, dict(lam=0.001), "margin: expected 0 <= margin <= 0.08"),
        (LDR, dict(rescale="l2"), "rescale: expected one of none, l1, softplus"),
        (LDR, dict(rescale="l1", use_sigmoid=True), "no sigmoid form with rescale='l1'.*only the sign of z"),
        (ALDR, dict(lam0=float("nan")), "lam0: expected a finite number > 0"),
        (ALDR, dict(alpha=1.0), "alpha: expected a finite number > 1"),
        (ALDR, dict(lam0=0.01, alpha=1.1), "margin: expected 0 <= margin <= 0.0727"),
        (ALDR, dict(use_mask=True), "ALDR has no sigmoid form: .*only the sign of z"),
    ],
)
def test_bad_settings_raise(loss, settings, message):
    with pytest.raises(ValueError, match=message):
        loss(**settings)


def test_settings_are_printed():
    assert "lam=0.5, margin=0.2, rescale='none'" in repr(LDR(0.5, 0.2, "none"))
    assert "lam0=0.5, alpha=3, margin=0.2, rescale='l1'" in repr(ALDR(0.5, 3, 0.2))
