"""Numbers that stand for many: mean, quantiles, histograms; binomial intervals."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import binom, norm

Json = dict[str, Any]
Floats = npt.NDArray[np.floating]
QUANTILES = {"p5": 0.05, "p25": 0.25, "median": 0.5, "p75": 0.75, "p95": 0.95}
CONFIDENCE = 0.99


def distribution(values: Floats, low: float | None = None, high: float | None = None, bins: int = 50) -> Json:
    """Returns count, mean and quantiles of the finite ``values``, and a histogram where limits are given.

    Args:
        values: (N,) numbers; NaN stands for "not defined" and is counted.
        low: Lower end of the histogram; smaller values are counted in its first bin.
        high: Upper end; larger values are counted in its last bin.
        bins: Number of bins, of equal width.
    """
    kept = values[np.isfinite(values)].astype(np.float64)
    found: Json = {"count": len(kept), "undefined": int(len(values) - len(kept)), "mean": mean(kept)}
    quantiles = np.quantile(kept, list(QUANTILES.values())) if len(kept) else [None] * len(QUANTILES)
    found |= {name: rounded(value) for name, value in zip(QUANTILES, quantiles, strict=True)}
    if low is not None and high is not None:
        counts, _ = np.histogram(np.clip(kept, low, high), bins, (low, high))
        found["histogram"] = {"low": low, "high": high, "counts": counts.tolist()}
    return found


def mean(values: Floats) -> float | None:
    """Returns the mean of the finite ``values``; None where there are none."""
    kept = values[np.isfinite(values)]
    return rounded(kept.mean(dtype=np.float64)) if len(kept) else None


def share(part: float, whole: float) -> float | None:
    """Returns ``part / whole``; None where ``whole`` is 0."""
    return rounded(part / whole) if whole else None


def rounded(value: float | None) -> float | None:
    """Returns a number with six digits after the point; None for None and for what is not finite."""
    return None if value is None or not math.isfinite(value) else round(float(value), 6)


def binomial_range(total: int, rates: list[float]) -> tuple[int, int]:
    """Returns the smallest and largest number of hits among ``total`` objects that the 99 % interval allows.

    Args:
        total: Number of objects.
        rates: Probability of a hit, one an independent trial of each object. One gives the exact binomial interval,
            several the normal approximation of the sum.
    """
    tail = (1 - CONFIDENCE) / 2
    if len(rates) == 1:
        return int(binom.ppf(tail, total, rates[0])), int(binom.ppf(1 - tail, total, rates[0]))
    middle = total * math.fsum(rates)
    spread = -norm.ppf(tail) * math.sqrt(total * math.fsum(rate * (1 - rate) for rate in rates))
    return math.floor(middle - spread), math.ceil(middle + spread)
