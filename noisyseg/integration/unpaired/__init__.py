"""Pseudo labels from images and masks that do not belong together: networks, critics, data, training, writing.

Needs torch, mmengine and mmcv, neither mmdet nor mmseg.
"""

from noisyseg.integration.unpaired.networks import ChannelCalibration, PatchDiscriminator, TranslationUnet
from noisyseg.integration.unpaired.pseudo_labels import KeepForeground, WritePseudoLabels
from noisyseg.integration.unpaired.translation import AdversarialOptimWrapperConstructor, UnpairedTranslation
from noisyseg.integration.unpaired.unpaired_dataset import UnpairedDataset
from noisyseg.integration.unpaired.vae_discriminator import MaskEnergy, VaeDiscriminator

__all__ = [
    "AdversarialOptimWrapperConstructor",
    "ChannelCalibration",
    "KeepForeground",
    "MaskEnergy",
    "PatchDiscriminator",
    "TranslationUnet",
    "UnpairedDataset",
    "UnpairedTranslation",
    "VaeDiscriminator",
    "WritePseudoLabels",
]
