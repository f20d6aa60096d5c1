import copy
import math

import pytest
import torch
import torch.nn.functional as F

from noisyseg.losses import AdaptiveK, CrossEntropy, GeneralizedCrossEntropy
from noisyseg.losses import adaptive_k as module


def batch(seed, scale=2.0):
    generator = torch.Generator().manual_seed(seed)
    logits = scale * torch.randn(2, 4, 5, 6, generator=generator)
    labels = torch.randint(0, 4, (2, 5, 6), generator=generator)
    labels[torch.rand(labels.shape, generator=generator) < 0.2] = 255
    return logits, labels


def kept_mean(values, threshold):
    return values[values <= threshold].mean()


def valid_losses(logits, labels):
    return F.cross_entropy(logits, labels, ignore_index=255, reduction="none")[labels != 255]


def test_the_published_rule_step_by_step():
    loss = AdaptiveK()
    m = v = 0.0
    for step in range(30):
        logits, labels = batch(step)
        values = valid_losses(logits, labels)
        m = 0.9 * m + 0.1 * values.mean().item()
        v = 0.999 * v + 0.001 * values.mean().item() ** 2
        result = loss(logits, labels)
        assert loss.threshold().item() == pytest.approx(m / math.sqrt(v), rel=1e-4)
        torch.testing.assert_close(result, kept_mean(values, m / math.sqrt(v)))


@pytest.mark.parametrize("scale", [0.01, 1.0, 100.0])
def test_the_published_threshold_does_not_depend_on_the_losses(scale):
    """3.2 at first, then up to about 6.5, and in the end 1.0: p_y above 0.37."""
    loss = AdaptiveK(dict(type="noisyseg.CrossEntropy", loss_weight=scale))
    logits, labels = batch(0)
    thresholds = []
    for _ in range(40):
        loss(logits, labels)
        thresholds.append(loss.threshold().item())
    assert thresholds[0] == pytest.approx(10**0.5, rel=1e-4)
    assert max(thresholds) == pytest.approx(6.57, abs=0.01)
    loss.mean.copy_(scale * loss.mean.new_tensor(2.5))
    loss.spread.copy_((scale * loss.mean.new_tensor(2.5)) ** 2)
    assert loss.threshold().item() == pytest.approx(1)
    kept = loss.eval()(logits, labels, reduction_override="none") > 0
    p = logits.softmax(1).gather(1, labels.clamp(max=3)[:, None])[:, 0]
    if scale == 1:
        assert (kept == ((p >= math.exp(-1)) & (labels != 255))).all()


def test_mean_and_spread_step_by_step():
    loss = AdaptiveK(rule="mean_std", k=0.5, beta1=0.8, beta2=0.95)
    m = s = 0.0
    for step in range(1, 20):
        logits, labels = batch(step)
        values = valid_losses(logits, labels).double()
        m = 0.8 * m + 0.2 * values.mean().item()
        s = 0.95 * s + 0.05 * values.var(correction=0).item()
        result = loss(logits, labels)
        threshold = m / (1 - 0.8**step) + 0.5 * math.sqrt(s / (1 - 0.95**step))
        assert loss.threshold().item() == pytest.approx(threshold, rel=1e-4)
        torch.testing.assert_close(result, kept_mean(values, threshold).float())


def test_mean_and_spread_of_the_first_batch_are_its_own():
    logits, labels = batch(0)
    values = valid_losses(logits, labels)
    loss = AdaptiveK(rule="mean_std")
    loss(logits, labels)
    assert loss.threshold().item() == pytest.approx((values.mean() + values.std(correction=0)).item(), rel=1e-4)


def test_what_is_left_out_has_no_gradient():
    logits, labels = batch(0)
    logits.requires_grad_()
    loss = AdaptiveK(rule="mean_std", k=0.0)
    loss(logits, labels).backward()
    values = F.cross_entropy(logits, labels, ignore_index=255, reduction="none").detach()
    kept = (values <= loss.threshold()) & (labels != 255)
    assert 10 < kept.sum() < 40
    assert ((logits.grad.abs().sum(1) > 0) == kept).all()


def test_the_threshold_acts_after_the_warm_up():
    loss = AdaptiveK(rule="mean_std", k=-0.5, warmup=2)
    for step in range(4):
        logits, labels = batch(step)
        everything = CrossEntropy()(logits, labels)
        assert (loss(logits, labels) == everything) == (step < 2)
    assert loss.batches == 4


