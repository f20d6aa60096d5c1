"""The loss of edges: closed forms, PyTorch's own, balances counted by hand, and what is ignored."""

import pytest
import torch
import torch.nn.functional as F
from torch._subclasses.fake_tensor import FakeTensorMode

from noisyseg.losses import EdgeCrossEntropy, edge_cross_entropy
from noisyseg.registry import MODELS

SETTINGS = [
    {},
    dict(reduction="sum"),
    dict(balance="image"),
    dict(balance="class"),
    dict(negative_weight=0.5),
    dict(balance="image", negative_weight=1.1, band=0.5, reduction="sum"),
]
every_setting = pytest.mark.parametrize("settings", SETTINGS, ids=str)


def batch(images=3, classes=4, size=(6, 7), dtype=torch.float64, seed=0, soft=False):
    generator = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(images, classes, *size, generator=generator, dtype=dtype)
    share = torch.rand(images, classes, *size, generator=generator, dtype=dtype)
    valid = torch.rand(images, 1, *size, generator=generator) > 0.3
    return logits, (5 * share).floor() / 4 if soft else share < 0.2, valid


def by_loops(logits, targets, valid, balance="none", negative_weight=1.0, band=None, reduction="mean"):
    """The definition, one pixel at a time."""
    total = count = 0.0
    for z, t, v in zip(logits, targets.double(), valid[:, 0], strict=True):
        known = torch.stack([v & ~((c > 0) & (c <= band)) if band is not None else v for c in t])
        t = (t > band).double() if band is not None else t
        for k in range(len(z)):
            if balance == "image":
                pixels = known.any(0)
                share = (t * known).amax(0).sum() / pixels.sum()
            else:
                share = (t[k] * known[k]).sum() / known[k].sum()
            w1, w0 = (1 - share, negative_weight * share) if balance != "none" else (1.0, negative_weight)
            for i, j in known[k].nonzero().tolist():
                p = torch.sigmoid(z[k, i, j])
                total += -w1 * t[k, i, j] * p.log() - w0 * (1 - t[k, i, j]) * (1 - p).log()
                count += 1
    return total / (len(logits) if reduction == "sum" else count)


@every_setting
@pytest.mark.parametrize("soft", [False, True])
def test_the_values_by_hand(settings, soft):
    logits, targets, valid = batch(soft=soft)
    torch.testing.assert_close(
        edge_cross_entropy(logits, targets, valid, **settings), by_loops(*batch(soft=soft), **settings)
    )


def test_without_ignored_pixels_it_is_that_of_pytorch():
    logits, targets, _ = batch(dtype=torch.float32)
    expected = F.binary_cross_entropy_with_logits(logits, targets.float())
    torch.testing.assert_close(edge_cross_entropy(logits, targets), expected)
    torch.testing.assert_close(edge_cross_entropy(logits, targets, reduction="sum"), expected * 4 * 6 * 7)


def test_with_one_class_both_balances_are_that_of_hed():
    logits, targets, valid = batch(classes=1)
    image, single = (edge_cross_entropy(logits, targets, valid, balance=kind) for kind in ("image", "class"))
    torch.testing.assert_close(image, single)


def test_balance_gives_edges_and_the_rest_the_same_say():
    targets = torch.zeros(1, 1, 10, 10, dtype=torch.bool)
    targets[..., :2, :] = True
    logits = torch.zeros(1, 1, 10, 10, dtype=torch.float64, requires_grad=True)
    edge_cross_entropy(logits, targets, balance="image").backward()
    edges, rest = logits.grad[targets].sum(), logits.grad[~targets].sum()
    torch.testing.assert_close(edges, -rest)
    torch.testing.assert_close(rest.item(), 0.5 * 0.2 * 80 / 100)


@every_setting
def test_the_gradient_in_double(settings):
    logits, targets, valid = batch(images=2, classes=2, size=(2, 3))
    logits.requires_grad_()
    assert torch.autograd.gradcheck(lambda z: edge_cross_entropy(z, targets, valid, **settings), logits)


