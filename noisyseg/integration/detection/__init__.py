"""Components that need mmdet. Importing this package registers them; enter new modules here."""

from noisyseg.integration.detection.coco_dataset import CocoDataset
from noisyseg.integration.detection.instance_correction_hook import InstanceCorrectionHook
from noisyseg.integration.detection.instance_weights import LoadInstanceWeights, PackDetInputs
from noisyseg.integration.detection.load_stored_instances import LoadStoredInstances
from noisyseg.integration.detection.weighted_anchor_head import WeightedAnchorHead
from noisyseg.integration.detection.weighted_roi_head import WeightedBBoxHead, WeightedMaskHead, WeightedRoIHead

__all__ = [
    "CocoDataset",
    "InstanceCorrectionHook",
    "LoadInstanceWeights",
    "LoadStoredInstances",
    "PackDetInputs",
    "WeightedAnchorHead",
    "WeightedBBoxHead",
    "WeightedMaskHead",
    "WeightedRoIHead",
]
