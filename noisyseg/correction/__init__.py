"""Estimates and rules that repair labels while training."""

from noisyseg.correction.image_weights import (
    LossRank,
    MonteCarloUncertainty,
    SoftDiceQuality,
    label_loss,
    lowest_share,
    monte_carlo_uncertainty,
    normalised_weights,
    soft_dice_quality,
    uncertainty_weights,
)
from noisyseg.correction.judging import ImageRecord, Judge, RoundSummary, Verdict, summed_up
from noisyseg.correction.object_weights import object_agreement_weights
from noisyseg.correction.pixel_weights import (
    Agreement,
    BoundaryBand,
    EntropyWeight,
    FplUncertainty,
    LabelProbability,
    agreement_weights,
    boundary_band_weights,
    entropy_weights,
    label_probability_weights,
)
from noisyseg.correction.prediction import Prediction, prediction_of
from noisyseg.correction.refresh import Refresh, faded_classes, raised_weights, refreshed_labels

__all__ = [
    "Agreement",
    "BoundaryBand",
    "EntropyWeight",
    "FplUncertainty",
    "ImageRecord",
    "Judge",
    "LabelProbability",
    "LossRank",
    "MonteCarloUncertainty",
    "Prediction",
    "Refresh",
    "RoundSummary",
    "SoftDiceQuality",
    "Verdict",
    "agreement_weights",
    "boundary_band_weights",
    "entropy_weights",
    "faded_classes",
    "label_loss",
    "label_probability_weights",
    "lowest_share",
    "monte_carlo_uncertainty",
    "normalised_weights",
    "object_agreement_weights",
    "prediction_of",
    "raised_weights",
    "refreshed_labels",
    "soft_dice_quality",
    "summed_up",
    "uncertainty_weights",
]
