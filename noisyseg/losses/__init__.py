"""Losses that resist wrong labels, and the one contract they share with the heads of mmseg and mmdet."""

from noisyseg.losses.active_passive import ActivePassive, NormalizedCrossEntropy, normalized_cross_entropy
from noisyseg.losses.adaptive_k import AdaptiveK
from noisyseg.losses.bootstrapping import Bootstrapping, hard_bootstrapping, soft_bootstrapping
from noisyseg.losses.cross_entropy import CrossEntropy, cross_entropy
from noisyseg.losses.dice import NoiseRobustDice, NoiseWeightedDice, noise_robust_dice, noise_weighted_dice
from noisyseg.losses.edge_cross_entropy import EdgeCrossEntropy, edge_cross_entropy
from noisyseg.losses.elementwise import ElementwiseLoss
from noisyseg.losses.elr import PixelELR, early_learning_regularizer
from noisyseg.losses.forward_correction import ForwardCorrection, forward_correction
from noisyseg.losses.gce import (
    GeneralizedCrossEntropy,
    TruncatedGeneralizedCrossEntropy,
    generalized_cross_entropy,
    truncated_generalized_cross_entropy,
)
from noisyseg.losses.jensen_shannon import JensenShannon, jensen_shannon
from noisyseg.losses.ldr import ALDR, LDR, adaptive_ldr, ldr
from noisyseg.losses.mae import MeanAbsoluteError, ReverseCrossEntropy, mean_absolute_error, reverse_cross_entropy
from noisyseg.losses.multi_scale import ScaleWeights, multi_scale_consistency
from noisyseg.losses.reduction import reduce_values
from noisyseg.losses.smoothing import LabelSmoothing, MaxSuppression, label_smoothing, max_suppression
from noisyseg.losses.soft_targets import SoftTargets, TeacherTargets
from noisyseg.losses.split import SplitLoss
from noisyseg.losses.svls import SpatiallyVaryingLabelSmoothing, smoothed_cross_entropy
from noisyseg.losses.symmetric_cross_entropy import SymmetricCrossEntropy, symmetric_cross_entropy

__all__ = [
    "ALDR",
    "LDR",
    "ActivePassive",
    "AdaptiveK",
    "Bootstrapping",
    "CrossEntropy",
    "EdgeCrossEntropy",
    "ElementwiseLoss",
    "ForwardCorrection",
    "GeneralizedCrossEntropy",
    "JensenShannon",
    "LabelSmoothing",
    "MaxSuppression",
    "MeanAbsoluteError",
    "NoiseRobustDice",
    "NoiseWeightedDice",
    "NormalizedCrossEntropy",
    "PixelELR",
    "ReverseCrossEntropy",
    "ScaleWeights",
    "SoftTargets",
    "SpatiallyVaryingLabelSmoothing",
    "SplitLoss",
    "SymmetricCrossEntropy",
    "TeacherTargets",
    "TruncatedGeneralizedCrossEntropy",
    "adaptive_ldr",
    "cross_entropy",
    "early_learning_regularizer",
    "edge_cross_entropy",
    "forward_correction",
    "generalized_cross_entropy",
    "hard_bootstrapping",
    "jensen_shannon",
    "label_smoothing",
    "ldr",
    "max_suppression",
    "mean_absolute_error",
    "multi_scale_consistency",
    "noise_robust_dice",
    "noise_weighted_dice",
    "normalized_cross_entropy",
    "reduce_values",
    "reverse_cross_entropy",
    "smoothed_cross_entropy",
    "soft_bootstrapping",
    "symmetric_cross_entropy",
    "truncated_generalized_cross_entropy",
]
