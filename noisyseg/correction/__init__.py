"""Estimates and rules that repair labels while training."""

from noisyseg.correction.class_history import ClassHistory
from noisyseg.correction.curve_trigger import CurveRule, CurveTrigger
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
from noisyseg.correction.instance_policy import InstancePolicy
from noisyseg.correction.instances import (
    PredictedInstances,
    instance_counts,
    match_instances,
    relabel_instances,
)
from noisyseg.correction.judging import ImageRecord, Judge, RoundSummary, Verdict, summed_up
from noisyseg.correction.memorization import Fit, fit_curve, late_start, learning_curve, slow_start, update_epoch
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
from noisyseg.correction.policies import AdelePolicy, CorrectionPolicy
from noisyseg.correction.prediction import Prediction, prediction_of
from noisyseg.correction.refresh import Refresh, faded_classes, raised_weights, refreshed_labels
from noisyseg.correction.relabel import RelabelRule, can_change, relabel
from noisyseg.correction.smoothing import GuidedSmoothing, guided_filter
from noisyseg.correction.triggers import ClassVerdict, FixedTrigger, OracleTrigger, Trigger

__all__ = [
    "AdelePolicy",
    "Agreement",
    "BoundaryBand",
    "ClassHistory",
    "ClassVerdict",
    "CorrectionPolicy",
    "CurveRule",
    "CurveTrigger",
    "EntropyWeight",
    "Fit",
    "FixedTrigger",
    "FplUncertainty",
    "GuidedSmoothing",
    "ImageRecord",
    "InstancePolicy",
    "Judge",
    "LabelProbability",
    "LossRank",
    "MonteCarloUncertainty",
    "OracleTrigger",
    "PredictedInstances",
    "Prediction",
    "Refresh",
    "RelabelRule",
    "RoundSummary",
    "SoftDiceQuality",
    "Trigger",
    "Verdict",
    "agreement_weights",
    "boundary_band_weights",
    "can_change",
    "entropy_weights",
    "faded_classes",
    "fit_curve",
    "guided_filter",
    "instance_counts",
    "label_loss",
    "label_probability_weights",
    "late_start",
    "learning_curve",
    "lowest_share",
    "match_instances",
    "monte_carlo_uncertainty",
    "normalised_weights",
    "object_agreement_weights",
    "prediction_of",
    "raised_weights",
    "refreshed_labels",
    "relabel",
    "relabel_instances",
    "slow_start",
    "soft_dice_quality",
    "summed_up",
    "uncertainty_weights",
    "update_epoch",
]
