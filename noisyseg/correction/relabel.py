"""Replaces labels of classes that a network has begun to memorize by its confident predictions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from noisyseg.correction.pixel_weights import share
from noisyseg.correction.prediction import FloatMap, LabelMap, check_labels
from noisyseg.labels import IGNORE

__all__ = ["RelabelRule", "can_change", "relabel"]


@dataclass(frozen=True)
class RelabelRule:
    """Which pixels a prediction may replace. The defaults are ours; `of` knows the released ones.

    S are the classes that are due, without the background.

    Attributes:
        tau: A prediction counts if its probability is above this, in [0, 1].
        tau_background: The same for predictions of background; None for ``tau``. Where objects were overlooked, what is
            predicted of them is unsure and what is predicted of the ground is sure, and one threshold for both lets
            the ground grow. The released code for SegTHOR has two as well, equal by default.
        present_only: Whether only classes may be predicted that the image's labels have, as far as they have any
            foreground.
        background_always: Whether background may be predicted also where the labels have none.
        pure_background: Whether images of background alone are relabelled too.
        labels: Which labels may be replaced: "any", or only those "due", S and background.
        protect_ignored: Whether 255 stays.
        guard: Whether an image keeps its labels if less than half of its foreground would be left and background
            would take more than 95 %.
        guard_counts_ignored: Whether 255 is foreground to the guard, and part of the image.
        result: "prediction" writes the predicted class, "ignored" writes 255 where it is another one.
        lost_foreground: What becomes of foreground that is predicted as background: what the other settings say
            ("prediction"), or "ignored", whatever the class and however unsure the prediction.

    Raises:
        ValueError: A setting is out of range.
    """

    tau: float = 0.8
    tau_background: float | None = None
    present_only: bool = True
    background_always: bool = True
    pure_background: bool = True
    labels: Literal["any", "due"] = "any"
    protect_ignored: bool = True
    guard: bool = True
    guard_counts_ignored: bool = False
    result: Literal["prediction", "ignored"] = "prediction"
    lost_foreground: Literal["prediction", "ignored"] = "prediction"

    def __post_init__(self) -> None:
        share("tau", self.tau)
        if self.tau_background is not None:
            share("tau_background", self.tau_background)
        if self.labels not in ("any", "due"):
            raise ValueError(f"labels: expected 'any' or 'due', got {self.labels!r}")
        for name in ("result", "lost_foreground"):
            if getattr(self, name) not in ("prediction", "ignored"):
                raise ValueError(f"{name}: expected 'prediction' or 'ignored', got {getattr(self, name)!r}")

    @classmethod
    def of(cls, name: str = "default", **settings: Any) -> RelabelRule:  # noqa: ANN401
        """Returns a rule by its name: "default", or "voc" or "segthor" as ADELE was released, with other settings.

        Raises:
            ValueError: There is no such rule.
        """
        if name not in RULES:
            raise ValueError(f"rule: expected one of {', '.join(RULES)}, got {name!r}")
        return cls(**{**RULES[name], **settings})


RULES: dict[str, dict[str, Any]] = {
    "default": {},
    "voc": {"background_always": False, "protect_ignored": False, "guard_counts_ignored": True},
    "segthor": {"tau": 0.7, "pure_background": False, "labels": "due", "guard": False},
}
"""How the rules of the two released codes of ADELE differ from ours."""


def can_change(
    present: npt.NDArray[np.bool_], due: npt.NDArray[np.bool_], rule: RelabelRule, background: int | None = 0
) -> bool:
    """Returns whether `relabel` can change labels with these classes, so that the image is worth a prediction.

    Background alone is no reason to correct anything: without a due class no image can change.

    Args:
        present: (K + 1,) which classes the labels have, last whether there are ignored pixels.
        due: (K,) classes that are due; background among them counts nothing.
        rule: The rule.
        background: Its class, or None.
    """
    return bool(_foreground(due, background).any()) and _looked_at(present, due, rule, background)


def relabel(
    labels: LabelMap,
    probs: FloatMap,
    due: npt.NDArray[np.bool_],
    rule: RelabelRule,
    background: int | None = 0,
) -> npt.NDArray[np.uint8]:
    """Returns the (H, W) uint8 labels in which confident predictions have replaced those that ``rule`` lets go.

    Which pixels those are: ADELE (arXiv 2110.03740), as its two released codes do it. Of equally probable
    classes the first is the prediction, but a label that is as probable as any stays. Probabilities are compared as
    float32, for .8 is no number of float16.

    Args:
        labels: (H, W) classes or 255.
        probs: (K, H, W) probabilities.
        due: (K,) bool, classes that are due; background among them counts nothing.
        rule: The rule.
        background: Its class; None if there is none, and then only labels of classes that are due count as
            reason to look at the image, and no image is kept as a whole.

    Raises:
        ValueError: Sizes differ, a label is no class, a probability is not in [0, 1], or NaN.
    """
    K = len(probs)
    valid = check_labels(labels, probs)
    if due.shape != (K,) or (background is not None and not 0 <= background < K):
        raise ValueError(f"expected {K} classes, got {due.shape} that may be due, background {background}")
    probs = probs.astype(np.float32, copy=False)
    best = probs.max(axis=0)
    if not (probs.min() >= 0 and best.max() <= 1 + 1e-4):  # also false where one is NaN
        raise ValueError("predictions: expected finite probabilities in [0, 1], got some outside, or NaN")
    old = labels.astype(np.uint8)
    present = np.append(np.bincount(old[valid], minlength=K) > 0, not valid.all())
    if not _looked_at(present, due, rule, background):
        return old

    predicted = _first_class_with(best, probs)
    differs = predicted != old
    changes = differs & _confident(best, predicted, rule, background)
    changes &= _predictable(present, due, rule, background).take(predicted)
    changes &= _replaceable(due, rule, background).take(old)
    target = predicted if rule.result == "prediction" else np.full_like(old, IGNORE)
    if background is not None and rule.lost_foreground == "ignored":
        lost = differs & valid & (predicted == background)
        changes |= lost
        target[lost] = IGNORE
    new = np.where(_without_ties(changes, old, best, probs), target, old)
    if background is not None and rule.guard and _swept_away(old, new, background, rule.guard_counts_ignored):
        return old
    return new


def _confident(
    best: FloatMap, predicted: npt.NDArray[np.uint8], rule: RelabelRule, background: int | None
) -> npt.NDArray[np.bool_]:
    """Returns (H, W) which predictions are probable enough."""
    enough = best > np.float32(rule.tau)
    if background is not None and rule.tau_background is not None:
        ground = predicted == background
        enough[ground] = best[ground] > np.float32(rule.tau_background)
    return enough


def _foreground(classes: npt.NDArray[np.bool_], background: int | None) -> npt.NDArray[np.bool_]:
    """Returns (K,) some classes without the background."""
    foreground = classes.copy()
    if background is not None:
        foreground[background] = False
    return foreground


def _looked_at(
    present: npt.NDArray[np.bool_], due: npt.NDArray[np.bool_], rule: RelabelRule, background: int | None
) -> bool:
    """Returns whether the image has labels of a due class, or none but background that the rule fills too."""
    foreground = _foreground(present[:-1], background)
    if foreground.any():
        return bool((foreground & due).any())
    replaceable = background is not None and (present[background] or (present[-1] and not rule.protect_ignored))
    return bool(rule.pure_background and replaceable)


def _predictable(
    present: npt.NDArray[np.bool_], due: npt.NDArray[np.bool_], rule: RelabelRule, background: int | None
) -> npt.NDArray[np.bool_]:
    """Returns (K,) which classes a prediction may bring."""
    classes = _with(background, due)
    if rule.present_only and _foreground(present[:-1], background).any():
        classes &= _with(background, present[:-1]) if rule.background_always else present[:-1]
    return classes


def _replaceable(due: npt.NDArray[np.bool_], rule: RelabelRule, background: int | None) -> npt.NDArray[np.bool_]:
    """Returns (256,) which labels may be replaced."""
    labels = np.full(IGNORE + 1, rule.labels == "any")
    if rule.labels == "due":
        labels[: len(due)] = _with(background, due)
    labels[IGNORE] &= not rule.protect_ignored
    return labels


def _with(background: int | None, classes: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Returns (K,) some classes and the background."""
    both = classes.copy()
    if background is not None:
        both[background] = True
    return both


