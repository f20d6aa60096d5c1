"""Components that need mmseg. Importing this package registers them; enter new modules here."""

from noisyseg.integration.segmentation import edges
from noisyseg.integration.segmentation.class_iou import ClassIoU
from noisyseg.integration.segmentation.iterative_weights import IterativeWeightHook
from noisyseg.integration.segmentation.label_correction_hook import LabelCorrectionHook
from noisyseg.integration.segmentation.label_focal_loss import LabelFocalLoss
from noisyseg.integration.segmentation.load_clean_map import LoadCleanMap
from noisyseg.integration.segmentation.multi_scale_segmentor import MultiScaleConsistency
from noisyseg.integration.segmentation.noise_aware_head import NoiseAwareHead
from noisyseg.integration.segmentation.pack_seg_inputs import PackSegInputs
from noisyseg.integration.segmentation.seg_dataset import SegDataset
from noisyseg.integration.segmentation.teacher_hook import TeacherHook
from noisyseg.integration.segmentation.teacher_segmentor import TeacherStudentSegmentor
from noisyseg.integration.segmentation.train_iou_tracker import TrainIoUTracker

__all__ = [
    "ClassIoU",
    "IterativeWeightHook",
    "LabelCorrectionHook",
    "LabelFocalLoss",
    "LoadCleanMap",
    "MultiScaleConsistency",
    "NoiseAwareHead",
    "PackSegInputs",
    "SegDataset",
    "TeacherHook",
    "TeacherStudentSegmentor",
    "TrainIoUTracker",
    "edges",
]
