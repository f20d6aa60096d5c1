"""An edge detector whose labels move to where it sees the edges, while it is trained."""

from __future__ import annotations

from typing import Any

import torch
from mmseg.structures import SegDataSample
from torch import Tensor

from noisyseg.integration.segmentation.edges.edge_detector import EdgeDetector
from noisyseg.integration.segmentation.edges.gt_edges import edge_targets
from noisyseg.registry import MODELS
from noisyseg.transitions import align_edges

__all__ = ["AlignedEdgeDetector"]


@MODELS.register_module()
class AlignedEdgeDetector(EdgeDetector):
    """Trains on the labels as they are, and after ``start`` batches on labels aligned to its own fused prediction.

    Each batch is aligned anew, from its given labels, with :func:`noisyseg.transitions.align_edges`: nothing is kept
    from batch to batch but the network. Prediction and state are those of an `EdgeDetector`, plus the number of
    batches. Ours, in the manner of SEAL, see ``docs/edge_alignment.md`` for what is not from its paper.

    Args:
        start: Batches before the alignment begins, >= 0.
        radius: Longest way of a label, pixels.
        along: Standard deviation of a label's way along its edge, pixels.
        across: Across it, pixels.
        smoothness: Weight of the squared difference to the mean way of the labels around.
        passes: How often the labels of a batch are assigned.
        rounds: Rounds of each assignment.
        **settings: The arguments of `noisyseg.EdgeDetector`.

    Raises:
        ValueError: ``start`` is negative, or what `EdgeDetector` and `align_edges` raise.
    """

    def __init__(
        self,
        start: int,
        radius: float = 6.0,
        along: float = 1.0,
        across: float = 4.0,
        smoothness: float = 0.02,
        passes: int = 2,
        rounds: int = 400,
        **settings: Any,  # noqa: ANN401 - of the base class
    ) -> None:
        super().__init__(**settings)
        if isinstance(start, bool) or not isinstance(start, int) or start < 0:
            raise ValueError(f"start: expected a whole number of batches >= 0, not {start!r}")
        self.start = start
        self.alignment = dict(
            radius=radius, along=along, across=across, smoothness=smoothness, passes=passes, rounds=rounds
        )
        place = torch.zeros(1, 1, 1, 1)
        align_edges(place, place > 0, place == 0, **self.alignment)  # what it cannot use it says now, not at ``start``
        self.register_buffer("batches", torch.zeros((), dtype=torch.long))

    def loss(self, inputs: Tensor, data_samples: list[SegDataSample]) -> dict[str, Tensor]:
        """Returns the losses of the base class and, once labels are aligned, ``moved``: the share of places left."""
        logits = self.edge_logits(inputs)
        size = tuple(inputs.shape[-2:])
        targets, valid = edge_targets(data_samples, size, self.num_classes, inputs.device, self.dilation)
        measured = {}
        if int(self.batches) >= self.start:
            given = targets
            targets = align_edges(logits[-1].float().sigmoid(), given, valid, **self.alignment)
            measured["moved"] = (given & ~targets).sum() / given.sum().clamp(min=1)
        self.batches += 1
        *sides, fused = (self.edge_loss(output, targets, valid) for output in logits)
        losses = {f"loss_side{index}": self.side_weight * value for index, value in enumerate(sides)}
        return {**losses, "loss_fused": fused, **measured}
