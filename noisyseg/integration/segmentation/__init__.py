"""Components that need mmseg. Importing this package registers them; enter new modules here."""

from noisyseg.integration.segmentation.seg_dataset import SegDataset

__all__ = ["SegDataset"]
