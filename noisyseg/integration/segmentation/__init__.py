"""Components that need mmseg. Importing this package registers them; enter new modules here."""

from noisyseg.integration.segmentation.noise_aware_head import NoiseAwareHead
from noisyseg.integration.segmentation.pack_seg_inputs import PackSegInputs
from noisyseg.integration.segmentation.seg_dataset import SegDataset

__all__ = ["NoiseAwareHead", "PackSegInputs", "SegDataset"]
