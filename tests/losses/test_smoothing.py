import pytest
import torch
import torch.nn.functional as F

from noisyseg.losses import CrossEntropy, LabelSmoothing, MaxSuppression, label_smoothing, max_suppression

KNOWN = torch.tensor([[2.0, 0.0, -1.0]] * 2, dtype=torch.float64)
GENERATOR = torch.Generator().manual_seed(0)
LOGITS = 2 * torch.randn(2, 4, 5, 6, generator=GENERATOR, dtype=torch.float64)
LABELS = torch.randint(0, 4, (2, 5, 6), generator=GENERATOR)


def value_and_gradient(function):
    logits = LOGITS.clone().requires_grad_()
    values = function(logits)
    (gradient,) = torch.autograd.grad(values.sum(), logits)
    return values.detach(), gradient


@pytest.mark.parametrize(
    ("function", "expected"), [(label_smoothing, [0.3365, 3.0365]), (max_suppression, [0.3365, 3.3365])]
)
def test_known_values(function, expected):
    values = function(KNOWN, torch.tensor([0, 2]), 0.1)
    torch.testing.assert_close(values, torch.tensor(expected, dtype=torch.float64), rtol=0, atol=1e-4)


@pytest.mark.parametrize("epsilon", [0.0, 0.1, 0.6])
def test_label_smoothing_equals_torch(epsilon):
    ours = value_and_gradient(lambda z: label_smoothing(z, LABELS, epsilon))
    theirs = value_and_gradient(lambda z: F.cross_entropy(z, LABELS, reduction="none", label_smoothing=epsilon))
    torch.testing.assert_close(ours, theirs)


def test_max_suppression_equals_its_formula():
    ours = value_and_gradient(lambda z: max_suppression(z, LABELS, 0.3))
    formula = value_and_gradient(
        lambda z: F.cross_entropy(z, LABELS, reduction="none") + 0.3 * (z.max(1).values - z.mean(1))
    )
    torch.testing.assert_close(ours, formula)


def test_they_are_equal_where_the_label_is_predicted_and_only_there():
    smoothed = value_and_gradient(lambda z: label_smoothing(z, LABELS, 0.2))
    suppressed = value_and_gradient(lambda z: max_suppression(z, LABELS, 0.2))
    right = LOGITS.argmax(1) == LABELS
    assert 0 < right.sum() < right.numel()
    torch.testing.assert_close(suppressed[0][right], smoothed[0][right])
    torch.testing.assert_close(suppressed[1].movedim(1, -1)[right], smoothed[1].movedim(1, -1)[right])
    assert (suppressed[0][~right] > smoothed[0][~right]).all()


@pytest.mark.parametrize("loss", [LabelSmoothing, MaxSuppression])
def test_zero_is_cross_entropy(loss):
    torch.testing.assert_close(loss(0)(LOGITS, LABELS), CrossEntropy()(LOGITS, LABELS))


def test_the_sigmoid_forms():
    z, target = LOGITS, (LOGITS.flip(0) > 0).double()
    plain = F.binary_cross_entropy_with_logits(z, target)
    smooth = F.binary_cross_entropy_with_logits(z, 0.9 * target + 0.05)
    torch.testing.assert_close(LabelSmoothing(0.1, use_sigmoid=True)(z, target), smooth)
    torch.testing.assert_close(MaxSuppression(0.1, use_sigmoid=True)(z, target), plain + 0.1 * (z.abs() / 2).mean())


def test_the_strongest_of_equal_logits_is_held_back_once():
    logits = torch.zeros(1, 4, dtype=torch.float64, requires_grad=True)
    max_suppression(logits, torch.tensor([2]), 0.4).sum().backward()
    assert logits.grad[0].tolist() == pytest.approx([0.25 + 0.3, 0.25 - 0.1, -0.75 - 0.1, 0.25 - 0.1])


@pytest.mark.parametrize("epsilon", [-0.1, 1.0, float("nan")])
def test_epsilon_out_of_range_raises(epsilon):
    with pytest.raises(ValueError, match=r"epsilon: expected 0 <= epsilon < 1"):
        LabelSmoothing(epsilon)


@pytest.mark.parametrize("alpha", [-0.1, float("inf"), float("nan")])
def test_alpha_out_of_range_raises(alpha):
    with pytest.raises(ValueError, match=r"alpha: expected a finite number >= 0"):
        MaxSuppression(alpha)


def test_settings_are_printed():
    assert "epsilon=0.2" in repr(LabelSmoothing(0.2))
    assert "alpha=0.2" in repr(MaxSuppression(0.2))
