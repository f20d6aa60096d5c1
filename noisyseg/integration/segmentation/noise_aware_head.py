"""Decode heads of mmseg whose losses see the weights of pixels and images, and the samples."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any, Literal, get_args

import torch
import torch.nn.functional as F
from mmseg.models.decode_heads.cascade_decode_head import BaseCascadeDecodeHead
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.models.losses import CrossEntropyLoss, accuracy
from mmseg.models.utils import resize
from mmseg.registry import MODELS as MMSEG_MODELS
from mmseg.structures import SegDataSample
from torch import Tensor, nn

from noisyseg.integration.host_subclasses import HostSubclass, host_class, host_subclass, overridden
from noisyseg.integration.weight_transforms import WEIGHT_MAP
from noisyseg.labels.weight_maps import LEVELS
from noisyseg.registry import MODELS

__all__ = ["NoiseAwareHead", "image_weights_of", "pixel_weights_of"]

Kind = Literal["pixel", "image"]
PIXEL_WEIGHTED = (CrossEntropyLoss,)
"""Losses of the host that honour a weight for each pixel; the others drop it, or fail on its shape."""


class NoiseAware(HostSubclass):
    """What `NoiseAwareHead` adds to a decode head."""

    def __init__(
        self,
        *args: Any,  # noqa: ANN401 - the host's arguments
        expects: Sequence[Kind] = (),
        unweighted: Sequence[str] = (),
        **settings: Any,  # noqa: ANN401 - the host's arguments
    ) -> None:
        unknown = set(expects) - set(get_args(Kind))
        if isinstance(expects, str) or unknown:
            raise ValueError(f"expects: expected a list of {', '.join(get_args(Kind))}, not {expects!r}")
        super().__init__(*args, **settings)
        self.expects, self.unweighted = tuple(expects), tuple(unweighted)
        names = [loss.loss_name for loss in self._losses()]
        if isinstance(unweighted, str) or not set(unweighted) <= set(names):
            raise ValueError(f"unweighted: expected a list of names among {', '.join(names)}, not {unweighted!r}")
        for loss in self._losses():
            if (
                loss.loss_name not in unweighted
                and not _takes_image_weight(loss)
                and not isinstance(loss, PIXEL_WEIGHTED)
            ):
                raise ValueError(
                    f"loss_decode {loss.loss_name}: {type(loss).__module__}.{type(loss).__name__} does not honour a "
                    "weight for each pixel; take a loss of noisyseg or mmseg.CrossEntropyLoss, or say "
                    f"unweighted=['{loss.loss_name}'] to let it see none"
                )

    def loss_by_feat(self, seg_logits: Tensor, batch_data_samples: list[SegDataSample]) -> dict[str, Tensor]:
        """Returns the losses and the accuracy of a batch, as the host does, with weights and context for each loss."""
        labels = self._stack_batch_gt(batch_data_samples)
        logits = resize(seg_logits, size=labels.shape[2:], mode="bilinear", align_corners=self.align_corners)
        sampled = None if self.sampler is None else self.sampler.sample(logits, labels)
        labels = labels.squeeze(1)
        pixel = pixel_weights_of(batch_data_samples, labels, self.ignore_index)
        image = image_weights_of(batch_data_samples, logits.device)
        for kind, weights in (("pixel", pixel), ("image", image)):
            if kind in self.expects and weights is None:
                raise ValueError(
                    f"expected {kind} weights, got samples without: load them (noisyseg.LoadWeightMap, "
                    "noisyseg.LoadImageWeight) and pack with noisyseg.PackSegInputs"
                )
        losses: dict[str, Tensor] = {}
        for loss in self._losses():
            value = loss(
                logits,
                labels,
                ignore_index=self.ignore_index,
                **self._weights_for(loss, labels, sampled, pixel, image),
                **(loss.context(logits, batch_data_samples) if hasattr(loss, "context") else {}),
            )
            losses[loss.loss_name] = losses[loss.loss_name] + value if loss.loss_name in losses else value
        losses["acc_seg"] = accuracy(logits, labels, ignore_index=self.ignore_index)
        return losses

    def _losses(self) -> list[nn.Module]:
        return list(self.loss_decode) if isinstance(self.loss_decode, nn.ModuleList) else [self.loss_decode]

    def _weights_for(
        self, loss: nn.Module, labels: Tensor, sampled: Tensor | None, pixel: Tensor | None, image: Tensor | None
    ) -> dict[str, Tensor | None]:
        if loss.loss_name in self.unweighted:
            return {"weight": sampled}
        weight = pixel if sampled is None else sampled if pixel is None else sampled * pixel
        if _takes_image_weight(loss):
            return {"weight": weight, "image_weight": image}
        if image is not None:
            spread = image.reshape(-1, 1, 1).expand(labels.shape)
            weight = spread if weight is None else weight * spread
        return {"weight": weight}


@MODELS.register_module()
def NoiseAwareHead(head: str, **settings: Any) -> BaseDecodeHead:  # noqa: ANN401, N802 - a name in configs, for any head
    """Returns a decode head whose losses get the weights that came with the samples.

    The head does all that the host's does. Its losses get besides:

    - ``weight``: the pixel sampler's weights times ``gt_weight_map`` / 255, 0 at ignored and padded pixels
    - ``image_weight``: (N,) from the samples' meta information, for losses with such an argument; the host's cross
      entropy gets it multiplied into ``weight``
    - what ``loss.context(seg_logits, batch_data_samples)`` returns, for losses with such a method: a dictionary of
      keyword arguments. The logits are those the loss gets, (N, K, H, W) at the labels' size.

    Weights that no sample has are left away. In a config over a base, ``type`` and ``head`` are all that changes::

        decode_head = dict(type="noisyseg.NoiseAwareHead", head="mmseg.FCNHead", expects=["pixel"])

    Args:
        head: Type of the host's decode head.
        **settings: The arguments of that head, and two more. ``expects``: the weights that every batch must have, of
            ``pixel`` and ``image``; without it, weights that got lost on the way are not missed. ``unweighted``: names
            of losses that are to see no weights.

    Raises:
        ValueError: The head computes its losses in a way of its own, or a loss cannot honour pixel weights. When it
            runs: some samples of a batch have weights and some have none, or a map of weights has another size
            than its image.
    """
    host = host_class(MMSEG_MODELS, head, BaseDecodeHead)
    changed = [
        *overridden(host, ["loss_by_feat"], [BaseDecodeHead]),
        *overridden(host, ["loss"], [BaseDecodeHead, BaseCascadeDecodeHead]),
    ]
    if changed:
        raise ValueError(
            f"head: {head} has a {' and a '.join(changed)} of its own, which weights would not reach; expected a head "
            "that leaves the losses to mmseg.BaseDecodeHead, such as mmseg.FCNHead or mmseg.SegformerHead"
        )
    return host_subclass(NoiseAware, host)(**settings)


def pixel_weights_of(samples: Sequence[SegDataSample], labels: Tensor, ignore_index: int | None) -> Tensor | None:
    """Returns the weights of all pixels, 0 where the batch is padded or the label ignored; None if no sample has some.

    Args:
        samples: With ``gt_weight_map`` (1, h, w) uint8 each, or none of them.
        labels: (N, H, W), padded behind the right and lower border.
        ignore_index: The ignored label.

    Returns:
        (N, H, W) float32 in [0, 1], on the labels' device.

    Raises:
        ValueError: Some samples have weights and some have none; weights are of another type, or of another size than
            their image.
    """
    if not _all_or_none([WEIGHT_MAP in sample for sample in samples], WEIGHT_MAP, samples):
        return None
    rows, columns = labels.shape[-2:]
    maps = []
    for sample in samples:
        weights = getattr(sample, WEIGHT_MAP).data
        size = tuple(sample.metainfo.get("img_shape", (rows, columns)))[:2]
        if weights.dtype != torch.uint8 or weights.shape != (1, *size):
            raise ValueError(
                f"{WEIGHT_MAP}: expected uint8 of shape {(1, *size)}, the size of the image, got {weights.dtype} of "
                f"{tuple(weights.shape)}: {sample.metainfo.get('img_path')}"
            )
        maps.append(F.pad(weights, (0, columns - weights.shape[-1], 0, rows - weights.shape[-2])))
    stacked = torch.cat(maps).to(labels.device, torch.float32) / LEVELS
    return stacked if ignore_index is None else stacked * (labels != ignore_index)


def image_weights_of(samples: Sequence[SegDataSample], device: torch.device) -> Tensor | None:
    """Returns the (N,) float32 weights in the samples' meta information; None if no sample has one.

    Raises:
        ValueError: Some samples have a weight and some have none.
    """
    if not _all_or_none(["image_weight" in sample.metainfo for sample in samples], "image_weight", samples):
        return None
    return torch.tensor([sample.metainfo["image_weight"] for sample in samples], dtype=torch.float32, device=device)


def _all_or_none(present: list[bool], name: str, samples: Sequence[SegDataSample]) -> bool:
    """Returns whether all samples have a field, or raises where only some have it."""
    if any(present) and not all(present):
        without = samples[present.index(False)].metainfo.get("img_path")
        raise ValueError(f"{name}: expected it in all samples of a batch or in none; {without} has none")
    return all(present) and bool(present)


def _takes_image_weight(loss: nn.Module) -> bool:
    return "image_weight" in inspect.signature(loss.forward).parameters
