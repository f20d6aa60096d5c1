"""A whole method of correcting the masks of objects while training: when classes are due, and how masks change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from noisyseg.correction.class_history import ClassHistory
from noisyseg.correction.instances import PredictedInstances, check_thresholds, relabel_instances
from noisyseg.correction.triggers import ClassVerdict
from noisyseg.labels import Instances
from noisyseg.registry import TASK_UTILS

__all__ = ["InstancePolicy"]

BoolArray = npt.NDArray[np.bool_]


@TASK_UTILS.register_module()
class InstancePolicy:
    """Adaptive early-learning correction (ADELE, arXiv 2110.03740) of instance masks, which the paper does not cover.

    A `CorrectionPolicy` whose labels are objects. Triggers are those of `AdelePolicy`; there is no background.

    Args:
        trigger: Config of a `Trigger`, or one; None for `CurveTrigger`.
        tau: Score above which a prediction replaces a mask, in [0, 1].
        match_iou: The least mask IoU of a given object and a prediction that belong together, in (0, 1].
        pixel_tau: See `relabel_instances`.
        reinit: Whether each correction starts from the given masks, else from those in force.

    Raises:
        ValueError: A setting is out of range.
    """

    def __init__(
        self,
        trigger: Any = None,  # noqa: ANN401
        tau: float = 0.8,
        match_iou: float = 0.5,
        pixel_tau: float | None = None,
        reinit: bool = True,
    ) -> None:
        check_thresholds(tau, match_iou, pixel_tau)
        trigger = {"type": "noisyseg.CurveTrigger"} if trigger is None else trigger
        self.trigger = TASK_UTILS.build(trigger) if isinstance(trigger, Mapping) else trigger
        self.tau, self.match_iou, self.pixel_tau, self.reinit = tau, match_iou, pixel_tau, reinit

    def decide(self, history: ClassHistory, epoch: int, epochs: int, already: BoolArray) -> dict[int, ClassVerdict]:
        """Returns the trigger's verdicts on the classes that are not due yet."""
        return self.trigger(history, epoch, epochs, np.flatnonzero(~already).tolist())

    def wants(self, present: BoolArray, due: BoolArray) -> bool:
        """Returns whether an image has an object that is due.

        Args:
            present: (K + 1,) classes of the objects, last whether there are crowds, which never change.
            due: (K,) classes that are due.
        """
        return bool((present[:-1] & due).any())

    def relabel(
        self,
        given: Instances,
        current: Instances,
        predicted: PredictedInstances,
        due: BoolArray,
        image: npt.NDArray[np.uint8] | None = None,
    ) -> Instances:
        """Returns `relabel_instances` of the given objects, or without ``reinit`` of those in force.

        Args:
            given: The objects of the data set.
            current: The same ones with the masks in force.
            predicted: What a model sees in the un-augmented image.
            due: (K,) classes that are due.
            image: Not used.
        """
        labels = given if self.reinit else current
        return relabel_instances(labels, predicted, due, self.tau, self.match_iou, self.pixel_tau)
