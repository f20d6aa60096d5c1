"""What a label is: instances, semantic maps, edges, masks, and the files they live in."""

from noisyseg.labels.categories import Categories
from noisyseg.labels.errors import LabelError
from noisyseg.labels.instances import IGNORE, EdgeMap, Instances, SemanticMap
from noisyseg.labels.masks import Crop, Mask
from noisyseg.labels.store import LabelStore

__all__ = [
    "IGNORE",
    "Categories",
    "Crop",
    "EdgeMap",
    "Instances",
    "LabelError",
    "LabelStore",
    "Mask",
    "SemanticMap",
]
