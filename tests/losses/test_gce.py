import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from noisyseg.losses import (
    GeneralizedCrossEntropy,
    TruncatedGeneralizedCrossEntropy,
    generalized_cross_entropy,
    truncated_generalized_cross_entropy,
)

LOGITS = torch.tensor([[2.0, 0.0, -1.0]] * 2, dtype=torch.float64)
LABELS = torch.tensor([0, 2])
P_Y = LOGITS.softmax(1)[[0, 1], LABELS]  # 0.8438, 0.0420


def random_batch(seed=0):
    generator = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(2, 4, 5, 6, generator=generator, dtype=torch.float64)
    return logits, torch.randint(0, 4, (2, 5, 6), generator=generator)


def test_known_values():
    expected = torch.tensor([0.1601, 1.2732], dtype=torch.float64)
    torch.testing.assert_close(generalized_cross_entropy(LOGITS, LABELS), expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("q", [0.3, 0.5, 0.7, 0.8])
def test_golden_values_plain_and_weighted_by_pixel(golden_dir, q):
    with np.load(golden_dir / "losses.npz") as golden:
        assert len(golden["num_classes"]) == 10
        for case, classes in enumerate(golden["num_classes"]):
            logits = torch.from_numpy(golden["logits"][case, :, :classes]).double()
            labels = torch.from_numpy(golden["labels"][case])
            weight = torch.from_numpy(golden["weight"][case])
            loss = GeneralizedCrossEntropy(q)
            assert loss(logits, labels).item() == pytest.approx(golden[f"value_gce_{q}"][case], abs=1e-5)
            weighted = golden[f"value_gce_weighted_{q}"][case]
            assert loss(logits, labels, weight=weight).item() == pytest.approx(weighted, abs=1e-5)


def test_limits_are_cross_entropy_and_one_minus_p():
    logits, labels = random_batch()
    entropy = F.cross_entropy(logits, labels, reduction="none")
    torch.testing.assert_close(generalized_cross_entropy(logits, labels, q=1e-9), entropy)
    torch.testing.assert_close(generalized_cross_entropy(logits, labels, q=1.0), 1 - torch.exp(-entropy))


def test_gradient_is_that_of_cross_entropy_times_p_to_the_q():
    logits, labels = random_batch()
    logits.requires_grad_()
    (ours,) = torch.autograd.grad(generalized_cross_entropy(logits, labels, q=0.3).sum(), logits)
    entropy = F.cross_entropy(logits, labels, reduction="none")
    (of_entropy,) = torch.autograd.grad(entropy.sum(), logits)
    torch.testing.assert_close(ours, torch.exp(-0.3 * entropy)[:, None].detach() * of_entropy)


@pytest.mark.parametrize("loss", [generalized_cross_entropy, truncated_generalized_cross_entropy])
def test_a_probability_of_exp_of_minus_200_has_a_finite_gradient(loss):
    logits = torch.tensor([[100.0, -100.0]], requires_grad=True)
    value = loss(logits, torch.tensor([1]), q=0.3)
    value.backward()
    assert torch.isfinite(value).all()
    assert torch.isfinite(logits.grad).all()
    assert (logits.grad.abs() < 1e-20).all()


def test_truncated_is_constant_and_without_gradient_up_to_k():
    logits = LOGITS.clone().requires_grad_()
    values = truncated_generalized_cross_entropy(logits, LABELS, q=0.7, k=0.5)
    torch.testing.assert_close(values[0], (1 - P_Y[0] ** 0.7) / 0.7)
    assert values[1].item() == pytest.approx((1 - 0.5**0.7) / 0.7)
    values.sum().backward()
    assert (logits.grad[0] != 0).all()
    assert (logits.grad[1] == 0).all()


def test_a_fresh_model_learns_only_before_the_truncation():
    logits = torch.zeros(3, 2, dtype=torch.float64, requires_grad=True)  # p_y is k exactly
    labels = torch.tensor([0, 1, 1])
    assert (torch.autograd.grad(TruncatedGeneralizedCrossEntropy(start=0)(logits, labels), logits)[0] == 0).all()
    loss = TruncatedGeneralizedCrossEntropy(start=1)
    plain = torch.autograd.grad(GeneralizedCrossEntropy()(logits, labels), logits)[0]
    assert (plain != 0).all()
    torch.testing.assert_close(torch.autograd.grad(loss(logits, labels), logits)[0], plain)
    assert (torch.autograd.grad(loss(logits, labels), logits)[0] == 0).all()


def test_start_counts_calls_in_training_mode():
    loss = TruncatedGeneralizedCrossEntropy(start=3)
    seen = []
    for training in (True, False, False, True, True, True):
        loss.train(training)
        seen.append(loss(LOGITS, LABELS).item())
    plain, truncated = GeneralizedCrossEntropy()(LOGITS, LABELS).item(), seen[-1]
    assert seen == [plain] * 5 + [truncated]
    assert truncated < plain


def test_the_count_of_calls_survives_a_checkpoint():
    loss = TruncatedGeneralizedCrossEntropy(start=2)
    loss(LOGITS, LABELS)
    resumed = TruncatedGeneralizedCrossEntropy(start=2)
    resumed.load_state_dict(loss.state_dict())
    for _ in range(2):
        assert resumed(LOGITS, LABELS) == loss(LOGITS, LABELS)
    assert resumed(LOGITS, LABELS) < GeneralizedCrossEntropy()(LOGITS, LABELS)
    assert TruncatedGeneralizedCrossEntropy(start=0).state_dict() == {}


def test_a_soft_target_is_one_call():
    loss = TruncatedGeneralizedCrossEntropy(start=5, use_sigmoid=True)
    loss(torch.zeros(2, 3), torch.full((2, 3), 0.5))
    assert loss.calls == 1


def test_left_out_elements_stay_in_the_divisor():
    loss = TruncatedGeneralizedCrossEntropy(start=0)
    constant = (1 - 0.5**0.7) / 0.7
    assert loss(LOGITS, LABELS).item() == pytest.approx(((1 - P_Y[0].item() ** 0.7) / 0.7 + constant) / 2)


@pytest.mark.parametrize("q", [0, -0.1, 1.01, math.nan])
@pytest.mark.parametrize("loss", [GeneralizedCrossEntropy, lambda q: TruncatedGeneralizedCrossEntropy(q, start=0)])
def test_q_out_of_range(loss, q):
    with pytest.raises(ValueError, match="q: expected 0 < q <= 1, not"):
        loss(q=q)


@pytest.mark.parametrize("k", [0, 1, -1, math.nan])
def test_k_out_of_range(k):
    with pytest.raises(ValueError, match="k: expected 0 < k < 1, not"):
        TruncatedGeneralizedCrossEntropy(k=k, start=0)


@pytest.mark.parametrize("start", [-1, 1.5, True, None])
def test_start_is_a_number_of_calls(start):
    with pytest.raises(ValueError, match="start: expected a number of calls >= 0, not"):
        TruncatedGeneralizedCrossEntropy(start=start)


def test_start_must_be_given():
    with pytest.raises(TypeError, match="start"):
        TruncatedGeneralizedCrossEntropy()


def test_settings_are_shown():
    assert "q=0.7, k=0.5, start=7" in repr(TruncatedGeneralizedCrossEntropy(start=7))
    assert "q=0.4" in repr(GeneralizedCrossEntropy(0.4))
