"""Components that need mmdet. Importing this package registers them; enter new modules here."""

from noisyseg.integration.detection.coco_dataset import CocoDataset

__all__ = ["CocoDataset"]
