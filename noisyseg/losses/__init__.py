"""Losses that resist wrong labels, and the one contract they share with the heads of mmseg and mmdet."""

from noisyseg.losses.active_passive import ActivePassive, NormalizedCrossEntropy, normalized_cross_entropy
from noisyseg.losses.bootstrapping import Bootstrapping, hard_bootstrapping, soft_bootstrapping
from noisyseg.losses.cross_entropy import CrossEntropy, cross_entropy
from noisyseg.losses.dice import NoiseRobustDice, NoiseWeightedDice, noise_robust_dice, noise_weighted_dice
from noisyseg.losses.elementwise import ElementwiseLoss
from noisyseg.losses.elr import PixelELR, early_learning_regularizer
from noisyseg.losses.gce import (
    GeneralizedCrossEntropy,
    TruncatedGeneralizedCrossEntropy,
    generalized_cross_entropy,
    truncated_generalized_cross_entropy,
)
from noisyseg.losses.jensen_shannon import JensenShannon, jensen_shannon
from noisyseg.losses.mae import MeanAbsoluteError, ReverseCrossEntropy, mean_absolute_error, reverse_cross_entropy
from noisyseg.losses.reduction import reduce_values
from noisyseg.losses.soft_targets import SoftTargets, TeacherTargets
from noisyseg.losses.symmetric_cross_entropy import SymmetricCrossEntropy, symmetric_cross_entropy

__all__ = [
    "ActivePassive",
    "Bootstrapping",
    "CrossEntropy",
    "ElementwiseLoss",
    "GeneralizedCrossEntropy",
    "JensenShannon",
    "MeanAbsoluteError",
    "NoiseRobustDice",
    "NoiseWeightedDice",
    "NormalizedCrossEntropy",
    "PixelELR",
    "ReverseCrossEntropy",
    "SoftTargets",
    "SymmetricCrossEntropy",
    "TeacherTargets",
    "TruncatedGeneralizedCrossEntropy",
    "cross_entropy",
    "early_learning_regularizer",
    "generalized_cross_entropy",
    "hard_bootstrapping",
    "jensen_shannon",
    "mean_absolute_error",
    "noise_robust_dice",
    "noise_weighted_dice",
    "normalized_cross_entropy",
    "reduce_values",
    "reverse_cross_entropy",
    "soft_bootstrapping",
    "symmetric_cross_entropy",
    "truncated_generalized_cross_entropy",
]
