"""Generators, calibration of channels and the critic of patches."""

import pytest
import torch

from noisyseg.integration.unpaired import ChannelCalibration, PatchDiscriminator, TranslationUnet


def test_gates_begin_at_one_and_then_follow_the_feedback():
    torch.manual_seed(0)
    gate, features = ChannelCalibration(3, 2), torch.randn(2, 3, 4, 4)
    quiet, loud = torch.zeros(2, 2), torch.tensor([[5.0, -5.0], [0.0, 0.0]])
    assert torch.equal(gate(features, loud), features)
    torch.nn.init.normal_(gate.excite.weight)
    ratio = gate(features, loud) / features
    assert ((ratio > 0) & (ratio < 2)).all()
    assert torch.allclose(ratio, ratio[:, :, :1, :1].expand_as(ratio), atol=1e-5)
    changed = (gate(features, loud) != gate(features, quiet)).flatten(1).any(1)
    assert changed.tolist() == [True, False]


@pytest.mark.parametrize("size", [(8, 8), (16, 24)])
def test_a_generator_keeps_the_size(size):
    net = TranslationUnet(3, 1, width=4, feedback_channels=5)
    logits = net(torch.rand(2, 3, *size))
    assert logits.shape == (2, 1, *size)
    assert len(net.calibrations) == 3
    assert len(TranslationUnet(3, 1, width=4).calibrations) == 0


def test_feedback_reaches_the_decoder_alone():
    torch.manual_seed(0)
    net, images = TranslationUnet(3, 1, width=4, feedback_channels=2), torch.rand(1, 3, 16, 16)
    for calibration in net.calibrations:
        torch.nn.init.normal_(calibration.excite.weight)
    levels = net.encode(images)
    first, second = net.decode(levels), net.decode(levels, torch.tensor([[1.0, -2.0]]))
    assert not torch.allclose(first, second)
    assert torch.equal(first, net(images, torch.zeros(1, 2)))


def test_a_size_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"multiples of 8, got \(12, 16\)"):
        TranslationUnet(3, 1, width=4)(torch.rand(1, 3, 12, 16))


def test_patch_losses_are_least_squares_of_the_scores():
    critic, draws = PatchDiscriminator(1, width=4), torch.Generator()
    torch.nn.init.zeros_(critic.score.weight)
    torch.nn.init.constant_(critic.score.bias, 0.25)
    real, fake = torch.rand(2, 1, 16, 16), torch.rand(2, 1, 16, 16)
    assert critic.discriminator_loss(real, fake, draws)["patches"].item() == pytest.approx((0.75**2 + 0.25**2) / 2)
    assert critic.generator_loss(fake).item() == pytest.approx(0.75**2)
    assert critic.feedback(fake).shape == (2, critic.feedback_channels)
