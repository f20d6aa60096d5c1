"""What Dice losses share: the forms they are called in, which images and classes count, and the errors."""

import pytest
import torch
import torch.nn.functional as F

from noisyseg.losses import NoiseRobustDice, NoiseWeightedDice, noise_weighted_dice

GENERATOR = torch.Generator().manual_seed(0)
LOGITS = torch.randn(3, 4, 6, 5, generator=GENERATOR, dtype=torch.float64)
LABELS = torch.randint(0, 4, (3, 6, 5), generator=GENERATOR)
ONE_HOT = F.one_hot(LABELS, 4).movedim(-1, 1).double()
MASKS = torch.rand(3, 6, 5, generator=GENERATOR, dtype=torch.float64) < 0.4
P = LOGITS.softmax(1)
PER_CLASS = noise_weighted_dice(P, ONE_HOT)


def test_class_weights_are_shared_out_among_the_classes_present():
    weights = torch.tensor([1.0, 2.0, 3.0, 0.0], dtype=torch.float64)
    loss = NoiseWeightedDice(class_weight=weights.tolist())
    torch.testing.assert_close(loss(LOGITS, LABELS), ((PER_CLASS * weights).sum(1) / 6).mean())
    only = torch.full_like(LABELS, 1)
    torch.testing.assert_close(loss(LOGITS, only), NoiseWeightedDice()(LOGITS, only))
    assert loss(LOGITS, torch.full_like(LABELS, 3)) == 0  # nothing that weighs is present
    with pytest.raises(ValueError, match="class_weight: expected 4 weights, one a class, not 2"):
        NoiseWeightedDice(class_weight=[1.0, 1.0])(LOGITS, LABELS)


def test_background_can_be_left_out():
    torch.testing.assert_close(NoiseWeightedDice(include_background=False)(LOGITS, LABELS), PER_CLASS[:, 1:].mean())
    assert NoiseWeightedDice(include_background=False)(LOGITS, torch.zeros_like(LABELS)) == 0
    weighted = NoiseWeightedDice(include_background=False, class_weight=[9.0, 1.0, 1.0, 2.0])
    expected = (PER_CLASS[:, 1:] * torch.tensor([1.0, 1.0, 2.0])).sum(1).mean() / 4
    torch.testing.assert_close(weighted(LOGITS, LABELS), expected)


@pytest.mark.parametrize("make", [NoiseWeightedDice, NoiseRobustDice])
def test_one_channel_with_its_complement_is_a_softmax_over_two_classes(make):
    z = LOGITS[:, :1]
    binary = (LABELS == 1).long()
    two = make()(torch.cat((torch.zeros_like(z), z), 1), binary)
    torch.testing.assert_close(make(use_sigmoid=True, include_background=True)(z, binary), two)
    foreground = make(include_background=False)(torch.cat((torch.zeros_like(z), z), 1), binary)
    torch.testing.assert_close(make(use_sigmoid=True)(z, binary), foreground)
    torch.testing.assert_close(make(use_sigmoid=True)(z[:, 0], binary), foreground)
    with pytest.raises(ValueError, match="the background is a channel of its own"):
        make(use_sigmoid=True, include_background=True)(LOGITS, LABELS)


def test_channels_of_the_sigmoid_form_are_maps_of_their_own():
    p = LOGITS.sigmoid()
    loss = NoiseWeightedDice(use_sigmoid=True)
    expected = noise_weighted_dice(p, ONE_HOT).mean()
    torch.testing.assert_close(loss(LOGITS, LABELS), expected)
    torch.testing.assert_close(loss(LOGITS, ONE_HOT), expected)
    weight = torch.rand(3, 4, 6, 5, generator=GENERATOR, dtype=torch.float64)
    torch.testing.assert_close(loss(LOGITS, LABELS, weight), noise_weighted_dice(p, ONE_HOT, weight).mean())
    torch.testing.assert_close(
        loss(LOGITS, ONE_HOT, weight[:, 0]), noise_weighted_dice(p, ONE_HOT, weight[:, :1]).mean()
    )
    multi = (weight > 0.6).double()
    torch.testing.assert_close(loss(LOGITS, multi), noise_weighted_dice(p, multi).mean())
    without = weight.clone()
    without[:, 2] = 0
    kept = NoiseWeightedDice(use_sigmoid=True, absent="keep")(LOGITS, ONE_HOT, without)
    torch.testing.assert_close(kept, noise_weighted_dice(p, ONE_HOT, without)[:, [0, 1, 3]].mean())


@pytest.mark.parametrize("shape", [(3, 30), (3, 6, 5), (3, 1, 30)])
def test_rows_are_instances(shape):
    loss = NoiseWeightedDice(use_sigmoid=True)
    z, masks = LOGITS[:, 0].reshape(shape), MASKS.reshape(shape)
    values = loss(z, masks.to(torch.uint8), reduction_override="none")
    expected = noise_weighted_dice(LOGITS[:, :1].sigmoid(), MASKS[:, None])[:, 0]
    torch.testing.assert_close(values, expected)
    torch.testing.assert_close(loss(z, masks, avg_factor=7), expected.sum() / 7)
    weight = torch.rand(shape, generator=GENERATOR, dtype=torch.float64)
    inside = noise_weighted_dice(LOGITS[:, :1].sigmoid(), MASKS[:, None], weight.reshape(3, 1, 6, 5))
    torch.testing.assert_close(loss(z, masks, weight), inside.mean())