def test_only_elements_that_count_are_seen_with_their_weights():
    logits, labels = batch(0)
    weight = torch.rand(labels.shape, generator=torch.Generator().manual_seed(1))
    loss, other = AdaptiveK(rule="mean_std"), AdaptiveK(rule="mean_std")
    loss(logits, labels, weight=weight)
    values = F.cross_entropy(logits, labels, ignore_index=255, reduction="none")
    mean = (weight * values).sum() / (weight * (labels != 255)).sum()
    assert loss.mean.item() == pytest.approx(0.1 * mean.item(), rel=1e-5)
    noise = torch.where((labels == 255)[:, None], 50.0, 0.0)
    other(logits + noise, labels, weight=weight)
    assert loss.state_dict() == other.state_dict()


def test_nothing_changes_in_evaluation_or_where_nothing_counts():
    loss = AdaptiveK(rule="mean_std")
    assert loss.threshold() == math.inf
    logits, labels = batch(0)
    torch.testing.assert_close(loss.eval()(logits, labels), CrossEntropy()(logits, labels))
    loss.train()
    assert loss(logits, torch.full_like(labels, 255)) == 0
    assert loss(logits[:0], labels[:0]) == 0
    assert loss.batches == 0
    loss(logits, labels)
    before = copy.deepcopy(loss.state_dict())
    loss.eval()(*batch(1))
    loss.train()(logits, torch.full_like(labels, 255))
    assert loss.state_dict() == before


def test_a_resumed_run_goes_on_as_the_first():
    through, first = AdaptiveK(rule="mean_std"), AdaptiveK(rule="mean_std")
    for step in range(3):
        through(*batch(step))
        first(*batch(step))
    resumed = AdaptiveK(rule="mean_std")
    resumed.load_state_dict(first.state_dict())
    for step in range(3, 6):
        assert resumed(*batch(step)) == through(*batch(step))
    assert resumed.state_dict() == through.state_dict()


def test_processes_share_their_sums(monkeypatch):
    """The sums of the other process are added as `all_reduce` would."""
    mine, theirs = batch(0), batch(1)
    other = valid_losses(*theirs)
    sums = torch.stack((torch.tensor(float(len(other))), other.sum(), other.square().sum()))
    monkeypatch.setattr(module.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(module.distributed, "all_reduce", lambda tensor: tensor.add_(sums))
    shared = AdaptiveK(rule="mean_std")
    shared(*mine)
    monkeypatch.undo()
    together = AdaptiveK(rule="mean_std")
    together(*(torch.cat(pair) for pair in zip(mine, theirs, strict=True)))
    for name, value in together.state_dict().items():
        torch.testing.assert_close(shared.state_dict()[name], value)


def test_it_is_over_any_loss_in_either_form():
    logits, labels = batch(0)
    inner = dict(type="noisyseg.GeneralizedCrossEntropy", q=0.5)
    for form in ({}, dict(use_sigmoid=True)):
        loss = AdaptiveK(inner, rule="mean_std", k=100.0, **form)
        torch.testing.assert_close(loss(logits, labels), GeneralizedCrossEntropy(0.5, **form)(logits, labels))
        assert loss.batches == 1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (dict(rule="median"), "rule: expected one of fixed_threshold, mean_std, not 'median'"),
        (dict(k=1.0), "k belongs to rule='mean_std'"),
        (dict(rule="mean_std", k=math.nan), "k: expected a finite number"),
        (dict(beta1=1.0), "beta1: expected 0 <= beta1 < 1"),
        (dict(beta2=-0.1), "beta2: expected 0 <= beta2 < 1"),
        (dict(warmup=-1), "warmup: expected a number of batches >= 0"),
        (dict(loss=dict(type="noisyseg.AdaptiveK")), "loss: AdaptiveK counts calls or chooses elements"),
        (dict(loss=dict(type="noisyseg.ALDR"), use_sigmoid=True), "ALDR has no sigmoid form"),
    ],
)
def test_bad_settings_raise(settings, message):
    with pytest.raises(ValueError, match=message):
        AdaptiveK(**settings)


def test_settings_are_printed():
    assert "rule='mean_std', k=2, beta1=0.9, beta2=0.999, warmup=5" in repr(AdaptiveK(rule="mean_std", k=2, warmup=5))
