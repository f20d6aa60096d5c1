"""Heavy mask operations on batches of tensors, on the device of their input."""

from noisyseg.ops.boundaries import boundary_band, label_edges
from noisyseg.ops.confusion import confusion_counts
from noisyseg.ops.edge_bits import edge_bits, expand_bits, ignored_bits
from noisyseg.ops.morphology import closing, dilate, erode, opening
from noisyseg.ops.upsampling import upsample_strided
from noisyseg.ops.warp import reachable, warp

__all__ = [
    "boundary_band",
    "closing",
    "confusion_counts",
    "dilate",
    "edge_bits",
    "erode",
    "expand_bits",
    "ignored_bits",
    "label_edges",
    "opening",
    "reachable",
    "upsample_strided",
    "warp",
]
