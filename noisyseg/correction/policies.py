"""A whole method of correcting labels while training: when classes are due, which images can change, and how."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from noisyseg.correction.class_history import ClassHistory
from noisyseg.correction.prediction import FloatMap, LabelMap
from noisyseg.correction.relabel import RelabelRule, can_change, relabel
from noisyseg.correction.triggers import ClassVerdict
from noisyseg.registry import TASK_UTILS

__all__ = ["AdelePolicy", "CorrectionPolicy"]

BoolArray = npt.NDArray[np.bool_]


class CorrectionPolicy(Protocol):
    """What a hook asks while it trains. Policies keep no state: who is due is kept by the hook."""

    def decide(self, history: ClassHistory, epoch: int, epochs: int, already: BoolArray) -> dict[int, ClassVerdict]:
        """Returns the verdict on each class that may ever be due and is not yet.

        Args:
            history: What has been counted so far.
            epoch: The 0-based (virtual) epoch that has just ended.
            epochs: How many are planned.
            already: (K,) classes that are due; they stay so.
        """
        ...

    def wants(self, present: BoolArray, due: BoolArray) -> bool:
        """Returns whether an image can change, so that it is worth a prediction.

        Args:
            present: (K + 1,) which classes are in the labels from which the correction starts, last whether there
                are ignored pixels.
            due: (K,) classes that are due.
        """
        ...

    def relabel(
        self,
        given: LabelMap,
        current: LabelMap,
        probs: FloatMap,
        due: BoolArray,
        image: npt.NDArray[np.uint8] | None = None,
    ) -> npt.NDArray[np.uint8]:
        """Returns the (H, W) uint8 labels to train with from now on.

        Args:
            given: (H, W) the labels of the data set, classes or 255.
            current: (H, W) the labels in force.
            probs: (K, H, W) probabilities of the un-augmented image.
            due: (K,) classes that are due.
            image: (H, W, 3) uint8, for a policy that looks at it.
        """
        ...


@TASK_UTILS.register_module()
class AdelePolicy:
    """Adaptive early-learning correction (ADELE): Liu et al., CVPR 2022, arXiv 2110.03740.

    Each class gets its labels replaced by confident predictions from the epoch on at which its training IoU has stopped
    rising fast. `RelabelRule` and `CurveRule` say where the defaults differ from the two released codes, which are
    there by name: ``rule="voc", trigger=dict(type="noisyseg.CurveTrigger", variant="voc")``, and the same with
    "segthor" and ``reinit=False``.

    Args:
        trigger: Config of a `Trigger`, or one; None for `CurveTrigger`.
        rule: Name of a `RelabelRule`, or its settings, with ``name`` for those that are not set.
        tau: Confidence that a prediction needs; None for the one of the rule.
        background: Class that is never due itself but may be predicted with any that is; None if there is none.
        reinit: Whether each correction starts from the given labels, else from those in force.
        smoothing: Config of something that smooths probabilities along the image, or it; None for none.

    Raises:
        ValueError: A setting is unknown or out of range.
    """

    def __init__(
        self,
        trigger: Any = None,  # noqa: ANN401
        rule: str | Mapping[str, Any] = "default",
        tau: float | None = None,
        background: int | None = 0,
        reinit: bool = True,
        smoothing: Any = None,  # noqa: ANN401
    ) -> None:
        settings = {"name": rule} if isinstance(rule, str) else dict(rule)
        if tau is not None:
            settings["tau"] = tau
        if background is not None and background < 0:
            raise ValueError(f"background: expected a class or None, got {background}")
        self.rule = RelabelRule.of(**settings)
        self.trigger = _built({"type": "noisyseg.CurveTrigger"} if trigger is None else trigger)
        self.smoothing = _built(smoothing)
        self.background, self.reinit = background, reinit

    def decide(self, history: ClassHistory, epoch: int, epochs: int, already: BoolArray) -> dict[int, ClassVerdict]:
        """Returns the trigger's verdicts on the classes that are not due yet, without the background."""
        undecided = [c for c in np.flatnonzero(~already).tolist() if c != self.background]
        return self.trigger(history, epoch, epochs, undecided)

    def wants(self, present: BoolArray, due: BoolArray) -> bool:
        """Returns `can_change`; ``present`` is of the given labels with ``reinit``, else of those in force."""
        return can_change(present, due, self.rule, self.background)

    def relabel(
        self,
        given: LabelMap,
        current: LabelMap,
        probs: FloatMap,
        due: BoolArray,
        image: npt.NDArray[np.uint8] | None = None,
    ) -> npt.NDArray[np.uint8]:
        """Returns `relabel` of the given labels, or without ``reinit`` of those in force.

        Raises:
            ValueError: Smoothing needs an image and there is none; or see `relabel`.
        """
        if self.smoothing is not None:
            if image is None:
                raise ValueError("smoothing: expected an image, got none")
            probs = self.smoothing(probs, image)
        return relabel(given if self.reinit else current, probs, due, self.rule, self.background)


def _built(part: Any) -> Any:  # noqa: ANN401
    return TASK_UTILS.build(part) if isinstance(part, Mapping) else part
