"""What follows from being a function of p_y alone, for every loss that is one."""

import pytest
import torch

from noisyseg.losses import (
    GeneralizedCrossEntropy,
    JensenShannon,
    MeanAbsoluteError,
    ReverseCrossEntropy,
    SymmetricCrossEntropy,
    TruncatedGeneralizedCrossEntropy,
)
from noisyseg.losses.forms import binary_elements
from noisyseg.losses.label_probability import LabelProbabilityLoss

LOSSES = [
    GeneralizedCrossEntropy(),
    GeneralizedCrossEntropy(q=0.3),
    TruncatedGeneralizedCrossEntropy(start=0, k=0.3),
    MeanAbsoluteError(),
    ReverseCrossEntropy(),
    SymmetricCrossEntropy(),
    JensenShannon(),
    JensenShannon(pi=0.01),
]
each = pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: f"{type(loss).__name__}({loss.extra_repr()})")


def test_all_of_them_are_here():
    assert {type(loss) for loss in LOSSES} == set(LabelProbabilityLoss.__subclasses__())


@each
def test_the_gradient_is_that_of_cross_entropy_times_the_slope(loss):
    generator = torch.Generator().manual_seed(0)
    logits = (3 * torch.randn(50, 5, generator=generator, dtype=torch.float64)).requires_grad_()
    target = torch.randint(0, 5, (50,), generator=generator)
    (gradient,) = torch.autograd.grad(loss.elementwise(logits, target).sum(), logits)
    p = logits.detach().softmax(1)
    one_hot = torch.nn.functional.one_hot(target, 5)
    nll = -(p * one_hot).sum(1).log()
    step = 1e-6
    slope = (loss.of_nll(nll + step) - loss.of_nll(nll - step)) / (2 * step)
    torch.testing.assert_close(gradient, slope[:, None] * (p - one_hot), rtol=1e-6, atol=1e-9)


@each
def test_a_better_fit_never_costs_more_and_a_perfect_one_nothing(loss):
    nll = torch.cat((torch.zeros(1), torch.logspace(-6, 2.4, 500))).double()
    values = loss.of_nll(nll)
    assert values[0] == 0
    assert (values.diff() >= -1e-12).all()


@each
def test_single_precision_agrees_with_double_up_to_200(loss):
    nll = torch.cat((torch.zeros(1), torch.logspace(-3, 2.3, 200))).requires_grad_()
    double = nll.detach().double().requires_grad_()
    values, expected = loss.of_nll(nll), loss.of_nll(double)
    torch.testing.assert_close(values, expected.float(), rtol=1e-4, atol=1e-5)
    values.sum().backward()
    expected.sum().backward()
    torch.testing.assert_close(nll.grad, double.grad.float(), rtol=1e-3, atol=1e-5)


def sigmoid_form(loss):
    names = [name for name in ("q", "k", "start", "alpha", "beta", "log_zero", "pi") if hasattr(loss, name)]
    return type(loss)(**{name: getattr(loss, name) for name in names}, use_sigmoid=True, reduction="none")


@each
def test_sigmoid_form_is_the_function_of_the_channels_own_probability(loss):
    logits = torch.linspace(-4, 4, 12, dtype=torch.float64).reshape(4, 3)
    labels = torch.tensor([0, 2, 3, 1])  # 3 is mmdet's background
    p = 1 / (1 + torch.exp(-logits))
    given = torch.where(torch.arange(3) == labels[:, None], p, 1 - p)
    torch.testing.assert_close(sigmoid_form(loss)(logits, labels), loss.of_nll(-given.log()))


@each
@pytest.mark.parametrize("soft", [False, True], ids=["hard", "soft"])
def test_sigmoid_form_equals_the_softmax_over_zero_and_the_logit(loss, soft):
    generator = torch.Generator().manual_seed(0)
    logits = torch.cat((4 * torch.randn(20, 3, generator=generator), torch.tensor([[100.0, -100.0, 0.0]]))).double()
    target = torch.rand(21, 3, generator=generator).double()
    target = target if soft else target > 0.5
    ours, pairs = logits.clone().requires_grad_(), logits.clone().requires_grad_()
    values = sigmoid_form(loss)(ours, target)
    expected = binary_elements(pairs, target, None).values(loss.elementwise)
    torch.testing.assert_close(values, expected)
    values.sum().backward()
    expected.sum().backward()
    torch.testing.assert_close(ours.grad, pairs.grad)
