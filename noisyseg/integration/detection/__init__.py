"""Components that need mmdet. Importing this package registers them; enter new modules here."""

from noisyseg.integration.detection.coco_dataset import CocoDataset
from noisyseg.integration.detection.instance_weights import LoadInstanceWeights, PackDetInputs
from noisyseg.integration.detection.weighted_anchor_head import WeightedAnchorHead
from noisyseg.integration.detection.weighted_roi_head import WeightedBBoxHead, WeightedMaskHead, WeightedRoIHead

__all__ = [
    "CocoDataset",
    "LoadInstanceWeights",
    "PackDetInputs",
    "WeightedAnchorHead",
    "WeightedBBoxHead",
    "WeightedMaskHead",
    "WeightedRoIHead",
]
