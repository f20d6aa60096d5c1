"""What a table leaves: CSV files, the config of each kind of cell, plots and a page that reads the numbers."""

from __future__ import annotations

import csv
import io
import pprint
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from noisyseg.integration.benchmark.pictures import curves_picture, differences_picture
from noisyseg.integration.benchmark.prepare import PreparedData
from noisyseg.integration.benchmark.scores import RULE, Score, scores_of
from noisyseg.integration.benchmark.table import Cell, Table
from noisyseg.labels.files import atomic_path, write_json

__all__ = ["write_report"]

FLAGS = ("uses_clean_images", "uses_noise_rate", "selection_on_noisy_val", "extra_forward_passes", "peak_mem")
Row = Mapping[str, Any]


def write_report(
    table: Table,
    prepared: Mapping[str, PreparedData],
    cells: Sequence[Cell],
    rows: Sequence[Row],
    results: Path,
    page: Path,
) -> Path:
    """Writes the report of the rows that there are and returns the page.

    Args:
        table: The table.
        prepared: Its data sets.
        cells: The cells that were asked for.
        rows: Rows of those that are finished, at least one.
        results: Folder for ``cells.csv``, ``classes.csv``, ``curves.csv``, ``scores.csv``, ``configs/`` and ``data/``.
        page: The Markdown file; its pictures go to ``images`` beside it.
    """
    flags = {cell.key: cell.flags for cell in cells}  # what the table says now, should a row have been made before
    rows = [{**row, **flags.get(row["key"], {})} for row in rows]
    scores = scores_of(rows, table.reference)
    _write_csv(results / "cells.csv", map(_cell_line, rows))
    _write_csv(results / "classes.csv", (line for row in rows for line in _class_lines(row)))
    _write_csv(results / "curves.csv", (line for row in rows for line in _curve_lines(row)))
    _write_csv(results / "scores.csv", map(_score_line, scores.values()))
    for cell in {(cell.data, cell.method): cell for cell in cells}.values():
        _write_text(results / "configs" / f"{cell.data}-{cell.method}.py", _config_text(cell))
    for name, data in prepared.items():
        write_json(results / "data" / f"{name}.json", data.document, indent=True)
    stem = page.stem
    pictures = {"differences": differences_picture(table, scores)}
    pictures |= {f"curves_{data}": curves_picture(table, data, rows) for data in table.data if _has(scores, data)}
    for name, png in pictures.items():
        target = page.parent / "images" / f"{stem}_{name}.png"
        with atomic_path(target) as partial:
            partial.write_bytes(png)
    _write_text(page, "\n".join(_page_lines(table, prepared, cells, rows, scores, stem)) + "\n")
    return page


def _page_lines(
    table: Table,
    prepared: Mapping[str, PreparedData],
    cells: Sequence[Cell],
    rows: Sequence[Row],
    scores: Mapping[tuple[str, str], Score],
    stem: str,
) -> Iterable[str]:
    reference = table.methods[table.reference].title
    yield from (f"# {table.title}", "")
    for note in table.notes:
        yield from (note, "")
    seconds = [row["cpu_seconds"] for row in rows]
    seeds = sorted({row["seed"] for row in rows})
    yield (
        f"{len(rows)} of {len(cells)} trainings of {rows[0]['iterations']} iterations, seeds "
        f"{', '.join(map(str, seeds))}, {np.median(seconds):.0f} s of processor time each in the median, "
        f"{max(seconds):.0f} s at most ({rows[0]['device']}). Seeds change the weights and the order of the images; "
        "data and noise stay the same."
    )
    yield from ("", f"![Difference to {reference}](images/{stem}_differences.png)", "")
    yield from ("## How to read it", "")
    yield (
        "mIoU in percent on clean validation labels, mean ± standard deviation of the seeds. *best* is the highest of "
        "the validations while training: it needs clean labels to choose by, which nobody has, and is an upper bound. "
        f"*last* is what one gets without them. *Δ* is *last* minus that of {reference}, seed by seed."
    )
    yield from ("", RULE, "")
    for data, entry in table.data.items():
        if _has(scores, data):
            yield from _data_lines(table, data, entry.title, prepared[data], scores, stem)
    yield from ("## Method by method", "")
    for method in table.methods:
        own = [score for (_, name), score in scores.items() if name == method]
        if own and method != table.reference:
            yield f"- {_sentence(table, method, own)}"
    yield from ("", "## What each method was told, and what it costs", "")
    yield (
        "| method | clean images | noise rate | selection on noisy validation | more forward passes | "
        "peak memory, MiB | CPU s |"
    )
    yield "|---|---|---|---|---|---|---|"
    for method, entry in table.methods.items():
        own = [row for row in rows if row["method"] == method]
        if own:
            told = " | ".join("yes" if own[0][flag] else "no" for flag in FLAGS[:3])
            extra, peak, time = (np.median([row[key] for row in own]) for key in (*FLAGS[3:], "cpu_seconds"))
            yield f"| {entry.title} | {told} | {extra:.2g} | {peak:.0f} | {time:.0f} |"
    yield from ("", "Peak memory is that of the whole process, libraries included (on a GPU: of the tensors).")


