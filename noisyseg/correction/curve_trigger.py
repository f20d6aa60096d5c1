"""The trigger of ADELE: a class is due when its learning curve has become flat."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from noisyseg.correction.class_history import ClassHistory
from noisyseg.correction.memorization import (
    Fit,
    fit_curve,
    late_start,
    learning_curve,
    released_times,
    slope_crossing,
    slow_start,
    update_epoch,
)
from noisyseg.correction.triggers import ABSENT, ClassVerdict
from noisyseg.registry import TASK_UTILS

__all__ = ["CurveRule", "CurveTrigger"]

FloatArray = npt.NDArray[np.float64]

FLAT = 0.05
"""Within this share of its highest value a curve is flat, or met by another one."""


@dataclass(frozen=True)
class CurveRule:
    """How a class's learning curve decides. The defaults are ours; `of` knows the released ones.

    Attributes:
        r: A class is due when the slope of its curve has lost this share since the first epoch, in (0, 1).
        t_max: From this epoch on classes without such a time are due, >= 1; None for the planned number of epochs, so
            that they never are.
        late_start: Windows up to the last below this share of the highest IoU are left out, and time counts from
            there, as a class found late has no curve of ADELE's family before; in [0, 1), 0 takes all.
        slow_start: Whether windows before the first fast rise are left out instead, as the released code for SegTHOR
            does; for windows of an epoch.
        force_at: From this 0-based epoch on every class is due that is in the data, whatever its curve.
        clock: "elapsed": a class is due at the end of the first epoch by which its curve has become flat. "index": the
            number of that epoch, from 0, has to be beyond that time, as in the released code: one or two epochs later,
            in which the network memorizes, so that the next fit may put the time off again.
        abscissa: "centre" of each window, or "released": equally spaced from 0 to the end of the last window, both
            included.
        min_pixels: Windows are merged until they hold so many labelled pixels of the class; 0 takes each as it is.
        min_windows: With fewer windows nothing is decided, >= 1.
        min_iou: Nothing is decided before the class reaches this IoU.
        min_r2: The least share of the variance that a fit must explain to be believed, unless its typical error is
            within 5 % of the highest IoU; None believes every fit, also one that did not converge.
        warm_start: What becomes of a class whose IoU is flat, within 5 %, in all windows, because the network knew it
            before: "fit" decides by the fit, as the released code does, "due" corrects it from epoch 2 on.

    Raises:
        ValueError: A setting is out of range.
    """

    r: float = 0.9
    t_max: int | None = None
    late_start: float = 0.1
    slow_start: bool = False
    force_at: int | None = None
    clock: Literal["elapsed", "index"] = "elapsed"
    abscissa: Literal["centre", "released"] = "centre"
    min_pixels: int = 1000
    min_windows: int = 4
    min_iou: float = 0.02
    min_r2: float | None = 0.5
    warm_start: Literal["fit", "due"] = "fit"

    def __post_init__(self) -> None:
        if not 0 < self.r < 1:
            raise ValueError(f"r: expected a number between 0 and 1, both excluded, got {self.r}")
        for name, least in (("t_max", 1), ("force_at", 0), ("min_pixels", 0), ("min_windows", 1)):
            value = getattr(self, name)
            if value is not None and value < least:
                raise ValueError(f"{name}: expected at least {least}, got {value}")
        if not 0 <= self.late_start < 1:
            raise ValueError(f"late_start: expected a number in [0, 1), got {self.late_start}")
        if not 0 <= self.min_iou <= 1:
            raise ValueError(f"min_iou: expected a number in [0, 1], got {self.min_iou}")
        if self.min_r2 is not None and not self.min_r2 <= 1:
            raise ValueError(f"min_r2: expected at most 1, got {self.min_r2}")
        for name, known in (
            ("clock", ("elapsed", "index")),
            ("abscissa", ("centre", "released")),
            ("warm_start", ("fit", "due")),
        ):
            if getattr(self, name) not in known:
                raise ValueError(f"{name}: expected {known[0]!r} or {known[1]!r}, got {getattr(self, name)!r}")

    @classmethod
    def of(cls, name: str = "default", **settings: Any) -> CurveRule:  # noqa: ANN401
        """Returns a rule by its name: "default", or "voc" or "segthor" as ADELE was released, with other settings.

        Raises:
            ValueError: There is no such rule.
        """
        if name not in CURVE_RULES:
            raise ValueError(f"variant: expected one of {', '.join(CURVE_RULES)}, got {name!r}")
        return cls(**{**CURVE_RULES[name], **settings})


_RELEASED: dict[str, Any] = {
    "late_start": 0.0,
    "clock": "index",
    "abscissa": "released",
    "min_pixels": 0,
    "min_windows": 1,
    "min_iou": 0.0,
    "min_r2": None,
}

CURVE_RULES: dict[str, dict[str, Any]] = {
    "default": {},
    "voc": {**_RELEASED, "t_max": 16},
    "segthor": {**_RELEASED, "slow_start": True},
}
"""How the triggers of the two released codes of ADELE differ from ours."""


@TASK_UTILS.register_module()
class CurveTrigger:
    """Due when the class's learning curve has become flat: the trigger of ADELE (arXiv 2110.03740).

    Fits `learning_curve` to the IoU with the labels that the network is trained on; see `update_epoch` for the time.

    Args:
        variant: "default", or "voc" or "segthor" as ADELE was released.
        settings: Of `CurveRule`, where they are not those of the variant.

    Raises:
        ValueError: A setting is unknown or out of range.
    """

    def __init__(self, variant: str = "default", **settings: Any) -> None:  # noqa: ANN401
        self.rule = CurveRule.of(variant, **settings)

    def __call__(
        self, history: ClassHistory, epoch: int, epochs: int, classes: Sequence[int]
    ) -> dict[int, ClassVerdict]:
        """Returns the verdicts; see `Trigger`."""
        return {c: self._verdict(history, epoch, epochs, c) for c in classes}

    def _verdict(self, history: ClassHistory, epoch: int, epochs: int, c: int) -> ClassVerdict:
        rule = self.rule
        if not history.labelled()[:, c].any():
            return ClassVerdict(False, ABSENT)
        verdict = self._by_curve(*history.curve(c, rule.min_pixels), epoch, epochs)
        if not verdict.due and rule.force_at is not None and epoch >= rule.force_at:
            return ClassVerdict(True, f"forced from epoch {rule.force_at} on", verdict.fit, verdict.update_epoch)
        return verdict

    def _by_curve(self, x: FloatArray, y: FloatArray, epoch: int, epochs: int) -> ClassVerdict:
        rule = self.rule
        times, rest, offset = self._after_start(x, y)
        if len(rest) < rule.min_windows:
            after = " after its start" if offset else ""
            return ClassVerdict(False, f"{len(rest)} windows{after}, fewer than {rule.min_windows}")
        if y.max() < rule.min_iou:
            return ClassVerdict(False, f"never reached an IoU of {rule.min_iou}")
        if rule.warm_start == "due" and np.ptp(y) < FLAT * y.max():
            return ClassVerdict(epoch >= 2, "flat from the start", None, 2)
        fit = fit_curve(times, rest)
        if rule.min_r2 is not None:
            if not fit.ok:
                return ClassVerdict(False, fit.reason, fit)
            error = math.sqrt(np.mean((learning_curve(times, fit.a, fit.beta, fit.gamma) - rest) ** 2))
            if fit.r2 < rule.min_r2 and error > FLAT * rest.max():
                return ClassVerdict(False, f"the curve explains {fit.r2:.2f} of the variance", fit)
        last = rule.t_max or epochs
        first = float(min(self._first_epoch(fit, offset, last), last))
        reason = "flat from epoch {:.4g} on" if first < last else "not flat before epoch {:.4g}, the last to wait for"
        return ClassVerdict(epoch >= first, reason.format(first), fit, first)

    def _first_epoch(self, fit: Fit, offset: float, last: int) -> float:
        """Returns the first 0-based epoch after which the curve is flat, ``last`` or more if it never is."""
        if self.rule.clock == "index":
            return update_epoch(fit.beta, fit.gamma, self.rule.r, last) + offset
        flat = slope_crossing(fit.beta, fit.gamma, self.rule.r, last)
        return math.ceil(flat + offset) - 1 if flat < last else last

    def _after_start(self, x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray, float]:
        """Returns times and IoU without a slow or late start, times from its end on, and its length in epochs."""
        skipped = slow_start(y) if self.rule.slow_start else late_start(y, self.rule.late_start)
        if self.rule.abscissa == "released":
            width = float(x[-1]) / (len(x) - 0.5)  # of windows of equal length, the first of which begins at 0
            return released_times(len(x) - skipped, width), y[skipped:], skipped * width
        start = float(x[skipped - 1] + x[skipped]) / 2 if skipped else 0.0
        return x[skipped:] - start, y[skipped:], start
