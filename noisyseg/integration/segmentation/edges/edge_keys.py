"""Under which names edges travel in a sample."""

from __future__ import annotations

__all__ = ["EDGE_ANNOTATORS", "EDGE_BITS", "IMAGE_EDGES"]

EDGE_BITS = "gt_edge_bits"
"""(H, W) int32: bit k on the edge of class k, -2**31 where a pixel is ignored."""
EDGE_ANNOTATORS = "gt_edge_annotators"
"""(H, W, A) int32: the edge bits of each annotator, for scores."""
IMAGE_EDGES = "gt_image_edges"
"""(H, W) uint8: 1 on Canny's edges of the image."""
