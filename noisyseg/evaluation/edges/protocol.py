"""The settings that a score of edges means nothing without."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from numbers import Real
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

Mode = Literal["thin", "raw"]
Summed = Literal["all", "positives"]
Precision = Literal["sbd", "envelope"]
Absent = Literal["exclude", "zero"]

PRESETS: dict[str, dict[str, Any]] = {
    "bsds": {"tolerance": 0.0075, "labels": "BSDS annotators"},
    "sbd": {"tolerance": 0.02, "border": 5, "labels": "SBD original"},
    "sbd_reannotated": {"tolerance": 0.0075, "border": 5, "labels": "SBD re-annotated"},
    "cityscapes": {"tolerance": 0.0035, "scale": 0.5, "labels": "Cityscapes"},
}


@dataclass(frozen=True)
class EdgeProtocol:
    """How edges are scored; `describe` names it all beside every number.

    Attributes:
        tolerance: Radius of the matching as a share of the diagonal of what is left after the border is cut.
        labels: Version of the labels, in words, such as ``"SBD re-annotated"``.
        mode: ``"thin"``: predictions are thinned at each threshold, labels are thin already; the evaluation never
            thins labels. ``"raw"``: nothing is thinned, labels are bands.
        border: Pixels cut off on all four sides of predictions and labels.
        thresholds: T; thresholds are k / (T + 1), k = 1..T, and a pixel is an edge where value / 255 >= threshold in
            double precision. 99 for reports, 33 while training.
        scale: Factor by which labels are made smaller, to the nearest pixel, and predictions with them.
        resize: Whether predictions of another size than the labels are resized (bicubic); else they are an error.
        nms: Whether predictions are suppressed across the edge before anything else, see
            :func:`~noisyseg.evaluation.edges.suppression.suppressed`.
        ois: Whose best thresholds OIS sums: ``"all"`` images, as published, where an image without the class adds the
            false positives of the lowest threshold, or the ``"positives"``, which have the class.
        ap: What AP is: ``"sbd"``, the official mean of 101 interpolated precisions, 0 outside the measured recall, or
            ``"envelope"``, the area under the falling envelope of the curve.
        absent: Whether a class without labels is left out of the mean, or counts as 0, as the official program has it.

    Raises:
        ValueError: A setting is of another type or out of its range.
    """

    tolerance: float
    labels: str
    mode: Mode = "thin"
    border: int = 0
    thresholds: int = 99
    scale: float = 1.0
    resize: bool = False
    nms: bool = False
    ois: Summed = "all"
    ap: Precision = "sbd"
    absent: Absent = "exclude"

    def __post_init__(self) -> None:
        if not (_is_number(self.tolerance) and 0 < self.tolerance < 1):
            raise ValueError(f"tolerance: expected a share of the diagonal in (0, 1), got {self.tolerance!r}")
        if not (_is_number(self.scale) and 0 < self.scale <= 1):
            raise ValueError(f"scale: expected a factor in (0, 1], got {self.scale!r}")
        for name in ("resize", "nms"):
            if not isinstance(getattr(self, name), bool):
                raise ValueError(f"{name}: expected True or False, got {getattr(self, name)!r}")
        if not self.labels:
            raise ValueError("labels: expected the version of the labels in words, got nothing")
        for name, least in (("border", 0), ("thresholds", 1)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise ValueError(f"{name}: expected an integer >= {least}, got {value!r}")
        for name, words in (("mode", Mode), ("ois", Summed), ("ap", Precision), ("absent", Absent)):
            if getattr(self, name) not in get_args(words):
                raise ValueError(f"{name}: expected one of {', '.join(get_args(words))}, got {getattr(self, name)!r}")

    @classmethod
    def of(cls, name: str, **overrides: Any) -> EdgeProtocol:  # noqa: ANN401 - the types are those of the fields
        """Returns a published protocol by name, with some settings changed.

        ``"bsds"``: all annotators at .0075 (Martin et al., 2004). ``"sbd"`` and ``"sbd_reannotated"``: .02 and .0075,
        border of 5 px; ``"cityscapes"``: .0035 at half the size (all SEAL, Yu et al., 2018). All thin, 99 thresholds.

        Raises:
            ValueError: There is no such protocol or setting, or a setting is out of its range.
        """
        if name not in PRESETS:
            raise ValueError(f"protocol: expected one of {', '.join(PRESETS)}, got {name!r}")
        unknown = sorted(set(overrides) - {field.name for field in dataclasses.fields(cls)})
        if unknown:
            raise ValueError(f"protocol: no setting {', '.join(unknown)}")
        return cls(**(PRESETS[name] | overrides))

    def describe(self) -> str:
        """Returns the whole protocol as one line."""
        return ", ".join(
            [
                f"mode {self.mode}",
                f"tolerance {self.tolerance:g}",
                f"labels {self.labels}",
                "with NMS" if self.nms else "no NMS",
                f"border {self.border} px",
                f"scale {self.scale:g}",
                f"{self.thresholds} thresholds",
                f"OIS of {self.ois}",
                f"AP {self.ap}",
                f"absent classes {'excluded' if self.absent == 'exclude' else 'as 0'}",
            ]
        )

    def threshold_values(self) -> npt.NDArray[np.float64]:
        """Returns the (T,) thresholds k / (T + 1), rising, rounded as in the official program.

        The last bit decides where a threshold falls on a value: 2 / 6 is just above 85 / 255 there, 20 / 100 is not
        above 51 / 255.
        """
        return np.linspace(1 / (self.thresholds + 1), 1 - 1 / (self.thresholds + 1), self.thresholds)

    def levels(self) -> npt.NDArray[np.int64]:
        """Returns the (T,) smallest uint8 values that reach the thresholds: value / 255 >= threshold in float64."""
        return np.searchsorted(np.arange(256) / 255, self.threshold_values(), side="left")


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)
