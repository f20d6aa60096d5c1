"""The network of PNT-Edge that says by how many pixels each label lies beside its edge.

Letters: B batch, K edge classes, H rows, W columns. A field is (B, 2, H, W) pixels, rows first, then columns.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from noisyseg.registry import MODELS

__all__ = ["PixelShiftField", "normalized_image"]


@MODELS.register_module()
class PixelShiftField(nn.Module):
    """Predicts a field of shifts from an image, what a detector is sure of, and the labels.

    Where a label edge lies d pixels beside the true one, the field there is -d: the prediction, read at the position
    that the field points to, looks like the label (:func:`noisyseg.ops.warp`). No gradient leaves towards the inputs.

    Convolutions of 32, 32 channels; ``depth`` times a pooling and convolutions of 64, 64; as many transposed
    convolutions of 64; convolutions of 32 and 2. 162 thousand parameters with 20 classes. Source: "PSL" of PNT-Edge
    (arXiv 2307.14070). We differ: each image is normalised by itself, and a constant one becomes zeros; sizes need not
    be even; the layer that the released network never uses is absent; the last layer begins with zeros, so that the
    training starts from the labels as they are.

    Args:
        num_classes: K of ``confident`` and ``labels``.
        max_shift: Largest shift of either coordinate, pixels: 10 for SBD, 3 for Cityscapes.
        depth: Poolings. What the network sees around a pixel limits the shifts that it can tell: 10 pixels with 1,
            22 with 2.
        channels: Channels at the full size; twice as many below.

    Raises:
        ValueError: A setting is out of range, or shifts are larger than what the network sees.
    """

    def __init__(self, num_classes: int, max_shift: float = 10, depth: int = 1, channels: int = 32) -> None:
        super().__init__()
        for name, number in (("num_classes", num_classes), ("depth", depth), ("channels", channels)):
            if number < 1:
                raise ValueError(f"{name}: expected a whole number >= 1, got {number}")
        self.num_classes, self.max_shift, self.depth = num_classes, max_shift, depth
        if not 0 < max_shift <= self.reach:
            raise ValueError(
                f"max_shift: expected pixels in (0, {self.reach}], which is what a network of depth {depth} sees, got "
                f"{max_shift}; a larger depth sees more"
            )
        wide = 2 * channels
        self.full = nn.Sequential(_convolution(3 + 2 * num_classes, channels), _convolution(channels, channels))
        self.down = nn.Sequential(
            *(
                nn.Sequential(
                    nn.MaxPool2d(2), _convolution(wide if level else channels, wide), _convolution(wide, wide)
                )
                for level in range(depth)
            )
        )
        self.up = nn.Sequential(*(_upsampling(wide) for _ in range(depth)))
        self.smooth = _convolution(wide, channels)
        self.shift = nn.Conv2d(channels, 2, 3, padding=1)
        nn.init.zeros_(self.shift.weight)
        nn.init.zeros_(self.shift.bias)

    @property
    def reach(self) -> int:
        """How far from a pixel the farthest pixel is that its shift depends on, in pixels."""
        # Four convolutions at the full size; at each smaller one two, and the way there and back.
        return 4 + sum(6 * 2**level for level in range(self.depth))

    def forward(self, image: Tensor, confident: Tensor, labels: Tensor) -> Tensor:
        """Returns the field.

        Args:
            image: (B, 3, H, W) float of any range.
            confident: (B, K, H, W), where the detector is sure of an edge: bool, or its probability.
            labels: (B, K, H, W) bool, the edges of the labels.

        Returns:
            (B, 2, H, W) float32, each coordinate within ``max_shift``.

        Raises:
            ValueError: Shapes that do not fit.
        """
        size = tuple(image.shape[-2:])
        expected = (image.shape[0], self.num_classes, *size)
        if image.dim() != 4 or image.shape[1] != 3 or confident.shape != expected or labels.shape != expected:
            raise ValueError(
                f"expected image (B, 3, H, W), confident and labels (B, {self.num_classes}, H, W), got "
                f"{tuple(image.shape)}, {tuple(confident.shape)} and {tuple(labels.shape)}"
            )
        inputs = torch.cat([normalized_image(image.detach()), confident.detach().float(), labels.float()], dim=1)
        step = 2**self.depth
        rows, columns = (-side % step for side in size)
        padded = F.pad(inputs, (0, columns, 0, rows), mode="replicate") if rows or columns else inputs
        pixels = self.shift(self.smooth(self.up(self.down(self.full(padded)))))
        return self.max_shift * torch.tanh(pixels[..., : size[0], : size[1]].float() / 2)  # = 2 sigmoid - 1


def normalized_image(image: Tensor) -> Tensor:
    """Returns (B, C, H, W) float32 images from 0, their darkest value, to 1, the brightest; constant ones are 0."""
    image = image.float()
    low, high = (extreme(image, dim=(1, 2, 3), keepdim=True) for extreme in (torch.amin, torch.amax))
    return (image - low) / torch.where(high > low, high - low, 1)


def _convolution(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )


def _upsampling(channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.ConvTranspose2d(channels, channels, 4, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU(inplace=True),
    )
