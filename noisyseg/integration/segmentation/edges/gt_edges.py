"""The edge labels of a batch as the tensors that a loss wants."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmseg.structures import SegDataSample
from torch import Tensor

from noisyseg.integration.segmentation.edges.edge_keys import EDGE_BITS
from noisyseg.labels import LabelError
from noisyseg.ops.checks import require
from noisyseg.ops.edge_bits import IGNORED_BITS, expand_bits, ignored_bits
from noisyseg.ops.windows import window_max

__all__ = ["edge_targets"]


def edge_targets(
    data_samples: Sequence[SegDataSample],
    size_hw: tuple[int, int],
    num_classes: int,
    device: torch.device | str,
    dilation: int = 0,
) -> tuple[Tensor, Tensor]:
    """Returns the edges of each class, and which pixels have a label.

    Args:
        data_samples: With ``gt_edge_bits`` (1, h, w) int32 each: bit k on the edge of class k, bit 31 where the label
            is ignored.
        size_hw: H and W of the inputs. What lies behind the right and lower border of a sample is ignored, because the
            host pads there.
        num_classes: K.
        device: Where the result is to be.
        dilation: Radius in pixels of the disk by which the edges are made thicker; ignored pixels stay ignored and
            lend nothing.

    Returns:
        ``targets`` (B, K, H, W) bool and ``valid`` (B, 1, H, W) bool.

    Raises:
        LabelError: A sample has no edge labels, or some of another type, or larger than the inputs; it names the file.
        ValueError: A label has the bit of a class >= K; it names the file (on CUDA a device-side assertion).
    """
    rows, columns = size_hw
    maps = []
    for sample in data_samples:
        bits = _bits_of(sample, rows, columns).to(device, non_blocking=True)
        padding = (0, columns - bits.shape[-1], 0, rows - bits.shape[-2])
        maps.append(F.pad(bits, padding, value=IGNORED_BITS) if any(padding) else bits)
    stacked = torch.cat(maps)
    beyond = stacked & (2**31 - 2**num_classes)
    require(~beyond.any(), lambda: _beyond(beyond, num_classes, data_samples))
    valid = ~ignored_bits(stacked).unsqueeze(1)
    targets = expand_bits(stacked, num_classes) & valid
    if dilation:
        targets = window_max(targets, dilation, "disk") & valid
    return targets, valid


def _bits_of(sample: SegDataSample, rows: int, columns: int) -> Tensor:
    """Returns (1, h, w) int32."""
    if EDGE_BITS not in sample:
        raise LabelError(
            f"expected {EDGE_BITS}, got a sample without: make them in the pipeline (noisyseg.EdgesFromLabels, "
            "noisyseg.LoadEdgeLabels) and pack with noisyseg.PackSegInputs",
            file=sample.metainfo.get("img_path"),
        )
    bits = sample.gt_edge_bits.data
    if bits.dtype != torch.int32 or bits.dim() != 3 or len(bits) != 1:
        raise LabelError(
            f"{EDGE_BITS}: expected (1, H, W) int32, got {tuple(bits.shape)} of {bits.dtype}",
            file=sample.metainfo.get("img_path"),
        )
    if bits.shape[1] > rows or bits.shape[2] > columns:
        raise LabelError(
            f"{EDGE_BITS}: expected at most the size {(rows, columns)} of the input, got {tuple(bits.shape[1:])}: a "
            "transform has moved the image alone",
            file=sample.metainfo.get("img_path"),
        )
    return bits


def _beyond(beyond: Tensor, num_classes: int, data_samples: Sequence[SegDataSample]) -> str:
    index = beyond.flatten(1).any(1).tolist().index(True)
    found = [place for place in range(num_classes, 31) if (beyond[index] & 2**place).any()]
    file = data_samples[index].metainfo.get("img_path")
    return f"{file}: {EDGE_BITS}: expected the classes 0..{num_classes - 1}, got the bits {found}"