def _first_class_with(best: FloatMap, probs: FloatMap) -> npt.NDArray[np.uint8]:
    """Returns (H, W) the first class that reaches the maximum, for up to 255 classes.

    Ten times as fast as numpy's argmax along the first axis.
    """
    K = len(probs)
    countdown = np.zeros(best.shape, np.uint8)
    reached = np.empty(best.shape, bool)
    for c in range(K):
        np.equal(probs[c], best, out=reached)
        np.maximum(countdown, reached.view(np.uint8) * np.uint8(K - c), out=countdown)
    return np.uint8(K) - countdown


def _without_ties(
    changes: npt.NDArray[np.bool_], labels: npt.NDArray[np.uint8], best: FloatMap, probs: FloatMap
) -> npt.NDArray[np.bool_]:
    """Returns ``changes`` without the pixels whose label is as probable as the prediction."""
    rows, columns = np.nonzero(changes & (labels != IGNORE))
    tied = probs[labels[rows, columns], rows, columns] == best[rows, columns]
    changes[rows[tied], columns[tied]] = False
    return changes


def _swept_away(old: npt.NDArray[np.uint8], new: npt.NDArray[np.uint8], background: int, count_ignored: bool) -> bool:
    """Returns whether less than half of the foreground is left, and more than 95 % are background."""
    before, after = old != background, new != background
    pixels = old.size
    if not count_ignored:
        before, after = before & (old != IGNORE), after & (new != IGNORE)
        pixels = int(np.count_nonzero(new != IGNORE))
    left = np.count_nonzero(after)
    return left < 0.5 * np.count_nonzero(before) and np.count_nonzero(new == background) > 0.95 * pixels
