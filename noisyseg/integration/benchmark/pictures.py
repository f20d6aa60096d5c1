"""The plots of a benchmark page, as PNG bytes."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from noisyseg.integration.benchmark.scores import Score
from noisyseg.integration.benchmark.table import Table

__all__ = ["curves_picture", "differences_picture"]

INK, CLEAN, REFERENCE, METHOD, MUTED = "#1f2430", "#1b7f79", "#c8442f", "#3559a8", "#8a8f9c"
COLUMNS, DATA_COLUMNS = 6, 3


def differences_picture(table: Table, scores: Mapping[tuple[str, str], Score]) -> bytes:
    """Returns a dot for each method and data set: last epoch minus the reference, each seed and their mean."""
    names = [name for name in table.methods if name != table.reference and any(own == name for _, own in scores)]
    data = [name for name in table.data if any(own == name for own, _ in scores)]
    columns = max(1, min(DATA_COLUMNS, len(data)))
    lines = max(1, math.ceil(len(data) / columns))
    size = (2.2 + 3.0 * columns, lines * (1.2 + 0.24 * len(names)))
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots(lines, columns, sharey=True, squeeze=False)
    for ax in list(axes.flat)[len(data) :]:
        ax.set_visible(False)
    for ax, column in zip(axes.flat, data, strict=False):
        ax.axvline(0, color=REFERENCE, lw=1.2)
        for place, name in enumerate(names):
            score = scores.get((column, name))
            if score is None or not len(score.differences):
                continue
            colour = CLEAN if table.methods[name].labels == "clean" else METHOD
            ax.plot(score.differences, [place] * len(score.differences), ".", ms=4, color=colour, alpha=0.45)
            ax.plot(np.mean(score.differences), place, "o", ms=6, color=colour)
        ax.set_title(table.data[column].title, fontsize=9, loc="left", color=INK)
        ax.set_xlabel(f"{table.score.name} at the end, points", fontsize=8, color=INK)
        ax.grid(axis="x", color=MUTED, alpha=0.25, lw=0.6)
        ax.tick_params(labelsize=8, colors=INK)
        ax.set_yticks(range(len(names)), [table.methods[name].title for name in names])
        _frameless(ax)
    if names:
        ax.set_ylim(len(names) - 0.5, -0.5)  # of all, as they share it; the first method on top
    return _png(figure)


def curves_picture(table: Table, data: str, rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Returns a small chart for each method: clean validation and agreement with the given labels, mean of the seeds.

    The clean validation of the reference is in each of them.
    """
    curves = {name: own for name in table.methods if (own := _curves(rows, data, name)) is not None}
    columns = min(COLUMNS, len(curves))
    lines = math.ceil(len(curves) / columns)
    figure = Figure(figsize=(1.9 * columns + 0.4, 1.55 * lines + 0.5), layout="constrained")
    axes = figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False)
    for ax, (name, (steps, clean, given)) in zip(axes.flat, curves.items(), strict=False):
        if table.reference in curves and name != table.reference:
            ax.plot(curves[table.reference][0], curves[table.reference][1], color=REFERENCE, lw=1, alpha=0.6)
        colour = CLEAN if table.methods[name].labels == "clean" else REFERENCE if name == table.reference else METHOD
        ax.plot(steps, given, color=colour, lw=1, ls=":")
        ax.plot(steps, clean, color=colour, lw=1.8)
        ax.set_title(table.methods[name].title, fontsize=7, loc="left", color=INK)
        ax.tick_params(labelsize=6, colors=INK)
        ax.grid(color=MUTED, alpha=0.25, lw=0.5)
        _frameless(ax)
    for ax in list(axes.flat)[len(curves) :]:
        ax.set_visible(False)
    figure.supxlabel("iterations", fontsize=8, color=INK)
    figure.supylabel(f"{table.score.name}, %", fontsize=8, color=INK)
    reference = table.methods[table.reference].title
    figure.suptitle(
        f"{table.data[data].title}. Red: {reference}\nsolid: validation, clean labels; dotted: training, labels given",
        fontsize=8,
        color=INK,
    )
    return _png(figure)


def _curves(
    rows: Sequence[Mapping[str, Any]], data: str, method: str
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64]] | None:
    """Returns iterations, and clean and given scores averaged over the seeds; None if there is no row."""
    own = [row["curve"] for row in rows if row["data"] == data and row["method"] == method]
    if not own:
        return None
    steps, clean, given = (np.array([curve[key] for curve in own]) for key in ("iterations", "clean", "given"))
    return steps[0], clean.mean(axis=0), given.mean(axis=0)


def _frameless(ax: Axes) -> None:
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)


def _png(figure: Figure) -> bytes:
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=110, metadata={"Software": None})
    return stream.getvalue()
