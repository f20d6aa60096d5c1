"""A picture of what a correction decides by: the IoU of each class, the fitted curves, and when each became due."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from noisyseg.correction.class_history import ClassHistory
from noisyseg.correction.memorization import Fit, learning_curve
from noisyseg.correction.triggers import ClassVerdict

__all__ = ["curves_picture"]

INK, MUTED, GIVEN, CLEAN, DUE, MEMORIZED = "#1f2430", "#8a8f9c", "#3559a8", "#1b7f79", "#c8442f", "#b7791f"
COLUMNS = 4


def curves_picture(
    history: ClassHistory,
    names: Sequence[str],
    verdicts: Mapping[int, ClassVerdict],
    due_epochs: Mapping[int, int],
) -> bytes:
    """Returns a PNG with a chart for each class that has pixels.

    Dots are the IoU with the given labels in each window, the line through them is the fitted curve, and the upright
    one stands at the end of the epoch after which the class was due. Where clean labels are known, the IoU with them
    and the share of wrong labels that are predicted as they are given ("memorized") stand beside it.

    Args:
        history: With at least one window.
        names: (K,) names of the classes.
        verdicts: The last one on each class that was decided.
        due_epochs: The 0-based epoch after which a class became due.
    """
    classes = [c for c in range(history.num_classes) if history.labelled()[:, c].any()]
    columns = min(COLUMNS, max(1, len(classes)))
    lines = max(1, math.ceil(len(classes) / columns))
    figure = Figure(figsize=(2.9 * columns + 0.4, 2.2 * lines + 0.7), layout="constrained")
    axes = list(figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False).flat)
    for ax in axes:
        ax.set_visible(False)
    for ax, c in zip(axes, classes, strict=False):
        ax.set_visible(True)
        _draw(ax, history, c, verdicts.get(c), due_epochs.get(c))
        ax.set_title(names[c], fontsize=8, loc="left", color=INK)
    if classes:
        axes[0].set_ylim(0, 1)
        drawn = {text: line for ax in axes for line, text in zip(*ax.get_legend_handles_labels(), strict=True)}
        figure.legend(
            drawn.values(), drawn.keys(), loc="outside upper left", ncols=len(drawn), fontsize=7, frameon=False
        )
    figure.supxlabel("epochs", fontsize=8, color=INK)
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=110, metadata={"Software": None})
    return stream.getvalue()


def _draw(ax: Axes, history: ClassHistory, c: int, verdict: ClassVerdict | None, due_epoch: int | None) -> None:
    x = history.epochs
    ax.plot(x, history.iou("given")[:, c], ".", ms=3, color=GIVEN, label="IoU with given labels")
    if history.has_clean:
        ax.plot(x, history.iou("clean")[:, c], "-", lw=1.2, color=CLEAN, label="IoU with clean labels")
        ax.plot(x, history.memorized()[:, c], ":", lw=1.2, color=MEMORIZED, label="share of errors memorized")
    if verdict is not None and verdict.fit is not None:
        _draw_fit(ax, x[-1] if due_epoch is None else due_epoch + 1, verdict.fit)  # it knew nothing of what came later
    if due_epoch is not None:
        ax.axvline(due_epoch + 1, color=DUE, lw=1.2, label="due")
        ax.annotate(f"{due_epoch + 1}", (due_epoch + 1, 0.02), color=DUE, fontsize=7, ha="left", va="bottom")
    elif verdict is not None:
        ax.annotate(verdict.reason, (0.03, 0.03), xycoords="axes fraction", color=MUTED, fontsize=6, va="bottom")
    ax.tick_params(labelsize=6, colors=INK)
    ax.grid(color=MUTED, alpha=0.25, lw=0.5)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)


def _draw_fit(ax: Axes, end: float, fit: Fit) -> None:
    times = np.linspace(0, end, 200)
    style = "-" if fit.ok else "--"
    ax.plot(times, learning_curve(times, fit.a, fit.beta, fit.gamma), style, lw=1, color=INK, label="fitted curve")
