"""Estimates and rules that repair labels while training."""

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

__all__ = [
    "Agreement",
    "BoundaryBand",
    "EntropyWeight",
    "FplUncertainty",
    "LabelProbability",
    "Prediction",
    "agreement_weights",
    "boundary_band_weights",
    "entropy_weights",
    "label_probability_weights",
    "prediction_of",
]
