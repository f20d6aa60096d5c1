"""What changed between two versions of labels, and how much of that was right."""

from noisyseg.evaluation.label_diff.maps import compare_maps
from noisyseg.evaluation.label_diff.masks import CleanMasks, compare_masks
from noisyseg.evaluation.label_diff.panels import ImageFiles
from noisyseg.evaluation.label_diff.text import summary
from noisyseg.evaluation.label_diff.views import MapViews, MaskViews
from noisyseg.evaluation.label_diff.writing import DOCUMENT, write_difference

__all__ = [
    "DOCUMENT",
    "CleanMasks",
    "ImageFiles",
    "MapViews",
    "MaskViews",
    "compare_maps",
    "compare_masks",
    "summary",
    "write_difference",
]
