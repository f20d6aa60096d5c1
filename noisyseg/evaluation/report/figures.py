"""Drawings of the report, as SVG."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure

Json = Mapping[str, Any]
INK, SOFT, LINE, CLEAN, NOISY = "#1f2430", "#5b6170", "#e3e5ea", "#1b7f79", "#c8442f"
# Classes that a confusion matrix has room for.
MOST_CLASSES = 90
# With so few, cells hold numbers.
ANNOTATED = 13
STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "noisyseg",
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.edgecolor": SOFT,
    "axes.labelcolor": SOFT,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
}


def figures(report: Json) -> dict[str, str]:
    """Returns the drawings that fit the report, SVG by name."""
    with mpl.rc_context(STYLE):
        if report["kind"] == "edges":
            return {"displacement": _displacement(report["displacement"])}
        found = {"confusion": _confusion(report["confusion"])}
        if report["kind"] == "semantic":
            return found | {"bands": _bands(report["flipped"])}
        found |= {"sizes": _sizes(report["sizes"], masks="masks" in report), "boxes": _boxes(report["boxes"])}
        if "masks" in report:
            found |= {
                "overlap": _overlap(report["masks"]["changed"]),
                "bias": _bias(report["masks"]["changed"], report["areas"]),
            }
        return found


def _overlap(masks: Json) -> str:
    figure = Figure((9.2, 2.7), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    _histogram(left, masks["iou"]["histogram"], NOISY)
    left.set(xlabel="IoU of clean and noisy mask", ylabel="share of changed masks, %")
    _mark(left, masks["iou"]["mean"])
    name = "2 px"
    _histogram(right, masks["boundary_f_histograms"][name], NOISY)
    right.set_xlabel(f"boundary F within {name}")
    _mark(right, masks["boundary_f"][name])
    return _svg(figure)


def _bias(changed: Json, areas: Json) -> str:
    figure = Figure((9.2, 2.7), layout="constrained")
    left, right = figure.subplots(1, 2)
    for axes, histogram, average, label in (
        (
            left,
            changed["boundary_bias"]["histogram"],
            changed["boundary_bias"]["mean"],
            "signed boundary distance of changed masks, px (right: outward)",
        ),
        (right, areas["log_ratio"]["histogram"], areas["log_ratio"]["mean"], "log of noisy area / clean area"),
    ):
        _histogram(axes, histogram, NOISY)
        axes.axvline(0, color=SOFT, linewidth=0.8)
        _mark(axes, average)
        axes.set_xlabel(label)
    left.set_ylabel("share, %")
    return _svg(figure)


def _boxes(boxes: Json) -> str:
    figure = Figure((9.2, 2.5), layout="constrained")
    for axes, (key, label) in zip(
        figure.subplots(1, 3),
        (
            ("iou", "IoU of clean and noisy box"),
            ("dx_over_w", "shift of the centre / width"),
            ("log_w", "log of the ratio of widths"),
        ),
        strict=True,
    ):
        _histogram(axes, boxes[key]["histogram"], NOISY)
        _mark(axes, boxes[key]["mean"])
        axes.set_xlabel(label)
    figure.axes[0].set_ylabel("share of pairs, %")
    return _svg(figure)


def _sizes(sizes: Sequence[Json], *, masks: bool) -> str:
    panels = [("mean_iou", "mean IoU", 1.0)]
    if masks:
        panels.append(("mean_boundary_f_2px", "mean boundary F, 2 px", 1.0))
    panels += [("flip_rate", "share with another class", None), ("missing", "missing objects", None)]
    figure = Figure((9.2, 2.3), layout="constrained")
    names = [f"{row['size']}\n{row['clean']:,}" for row in sizes]
    for axes, (key, title, limit) in zip(figure.subplots(1, len(panels)), panels, strict=True):
        values = [row[key] or 0 for row in sizes]
        axes.bar(names, values, color=[CLEAN, "#5a9e99", "#9cc4c0"], width=0.62)
        axes.set_title(title, fontsize=9, color=INK)
        axes.set_ylim(0, limit or max([*values, 1 if key == "missing" else 0.01]) * 1.25)
        axes.tick_params(axis="x", length=0)
        for place, row in enumerate(sizes):
            text = "–" if row[key] is None else f"{row[key]:,}" if key == "missing" else f"{row[key]:.2f}"
            axes.annotate(text, (place, values[place]), ha="center", va="bottom", fontsize=8, color=INK)
    return _svg(figure)


def _confusion(confusion: Json) -> str:
    counts, names = np.array(confusion["counts"], np.float64), list(confusion["classes"])
    bordered = len(counts) > len(names)
    shown = np.arange(len(names))
    if len(names) > MOST_CLASSES:
        frequent = np.argsort(-counts[: len(names), :].sum(axis=1), kind="stable")[:MOST_CLASSES]
        shown = np.sort(frequent)
    if bordered:
        rows, columns = [*shown, len(names)], [*shown, len(names)]
        row_names, column_names = [names[k] for k in shown] + ["(bogus)"], [names[k] for k in shown] + ["(missing)"]
    else:
        rows, columns = list(shown), list(shown)
        row_names = column_names = [names[k] for k in shown]
    totals = counts.sum(axis=1, keepdims=True)
    shares = (counts / np.where(totals, totals, 1))[np.ix_(rows, columns)]
    size = len(rows)
    side = max(3.2, (0.42 if size <= ANNOTATED else 0.2 if size <= 40 else 0.125) * size + 1.3)
    figure = Figure((side + 1.1, side), layout="constrained")
    axes = figure.add_subplot()
    shares = np.ma.masked_equal(shares, 0)  # drawn as paper
    drawn = axes.imshow(shares, cmap="magma_r", norm=PowerNorm(0.4, 0, 1), interpolation="nearest")
    font = 9 if size <= 25 else 6.5
    axes.set_xticks(range(size), column_names, rotation=90, fontsize=font)
    axes.set_yticks(range(size), row_names, fontsize=font)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(size <= 25)
    axes.set(xlabel="noisy class", ylabel="clean class")
    if bordered:
        axes.axhline(size - 1.5, color=SOFT, linewidth=0.6)
        axes.axvline(size - 1.5, color=SOFT, linewidth=0.6)
    if size <= ANNOTATED:
        for (y, x), value in np.ndenumerate(shares.filled(0)):
            if value:
                colour = "white" if value > 0.3 else INK
                axes.text(x, y, f"{value:.2f}", ha="center", va="center", fontsize=7, color=colour)
    bar = figure.colorbar(drawn, ax=axes, shrink=min(1.0, 3.2 / side), ticks=[0, 0.01, 0.1, 0.3, 1])
    bar.set_label("share of the row")
    bar.outline.set_visible(False)
    return _svg(figure)


def _bands(flipped: Mapping[str, float | None]) -> str:
    figure = Figure((7, 2.6), layout="constrained")
    axes = figure.add_subplot()
    names = [name for name in flipped if name != "all"] + ["all"]
    values = [100 * (flipped[name] or 0) for name in names]
    axes.bar([*names[:-1], "all pixels"], values, color=[NOISY] * (len(names) - 1) + [SOFT], width=0.62)
    for place, value in enumerate(values):
        axes.annotate(f"{value:.1f}", (place, value), ha="center", va="bottom", fontsize=8, color=INK)
    axes.set_ylabel("pixels with another class, %")
    axes.tick_params(axis="x", length=0)
    return _svg(figure)


def _displacement(displacement: Json) -> str:
    figure = Figure((9.2, 2.7), layout="constrained")
    for axes, (key, title) in zip(
        figure.subplots(1, 2, sharey=True),
        (("noisy_to_clean", "noisy edge to nearest clean one"), ("clean_to_noisy", "clean edge to nearest noisy one")),
        strict=True,
    ):
        _histogram(axes, displacement[key]["histogram"], NOISY)
        axes.set_xlabel(f"{title}, px (last bin: above 15)")
    figure.axes[0].set_ylabel("share of edge pixels, %")
    return _svg(figure)


def _histogram(axes: Axes, histogram: Json, colour: str) -> None:
    counts = np.array(histogram["counts"], np.float64)
    edges = np.linspace(histogram["low"], histogram["high"], len(counts) + 1)
    axes.bar(edges[:-1], 100 * counts / max(counts.sum(), 1), np.diff(edges), align="edge", color=colour, linewidth=0)
    axes.set_xlim(histogram["low"], histogram["high"])
    axes.grid(axis="y", color=LINE, linewidth=0.7)
    axes.set_axisbelow(True)


def _mark(axes: Axes, value: float | None) -> None:
    """Draws a line at the mean."""
    if value is not None:
        axes.axvline(value, color=INK, linewidth=1, linestyle=(0, (3, 2)))
        axes.set_title(f"mean {value:.3f}", fontsize=9, color=INK, loc="left")


def _svg(figure: Figure) -> str:
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None}, transparent=True)
    return buffer.getvalue()