def test_mask_heads_use_the_channel_of_the_class():
    classes = torch.tensor([3, 0, 1])
    loss = NoiseWeightedDice(use_mask=True)
    chosen = LOGITS[torch.arange(3), classes]
    torch.testing.assert_close(loss(LOGITS, MASKS, classes), NoiseWeightedDice(use_sigmoid=True)(chosen, MASKS))
    assert loss(LOGITS[:0], MASKS[:0], classes[:0]) == 0


def test_an_instance_without_a_pixel_is_left_out_of_the_mean():
    loss = NoiseWeightedDice(use_sigmoid=True)
    masks = MASKS.clone()
    masks[1] = False
    values = loss(LOGITS[:, 0], masks, reduction_override="none")
    assert values[1] == 0
    torch.testing.assert_close(loss(LOGITS[:, 0], masks), values.sum() / 2)
    assert NoiseWeightedDice(use_sigmoid=True, absent="keep")(LOGITS[:, 0], masks, reduction_override="none")[1] > 0.9


def test_soft_labels():
    soft = LOGITS.flip(0).softmax(1)
    loss = NoiseWeightedDice(kappa=2)
    torch.testing.assert_close(loss(LOGITS, soft), noise_weighted_dice(P, soft, kappa=2).mean())
    torch.testing.assert_close(loss(LOGITS, ONE_HOT), loss(LOGITS, LABELS))
    with pytest.raises(ValueError, match=r"soft labels: expected sums of 1 over the classes, not 0\.5 to 0\.5"):
        loss(LOGITS, 0.5 * soft)


def test_linear_dice_of_soft_labels_is_best_at_0_or_1():
    """Why kappa=2 suits soft labels."""
    y = torch.full((1, 1, 8), 0.7, dtype=torch.float64)
    at = torch.linspace(0.05, 1, 20, dtype=torch.float64)
    losses = {k: torch.stack([noise_weighted_dice(y * 0 + p, y, kappa=k)[0, 0] for p in at]) for k in (1, 2)}
    assert at[losses[1].argmin()] == 1
    assert at[losses[2].argmin()] == pytest.approx(0.7)


def test_classes_can_need_an_area():
    labels = torch.zeros_like(LABELS)
    labels[:, 0, :3] = 2
    values = noise_weighted_dice(P, F.one_hot(labels, 4).movedim(-1, 1))
    torch.testing.assert_close(NoiseWeightedDice(min_area=3)(LOGITS, labels), values[:, [0, 2]].mean())
    torch.testing.assert_close(NoiseWeightedDice(min_area=4)(LOGITS, labels), values[:, 0].mean())


def test_pooled_sums_run_over_the_batch():
    flat = LOGITS.movedim(0, 1).flatten(1)[None], LABELS.flatten()[None]
    pooled = NoiseWeightedDice(mode="pooled")
    torch.testing.assert_close(pooled(LOGITS, LABELS), NoiseWeightedDice()(*flat))
    torch.testing.assert_close(pooled(LOGITS, LABELS, image_weight=torch.tensor([0, 1.0, 0])), PER_CLASS[1].mean())
    torch.testing.assert_close(NoiseWeightedDice(mode="pooled", sync=True)(LOGITS, LABELS), pooled(LOGITS, LABELS))
    for settings in ({"reduction_override": "none"}, {"avg_factor": 3}):
        with pytest.raises(ValueError, match=r"needs mode='image': mode='pooled' has one value for the batch"):
            pooled(LOGITS, LABELS, **settings)


@pytest.mark.parametrize("use_sigmoid", [False, True])
def test_boxes_raise(use_sigmoid):
    loss = NoiseWeightedDice(use_sigmoid=use_sigmoid)
    with pytest.raises(ValueError, match="NoiseWeightedDice is a ratio of areas"):
        loss(torch.zeros(7, 4), torch.zeros(7, dtype=torch.long))
    with pytest.raises(ValueError, match="NoiseWeightedDice is a ratio of areas"):
        loss(torch.zeros(7), torch.zeros(7))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kappa": 3}, "kappa: expected 1 or 2, not 3"),
        ({"eps": -1.0}, "eps: expected a number of pixels >= 0, not -1.0"),
        ({"mode": "batch"}, "mode: expected one of image, pooled, not 'batch'"),
        ({"absent": "drop"}, "absent: expected one of skip, keep, not 'drop'"),
        ({"min_area": -1}, "min_area: expected a number of pixels >= 0"),
        ({"min_area": 10, "absent": "keep"}, "min_area decides which classes are skipped"),
        ({"sync": True}, "nothing to add up"),
        ({"activate": False}, "needs the sigmoid form"),
        ({"use_mask": True, "include_background": False}, "no meaning with use_mask"),
        ({"mode": "pooled", "reduction": "none"}, "reduction='none' needs mode='image'"),
    ],
)
def test_settings_at_odds_raise(settings, message):
    with pytest.raises(ValueError, match=message):
        NoiseWeightedDice(**settings)


def test_probabilities_have_to_be_some():
    with pytest.raises(ValueError, match="activate=False: expected probabilities, not -"):
        NoiseWeightedDice(use_sigmoid=True, activate=False)(LOGITS[:, 0], MASKS)


def test_the_settings_are_shown():
    assert repr(NoiseRobustDice(kappa=2)) == (
        "NoiseRobustDice(gamma=1.5, use_sigmoid=False, reduction='mean', loss_weight=1.0, mode='image', kappa=2, "
        "eps=1e-05, absent='skip')"
    )