def _data_lines(
    table: Table,
    data: str,
    title: str,
    prepared: PreparedData,
    scores: Mapping[tuple[str, str], Score],
    stem: str,
) -> Iterable[str]:
    settings, realised = prepared.document["settings"], prepared.document["realised"]
    yield from (f"## {title}", "")
    yield (
        f"{settings['train']} training and {settings['val']} validation images, {settings['size']} pixels high, "
        f"{len(prepared.classes)} classes. Noise `{settings['recipe']}`, seed {settings['seed']}: "
        f"{realised['changed']:.1%} of the training pixels changed; the noisy maps have {realised['miou']:.1f} % mIoU "
        "against the clean ones."
    )
    yield from ("", f"![Curves](images/{stem}_curves_{data}.png)", "")
    yield from ("| method | best | last | Δ last | p | |", "|---|---|---|---|---|---|")
    for method, entry in table.methods.items():
        score = scores.get((data, method))
        if score is None:
            continue
        if method == table.reference:
            gain, p, verdict = "", "", "reference"
        else:
            gain = f"{np.mean(score.differences):+.1f}" if len(score.differences) else ""
            p, verdict = ("" if np.isnan(score.p) else f"{score.p:.2f}"), score.verdict
        yield f"| {entry.title} | {_spread(score.best)} | {_spread(score.last)} | {gain} | {p} | {verdict} |"
    yield ""


def _sentence(table: Table, method: str, scores: Sequence[Score]) -> str:
    """Returns what the numbers say about a method."""
    entry = table.methods[method]
    groups: dict[str, list[str]] = {}
    for score in scores:
        gain = f" ({np.mean(score.differences):+.1f})" if len(score.differences) else ""
        groups.setdefault(score.verdict, []).append(table.data[score.data].title + gain)
    words = {"helps": "helps on", "hurts": "hurts on"}
    parts = [f"{words.get(verdict, f'{verdict} on')} {', '.join(names)}" for verdict, names in groups.items()]
    note = f" {entry.note}" if entry.note else ""
    return f"**{entry.title}**: {'; '.join(parts)}.{note}"


def _has(scores: Mapping[tuple[str, str], Score], data: str) -> bool:
    return any(name == data for name, _ in scores)


def _spread(values: Sequence[float]) -> str:
    mean = f"{np.mean(values):.1f}"
    return f"{mean} ± {np.std(values, ddof=1):.1f}" if len(values) > 1 else mean


def _cell_line(row: Row) -> dict[str, Any]:
    line = {key: row[key] for key in ("data", "method", "seed", "key", "iterations")}
    for when in ("best", "last"):
        line |= {f"{when}_miou": row[when]["miou"], f"{when}_iteration": row[when]["iteration"]}
    line |= {flag: row[flag] for flag in FLAGS} | {key: row[key] for key in ("seconds", "cpu_seconds", "device")}
    return line | {"code": row.get("code", "")}  # older rows do not say


def _class_lines(row: Row) -> Iterable[dict[str, Any]]:
    for when in ("best", "last"):
        for name, value in row[when]["classes"].items():
            yield {key: row[key] for key in ("data", "method", "seed")} | {"when": when, "class": name, "iou": value}


def _curve_lines(row: Row) -> Iterable[dict[str, Any]]:
    curve = row["curve"]
    for iteration, clean, given in zip(curve["iterations"], curve["clean"], curve["given"], strict=True):
        place = {key: row[key] for key in ("data", "method", "seed")}
        yield place | {"iteration": iteration, "clean_val_miou": clean, "given_train_miou": given}


def _score_line(score: Score) -> dict[str, Any]:
    line: dict[str, Any] = {"data": score.data, "method": score.method, "seeds": len(score.seeds)}
    for name, values in (("best", score.best), ("last", score.last)):
        spread = np.std(values, ddof=1) if len(values) > 1 else float("nan")
        line |= {f"{name}_mean": round(float(np.mean(values)), 3), f"{name}_std": round(float(spread), 3)}
    for name, values in (("last", score.differences), ("best", score.best_differences)):
        line[f"{name}_difference"] = round(float(np.mean(values)), 3) if len(values) else ""
    return line | {"p": "" if np.isnan(score.p) else round(score.p, 4), "verdict": score.verdict}


def _write_csv(path: Path, lines: Iterable[Mapping[str, Any]]) -> None:
    rows, text = list(lines), io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    _write_text(path, text.getvalue())


def _config_text(cell: Cell) -> str:
    lines = ["# The config of one kind of cell; its seed goes to randomness.seed, the folder of the data to data_root."]
    lines += [f"{name} = {pprint.pformat(value, width=116, compact=True)}" for name, value in cell.config.items()]
    return "\n".join(lines) + "\n"


def _write_text(path: Path, text: str) -> None:
    with atomic_path(path) as partial:
        partial.write_text(text, encoding="utf-8")
