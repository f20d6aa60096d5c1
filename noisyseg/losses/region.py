"""What losses have in common that are one ratio for each image and class, instead of one value for each pixel."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import replace
from typing import Any, Literal, get_args

import torch
from torch import Tensor

from noisyseg.losses.base import HeadLoss
from noisyseg.losses.forms import Elements, binary_elements, label_elements
from noisyseg.losses.reduction import Reduction
from noisyseg.losses.region_sums import RegionSums, sums_of_labels, sums_of_targets
from noisyseg.ops.checks import require

__all__ = ["RegionLoss"]

Mode = Literal["image", "pooled"]
Absent = Literal["skip", "keep"]


class RegionLoss(HeadLoss):
    """A loss that is a ratio of sums over the pixels of an image, for each class; the mean over classes is its value.

    A subclass gives `ratio`. Call it as the hosts do:

    - mmseg decode heads: ``loss(logits (N, K, H, W), labels (N, H, W), weight=pixel weights, ignore_index=255)``.
      In the sigmoid form each channel is a map of its own; with K = 1 the labels are 0 and 1.
    - mmdet mask heads, with ``use_mask=True``: ``loss(logits (R, K, H, W), masks (R, H, W), classes (R,))``
    - SOLO, CondInst, RTMDet-Ins, Mask2Former, in the sigmoid form: logits and targets in [0, 1] of one shape (M, P) or
      (M, H, W), one instance a row. With more dimensions, (N, K, H, W), the second one are the classes.
    - soft labels in the softmax form: float targets (N, K, ...) that add up to 1

    Volumes (N, K, D, H, W) work like maps. Boxes, (N, K) logits with labels (N,), have no area: they raise.

    ``weight``, the pixel weights, stands inside the ratio. ``image_weight`` would cancel there, so in the mode
    ``image`` it weighs the images' values: ``sum_n a_n value_n / sum_n a_n``. Images without weight or without a class
    that counts are left out of the mean; if all are, the loss is 0 with gradient 0. Both weights have no gradient.

    Args:
        kappa: Power of probabilities and targets in the denominator. 2 suits soft labels: with 1 the best prediction
            is 0 or 1, whatever the label.
        eps: Smoothing >= 0 of the ratio, in pixels.
        mode: ``image``: a ratio for each image, or instance. ``pooled``: the sums run over the batch, image weights
            inside; there is one value, so the reduction ``none`` and an ``avg_factor`` raise.
        absent: What becomes of classes without a labelled pixel (in the image, or pooled: in the batch): ``skip``
            leaves them out of the mean over classes, ``keep`` counts them. None is ``skip`` in the mode ``image`` and
            with ``kappa=2``, else ``keep``.
        min_area: Labelled, weighted pixels that a class needs for counting; for ``skip`` only.
        include_background: Softmax form: whether class 0 counts; None means yes. Sigmoid form of one channel: whether
            its complement counts as a class too; None means no. Means nothing where class 0 is no background, as with
            ``reduce_zero_label``.
        activate: False if the head passes probabilities instead of logits (sigmoid form).
        sync: Pool over all processes too, with gradient, so that the loss is that of one process with the whole
            batch; each process has to call the loss equally often. Only in the mode ``pooled``, where without it
            each process has a ratio of its own.
        **settings: The arguments of `HeadLoss`. ``class_weight`` weighs the mean over the classes that count.

    Raises:
        ValueError: When built: settings out of range or at odds with each other. When called: as `HeadLoss`; boxes;
            soft labels that do not add up to 1; probabilities outside [0, 1].
    """

    maps_only = True

    def __init__(
        self,
        *,
        kappa: int = 1,
        eps: float = 1e-5,
        mode: Mode = "image",
        absent: Absent | None = None,
        min_area: float = 0.0,
        include_background: bool | None = None,
        activate: bool = True,
        sync: bool = False,
        **settings: Any,  # noqa: ANN401 - passed on
    ) -> None:
        super().__init__(**settings)
        _check_settings(kappa, eps, mode, absent, min_area, sync)
        if absent is None:
            absent = "skip" if mode == "image" or kappa == 2 else "keep"
        if min_area and absent == "keep":
            raise ValueError("min_area decides which classes are skipped; with absent='keep' none is")
        if not activate and not (self.use_sigmoid or self.use_mask):
            raise ValueError("activate=False needs the sigmoid form: the softmax form takes logits")
        if self.use_mask and include_background is False:
            raise ValueError("include_background=False has no meaning with use_mask: each instance has one channel")
        self.kappa = kappa
        self.eps = eps
        self.mode = mode
        self.absent = absent
        self.min_area = min_area
        self.include_background = include_background
        self.activate = activate
        self.sync = sync
        self._check_reduction(self.reduction, None)

    @property
    def gamma(self) -> float | None:
        """Power of the error, or None if the ratio has no use for the error."""
        return None

    @abstractmethod
    def ratio(self, sums: RegionSums) -> Tensor:
        """Returns the loss (N, C) of each image and class; finite also where all sums are 0."""

    def values_and_weights(self, elements: Elements, image_weight: Tensor | None) -> tuple[Tensor, Tensor]:
        """Returns the losses (N,) of the images, or (1,) pooled, and their weights: 0 for images that are left out."""
        image_weight = elements.image_weights(image_weight)
        sums = self._sums(elements)
        class_weight = self._weight_of_classes(sums.weight)
        if self.mode == "pooled":
            sums = sums.pooled(image_weight, sync=self.sync)
            image_weight = None
        if self.include_background is False and not self.use_sigmoid:
            sums, class_weight = sums.without_first_class(), class_weight[1:]
        present = (sums.labelled > 0) & (sums.labelled >= self.min_area)
        weights = class_weight * (present if self.absent == "skip" else sums.weight > 0)
        total = weights.sum(1)
        values = (self.ratio(sums) * weights).sum(1) / total.clamp(min=torch.finfo(total.dtype).tiny)
        used = (total > 0).to(values)
        return values, used if image_weight is None else used * image_weight

    def reduce(
        self, values: Tensor, weights: Tensor | None, reduction: Reduction, avg_factor: float | Tensor | None
    ) -> Tensor:
        """Returns the reduction over the images; raises ``ValueError`` where pooling left none to tell apart."""
        self._check_reduction(reduction, avg_factor)
        return super().reduce(values, weights, reduction, avg_factor)

    def _check_reduction(self, reduction: Reduction, avg_factor: float | Tensor | None) -> None:
        if self.mode == "pooled" and (reduction == "none" or avg_factor is not None):
            what = "reduction='none'" if reduction == "none" else "avg_factor"
            raise ValueError(f"{what} needs mode='image': mode='pooled' has one value for the batch, none for an image")

    def _elements(self, logits: Tensor, target: Tensor, weight: Tensor | None, ignore_index: int | None) -> Elements:
        alike = logits.shape == target.shape and not self.use_mask
        if logits.dim() < 2 or (logits.dim() == 2 and not alike):
            raise ValueError(
                f"{type(self).__name__} is a ratio of areas: expected maps (N, K, ...) with labels (N, ...), or masks "
                f"(M, ...) with targets of one shape, not {tuple(logits.shape)} and {tuple(target.shape)}"
            )
        if alike and not self.use_sigmoid and target.is_floating_point():
            sums = target.sum(1)
            require(
                ((sums - 1).abs() <= 1e-3).all(),
                lambda: f"soft labels: expected sums of 1 over the classes, not {sums.min():g} to {sums.max():g}",
            )
            return binary_elements(logits, target, weight)
        one_label = not alike and logits.shape[1] > 1 and (weight is None or weight.dim() == target.dim())
        if self.use_sigmoid and not self.use_mask and one_label and self.activate:
            return label_elements(logits, target, weight, ignore_index, one_hot=False)
        elements = super()._elements(logits, target, weight, ignore_index)
        if elements.logits.dim() > 3 or not (alike or self.use_mask):
            return elements
        weight = None if elements.weight is None else elements.weight.unsqueeze(1)
        return replace(
            elements, logits=elements.logits.unsqueeze(1), target=elements.target.unsqueeze(1), weight=weight
        )

    def _sums(self, elements: Elements) -> RegionSums:
        sigmoid = self.use_sigmoid or self.use_mask
        if sigmoid and self.include_background and elements.logits.shape[1] > 1:
            raise ValueError(
                "include_background=True adds the complement of one channel; with "
                f"{elements.logits.shape[1]} channels in the sigmoid form the background is a channel of its own"
            )
        powers = {"kappa": self.kappa, "gamma": self.gamma}
        if not elements.binary:
            return sums_of_labels(elements.logits, elements.target, elements.weight, sigmoid=sigmoid, **powers)
        p, target = elements.logits, elements.target
        if not self.activate:
            if p.numel():
                low, high = p.detach().aminmax()
                require(
                    (low >= 0) & (high <= 1),
                    lambda: f"activate=False: expected probabilities, not {p.min().item():g} to {p.max().item():g}",
                )
        else:
            p = p.sigmoid() if sigmoid else p.softmax(1)
        if sigmoid and self.include_background:
            target = target.to(p)
            p, target = torch.cat((1 - p, p), 1), torch.cat((1 - target, target), 1)
        return sums_of_targets(p, target, elements.weight, **powers)

    def _weight_of_classes(self, like: Tensor) -> Tensor:
        if self._class_weight is None:
            return like.new_ones(like.shape[1])
        if len(self._class_weight) != like.shape[1]:
            raise ValueError(
                f"class_weight: expected {like.shape[1]} weights, one a class, not {len(self._class_weight)}"
            )
        return self._class_weight.to(like)

    def extra_repr(self) -> str:
        """Returns the settings."""
        return f"{super().extra_repr()}, mode={self.mode!r}, kappa={self.kappa}, eps={self.eps}, absent={self.absent!r}"


def _check_settings(kappa: int, eps: float, mode: str, absent: str | None, min_area: float, sync: bool) -> None:
    if kappa not in (1, 2):
        raise ValueError(f"kappa: expected 1 or 2, not {kappa!r}")
    if not 0 <= eps < math.inf:
        raise ValueError(f"eps: expected a number of pixels >= 0, not {eps!r}")
    if mode not in get_args(Mode):
        raise ValueError(f"mode: expected one of {', '.join(get_args(Mode))}, not {mode!r}")
    if absent is not None and absent not in get_args(Absent):
        raise ValueError(f"absent: expected one of {', '.join(get_args(Absent))}, not {absent!r}")
    if not 0 <= min_area < math.inf:
        raise ValueError(f"min_area: expected a number of pixels >= 0, not {min_area!r}")
    if sync and mode == "image":
        raise ValueError("sync=True adds up sums of processes; in mode='image' there is nothing to add up")
