"""A segmentor that learns from each batch at several scales, and counts what it predicts of the labels."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal, get_args

import torch
import torch.nn.functional as F
from mmseg.models.decode_heads.cascade_decode_head import BaseCascadeDecodeHead
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.models.segmentors import EncoderDecoder
from mmseg.models.segmentors.base import BaseSegmentor
from mmseg.structures import SegDataSample
from torch import Tensor, nn

from noisyseg.integration.host_subclasses import overridden
from noisyseg.integration.load_stored_labels import GIVEN_MAP
from noisyseg.integration.segmentation.load_clean_map import CLEAN_MAP
from noisyseg.integration.segmentation.noise_aware_head import NoiseAware
from noisyseg.integration.segmentation.train_iou_tracker import TrainIoUTracker
from noisyseg.integration.segmentation.wrapping import without_preprocessor
from noisyseg.labels import IGNORE
from noisyseg.losses.multi_scale import Gate, ScaleWeights, multi_scale_consistency
from noisyseg.registry import MODELS

__all__ = ["MultiScaleConsistency"]

Average = Literal["sum", "mean"]
SOURCES = {
    GIVEN_MAP: "noisyseg.LoadStoredLabels(keep_given=True)",
    CLEAN_MAP: "noisyseg.LoadCleanMap",
}


@MODELS.register_module()
class MultiScaleConsistency(BaseSegmentor):
    """Any segmentor of mmseg that sees each batch at several scales, and is held to what these predict together.

    Each batch is resized to each scale. The losses of the decode head see ``w_k z_k``, the logits times the scale's
    weight, resized to the labels; they are summed over the scales under their usual names. ``loss_consistency`` is
    added, see `noisyseg.losses.multi_scale_consistency`. Auxiliary heads and ``acc_seg`` see the first scale alone.

    The step costs a forward and backward pass for each scale, for 1, 0.7, 1.5 together 3.74 times one pass. What
    follows calls sees each scale: running statistics of batch norm, a loss' warm-up, a bank of earlier predictions.

    With one scale the losses are those of the segmentor, bit for bit, and the tracker is all that is added.

    Prediction is that of the segmentor. Its state is under ``segmentor.``, and the state of a plain one loads as it is.

    Args:
        segmentor: Config of a ``mmseg.EncoderDecoder`` or ``mmseg.CascadeEncoderDecoder``.
        scales: Of the inputs, the first of them 1.
        learn_weights: Whether the weights of the scales are learned; else they are equal. One scale has weight 1.
        weight: Of ``loss_consistency``; 0 leaves it out.
        threshold: Least probability of the mixture's surest class, below which nothing is held to it.
        gate: Whether each ``pixel`` has to be that sure, or any pixel of its ``image``, as in the released code.
        average: ``sum`` over the scales as in the released code for VOC, or their ``mean``, as in that for SegTHOR;
            of the decode heads' losses and of the consistency alike.
        tracker: Arguments of `TrainIoUTracker`, such as ``dict(compare="given", clean=False)``; None counts nothing.
            It sees the surest class at the first scale; for a head with one channel, whether its logit is above 0.
        size_divisor: What the sides of resized inputs are multiples of; None takes the data preprocessor's, or 1 where
            it has a fixed size.
        data_preprocessor: Where the segmentor's config has none; mmengine passes the one of the whole config.

    Raises:
        ValueError: An option is unknown or out of range, or a head computes its losses in a way of its own. When it
            trains: the tracker's labels are not in the samples.
    """

    def __init__(
        self,
        segmentor: Mapping[str, Any],
        scales: Sequence[float] = (1.0, 0.7, 1.5),
        learn_weights: bool = True,
        weight: float = 1.0,
        threshold: float = 0.8,
        gate: Gate = "pixel",
        average: Average = "sum",
        tracker: Mapping[str, Any] | None = None,
        size_divisor: int | None = None,
        data_preprocessor: Mapping[str, Any] | None = None,
    ) -> None:
        _check(scales, weight, threshold, gate, average)
        if size_divisor is not None and size_divisor < 1:
            raise ValueError(f"size_divisor: expected a whole number >= 1, not {size_divisor}")
        settings, data_preprocessor = without_preprocessor(segmentor, data_preprocessor)
        super().__init__(data_preprocessor=data_preprocessor)
        self.segmentor = MODELS.build(settings)
        self.scales, self.weight = tuple(scales), weight
        self.threshold, self.gate, self.average = threshold, gate, average
        self.size_divisor = size_divisor or getattr(self.data_preprocessor, "size_divisor", None) or 1
        self.scale_weights = ScaleWeights(len(scales), learn_weights and len(scales) > 1)
        if len(scales) > 1 or tracker is not None:
            _check_heads(self.segmentor)
        self.tracker: TrainIoUTracker | None = None
        if tracker is not None:
            ignored = self._last_head.ignore_index
            self.tracker = TrainIoUTracker(
                **{"num_classes": self.num_classes, "ignore_index": IGNORE if ignored is None else ignored, **tracker}
            )
        self._register_load_state_dict_pre_hook(_take_plain_state)

    @property
    def align_corners(self) -> bool:
        """As of the segmentor."""
        return self.segmentor.align_corners

    @property
    def num_classes(self) -> int:
        """As of the segmentor."""
        return self.segmentor.num_classes

    @property
    def out_channels(self) -> int:
        """As of the segmentor."""
        return self.segmentor.out_channels

    @property
    def _last_head(self) -> BaseDecodeHead:
        return _decode_heads(self.segmentor)[-1]

    def init_weights(self) -> None:
        """Gives the segmentor its first weights, those it would have by itself."""
        self.segmentor.init_weights()
        self._is_init = True

    def loss(self, inputs: Tensor, data_samples: list[SegDataSample]) -> dict[str, Tensor]:
        """Returns the losses of all scales, and counts the predictions at the first."""
        several = len(self.scales) > 1
        if not several and self.tracker is None:
            return self.segmentor.loss(inputs, data_samples)
        labels = self._last_head._stack_batch_gt(data_samples).squeeze(1)
        weights = self.scale_weights()
        heads = _decode_heads(self.segmentor)
        with _weighted_for_losses(heads, weights[0]) if several else _resized_for_losses(heads[-1]) as seen:
            losses = self.segmentor.loss(inputs, data_samples)
        logits = [seen[-1]]
        for scale, weight in zip(self.scales[1:], weights[1:], strict=True):
            with _weighted_for_losses(heads, weight) as seen:
                features = self.segmentor.extract_feat(self._resized(inputs, scale))
                found = self.segmentor._decode_head_forward_train(features, data_samples)
            logits.append(seen[-1])
            for name in _losses_among(found):
                losses[name] = losses[name] + found[name]
        if several and self.weight:
            logits = [self._at_labels(z, labels) for z in logits]
            ignored = self._last_head.ignore_index
            valid = torch.ones_like(labels, dtype=torch.bool) if ignored is None else labels != ignored
            value = multi_scale_consistency(logits, weights, valid, threshold=self.threshold, gate=self.gate)
            losses["loss_consistency"] = self.weight * value
        if several and self.average == "mean":
            for name in {*_losses_among(found), "loss_consistency"} & losses.keys():
                losses[name] = losses[name] / len(self.scales)
        if self.tracker is not None:
            self._count(logits[0].detach(), labels, data_samples)
        return losses

    def predict(self, inputs: Tensor, data_samples: list[SegDataSample] | None = None) -> list[SegDataSample]:
        """Returns the predictions of the segmentor."""
        return self.segmentor.predict(inputs, data_samples)

    def extract_feat(self, inputs: Tensor) -> list[Tensor]:
        """Returns the features of the segmentor."""
        return self.segmentor.extract_feat(inputs)

    def encode_decode(self, inputs: Tensor, batch_img_metas: list[dict]) -> Tensor:
        """Returns the logits of the segmentor."""
        return self.segmentor.encode_decode(inputs, batch_img_metas)

    def _forward(self, inputs: Tensor, data_samples: list[SegDataSample] | None = None) -> Tensor:
        return self.segmentor(inputs, data_samples, mode="tensor")

    def _resized(self, inputs: Tensor, scale: float) -> Tensor:
        step = self.size_divisor
        size = [max(1, round(scale * side / step)) * step for side in inputs.shape[2:]]
        return F.interpolate(inputs, size, mode="bilinear", align_corners=self.align_corners)

    def _at_labels(self, logits: Tensor, labels: Tensor) -> Tensor:
        size = labels.shape[1:]
        if logits.shape[2:] == size:
            return logits
        return F.interpolate(logits, size, mode="bilinear", align_corners=self.align_corners)

    def _count(self, logits: Tensor, labels: Tensor, samples: Sequence[SegDataSample]) -> None:
        logits, tracker = self._at_labels(logits, labels), self.tracker
        predicted = _surest(logits) if logits.shape[1] > 1 else (logits[:, 0] > 0).long()
        current = tracker.compare == "current"
        compared = labels if current else _stacked(samples, GIVEN_MAP, labels, tracker.ignore_index)
        clean = _stacked(samples, CLEAN_MAP, labels, tracker.ignore_index) if tracker.clean else None
        tracker.update(predicted, compared, clean)


@contextmanager
def _resized_for_losses(head: BaseDecodeHead) -> Iterator[list[Tensor]]:
    """Yields a list that the logits go to which the losses of a head get: those that it has resized to the labels.

    The host hands them to nobody else. To resize others once more takes longer than to count what they predict.
    """
    seen: list[Tensor] = []
    losses = head.loss_decode
    loss = losses[0] if isinstance(losses, nn.ModuleList) else losses
    handle = loss.register_forward_pre_hook(lambda _, arguments: seen.append(arguments[0]))
    try:
        yield seen
    finally:
        handle.remove()


@contextmanager
def _weighted_for_losses(heads: Sequence[BaseDecodeHead], weight: Tensor) -> Iterator[list[Tensor]]:
    """Lets the losses of heads see their logits times a weight, and yields a list that the logits go to.

    The host hands logits from a head's ``forward`` to its ``loss_by_feat`` and to nobody else. Taken there, they are
    those of the host's own training step, with its random numbers in its order, and no head runs twice.
    """
    seen: list[Tensor] = []

    def watched(head: BaseDecodeHead) -> Callable[..., dict[str, Tensor]]:
        own = head.loss_by_feat

        def loss_by_feat(seg_logits: Tensor, batch_data_samples: list[SegDataSample]) -> dict[str, Tensor]:
            seen.append(seg_logits)
            weighted = weight * seg_logits.to(torch.promote_types(seg_logits.dtype, weight.dtype))
            return own(weighted, batch_data_samples)

        return loss_by_feat

    for head in heads:
        head.loss_by_feat = watched(head)
    try:
        yield seen
    finally:
        for head in heads:
            del head.loss_by_feat


def _losses_among(found: Mapping[str, Tensor]) -> list[str]:
    return [name for name in found if "loss" in name]  # how mmengine tells losses from what is only logged


def _surest(logits: Tensor) -> Tensor:
    """Returns (N, H, W), the lowest class with the largest logit; where one is not a number, the last class.

    Not argmax: across this dimension it takes seven times as long on a CPU.
    """
    classes = logits.shape[1]
    ranks = torch.arange(classes - 1, -1, -1, device=logits.device).view(-1, 1, 1)
    ranks = ranks.to(torch.uint8 if classes <= IGNORE else torch.long)
    # A view, because the product of bool with bytes takes ten times as long.
    surest = logits.eq(logits.amax(1, keepdim=True)).view(torch.uint8)
    return classes - 1 - (surest * ranks).amax(1).long()


def _stacked(samples: Sequence[SegDataSample], name: str, labels: Tensor, ignore_index: int) -> Tensor:
    """Returns (N, H, W) maps of the samples, with ignored pixels where the batch is padded."""
    rows, columns = labels.shape[1:]
    maps = []
    for sample in samples:
        if name not in sample:
            raise ValueError(
                f"{name}: the tracker compares with it, and {sample.metainfo.get('img_path')} has none; expected "
                f"{SOURCES[name]} behind LoadAnnotations, and noisyseg.PackSegInputs"
            )
        pixels = getattr(sample, name).data
        below, right = rows - pixels.shape[-2], columns - pixels.shape[-1]
        if below < 0 or right < 0:
            raise ValueError(
                f"{name}: expected at most the labels' size {(rows, columns)}, got {tuple(pixels.shape[-2:])}: "
                f"{sample.metainfo.get('img_path')}"
            )
        maps.append(F.pad(pixels.to(labels), (0, right, 0, below), value=ignore_index))
    return torch.cat(maps)


def _decode_heads(segmentor: EncoderDecoder) -> list[BaseDecodeHead]:
    head = segmentor.decode_head
    return list(head) if isinstance(head, nn.ModuleList) else [head]


def _check_heads(segmentor: BaseSegmentor) -> None:
    """Raises ``ValueError`` unless the losses of all decode heads are those of logits."""
    if not isinstance(segmentor, EncoderDecoder):
        raise ValueError(f"segmentor: expected a mmseg.EncoderDecoder, not {type(segmentor).__name__}")
    for head in _decode_heads(segmentor):
        kind = type(head)
        changed = [
            *overridden(kind, ["loss_by_feat"], [BaseDecodeHead, NoiseAware]),
            *overridden(kind, ["loss"], [BaseDecodeHead, BaseCascadeDecodeHead]),
        ]
        if changed:
            raise ValueError(
                f"segmentor: {kind.__name__} has a {' and a '.join(changed)} of its own, so that it has no logits of "
                "pixels to weigh and to compare; expected scales=(1.0,) and no tracker, or a head that leaves the "
                "losses to mmseg.BaseDecodeHead, such as mmseg.FCNHead or mmseg.SegformerHead"
            )


def _check(scales: Sequence[float], weight: float, threshold: float, gate: str, average: str) -> None:
    if not scales or scales[0] != 1 or not all(0 < scale < float("inf") for scale in scales):
        raise ValueError(f"scales: expected numbers > 0, the first of them 1, not {scales!r}")
    if not 0 <= weight < float("inf"):
        raise ValueError(f"weight: expected a finite number >= 0, not {weight}")
    if weight and len(scales) == 1:
        raise ValueError("weight: one scale has nothing to be consistent with; expected weight=0, or more scales")
    if not 0 < threshold < 1:
        raise ValueError(f"threshold: expected a probability in (0, 1), such as 0.8, not {threshold}")
    for name, value, options in (("gate", gate, Gate), ("average", average, Average)):
        if value not in get_args(options):
            raise ValueError(f"{name}: expected one of {', '.join(get_args(options))}, not {value!r}")


def _take_plain_state(state: dict[str, Any], prefix: str, *_: object) -> None:
    """Renames the entries of a plain segmentor's state for the one in here."""
    own = [key for key in state if key.startswith(prefix)]
    if any(key.removeprefix(prefix).startswith("segmentor.") for key in own):
        return
    for key in own:
        name = key.removeprefix(prefix)
        if not name.startswith(("scale_weights.", "data_preprocessor.")):
            state[prefix + "segmentor." + name] = state.pop(key)
