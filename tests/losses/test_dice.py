"""The two Dice losses: golden values, closed forms, and what tells them apart from each other and from the hosts'."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from noisyseg.losses import NoiseRobustDice, NoiseWeightedDice, noise_robust_dice, noise_weighted_dice

GENERATOR = torch.Generator().manual_seed(0)
LOGITS = torch.randn(3, 4, 6, 5, generator=GENERATOR, dtype=torch.float64)
LABELS = torch.randint(0, 4, (3, 6, 5), generator=GENERATOR)
WEIGHT = torch.rand(3, 6, 5, generator=GENERATOR, dtype=torch.float64)
# Two classes, four pixels: foreground probability, label, weight.
FOREGROUND, LABEL, TRUST = torch.tensor(
    [[0.9, 0.6, 0.2, 0.4], [1, 1, 0, 0], [1, 0.5, 1, 0.25]], dtype=torch.float64
).unsqueeze(1)


def one_hot(labels, classes=4):
    return F.one_hot(labels, classes).movedim(-1, 1).double()


def pair(foreground):
    """Returns background and foreground as (1, 2, 4)."""
    return torch.stack((1 - foreground, foreground), 1)


@pytest.mark.parametrize("case", range(10))
def test_golden_values(golden_dir, case):
    golden = np.load(golden_dir / "losses.npz")
    classes = golden["num_classes"][case]
    logits = torch.tensor(golden["logits"][case][:, :classes])
    labels, weight = torch.tensor(golden["labels"][case]), torch.tensor(golden["weight"][case])
    values = {
        "value_dice": NoiseWeightedDice(mode="pooled")(logits, labels),
        "value_dice_weighted": NoiseWeightedDice(mode="pooled")(logits, labels, weight),
        **{f"value_nr_dice_{g}": NoiseRobustDice(g, mode="pooled")(logits, labels) for g in (1.0, 1.5, 2.0)},
    }
    assert {name: value.item() for name, value in values.items()} == pytest.approx(
        {name: golden[name][case] for name in values}, abs=1e-5
    )


@pytest.mark.parametrize(
    ("function", "settings", "weight", "expected"),
    [
        (noise_weighted_dice, {"kappa": 1}, None, (0.282051, 0.268293)),
        (noise_weighted_dice, {"kappa": 2}, None, (0.116719, 0.109792)),
        (noise_weighted_dice, {"kappa": 1}, TRUST, (0.24, 0.2)),
        (noise_weighted_dice, {"kappa": 2}, TRUST, (0.082126, 0.066148)),
        (noise_robust_dice, {"kappa": 1}, None, (0.160777, 0.152934)),
        (noise_robust_dice, {"kappa": 2}, None, (0.197801, 0.186062)),
        (noise_robust_dice, {"kappa": 1}, TRUST, (0.124321, 0.103601)),
        (noise_robust_dice, {"kappa": 2}, TRUST, (0.150146, 0.120935)),
        (noise_robust_dice, {"kappa": 1, "gamma": 1}, None, (0.282051, 0.268293)),
        (noise_robust_dice, {"kappa": 1, "gamma": 2}, None, (0.094872, 0.090244)),
        (noise_robust_dice, {"kappa": 2, "gamma": 2}, None, (0.116719, 0.109792)),
    ],
)
def test_known_values(function, settings, weight, expected):
    weight = None if weight is None else weight[:, None]
    values = function(pair(FOREGROUND), pair(LABEL), weight, eps=0, **settings)
    torch.testing.assert_close(values, torch.tensor([expected], dtype=torch.float64), atol=1e-6, rtol=0)
    loss = {noise_weighted_dice: NoiseWeightedDice, noise_robust_dice: NoiseRobustDice}[function](eps=0, **settings)
    logits = torch.stack((torch.zeros_like(FOREGROUND), FOREGROUND.logit()), 1)
    value = loss(logits, LABEL.long(), None if weight is None else weight[:, 0])
    assert value.item() == pytest.approx(sum(expected) / 2, abs=1e-6)


@pytest.mark.parametrize("mode", ["image", "pooled"])
@pytest.mark.parametrize("make", [NoiseWeightedDice, NoiseRobustDice])
def test_a_factor_on_all_weights_changes_nothing(make, mode):
    loss = make(mode=mode, eps=0)
    plain = loss(LOGITS, LABELS, WEIGHT)
    torch.testing.assert_close(loss(LOGITS, LABELS, 7 * WEIGHT), plain)
    images = torch.tensor([1.0, 0.2, 3.0])
    torch.testing.assert_close(loss(LOGITS, LABELS, image_weight=images), loss(LOGITS, LABELS, image_weight=7 * images))
    torch.testing.assert_close(loss(LOGITS, LABELS, torch.ones_like(WEIGHT)), loss(LOGITS, LABELS))


def test_equal_weights_give_plain_dice():
    p, y = LOGITS.softmax(1), one_hot(LABELS)
    dice = 2 * (p * y).sum((2, 3)) / (p.sum((2, 3)) + y.sum((2, 3)))
    torch.testing.assert_close(NoiseWeightedDice(eps=0)(LOGITS, LABELS, 0.3 * torch.ones_like(WEIGHT)), 1 - dice.mean())


def test_image_weights_are_linear_in_the_mode_image():
    loss = NoiseWeightedDice()
    single = torch.stack([loss(LOGITS[n : n + 1], LABELS[n : n + 1]) for n in range(3)])
    weights = torch.tensor([0.5, 0.0, 2.0], dtype=torch.float64)
    expected = (weights * single).sum() / weights.sum()
    torch.testing.assert_close(loss(LOGITS, LABELS, image_weight=weights), expected)
    torch.testing.assert_close(loss(LOGITS, LABELS, reduction_override="none"), single)
    torch.testing.assert_close(loss(LOGITS, LABELS, avg_factor=7), single.sum() / 7)


def test_an_image_weight_on_the_pixels_would_cancel():
    """The trap that `image_weight` avoids: two images, one to count 100 times as much, and the gradients are equal."""
    logits = LOGITS[:1].repeat(2, 1, 1, 1).requires_grad_()
    labels = LABELS[:1].repeat(2, 1, 1)
    images = torch.tensor([1.0, 100.0], dtype=torch.float64)
    NoiseWeightedDice(eps=0)(logits, labels, images[:, None, None].expand_as(labels)).backward()
    torch.testing.assert_close(logits.grad[0], logits.grad[1])
    logits.grad = None
    NoiseWeightedDice(eps=0)(logits, labels, image_weight=images).backward()
    torch.testing.assert_close(100 * logits.grad[0], logits.grad[1])


@pytest.mark.parametrize("power", [1, 2])
def test_the_ends_of_the_robust_dice_are_dice(power):
    p, y, w = LOGITS.softmax(1), one_hot(LABELS), WEIGHT[:, None]
    dice = noise_weighted_dice(p, y, w, kappa=power, eps=0)
    torch.testing.assert_close(noise_robust_dice(p, y, w, kappa=power, gamma=power, eps=0), dice)
    other = noise_robust_dice(p, y, w, kappa=1, gamma=2, eps=0)
    assert ((other - dice).abs() > 1e-3).all()


def test_with_soft_labels_only_the_squared_end_is_dice():
    p, y = LOGITS.softmax(1), LOGITS.flip(0).softmax(1)
    squared = noise_robust_dice(p, y, kappa=2, gamma=2, eps=0) - noise_weighted_dice(p, y, kappa=2, eps=0)
    linear = noise_robust_dice(p, y, kappa=1, gamma=1, eps=0) - noise_weighted_dice(p, y, kappa=1, eps=0)
    assert squared.abs().max() < 1e-12
    assert linear.abs().min() > 1e-2


def test_the_range_and_the_order_in_gamma():
    values = [NoiseRobustDice(gamma, eps=0)(LOGITS * 3, LABELS, WEIGHT) for gamma in np.linspace(1, 2, 6)]
    assert 0 <= values[-1] < values[0] <= 1
    assert values == sorted(values, reverse=True)


@pytest.mark.parametrize("loss", [NoiseWeightedDice(), NoiseRobustDice(), NoiseRobustDice(1.0)])
def test_perfect_is_0_and_worst_is_1(loss):
    # two classes, so that "all wrong" is one map
    logits, labels = 100 * one_hot(LABELS % 2, 2), LABELS % 2
    assert loss(logits, labels).item() == pytest.approx(0, abs=1e-6)
    assert loss(-logits, labels).item() == pytest.approx(1, abs=1e-6)


def test_a_pixel_without_error_has_no_gradient_of_the_error():
    p = torch.tensor([[[1.0, 0.0, 0.7]]], dtype=torch.float64, requires_grad=True)
    y = torch.tensor([[[1.0, 0.0, 1.0]]], dtype=torch.float64)
    value = noise_robust_dice(p, y, gamma=1.5, eps=0)
    (slope,) = torch.autograd.grad(value.sum(), p)
    through_the_denominator = -value.detach() / (p.sum() + y.sum())
    torch.testing.assert_close(slope[..., :2], through_the_denominator.detach()[..., None].expand(1, 1, 2))
    assert slope[..., 2] < through_the_denominator


@pytest.mark.parametrize("make", [NoiseWeightedDice, NoiseRobustDice])
@pytest.mark.parametrize("mode", ["image", "pooled"])
@pytest.mark.parametrize("use_sigmoid", [False, True])
def test_ignored_and_weightless_pixels_do_not_matter(make, mode, use_sigmoid):
    loss = make(mode=mode, use_sigmoid=use_sigmoid)
    off = WEIGHT < 0.3
    weight = WEIGHT.masked_fill(off, 0)
    logits = LOGITS.clone().requires_grad_()
    other = torch.where(off[:, None], -LOGITS, LOGITS).requires_grad_()
    first = loss(logits, LABELS, weight)
    second = loss(other, torch.where(off, (LABELS + 1) % 4, LABELS), weight)
    third = loss(LOGITS, torch.where(off, 255, LABELS), WEIGHT)
    torch.testing.assert_close(first, second)
    torch.testing.assert_close(first.detach(), third)
    first.backward()
    second.backward()
    torch.testing.assert_close(logits.grad, other.grad)
    assert (logits.grad.abs().sum(1)[off] == 0).all()


@pytest.mark.parametrize("make", [NoiseWeightedDice, NoiseRobustDice])
def test_volumes_and_permutations(make):
    volume, labels = LOGITS.unflatten(2, (2, 3)), LABELS.unflatten(1, (2, 3))
    loss = make()
    plain = loss(LOGITS, LABELS)
    torch.testing.assert_close(loss(volume, labels), plain)
    torch.testing.assert_close(loss(LOGITS[:, :, None], LABELS[:, None]), plain)
    order = torch.randperm(30, generator=GENERATOR)
    torch.testing.assert_close(loss(LOGITS.flatten(2)[..., order], LABELS.flatten(1)[:, order]), plain)
    classes = torch.tensor([2, 0, 3, 1])
    weights = [0.5, 1.0, 2.0, 4.0]
    torch.testing.assert_close(
        make(class_weight=[weights[k] for k in classes])(LOGITS[:, classes], torch.argsort(classes)[LABELS]),
        make(class_weight=weights)(LOGITS, LABELS),
    )


@pytest.mark.parametrize("kappa", [1, 2])
@pytest.mark.parametrize("gamma", [1.3, 1.5, 2.0])
@pytest.mark.parametrize("settings", [{}, {"mode": "pooled"}, {"use_sigmoid": True}])
def test_gradient_in_double(gamma, kappa, settings):
    logits = LOGITS[:2, :, :3, :3].clone().requires_grad_()
    loss = NoiseRobustDice(gamma, kappa=kappa, **settings)
    images = torch.tensor([0.5, 2.0])
    assert torch.autograd.gradcheck(
        lambda z: loss(z, LABELS[:2, :3, :3], WEIGHT[:2, :3, :3], image_weight=images), logits
    )


def test_half_precision_of_a_large_map_is_finite():
    """A sum of 1024 x 1024 probabilities is beyond float16."""
    logits = torch.full((1, 2, 1024, 1024), 50.0, dtype=torch.float16)
    logits[:, 1, :512] = -50
    labels = torch.zeros(1, 1024, 1024, dtype=torch.long)
    labels[:, :, :600] = 1
    for make in (NoiseWeightedDice, NoiseRobustDice):
        z = logits.clone().requires_grad_()
        value = make()(z, labels)
        value.backward()
        assert 0 < value < 1
        assert torch.isfinite(z.grad).all()


def test_absent_classes_add_neither_value_nor_divisor():
    present = LABELS % 2
    p, y = LOGITS.softmax(1), one_hot(present)
    expected = noise_robust_dice(p, y)[:, :2].mean()
    torch.testing.assert_close(NoiseRobustDice()(LOGITS, present), expected)
    kept = noise_robust_dice(p, y).mean()
    torch.testing.assert_close(NoiseRobustDice(absent="keep")(LOGITS, present), kept)


def test_kappa_2_pushes_absent_classes_the_wrong_way():
    """Why kappa=2 skips absent classes and refuses to keep them."""
    p, y = torch.full((1, 1, 9), 0.01, dtype=torch.float64, requires_grad=True), torch.zeros(1, 1, 9)
    squared, linear = noise_robust_dice(p, y, kappa=2, eps=0), noise_robust_dice(p, y, kappa=1, eps=0)
    assert squared.item() == pytest.approx(10)
    assert linear.item() == pytest.approx(0.1)
    assert (torch.autograd.grad(squared.sum(), p)[0] < 0).all()
    assert (torch.autograd.grad(linear.sum(), p)[0] > 0).all()
    with pytest.raises(ValueError, match="pushes the probability of absent classes up"):
        NoiseRobustDice(kappa=2, absent="keep")
    assert NoiseRobustDice(kappa=2, mode="pooled").absent == "skip"
    assert NoiseRobustDice(2.0, kappa=2, absent="keep").absent == "keep"


@pytest.mark.parametrize("gamma", [0.9, 2.1, float("nan")])
def test_gamma_outside_1_to_2_raises(gamma):
    with pytest.raises(ValueError, match=r"gamma: expected a number in \[1, 2\]"):
        NoiseRobustDice(gamma)


def test_it_equals_the_dice_loss_of_mmdet_for_instances():
    losses = pytest.importorskip("mmdet.models.losses")
    masks = torch.rand(3, 6, 5, generator=GENERATOR) < 0.4
    for kappa in (1, 2):
        theirs = losses.DiceLoss(naive_dice=kappa == 1, eps=1e-12)(LOGITS[:, 0], masks, reduction_override="none")
        ours = NoiseWeightedDice(use_sigmoid=True, kappa=kappa, eps=0)
        torch.testing.assert_close(ours(LOGITS[:, 0], masks, reduction_override="none"), theirs)
        theirs = losses.DiceLoss(naive_dice=kappa == 1, eps=1e-12, activate=False)(LOGITS[:, 0].sigmoid(), masks)
        torch.testing.assert_close(
            NoiseWeightedDice(use_sigmoid=True, kappa=kappa, eps=0, activate=False)(LOGITS[:, 0].sigmoid(), masks),
            theirs,
        )