@every_setting
def test_ignored_pixels_get_no_gradient_and_say_nothing(settings):
    logits, targets, valid = batch()
    logits.requires_grad_()
    value = edge_cross_entropy(logits, targets, valid, **settings)
    value.backward()
    assert (logits.grad[(~valid).expand_as(logits)] == 0).all()
    assert (logits.grad[valid.expand_as(logits)] != 0).any()
    other = torch.where(valid, logits, 50 * torch.ones_like(logits)), torch.where(valid, targets, ~targets)
    torch.testing.assert_close(edge_cross_entropy(*other, valid, **settings), value)


@every_setting
def test_where_all_is_ignored_the_loss_is_zero_and_so_is_its_gradient(settings):
    logits, targets, valid = batch()
    logits.requires_grad_()
    value = edge_cross_entropy(logits, targets, torch.zeros_like(valid), **settings)
    value.backward()
    assert value == 0
    assert (logits.grad == 0).all()


@every_setting
def test_extreme_logits_are_finite(settings):
    logits = torch.tensor([-1e4, 1e4]).repeat(8).view(1, 1, 4, 4).requires_grad_()
    targets = (torch.arange(16) < 8).view(1, 1, 4, 4)
    value = edge_cross_entropy(logits, targets, **settings)
    value.backward()
    assert value.isfinite()
    assert logits.grad.isfinite().all()


@every_setting
def test_classes_may_change_places(settings):
    logits, targets, valid = batch()
    order = [2, 0, 3, 1]
    changed = edge_cross_entropy(logits[:, order], targets[:, order], valid, **settings)
    torch.testing.assert_close(changed, edge_cross_entropy(logits, targets, valid, **settings))


@every_setting
def test_two_images_give_the_mean_of_both(settings):
    logits, targets, valid = batch(images=2, soft="band" not in settings)
    valid = valid[:1].expand_as(valid)
    if "band" in settings:
        targets = targets.double()
    single = [edge_cross_entropy(logits[i : i + 1], targets[i : i + 1], valid[:1], **settings) for i in range(2)]
    torch.testing.assert_close(edge_cross_entropy(logits, targets, valid, **settings), sum(single) / 2)


def test_half_precision_is_computed_in_float32():
    logits, targets, valid = batch(dtype=torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        value = edge_cross_entropy(logits.bfloat16(), targets, valid)
    assert value.dtype == torch.float32
    torch.testing.assert_close(value, edge_cross_entropy(logits.bfloat16().float(), targets, valid))


@every_setting
def test_nothing_waits_for_the_device(settings):
    """A fake tensor has no value, so whatever reads one fails."""
    with FakeTensorMode() as mode:
        logits, targets, valid = (mode.from_tensor(tensor) for tensor in batch(dtype=torch.float32))
        assert edge_cross_entropy(logits, targets, valid, **settings).shape == ()


def test_the_class_is_the_function_times_its_weight():
    logits, targets, valid = batch()
    loss = MODELS.build(dict(type="noisyseg.EdgeCrossEntropy", balance="image", loss_weight=2.5))
    assert isinstance(loss, EdgeCrossEntropy)
    expected = 2.5 * edge_cross_entropy(logits, targets, valid, balance="image")
    torch.testing.assert_close(loss(logits, targets, valid), expected)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (dict(balance="hed"), "balance: expected one of none, image, class, not 'hed'"),
        (dict(reduction="none"), "reduction: expected one of mean, sum"),
        (dict(negative_weight=0), "negative_weight: expected a finite number > 0"),
        (dict(band=1), r"band: expected a number in \[0, 1\)"),
    ],
)
def test_wrong_settings(settings, message):
    with pytest.raises(ValueError, match=message):
        EdgeCrossEntropy(**settings)
    with pytest.raises(ValueError, match=message):
        edge_cross_entropy(*batch(), **settings)


def test_wrong_tensors():
    logits, targets, valid = batch()
    with pytest.raises(ValueError, match="loss_weight"):
        EdgeCrossEntropy(loss_weight=-1)
    with pytest.raises(ValueError, match=r"targets: expected \(B, K, H, W\)"):
        edge_cross_entropy(logits, targets[:, :1], valid)
    with pytest.raises(ValueError, match=r"valid: expected .* bool, got .*float"):
        edge_cross_entropy(logits, targets, valid.float())
    with pytest.raises(ValueError, match=r"values in \[0, 1\], got 0 to 255"):
        edge_cross_entropy(logits, 255 * targets.double(), valid)
