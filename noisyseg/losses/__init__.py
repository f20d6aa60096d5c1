"""Losses that resist wrong labels, and the one contract they share with the heads of mmseg and mmdet."""

from noisyseg.losses.cross_entropy import CrossEntropy, cross_entropy
from noisyseg.losses.elementwise import ElementwiseLoss
from noisyseg.losses.reduction import reduce_values

__all__ = [
    "CrossEntropy",
    "ElementwiseLoss",
    "cross_entropy",
    "reduce_values",
]
