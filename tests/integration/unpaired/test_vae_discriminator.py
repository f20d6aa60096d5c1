"""The critic of masks that is a VAE: parts of its energy, its margin, what it prefers."""

import pytest
import torch
import torch.nn.functional as F
from torch.distributions import Normal, kl_divergence

from noisyseg.integration.unpaired import VaeDiscriminator


def discs(count, generator):
    """Returns masks (count, 1, 16, 16) of one disc each."""
    y, x = torch.meshgrid(torch.arange(16.0), torch.arange(16.0), indexing="ij")
    centre = torch.rand(count, 2, 1, 1, generator=generator) * 6 + 5
    return ((y - centre[:, 0]) ** 2 + (x - centre[:, 1]) ** 2 < 16).float()[:, None]


def test_energy_is_cross_entropy_and_divergence_a_pixel():
    torch.manual_seed(0)
    critic, masks = VaeDiscriminator(width=4, latent_channels=2), torch.rand(3, 1, 16, 16).round()
    energy = critic.energy(masks)
    mean, log_variance = critic.latent(critic.encoder(masks)).chunk(2, dim=1)
    oracle = kl_divergence(Normal(mean, (0.5 * log_variance).exp()), Normal(0.0, 1.0)).sum((1, 2, 3)) / 256
    assert torch.allclose(energy.divergence, oracle, atol=1e-7)
    for mask, value in zip(masks, energy.reconstruction, strict=True):
        logits = critic.decoder(critic.latent(critic.encoder(mask[None])).chunk(2, dim=1)[0])
        assert F.binary_cross_entropy_with_logits(logits, mask[None]).item() == pytest.approx(value.item(), abs=1e-4)


def test_draws_come_from_the_generator():
    torch.manual_seed(0)
    critic, masks = VaeDiscriminator(width=4), torch.rand(2, 1, 16, 16).round()
    one, same, other = (critic.energy(masks, torch.Generator().manual_seed(s)).reconstruction for s in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_the_margin_pushes_only_fakes_below_it():
    torch.manual_seed(0)
    fake, draws = torch.rand(2, 1, 16, 16).round(), torch.Generator().manual_seed(0)
    critic = VaeDiscriminator(width=4, margin=0.01)
    assert critic.discriminator_loss(fake, fake, draws)["margin"] == 0
    critic.margin = 3.0
    energy = critic.generator_loss(fake)
    assert critic.discriminator_loss(fake, fake, draws)["margin"].item() == pytest.approx(3 - energy.item(), abs=1e-5)


def test_it_learns_to_prefer_masks_to_noise():
    torch.manual_seed(0)
    draws = torch.Generator().manual_seed(0)
    critic = VaeDiscriminator(width=8, latent_channels=4)
    optimizer = torch.optim.Adam(critic.parameters(), 5e-3)
    noise = torch.rand(8, 1, 16, 16, generator=draws).round()
    for _ in range(40):
        losses = critic.discriminator_loss(discs(8, draws), torch.rand(8, 1, 16, 16, generator=draws).round(), draws)
        optimizer.zero_grad()
        sum(losses.values()).backward()
        optimizer.step()
    with torch.no_grad():
        real, fake = critic.generator_loss(discs(32, draws)), critic.generator_loss(noise)
        feedback = critic.feedback(noise)
    assert real < 0.5 * fake
    assert feedback.shape == (8, critic.feedback_channels)
    assert feedback[:, -1].mean().item() == pytest.approx(fake.item(), rel=1e-3)


@pytest.mark.parametrize(("setting", "value"), [("beta", -0.1), ("margin", 0)])
def test_settings_out_of_range_are_refused(setting, value):
    with pytest.raises(ValueError, match=f"{setting}: expected a number"):
        VaeDiscriminator(**{setting: value})
