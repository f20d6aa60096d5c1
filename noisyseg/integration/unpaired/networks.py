"""Small networks of the translation between images and masks: generator, calibration of channels, patch critic.

Sizes and wiring are ours; of the method that this is in the spirit of, only the abstract could be read.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from noisyseg.registry import MODELS

__all__ = ["ChannelCalibration", "PatchDiscriminator", "TranslationUnet"]


def convolution(before: int, after: int, stride: int = 1) -> nn.Sequential:
    """Returns a 3 x 3 convolution with a norm over all of an image and a leaky ReLU.

    A norm of each channel by itself would take away what is the same at every pixel, such as a colour.

    Args:
        before: Channels of the input.
        after: Channels of the output.
        stride: Stride of the convolution.
    """
    return nn.Sequential(
        nn.Conv2d(before, after, 3, stride, 1, bias=False),
        nn.GroupNorm(1, after),
        nn.LeakyReLU(0.2),
    )


class ChannelCalibration(nn.Module):
    """Scales each channel by a gate in (0, 2) that depends on the features and on what the critic said of the output.

    Squeeze-and-excitation (Hu et al., CVPR 2018) whose input is the mean of each channel beside the critic's feedback
    on the output of the pass before. The gates begin at 1.

    Args:
        channels: Channels of the features.
        feedback_channels: Numbers an image in the feedback.
    """

    def __init__(self, channels: int, feedback_channels: int) -> None:
        super().__init__()
        self.squeeze = nn.Linear(channels + feedback_channels, channels)
        self.excite = nn.Linear(channels, channels)
        nn.init.zeros_(self.excite.weight)
        nn.init.zeros_(self.excite.bias)

    def forward(self, features: Tensor, feedback: Tensor) -> Tensor:
        """Returns the scaled features, (N, C, H, W), for such features and (N, feedback_channels)."""
        squeezed = self.squeeze(torch.cat([features.mean((2, 3)), feedback], dim=1))
        return features * (2 * self.excite(F.relu(squeezed)).sigmoid())[:, :, None, None]


class TranslationUnet(nn.Module):
    """A U-Net that works at half the size of its input, for images to mask logits or masks to image logits.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        width: Channels at the finest level; the two below have 2 and 3 times as many.
        feedback_channels: Numbers an image in the feedback of a critic, which then calibrates the channels of the
            decoder; 0 for a generator without calibration.
        contrast: Standard deviation at which the logits of each image begin, about a mean of -contrast / 2; each
            image's are normalized to a standard deviation and a mean that are learnt, so that no image can get all or
            nothing of the foreground, and logits stay where a sigmoid has a gradient. None leaves them as they are.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        width: int = 16,
        feedback_channels: int = 0,
        contrast: float | None = None,
    ) -> None:
        super().__init__()
        widths = (width, 2 * width, 3 * width)
        self.feedback_channels = feedback_channels
        self.stem = convolution(4 * in_channels, widths[0])
        self.down = nn.ModuleList(convolution(a, b, stride=2) for a, b in pairwise(widths))
        self.middle = nn.Sequential(*(convolution(widths[2], widths[2]) for _ in range(2)))
        self.up = nn.ModuleList(convolution(widths[i + 1] + widths[i], widths[i]) for i in (1, 0))
        self.head = nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(widths[0], out_channels, 3, padding=1))
        if contrast is not None:
            norm = nn.GroupNorm(out_channels, out_channels)
            nn.init.constant_(norm.weight, contrast)
            nn.init.constant_(norm.bias, -contrast / 2)
            self.head.append(norm)
        calibrated = (widths[2], widths[1], widths[0]) if feedback_channels else ()
        self.calibrations = nn.ModuleList(ChannelCalibration(channels, feedback_channels) for channels in calibrated)

    def encode(self, inputs: Tensor) -> list[Tensor]:
        """Returns the features of each level, finest first, which no feedback changes.

        Args:
            inputs: (N, in_channels, H, W), H and W multiples of 8.

        Raises:
            ValueError: The size is no multiple of 8.
        """
        if inputs.shape[-2] % 8 or inputs.shape[-1] % 8:
            raise ValueError(f"inputs: expected height and width in multiples of 8, got {tuple(inputs.shape[-2:])}")
        levels = [self.stem(F.pixel_unshuffle(inputs, 2))]
        for down in self.down:
            levels.append(down(levels[-1]))
        levels[-1] = levels[-1] + self.middle(levels[-1])
        return levels

    def decode(self, levels: Sequence[Tensor], feedback: Tensor | None = None) -> Tensor:
        """Returns the logits, (N, out_channels, H, W).

        Args:
            levels: What `encode` returned.
            feedback: (N, feedback_channels); None stands for zeros, before a critic has said anything.
        """
        if feedback is None:
            feedback = levels[0].new_zeros(len(levels[0]), self.feedback_channels)
        features = self._calibrated(0, levels[-1], feedback)
        for place, (up, skip) in enumerate(zip(self.up, reversed(levels[:-1]), strict=True), start=1):
            larger = F.interpolate(features, scale_factor=2, mode="nearest")
            features = self._calibrated(place, up(torch.cat([larger, skip], dim=1)), feedback)
        return self.head(features)

    def forward(self, inputs: Tensor, feedback: Tensor | None = None) -> Tensor:
        """Returns the logits of one pass: `decode` of `encode`."""
        return self.decode(self.encode(inputs), feedback)

    def _calibrated(self, place: int, features: Tensor, feedback: Tensor) -> Tensor:
        return self.calibrations[place](features, feedback) if self.feedback_channels else features


@MODELS.register_module()
class PatchDiscriminator(nn.Module):
    """A critic of overlapping patches, with least-squares losses (Mao et al., ICCV 2017; Isola et al., CVPR 2017).

    Args:
        in_channels: Channels of what it judges.
        width: Channels after the first of its three convolutions; the other two have twice as many. None has a norm,
            which would hide contrast.
    """

    def __init__(self, in_channels: int, width: int = 16) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(in_channels, width, 4, 2, 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(width, 2 * width, 4, 2, 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(2 * width, 2 * width, 3, 1, 1),
            nn.LeakyReLU(0.2),
        )
        self.score = nn.Conv2d(2 * width, 1, 3, padding=1)
        self.feedback_channels = 2 * width

    def discriminator_loss(self, real: Tensor, fake: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
        """Returns the least-squares loss that wants 1 for real inputs and 0 for fake ones.

        Args:
            real: (N, in_channels, H, W).
            fake: Of the same shape, without gradient.
            generator: Not used; here because another critic draws.
        """
        del generator
        on_real, on_fake = self.score(self.features(real)), self.score(self.features(fake))
        return {"patches": 0.5 * ((on_real - 1).square().mean() + on_fake.square().mean())}

    def generator_loss(self, fake: Tensor) -> Tensor:
        """Returns the loss of a generator: the mean squared distance of the scores from 1."""
        return (self.score(self.features(fake)) - 1).square().mean()

    def feedback(self, judged: Tensor) -> Tensor:
        """Returns (N, feedback_channels): the mean of each of the last features."""
        return self.features(judged).mean((2, 3))
