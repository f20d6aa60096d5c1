import math

import pytest
import torch
import torch.nn.functional as F

from noisyseg.losses import ReverseCrossEntropy, SplitLoss
from noisyseg.losses.split import touches_background

# Predicted: foreground 0, foreground 1, background (the last class), foreground 1 and the background equally.
LOGITS = torch.tensor([[3.0, 1.0, 0.0], [0.0, 2.0, 1.0], [0.0, 1.0, 2.0], [0.0, 2.0, 2.0]], dtype=torch.float64)
FOREGROUND = torch.tensor([1, 0, 0, 0])
BACKGROUND = torch.tensor([2, 2, 2, 2])


def test_each_roi_has_the_loss_of_its_kind():
    values = SplitLoss(reduction="none")(LOGITS, FOREGROUND)
    entropy = F.cross_entropy(LOGITS, FOREGROUND, reduction="none")
    reverse = -math.log(1e-4) * (1 - torch.exp(-entropy))
    torch.testing.assert_close(values, torch.stack((reverse[0], reverse[1], entropy[2], entropy[3])))
    assert touches_background(LOGITS, FOREGROUND, 2).tolist() == [False, False, True, True]


def test_background_labels_have_cross_entropy():
    expected = F.cross_entropy(LOGITS, BACKGROUND)
    torch.testing.assert_close(SplitLoss()(LOGITS, BACKGROUND), expected)


def test_the_mean_is_over_weights_and_avg_factor_of_the_head():
    values = SplitLoss(reduction="none")(LOGITS, FOREGROUND)
    weight = torch.tensor([1.0, 0.0, 2.0, 1.0], dtype=torch.float64)
    torch.testing.assert_close(SplitLoss()(LOGITS, FOREGROUND, weight, 7.0), (values * weight).sum() / 7)


@pytest.mark.parametrize("kind", ["GeneralizedCrossEntropy", "LDR", "MaxSuppression"])
def test_any_loss_can_stand_on_either_side(kind):
    inner = dict(type=f"noisyseg.{kind}", loss_weight=0.5)
    foreground = SplitLoss(inner, reduction="none")(LOGITS, FOREGROUND)
    swapped = SplitLoss(dict(type="noisyseg.CrossEntropy"), inner, reduction="none")(LOGITS, FOREGROUND)
    alone = 0.5 * type(SplitLoss(inner).foreground)(reduction="none")(LOGITS, FOREGROUND)
    entropy = F.cross_entropy(LOGITS, FOREGROUND, reduction="none")
    torch.testing.assert_close(foreground, torch.cat((alone[:2], entropy[2:])))
    torch.testing.assert_close(swapped, torch.cat((entropy[:2], alone[2:])))


def test_losses_that_share_the_cross_entropy_have_the_gradient_of_their_own():
    logits = LOGITS.clone().requires_grad_()
    SplitLoss(reduction="sum")(logits, FOREGROUND).backward()
    alone = LOGITS.clone().requires_grad_()
    ReverseCrossEntropy(reduction="sum")(alone, FOREGROUND).backward()
    torch.testing.assert_close(logits.grad[:2], alone.grad[:2])


def test_maps_name_their_background():
    maps = LOGITS.T.reshape(1, 3, 2, 2)
    labels = torch.tensor([[[1, 2], [1, 255]]])
    values = SplitLoss(background_index=0, reduction="none")(maps, labels)
    entropy = F.cross_entropy(maps, labels, reduction="none", ignore_index=255)
    reverse = -math.log(1e-4) * (1 - torch.exp(-entropy))
    torch.testing.assert_close(
        values, torch.stack((entropy[0, 0, 0], reverse[0, 0, 1], reverse[0, 1, 0], entropy[0, 1, 1])).reshape(1, 2, 2)
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (dict(use_sigmoid=True), "SplitLoss has no sigmoid form: in sigmoid heads the background is the absence"),
        (dict(background_index=-1), "background_index: expected a class >= 0"),
        (dict(foreground=dict(type="noisyseg.CrossEntropy", class_weight=[1.0])), "foreground: class_weight belongs"),
        (dict(background=dict(type="noisyseg.AdaptiveK")), "background: AdaptiveK counts calls or chooses"),
    ],
)
def test_bad_settings_raise(settings, message):
    with pytest.raises(ValueError, match=message):
        SplitLoss(**settings)


def test_a_background_that_the_logits_do_not_have_raises():
    with pytest.raises(ValueError, match=r"background_index: expected a class in 0..2 of these logits, not 3"):
        SplitLoss(background_index=3)(LOGITS, FOREGROUND)


def test_settings_are_printed():
    assert "background_index=0" in repr(SplitLoss(background_index=0))
    assert "ReverseCrossEntropy" in repr(SplitLoss())
