import math

import pytest
import torch
import torch.nn.functional as F

from noisyseg.losses import ActivePassive, NormalizedCrossEntropy, normalized_cross_entropy
from noisyseg.registry import MODELS

LOGITS = torch.tensor([[2.0, 0.0, -1.0]] * 2, dtype=torch.float64)
LABELS = torch.tensor([0, 2])
NCE = dict(type="noisyseg.NormalizedCrossEntropy")
CE = dict(type="noisyseg.CrossEntropy")
RCE = dict(type="noisyseg.ReverseCrossEntropy", log_zero=-5.0)
MAE = dict(type="noisyseg.MeanAbsoluteError")
GCE = dict(type="noisyseg.GeneralizedCrossEntropy", q=0.4)
HARD = dict(type="noisyseg.Bootstrapping", mode="hard")


def random_batch():
    generator = torch.Generator().manual_seed(0)
    logits = 2 * torch.randn(2, 4, 5, 6, generator=generator, dtype=torch.float64)
    return logits.requires_grad_(), torch.randint(0, 4, (2, 5, 6), generator=generator)


def test_known_values_of_normalized_cross_entropy():
    expected = torch.tensor([0.0308, 0.5753], dtype=torch.float64)
    torch.testing.assert_close(normalized_cross_entropy(LOGITS, LABELS), expected, rtol=0, atol=1e-4)


def test_normalized_cross_entropy_adds_up_to_1_over_the_labels():
    logits, labels = random_batch()
    total = sum(normalized_cross_entropy(logits, torch.full_like(labels, label)) for label in range(4))
    torch.testing.assert_close(total, torch.ones_like(total))


def test_gradient_of_normalized_cross_entropy_equals_the_traced_one():
    logits, labels = random_batch()
    log_p = logits.log_softmax(1)
    traced = log_p.gather(1, labels[:, None]).squeeze(1) / log_p.sum(1)
    ours = normalized_cross_entropy(logits, labels)
    torch.testing.assert_close(ours, traced)
    weights = torch.linspace(0, 1, 60, dtype=torch.float64).reshape(2, 5, 6)
    (gradient,) = torch.autograd.grad((weights * ours).sum(), logits)
    (expected,) = torch.autograd.grad((weights * traced).sum(), logits)
    torch.testing.assert_close(gradient, expected)


def test_sigmoid_form_of_normalized_cross_entropy():
    logits = torch.linspace(-3, 3, 6, dtype=torch.float64).reshape(2, 3)
    target = torch.tensor([[1, 0, 1], [0, 1, 1]]).bool()
    p = torch.sigmoid(logits)
    given = torch.where(target, p, 1 - p)
    loss = NormalizedCrossEntropy(use_sigmoid=True, reduction="none")
    torch.testing.assert_close(loss(logits, target), given.log() / (p.log() + (1 - p).log()))


def test_one_class_is_too_few():
    with pytest.raises(ValueError, match="needs two classes or more"):
        NormalizedCrossEntropy()(torch.zeros(2, 1), torch.zeros(2, dtype=torch.long))


@pytest.mark.parametrize("form", ["softmax", "sigmoid"])
@pytest.mark.parametrize(
    ("active", "passive"),
    [(NCE, RCE), (NCE, MAE), (CE, MAE), (CE, NCE), (GCE, RCE), (NCE, HARD), (HARD, MAE), (MAE, NCE)],
    ids=lambda config: config["type"],
)
def test_it_is_the_sum_of_its_parts(active, passive, form):
    shared = dict(use_sigmoid=form == "sigmoid", class_weight=[1.0, 2.0, 0.5, 1.0])
    loss = MODELS.build(
        dict(type="noisyseg.ActivePassive", active=active, passive=passive, alpha=2.0, beta=0.3, **shared)
    )
    logits, labels = random_batch()
    labels[0, 0] = 255
    parts = [MODELS.build(dict(config, **shared)) for config in (active, passive)]
    expected = 2.0 * parts[0](logits, labels) + 0.3 * parts[1](logits, labels)
    torch.testing.assert_close(loss(logits, labels), expected)
    (gradient,) = torch.autograd.grad(loss(logits, labels), logits)
    torch.testing.assert_close(gradient, torch.autograd.grad(expected, logits)[0])


def test_cross_entropy_with_reverse_cross_entropy_is_symmetric_cross_entropy():
    rce = dict(type="noisyseg.ReverseCrossEntropy")
    symmetric = MODELS.build(dict(type="noisyseg.SymmetricCrossEntropy", alpha=6, beta=0.1))
    torch.testing.assert_close(ActivePassive(CE, rce, 6, 0.1)(LOGITS, LABELS), symmetric(LOGITS, LABELS))


def test_masks_use_the_sigmoid_form_of_the_parts():
    loss = ActivePassive(CE, MAE, beta=0.5, use_mask=True)
    logits = torch.randn(3, 2, 4, 4, generator=torch.Generator().manual_seed(0))
    masks = torch.rand(3, 4, 4, generator=torch.Generator().manual_seed(1)).round()
    classes = torch.tensor([0, 1, 1])
    own = logits[torch.arange(3), classes]
    expected = F.binary_cross_entropy_with_logits(own, masks) + 0.5 * 2 * (own.sigmoid() - masks).abs().mean()
    torch.testing.assert_close(loss(logits, masks, classes), expected)


def test_the_weight_of_a_part_is_a_factor():
    weighted = ActivePassive(dict(NCE, loss_weight=3.0), dict(MAE, loss_weight=0.5), 2.0, 4.0)
    torch.testing.assert_close(weighted(LOGITS, LABELS), ActivePassive(NCE, MAE, 6.0, 2.0)(LOGITS, LABELS))


def test_parts_that_do_not_fit():
    with pytest.raises(TypeError, match="active: expected the config of a loss"):
        ActivePassive(NormalizedCrossEntropy(), MAE)
    with pytest.raises(ValueError, match="passive: reduction belongs to the loss around it"):
        ActivePassive(NCE, dict(MAE, reduction="sum"))
    with pytest.raises(ValueError, match="active: class_weight belongs to the loss around it"):
        ActivePassive(dict(NCE, class_weight=[1.0]), MAE)
    with pytest.raises(ValueError, match="passive: TruncatedGeneralizedCrossEntropy counts calls"):
        ActivePassive(NCE, dict(type="noisyseg.TruncatedGeneralizedCrossEntropy", start=3))


def test_a_loss_of_a_host_does_not_fit():
    pytest.importorskip("mmdet")
    with pytest.raises(TypeError, match="active: expected a loss with one value for each element"):
        ActivePassive(dict(type="mmdet.CrossEntropyLoss"), MAE)


@pytest.mark.parametrize("name", ["alpha", "beta"])
@pytest.mark.parametrize("factor", [-0.1, math.inf, math.nan])
def test_factor_out_of_range(name, factor):
    with pytest.raises(ValueError, match=f"{name}: expected a finite number >= 0, not"):
        ActivePassive(NCE, MAE, **{name: factor})


def test_both_factors_zero():
    with pytest.raises(ValueError, match="alpha and beta are both 0"):
        ActivePassive(NCE, MAE, 0, 0)


def test_settings_are_shown():
    assert "alpha=10, beta=0.1" in repr(ActivePassive(NCE, MAE, 10, 0.1))
