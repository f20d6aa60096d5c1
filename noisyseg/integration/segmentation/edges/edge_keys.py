"""Under which names edges travel in a sample."""

from __future__ import annotations

__all__ = ["EDGE_ANNOTATORS", "EDGE_BITS", "EDGE_FRAME", "IMAGE_EDGES", "INSTANCE_MAP"]

EDGE_BITS = "gt_edge_bits"
"""(H, W) int32: bit k on the edge of class k, -2**31 where a pixel is ignored."""
EDGE_ANNOTATORS = "gt_edge_annotators"
"""(H, W, A) int32: the edge bits of each annotator, for scores."""
EDGE_FRAME = "gt_edge_frame"
"""(H, W) uint8: 0 in the image; what a transform fills is something else, and its bits then are not edges."""
IMAGE_EDGES = "gt_image_edges"
"""(H, W) uint8: 1 on Canny's edges of the image."""
INSTANCE_MAP = "gt_instance_map"
"""(H, W) int32: numbers that tell objects of one class apart."""
