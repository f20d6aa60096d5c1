"""An edge detector that learns how far its labels lie beside the edges: PNT-Edge."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

import torch
import torch.nn.functional as F
from mmseg.models.segmentors.base import BaseSegmentor
from mmseg.structures import SegDataSample
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from noisyseg.integration.segmentation.edges.edge_detector import EdgeDetector
from noisyseg.integration.segmentation.edges.edge_keys import IMAGE_EDGES
from noisyseg.integration.segmentation.edges.gt_edges import edge_targets
from noisyseg.integration.segmentation.wrapping import without_preprocessor
from noisyseg.labels import LabelError
from noisyseg.ops import reachable
from noisyseg.ops.warp import Padding
from noisyseg.registry import MODELS
from noisyseg.transitions import alignment_target, local_complexity, shift_target
from noisyseg.transitions.shift_terms import (
    complexity_sum,
    seen_through,
    smoothness_sum,
    still_valid,
    target_sum,
    unreached_sum,
)

__all__ = ["PNTEdge", "Stage"]

Stage = Literal["warmup", "shift", "edge", "joint"]
LEARNING = {"warmup": ("detector",), "shift": ("shift",), "edge": ("detector",), "joint": ("detector", "shift")}
"""The parts that learn in each stage."""
Confidence = Literal["mask", "probability"]
Target = Literal["nearest", "aligned"]


@MODELS.register_module()
class PNTEdge(BaseSegmentor):
    """An `EdgeDetector` and a `PixelShiftField`, trained one after the other, or both at once.

    ``warmup`` trains the detector on the labels as they are. ``shift`` trains the field alone, so that the detector's
    edges, read where the field points to, look like the labels. ``edge`` trains the detector alone, so that the same
    holds while its own edges may lie elsewhere than the labels: at the true place. ``joint``, which is ours, does in
    each step what ``shift`` and ``edge`` do, so that sharper edges tell shifts better, and these make edges sharper
    still; both compute as in training, so their running statistics move. `noisyseg.PNTEdgeStages` goes through stages
    in one training. Predictions are the detector's; they need no field.

    With the common divisor n (valid pixels times classes, or images where the detector's loss is a ``sum``):

        shift   edge_loss(P read at φ, labels) + 1/n (target_weight Σ |φ - φ*|² + complexity_weight Σ (D - C)²)
        edge    edge_loss(P read at φ, labels) + 1/n unreached_weight Σ cross entropy of unreached pixels with "no edge"

    ``edge`` has these for each output of the detector, ``joint`` all of both; φ gets its gradient from the first line
    alone, P from the second. The terms are in :mod:`noisyseg.transitions`. An ``edge_loss`` with the reduction ``mean``
    divides its own sum by the pixels that also read from valid ones, a few less than n where pixels are ignored. One
    with a ``balance`` weighs pixels without an edge by a few percent; then the weights of the other terms,
    ``unreached_weight`` first of all, have to be as small. The state of a plain `EdgeDetector` loads into the detector.

    Args:
        detector: Config of a `noisyseg.EdgeDetector`, whose ``edge_loss`` all stages use.
        shift: Config of a `noisyseg.PixelShiftField`; ``num_classes`` is the detector's.
        stage: The stage, for a training of one stage without the hook; None leaves it to the hook.
        threshold: The detector is confident where its fused probability is larger than this.
        confidence: What the field sees of the detector: the ``mask`` of where it is confident, or its ``probability``.
        target: Where a label is drawn to: the ``nearest`` confident prediction, as published, or the place to which it
            is ``aligned`` with the labels around it (:func:`noisyseg.transitions.alignment_target`), which is ours, and
            waits for the device some hundred times a batch.
        target_weight: Of the term that draws labels there; published: 0.01.
        complexity_weight: Of the term that lets labels be shifted farther in busy places; published: 3.
        unreached_weight: Published: 1.
        smoothness_weight: Of the squared differences of the field between neighbouring pixels, which carries shifts
            along straight edges, where they cannot be seen. Published: 0, that is none; 1 where shifts are smooth.
        limit: Longest shift to a nearest confident prediction, pixels; to where labels are aligned it is 6.
        window: Side of the square in which image edges are counted, pixels.
        padding: What the field reads outside of the image: ``zeros`` or its ``border``.
        data_preprocessor: Where the detector's config has none; mmengine passes the one of the whole config.

    Raises:
        ValueError: An option is unknown or out of range, or the parts do not fit. When it trains: no stage is set.
        LabelError: When it trains: a sample lacks edge labels, or in ``shift`` and ``joint`` the edges of its image.

    Source: PNT-Edge (arXiv 2307.14070).
    """

    def __init__(
        self,
        detector: Mapping[str, Any],
        shift: Mapping[str, Any],
        stage: Stage | None = None,
        threshold: float = 0.1,
        confidence: Confidence = "mask",
        target: Target = "nearest",
        target_weight: float = 0.01,
        complexity_weight: float = 3.0,
        unreached_weight: float = 1.0,
        smoothness_weight: float = 0.0,
        limit: float = 15,
        window: int = 15,
        padding: Padding = "zeros",
        data_preprocessor: Mapping[str, Any] | None = None,
    ) -> None:
        settings, data_preprocessor = without_preprocessor(detector, data_preprocessor)
        super().__init__(data_preprocessor=data_preprocessor)
        weights = {
            "target": target_weight,
            "complexity": complexity_weight,
            "unreached": unreached_weight,
            "smoothness": smoothness_weight,
        }
        words = (("confidence", confidence, Confidence), ("target", target, Target), ("padding", padding, Padding))
        _check_options(weights, words, threshold, limit, window)
        self.detector = MODELS.build(settings)
        if not isinstance(self.detector, EdgeDetector):
            raise ValueError(f"detector: expected a noisyseg.EdgeDetector, got {type(self.detector).__name__}")
        if getattr(self.detector.edge_loss, "reduction", None) not in ("mean", "sum"):
            raise ValueError(
                f"detector: expected an edge_loss with the reduction 'mean' or 'sum', which is that of all terms, got "
                f"{type(self.detector.edge_loss).__name__}"
            )
        with torch.random.fork_rng(devices=[]):  # the detector begins with the weights that it has without a field
            self.shift = MODELS.build({"num_classes": self.detector.num_classes, **shift})
        if self.shift.num_classes != self.detector.num_classes:
            raise ValueError(f"shift: expected the detector's {self.num_classes} classes, got {self.shift.num_classes}")
        self.threshold, self.confidence, self.target, self.weights = threshold, confidence, target, weights
        self.limit, self.window, self.padding = limit, window, padding
        # What a config has frozen stays frozen in every stage.
        self._learnable = {name for name, parameter in self.named_parameters() if parameter.requires_grad}
        self._register_load_state_dict_pre_hook(_take_plain_state)
        self.stage: Stage | None = None
        if stage is not None:
            self.set_stage(stage)

    @property
    def num_classes(self) -> int:
        """K, as of the detector."""
        return self.detector.num_classes

    def set_stage(self, stage: Stage) -> None:
        """Sets which part learns; the other one gets no gradient, and computes as in evaluation.

        Raises:
            ValueError: Unknown stage.
        """
        if stage not in get_args(Stage):
            raise ValueError(f"stage: expected one of {', '.join(get_args(Stage))}, got {stage!r}")
        self.stage = stage
        for name, parameter in self.named_parameters():
            learns = name.split(".")[0] in LEARNING[stage] and name in self._learnable
            parameter.requires_grad_(learns)
            if not learns:
                parameter.grad = None  # an optimizer would still make a step with an old one
        self.train(self.training)

    def train(self, mode: bool = True) -> PNTEdge:
        """Sets to training what learns in this stage; the detector's running statistics rest in ``edge``."""
        super().train(mode)
        if self.stage is not None:
            self.detector.train(mode and "detector" in LEARNING[self.stage])
            self.shift.train(mode and "shift" in LEARNING[self.stage])
        if self.stage == "edge":
            for module in self.detector.modules():
                if isinstance(module, _BatchNorm):
                    module.eval()
        return self

    def loss(self, inputs: Tensor, data_samples: list[SegDataSample]) -> dict[str, Tensor]:
        """Returns the losses of the stage.

        Besides, for the log, in all but ``warmup``: ``shift_length``, the mean length of the field on label edges
        in pixels; ``unsure_images``, the share of images in which the detector is confident of nothing.
        """
        if self.stage is None:
            raise ValueError(
                "PNTEdge: no stage; expected dict(type='noisyseg.PNTEdgeStages', ...) in custom_hooks, or stage='...'"
            )
        if self.stage == "warmup":
            return self.detector.loss(inputs, data_samples)
        size = tuple(inputs.shape[-2:])
        labels, valid = edge_targets(data_samples, size, self.num_classes, inputs.device, self.detector.dilation)
        learning = LEARNING[self.stage]
        with torch.set_grad_enabled(torch.is_grad_enabled() and "detector" in learning):
            outputs = self.detector.edge_logits(inputs)
        probability = outputs[-1].detach().float().sigmoid()
        confident = self._confident(probability) & valid
        with torch.set_grad_enabled(torch.is_grad_enabled() and "shift" in learning):
            field = self._field(inputs, probability, labels)
        losses: dict[str, Tensor] = {}
        if "shift" in learning:
            image_edges = self._image_edges(data_samples, size, inputs.device) if self.weights["complexity"] else None
            losses |= self._shift_losses(field, probability, confident, labels, valid, image_edges)
        if "detector" in learning:
            losses |= self._edge_losses(outputs, field.detach(), labels, valid)
        return losses | _measured(field, labels.any(dim=1, keepdim=True), confident)

    @torch.no_grad()
    def predict_shift(self, inputs: Tensor, labels: Tensor) -> Tensor:
        """Returns the field for labels, with the detector as it is.

        Args:
            inputs: (B, 3, H, W), as the detector gets them.
            labels: (B, K, H, W) bool.

        Returns:
            (B, 2, H, W) float32 pixels, rows and columns: the way from each label edge to the true one.
        """
        return self._field(inputs, self.detector.edge_logits(inputs)[-1].float().sigmoid(), labels)

    def predict(self, inputs: Tensor, data_samples: list[SegDataSample] | None = None) -> list[SegDataSample]:
        """Returns the predictions of the detector."""
        return self.detector.predict(inputs, data_samples)

    def extract_feat(self, inputs: Tensor) -> tuple[Tensor, ...]:
        """Returns the features of the detector."""
        return self.detector.extract_feat(inputs)

    def encode_decode(self, inputs: Tensor, batch_img_metas: list[dict]) -> Tensor:
        """Returns the fused logits of the detector."""
        return self.detector.encode_decode(inputs, batch_img_metas)

    def _forward(self, inputs: Tensor, data_samples: list[SegDataSample] | None = None) -> Tensor:
        return self.detector(inputs, data_samples, mode="tensor")

    def _shift_losses(
        self,
        field: Tensor,
        probability: Tensor,
        confident: Tensor,
        labels: Tensor,
        valid: Tensor,
        image_edges: Tensor | None,
    ) -> dict[str, Tensor]:
        """Returns what the field learns from; nothing here is to have a gradient but the field."""
        labelled = labels.any(dim=1, keepdim=True)
        seen = seen_through(probability, field, self.padding)
        losses = {"loss_similarity": self.detector.edge_loss(seen, labels, still_valid(valid, field))}
        if self.weights["target"]:
            if self.target == "aligned":
                target, defined = alignment_target(probability, labels, valid)
            else:
                target, defined = shift_target(confident, labelled, self.limit)
            losses["loss_target"] = self._scaled("target", target_sum(field, target, defined), valid)
        if image_edges is not None:
            complexity = local_complexity(image_edges, confident, self.window)
            total = complexity_sum(field, complexity, labelled, valid, padding=self.padding)
            losses["loss_complexity"] = self._scaled("complexity", total, valid)
        if self.weights["smoothness"]:
            losses["loss_smoothness"] = self._scaled("smoothness", smoothness_sum(field, valid), valid)
        return losses

    def _edge_losses(self, outputs: list[Tensor], field: Tensor, labels: Tensor, valid: Tensor) -> dict[str, Tensor]:
        """Returns what the detector learns from; ``field`` has no gradient."""
        # Where the border is repeated, what points outside reads it.
        reached = reachable(_kept_inside(field) if self.padding == "border" else field)
        counted = still_valid(valid, field)
        losses: dict[str, Tensor] = {}
        for index, logits in enumerate(outputs):
            last = index == len(outputs) - 1
            name, factor = ("fused", 1.0) if last else (f"side{index}", self.detector.side_weight)
            seen = seen_through(logits.float().sigmoid(), field, self.padding)
            similarity = self.detector.edge_loss(seen, labels, counted)
            unreached = self._scaled("unreached", unreached_sum(logits, reached, valid), valid)
            losses[f"loss_{name}"] = factor * similarity
            losses[f"loss_unreached_{name}"] = factor * unreached
        return losses

    def _field(self, inputs: Tensor, probability: Tensor, labels: Tensor) -> Tensor:
        seen = probability > self.threshold if self.confidence == "mask" else probability
        return self.shift(inputs, seen, labels)

    def _confident(self, probability: Tensor) -> Tensor:
        """Returns (B, 1, H, W) bool: where the detector is confident of any class."""
        return probability.amax(dim=1, keepdim=True) > self.threshold

    def _scaled(self, name: str, total: Tensor, valid: Tensor) -> Tensor:
        """Returns a sum over the batch times its weight, reduced like the detector's own loss."""
        loss = self.detector.edge_loss
        divisor = valid.sum().clamp(min=1) * self.num_classes if loss.reduction == "mean" else len(valid)
        return self.weights[name] * getattr(loss, "loss_weight", 1.0) * total / divisor

    @staticmethod
    def _image_edges(data_samples: list[SegDataSample], size: tuple[int, ...], device: torch.device) -> Tensor:
        """Returns (B, 1, H, W) uint8; 0 where a sample was padded."""
        maps = []
        for sample in data_samples:
            if IMAGE_EDGES not in sample:
                raise LabelError(
                    f"expected {IMAGE_EDGES}, got a sample without: put noisyseg.ComputeImageEdges behind what moves "
                    "pixels, and pack with noisyseg.PackSegInputs; or set complexity_weight=0",
                    file=sample.metainfo.get("img_path"),
                )
            edges = sample.get(IMAGE_EDGES).data.to(device, non_blocking=True)
            maps.append(F.pad(edges, (0, size[1] - edges.shape[-1], 0, size[0] - edges.shape[-2])))
        return torch.stack(maps)


def _check_options(
    weights: Mapping[str, float], words: Sequence[tuple[str, str, Any]], threshold: float, limit: float, window: int
) -> None:
    for name, weight in weights.items():
        if not 0 <= weight < math.inf:
            raise ValueError(f"{name}_weight: expected a finite number >= 0, got {weight}")
    for name, word, known in words:
        if word not in get_args(known):
            raise ValueError(f"{name}: expected one of {', '.join(get_args(known))}, got {word!r}")
    if not 0 < threshold < 1:
        raise ValueError(f"threshold: expected a probability in (0, 1), got {threshold}")
    if not limit > 0:
        raise ValueError(f"limit: expected pixels > 0, got {limit}")
    if isinstance(window, bool) or not isinstance(window, int) or window < 1 or window % 2 == 0:
        raise ValueError(f"window: expected an odd number of pixels >= 1, got {window!r}")


def _kept_inside(field: Tensor) -> Tensor:
    """Returns the field shortened so that it points to no place outside of the image."""
    height, width = field.shape[-2:]
    rows, columns = torch.arange(height, device=field.device)[:, None], torch.arange(width, device=field.device)
    down = (rows + field[:, 0]).clamp(0, height - 1) - rows
    across = (columns + field[:, 1]).clamp(0, width - 1) - columns
    return torch.stack([down, across], dim=1)


def _measured(field: Tensor, labelled: Tensor, confident: Tensor) -> dict[str, Tensor]:
    """Returns what is logged besides the losses, () each."""
    rows, columns = field.detach().split(1, dim=1)
    length = rows.hypot(columns) * labelled  # norm(dim=1) takes fifty times as long on a CPU
    return {
        "shift_length": length.sum() / labelled.sum().clamp(min=1),
        "unsure_images": 1 - confident.flatten(1).any(dim=1).float().mean(),
    }


def _take_plain_state(state: dict[str, Any], prefix: str, *_: object) -> None:
    """Renames the entries of a plain detector's state for the detector."""
    own = [key for key in state if key.startswith(prefix)]
    if any(key.removeprefix(prefix).startswith(("detector.", "shift.")) for key in own):
        return
    for key in own:
        name = key.removeprefix(prefix)
        if not name.startswith("data_preprocessor."):
            state[f"{prefix}detector.{name}"] = state.pop(key)
