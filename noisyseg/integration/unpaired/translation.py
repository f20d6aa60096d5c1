"""Images to masks and back, learnt from images and masks that do not belong together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.model import BaseModel, is_model_wrapper
from mmengine.optim import OptimWrapperDict
from mmengine.registry import OPTIM_WRAPPERS, OPTIMIZERS
from torch import Tensor, nn

from noisyseg.integration.unpaired.networks import TranslationUnet
from noisyseg.registry import MODELS, OPTIM_WRAPPER_CONSTRUCTORS

__all__ = ["AdversarialOptimWrapperConstructor", "UnpairedTranslation", "appearance"]

PARTS = {"generators": ("to_mask", "to_image"), "discriminators": ("mask_critic", "image_critic")}
"""Which networks each of the two optimizers steps."""


def appearance(images: Tensor, masks: Tensor, cells: int) -> Tensor:
    """Returns the colours of the foreground around each pixel and those of the background, (N, 2, C, H, W).

    The background has one colour an image, the mean weighted by the mask; the foreground has one a cell of a coarse
    grid, interpolated, for objects may differ in colour. This is all that tells the two apart where a mask and its
    complement would do as well. Without colours no generator could give an image back of which it only knows the mask,
    except by hiding them in the mask. A cell without foreground takes the mean of the image's foreground.

    Args:
        images: (N, C, H, W) in [0, 1].
        masks: (N, 1, H, W) probabilities of the foreground.
        cells: Cells along each side of the grid; 1 for one colour an image.
    """
    local = F.adaptive_avg_pool2d(torch.cat([masks * images, masks], dim=1), cells)
    mean = local.mean((2, 3), keepdim=True)
    local = local + 0.01 * mean / (mean[:, -1:] + 1e-4)
    inside = F.interpolate(local[:, :-1] / local[:, -1:].clamp(min=1e-4), size=images.shape[2:], mode="bilinear")
    rest = 1 - masks
    outside = (rest * images).mean((2, 3), keepdim=True) / (rest.mean((2, 3), keepdim=True) + 1e-4)
    return torch.stack([inside, outside.expand_as(images)], dim=1)


def painted(masks: Tensor, looks: Tensor) -> Tensor:
    """Returns images (N, C, H, W) that have the colours `appearance` gives for masks (N, 1, H, W), and no texture."""
    return masks * looks[:, 0] + (1 - masks) * looks[:, 1]


@MODELS.register_module()
class UnpairedTranslation(BaseModel):
    """A cycle-consistent pair of generators with a critic of masks and one of images (Zhu et al., ICCV 2017).

    In the spirit of Wang et al., "Annotation-Efficient Learning for Medical Image Segmentation based on Noisy Pseudo
    Labels and Adversarial Learning", TMI 2021, of which only the abstract could be read: a critic of masks that is a
    VAE, and feedback of that critic that calibrates channels of the generator of masks. Sizes, weights and wiring are
    ours. The generator of masks makes two passes: the decoder of the second is calibrated by what the critic says of
    the first one's mask. The critic and the cycle of masks train both; only the second is painted, and is the answer.

    Args:
        mask_critic: Config of the critic of masks, such as `VaeDiscriminator` or `PatchDiscriminator`.
        image_critic: Config of the critic of images.
        width: Channels of the generators at their finest level.
        calibrate: Whether the feedback calibrates channels; without it there is one pass.
        cells: Cells along each side of the grid of `appearance`.
        weights: Weights of the generators' losses, each >= 0: ``mask_adversarial`` and ``image_adversarial`` of the
            critics, ``mask_cycle`` (cross entropy of a mask, painted and found again), ``image_cycle`` (squared error
            of an image, masked and painted again) and ``regions`` (the same before the generator of images adds what
            the colours of the regions lack; without it that generator learns to repair any mask).
        seed: Seed of the draws inside the model, >= 0.
        **base: Passed to mmengine's `BaseModel`.

    Raises:
        ValueError: ``weights``, ``cells`` or ``seed`` cannot be used.
    """

    def __init__(
        self,
        mask_critic: Mapping[str, Any],
        image_critic: Mapping[str, Any],
        width: int = 16,
        calibrate: bool = True,
        cells: int = 8,
        weights: Mapping[str, float] | None = None,
        seed: int = 0,
        **base: Any,  # noqa: ANN401 - passed on
    ) -> None:
        super().__init__(**base)
        self.weights = {
            "mask_adversarial": 1.0,
            "image_adversarial": 2.0,
            "mask_cycle": 4.0,
            "image_cycle": 20.0,
            "regions": 150.0,
        }
        for name, weight in (weights or {}).items():
            if name not in self.weights or weight < 0:
                raise ValueError(f"weights: expected {', '.join(self.weights)}, each >= 0, got {name}={weight}")
            self.weights[name] = weight
        if cells < 1:
            raise ValueError(f"cells: expected at least 1, got {cells}")
        if seed < 0:
            raise ValueError(f"seed: expected an integer >= 0, got {seed}")
        self.seed, self.calibrate, self.cells = seed, calibrate, cells
        self.mask_critic: nn.Module = MODELS.build(dict(mask_critic))
        self.image_critic: nn.Module = MODELS.build(dict(image_critic))
        self.to_mask = TranslationUnet(
            3, 1, width, self.mask_critic.feedback_channels if calibrate else 0, contrast=2.0
        )
        self.to_image = TranslationUnet(1 + 3 + 6, 3, width)

    def mask_passes(self, images: Tensor) -> list[Tensor]:
        """Returns the mask logits of each pass, (N, 1, H, W) each, the last one calibrated.

        Args:
            images: (N, 3, H, W) in [0, 1], H and W multiples of 8.
        """
        levels = self.to_mask.encode(images - 0.5)
        passes = [self.to_mask.decode(levels)]
        if self.calibrate:
            with torch.no_grad():
                feedback = self.mask_critic.feedback(passes[0].sigmoid())
            passes.append(self.to_mask.decode(levels, feedback))
        return passes

    def images_of(self, masks: Tensor, looks: Tensor) -> Tensor:
        """Returns images, (N, 3, H, W) in [0, 1], for (N, 1, H, W) masks and the `appearance` they shall have.

        Both regions are filled with their colours, and the generator adds what distinguishes that from an image.
        """
        canvas = painted(masks, looks)
        known = torch.cat([masks, canvas, looks.flatten(1, 2)], dim=1)
        return (torch.logit(canvas, 0.02) + self.to_image(known - 0.5)).sigmoid()

    def forward(self, inputs: Tensor, data_samples: object = None, mode: str = "tensor") -> Tensor:
        """Returns the probability of the foreground at each pixel, (N, 1, H, W), for images in [0, 1].

        Raises:
            ValueError: ``mode`` is neither ``tensor`` nor ``predict``; the losses are those of `train_step`.
        """
        del data_samples
        if mode not in ("tensor", "predict"):
            raise ValueError(f"mode: expected 'tensor' or 'predict', got {mode!r}")
        return self.mask_passes(inputs)[-1].sigmoid()

    def generator_losses(self, images: Tensor, masks: Tensor) -> tuple[dict[str, Tensor], Tensor, Tensor]:
        """Returns the weighted losses of the generators, the fake masks of all passes and the fake images.

        Args:
            images: (N, 3, H, W) in [0, 1].
            masks: (N, 1, H, W) in {0, 1}, of other scenes.
        """
        fake_masks = [logits.sigmoid() for logits in self.mask_passes(images)]
        looks = appearance(images, fake_masks[-1], self.cells)
        fake_images = self.images_of(masks, looks.detach())
        back = self.images_of(fake_masks[-1], looks)
        cycles = [F.binary_cross_entropy_with_logits(logits, masks) for logits in self.mask_passes(fake_images)]
        every = torch.cat(fake_masks)
        losses = {
            "mask_adversarial": self.mask_critic.generator_loss(every),
            "image_adversarial": self.image_critic.generator_loss(fake_images),
            "mask_cycle": torch.stack(cycles).mean(),
            "image_cycle": F.mse_loss(back, images),
            "regions": F.mse_loss(painted(fake_masks[-1], looks), images),
        }
        return {f"loss_{name}": self.weights[name] * loss for name, loss in losses.items()}, every, fake_images

    def train_step(self, data: Mapping[str, Sequence[Any]], optim_wrapper: OptimWrapperDict) -> dict[str, Tensor]:
        """Makes one step of the generators, then one of the critics, and returns the losses.

        Args:
            data: A batch of `UnpairedDataset`, as lists: ``image``, ``mask`` and the ``index`` of each sample.
            optim_wrapper: Wrappers named ``generators`` and ``discriminators``.
        """
        batch = self.data_preprocessor(data, True)
        images, masks = torch.stack(list(batch["image"])), torch.stack(list(batch["mask"]))
        self._critics_learn(False)
        losses, fake_masks, fake_images = self.generator_losses(images, masks)
        optim_wrapper["generators"].update_params(sum(losses.values()))
        self._critics_learn(True)
        draws = torch.Generator(images.device).manual_seed((self.seed << 40) + int(data["index"][0]))
        of_masks = self.mask_critic.discriminator_loss(masks, fake_masks.detach(), draws)
        of_images = self.image_critic.discriminator_loss(images, fake_images.detach(), draws)
        critics = {f"loss_mask_critic_{name}": loss for name, loss in of_masks.items()}
        critics |= {f"loss_image_critic_{name}": loss for name, loss in of_images.items()}
        optim_wrapper["discriminators"].update_params(sum(critics.values()))
        return {name: loss.detach() for name, loss in (losses | critics).items()}

    def _critics_learn(self, learn: bool) -> None:
        for name in PARTS["discriminators"]:
            getattr(self, name).requires_grad_(learn)


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class AdversarialOptimWrapperConstructor:
    """Builds one optimizer for the generators and one for the critics of an `UnpairedTranslation`.

    Args:
        optim_wrapper_cfg: The configs of the wrappers ``generators`` and ``discriminators``, each with an
            ``optimizer``.
        paramwise_cfg: Not supported; None.

    Raises:
        ValueError: The config has other entries.
    """

    def __init__(self, optim_wrapper_cfg: Mapping[str, Any], paramwise_cfg: Mapping[str, Any] | None = None) -> None:
        if set(optim_wrapper_cfg) != set(PARTS) or paramwise_cfg is not None:
            extra = "" if paramwise_cfg is None else " and paramwise_cfg"
            raise ValueError(
                f"optim_wrapper: expected {' and '.join(PARTS)}, got {', '.join(sorted(optim_wrapper_cfg))}{extra}"
            )
        self.configs = {part: dict(optim_wrapper_cfg[part]) for part in PARTS}

    def __call__(self, model: nn.Module) -> OptimWrapperDict:
        """Returns the wrappers of both optimizers."""
        networks = model.module if is_model_wrapper(model) else model
        wrappers = {}
        for part, names in PARTS.items():
            config = dict(self.configs[part])
            parameters = [p for name in names for p in getattr(networks, name).parameters()]
            optimizer = OPTIMIZERS.build(dict(config.pop("optimizer"), params=parameters))
            config.setdefault("type", "mmengine.OptimWrapper")
            wrappers[part] = OPTIM_WRAPPERS.build(dict(config, optimizer=optimizer))
        return OptimWrapperDict(**wrappers)
