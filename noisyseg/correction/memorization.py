"""The curve along which a network learns a class, and the epoch from which on it learns the class's errors.

A network first fits what is right in wrong labels, and later memorizes the rest. Between the two its IoU with
the labels that it is trained on stops rising fast. ADELE (Liu et al., CVPR 2022, arXiv 2110.03740) fits a curve to the
IoU of each class and waits until its slope has lost a share r of what it was after one epoch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import least_squares

__all__ = [
    "Fit",
    "fit_curve",
    "late_start",
    "learning_curve",
    "released_times",
    "slope_crossing",
    "slow_start",
    "update_epoch",
]

FloatArray = npt.NDArray[np.float64]

LARGEST_GAMMA = 1e4
SMALLEST_BETA = 1e-3


@dataclass(frozen=True)
class Fit:
    """A fitted `learning_curve`.

    Attributes:
        a: Height, in [0, 1].
        beta: Exponent, in [0, 1].
        gamma: Time scale to the power of beta, in epochs; >= 0.
        r2: Share of the variance of the IoU that the curve explains, at most 1, every window counted the same; 1 where
            there is no variance.
        ok: Whether the fit converged to a curve that says something about time.
        reason: Why not.
    """

    a: float
    beta: float
    gamma: float
    r2: float
    ok: bool
    reason: str = ""


def learning_curve(x: FloatArray, a: float, beta: float, gamma: float) -> FloatArray:
    """Returns ``a (1 - exp(-x ** beta / gamma))`` at times ``x`` >= 0 in epochs."""
    return a * -np.expm1(-(np.asarray(x, np.float64) ** beta) / gamma)


def fit_curve(x: FloatArray, y: FloatArray) -> Fit:
    """Returns the `learning_curve` next to some IoU, as the released code of ADELE fits it.

    Least squares by trust region reflection from (1, 1, 1) within 0 <= a <= 1, 0 <= beta <= 1, gamma >= 0. Residuals
    are divided by a geometric sequence from 1 to .1, so that the last point counts a hundred times as much as the
    first. The parameters are poorly determined, the curve is well determined.

    Args:
        x: (n,) times in epochs, n >= 1.
        y: (n,) IoU in [0, 1].

    Raises:
        ValueError: There is no point, shapes differ, or a number is not finite.
    """
    if x.ndim != 1 or x.shape != y.shape or not len(x):
        raise ValueError(f"expected as many times as IoU, at least one, got {x.shape} and {y.shape}")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError("expected finite times and IoU, got NaN or infinity")
    sigma = np.geomspace(1, 0.1, len(x))
    result = least_squares(
        lambda parameters: (learning_curve(x, *parameters) - y) / sigma, (1, 1, 1), bounds=(0, [1, 1, np.inf])
    )
    a, beta, gamma = result.x.tolist()
    reason = ""
    if result.status <= 0:
        reason = "the fit does not converge"
    elif gamma > LARGEST_GAMMA or beta < SMALLEST_BETA:
        reason = f"the fitted curve is degenerate (beta {beta:.2g}, gamma {gamma:.2g})"
    return Fit(a, beta, gamma, _explained(y, learning_curve(x, a, beta, gamma)), not reason, reason)


def slope_crossing(beta: float, gamma: float, r: float, t_max: float) -> float:
    """Returns the time t* in [1, t_max] at which the slope has fallen by the share r from that at 1 epoch.

    ``log(slope(t) / slope(1)) = (beta - 1) log t - (t ** beta - 1) / gamma`` falls strictly and does not depend on
    the height, so it is bisected until it is ``log(1 - r)``; ``t_max`` if it never gets there.

    Args:
        beta: In [0, 1].
        gamma: > 0.
        r: In (0, 1).
        t_max: >= 1.

    Raises:
        ValueError: A number is outside of its range.
    """
    if not (0 <= beta <= 1 and gamma > 0 and 0 < r < 1 and t_max >= 1):
        raise ValueError(
            f"expected beta in [0, 1], gamma > 0, r in (0, 1), t_max >= 1, got {beta}, {gamma}, {r}, {t_max}"
        )

    def above(t: float) -> bool:
        return (beta - 1) * math.log(t) - (t**beta - 1) / gamma >= math.log1p(-r)

    low, high = 1.0, float(t_max)
    if above(high):
        return high
    while low < (middle := (low + high) / 2) < high:
        low, high = (middle, high) if above(middle) else (low, middle)
    return low


def update_epoch(beta: float, gamma: float, r: float, t_max: int) -> int:
    """Returns ``min(t_max, 1 + floor(t*))`` with t* of `slope_crossing`: the first 0-based epoch to correct after.

    At the end of epoch e, counted from 0, a class is due if e is at least this. It is 2 or more, unless ``t_max`` is
    1. The released code counts the integer epochs whose slope has lost at most r, which is the same number.
    """
    return min(t_max, 1 + math.floor(slope_crossing(beta, gamma, r, t_max)))


def slow_start(y: FloatArray, least: float = 0.1) -> int:
    """Returns how many leading points lie before the first rise by ``least`` from one to the next; of n at most n - 1.

    The released code for SegTHOR, with one window an epoch, leaves these out of the fit. Shorter windows rise
    less, and nearly all of them would count as slow.
    """
    fast = np.flatnonzero(np.diff(y) >= least)
    return int(fast[0]) if len(fast) else max(len(y) - 1, 0)


def late_start(y: FloatArray, share: float) -> int:
    """Returns how many leading points there are up to the last below ``share`` of the highest; of n at most n - 1.

    A network often finds a rare or small class only after some epochs. Its curve then is shaped like an S, and no
    `learning_curve` is: with ``beta`` <= 1 it is steepest at 0, so the fit is nearly straight and never flat. Without
    its start the rest has the right shape. Unlike `slow_start`, this does not depend on how long windows are.
    """
    low = np.flatnonzero(y < share * y.max(initial=0))
    return min(int(low[-1]) + 1, len(y) - 1) if len(low) else 0


def released_times(count: int, width: float) -> FloatArray:
    """Returns ``count`` equally spaced times from 0 to ``count * width``, both included, as the released code has them.

    The spacing is a little wider than a window, and the first point lies at 0, where every curve is 0.

    Args:
        count: Windows.
        width: Epochs that a window lasts.
    """
    return np.linspace(0, count * width, count)


def _explained(y: FloatArray, fitted: FloatArray) -> float:
    left, total = float(((y - fitted) ** 2).sum()), float(((y - y.mean()) ** 2).sum())
    return 1 - left / total if total else 1.0
