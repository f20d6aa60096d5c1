"""A critic of masks that is a variational auto-encoder: what it reconstructs well looks like a mask."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from noisyseg.integration.unpaired.networks import convolution
from noisyseg.registry import MODELS

__all__ = ["MaskEnergy", "VaeDiscriminator"]


class MaskEnergy(NamedTuple):
    """How unlike a real mask each mask is, in nats a pixel; (N,) each, >= 0.

    Attributes:
        reconstruction: Binary cross entropy between mask and reconstruction.
        divergence: Kullback-Leibler divergence of the latent's distribution from the standard normal one.
    """

    reconstruction: Tensor
    divergence: Tensor


@MODELS.register_module()
class VaeDiscriminator(nn.Module):
    r"""A VAE (Kingma & Welling, ICLR 2014) as an energy-based critic (Zhao et al., ICLR 2017).

    The energy of a mask is its negative evidence bound, ``E = BCE(mask, reconstruction) + beta KL(latent, prior)``.
    The critic lowers the energy of real masks and raises that of fake ones up to a margin,
    ``E(real) + max(0, margin - E(fake))``; a generator lowers the energy of its masks. The latent is a small map,
    so that the shape prior is one of regions and holds for any number of objects.

    How the critic of the paper is built could not be verified; all of this is ours.

    Args:
        in_channels: Channels of the masks.
        width: Channels of the finest level of the encoder; the two below have twice as many.
        latent_channels: Channels of the latent map, which is 8 times smaller than the mask.
        beta: Weight of the divergence.
        margin: Energy up to which fake masks are pushed, nats a pixel; above that of real masks, or nothing is learnt.

    Raises:
        ValueError: ``beta`` is negative or ``margin`` is not positive.
    """

    def __init__(
        self, in_channels: int = 1, width: int = 16, latent_channels: int = 8, beta: float = 0.1, margin: float = 0.5
    ) -> None:
        super().__init__()
        if beta < 0:
            raise ValueError(f"beta: expected a number >= 0, got {beta}")
        if margin <= 0:
            raise ValueError(f"margin: expected a number > 0, got {margin}")
        self.beta, self.margin = beta, margin
        self.encoder = nn.Sequential(
            nn.Conv2d(in_channels, width, 4, 2, 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(width, 2 * width, 4, 2, 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(2 * width, 2 * width, 4, 2, 1),
            nn.LeakyReLU(0.2),
        )
        self.latent = nn.Conv2d(2 * width, 2 * latent_channels, 1)
        self.decoder = nn.Sequential(
            convolution(latent_channels, 2 * width),
            nn.Upsample(scale_factor=2),
            convolution(2 * width, 2 * width),
            nn.Upsample(scale_factor=2),
            convolution(2 * width, width),
            nn.Conv2d(width, 4 * in_channels, 3, padding=1),
            nn.PixelShuffle(2),
        )
        self.feedback_channels = 2 * width + 1

    def energy(self, masks: Tensor, generator: torch.Generator | None = None) -> MaskEnergy:
        """Returns the two parts of the energy of each mask.

        Args:
            masks: (N, in_channels, H, W) in [0, 1], H and W multiples of 8.
            generator: Draws the latent; None takes its mean.
        """
        return self._energy(masks, self.encoder(masks), generator)

    def discriminator_loss(self, real: Tensor, fake: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
        """Returns the parts of the loss: reconstruction and divergence of real masks, margin of fake ones.

        Args:
            real: (N, in_channels, H, W) masks in [0, 1].
            fake: Of the same shape, without gradient.
            generator: Draws the latents of the real masks.
        """
        on_real = self.energy(real, generator)
        return {
            "reconstruction": on_real.reconstruction.mean(),
            "divergence": self.beta * on_real.divergence.mean(),
            "margin": F.relu(self.margin - self._sum(self.energy(fake))).mean(),
        }

    def generator_loss(self, fake: Tensor) -> Tensor:
        """Returns the mean energy of masks that a generator made, at the mean of the latent."""
        return self._sum(self.energy(fake)).mean()

    def feedback(self, judged: Tensor) -> Tensor:
        """Returns (N, feedback_channels): the mean of each feature of the encoder, and the energy of each mask."""
        features = self.encoder(judged)
        energy = self._sum(self._energy(judged, features, None))
        return torch.cat([features.mean((2, 3)), energy[:, None]], dim=1)

    def _sum(self, energy: MaskEnergy) -> Tensor:
        return energy.reconstruction + self.beta * energy.divergence

    def _energy(self, masks: Tensor, features: Tensor, generator: torch.Generator | None) -> MaskEnergy:
        mean, log_variance = self.latent(features).chunk(2, dim=1)
        log_variance = log_variance.clamp(-10, 10)
        latent = mean
        if generator is not None:
            noise = torch.randn(mean.shape, generator=generator, device=mean.device, dtype=mean.dtype)
            latent = mean + noise * (0.5 * log_variance).exp()
        logits = self.decoder(latent)
        error = F.binary_cross_entropy_with_logits(logits, masks, reduction="none")
        divergence = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance)
        pixels = masks[0].numel()
        return MaskEnergy(error.mean((1, 2, 3)), divergence.sum((1, 2, 3)) / pixels)
