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
from noisyseg.integration.benchmark.score_names import ScoreName
from noisyseg.integration.benchmark.scores import Score, recovered, rule, scores_of
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
    scores = scores_of(rows, table.reference, table.score.key)
    _write_csv(results / "cells.csv", (_cell_line(row, table.score) for row in rows))
    _write_csv(results / "classes.csv", (line for row in rows for line in _class_lines(row, table.score)))
    _write_csv(results / "curves.csv", (line for row in rows for line in _curve_lines(row, table.score)))
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
        f"{table.score.name} in percent on clean validation labels, mean ± standard deviation of the seeds. *best* is "
        "the highest of the validations while training: it needs clean labels to choose by, which nobody has, and is "
        "an upper bound. "
        f"*last* is what one gets without them. *Δ* is *last* minus that of {reference}, seed by seed."
    )
    yield from ("", rule(table.score.name), "")
    if table.ceiling is not None:
        yield from _recovery_lines(table, scores)
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
    if prepared.kind == "edges":
        done = (
            f"noisy edge pixels lie {realised['mean_distance']:.1f} px from the nearest clean one in the mean, "
            f"{realised['beyond_2']:.0%} of them more than 2 px; there are {realised['ratio']:.2f} times as many"
        )
    else:
        done = (
            f"{realised['changed']:.1%} of the training pixels changed; the noisy maps have {realised['miou']:.1f} % "
            "mIoU against the clean ones"
        )
    yield (
        f"{settings['train']} training and {settings['val']} validation images, {settings['size']} pixels high, "
        f"{_counted(len(prepared.classes))}. Noise `{settings['recipe']}`, seed {settings['seed']}: {done}."
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


def _recovery_lines(table: Table, scores: Mapping[tuple[str, str], Score]) -> Iterable[str]:
    """Yields a table of which share of the loss that noise causes each method wins back, and how often half of it."""
    reference, ceiling = (table.methods[name].title for name in (table.reference, table.ceiling))
    methods = [
        name
        for name in table.methods
        if name not in (table.reference, table.ceiling) and any(own == name for _, own in scores)
    ]
    yield from ("## What is recovered", "")
    yield (
        f"*loss*: *last* of {ceiling} minus *last* of {reference}, points. The other columns: which share of it the "
        "method wins back, in the mean of the seeds; below 0 % it does worse than doing nothing, and where the loss "
        "is below a point there is no share."
    )
    yield from ("", f"| data | loss | {' | '.join(table.methods[name].title for name in methods)} |")
    yield "|---" * (2 + len(methods)) + "|"
    shares: dict[str, dict[bool, list[float]]] = {name: {True: [], False: []} for name in methods}
    for data, entry in table.data.items():
        whole = scores.get((data, table.ceiling))
        if whole is None or not len(whole.differences):
            continue
        texts = []
        for name in methods:
            score = scores.get((data, name))
            share = float("nan") if score is None else recovered(score, whole)
            texts.append("" if np.isnan(share) else f"{share:.0%}")
            if not np.isnan(share):
                shares[name][len(score.compared) > 1].append(share)
        yield f"| {entry.title} | {np.mean(whole.differences):.1f} | {' | '.join(texts)} |"
    yield ""
    for name in methods:
        counted = [
            f"{sum(share >= 0.5 for share in found)} of {len(found)} with {'several seeds' if several else 'one seed'}"
            for several, found in shares[name].items()
            if found
        ]
        if counted:
            yield f"- **{table.methods[name].title}** recovers at least half on {', '.join(counted)}."
    yield ""


def _counted(classes: int) -> str:
    return f"{classes} classes" if classes > 1 else "1 class"


def _has(scores: Mapping[tuple[str, str], Score], data: str) -> bool:
    return any(name == data for name, _ in scores)


def _spread(values: Sequence[float]) -> str:
    mean = f"{np.mean(values):.1f}"
    return f"{mean} ± {np.std(values, ddof=1):.1f}" if len(values) > 1 else mean


def _cell_line(row: Row, score: ScoreName) -> dict[str, Any]:
    line = {key: row[key] for key in ("data", "method", "seed", "key", "iterations")}
    for when in ("best", "last"):
        line |= {f"{when}_{key}": row[when][key] for key in (score.key, *map(str.lower, score.beside))}
        line[f"{when}_iteration"] = row[when]["iteration"]
    line |= {flag: row[flag] for flag in FLAGS} | {key: row[key] for key in ("seconds", "cpu_seconds", "device")}
    return line | {"code": row.get("code", "")}  # older rows do not say


def _class_lines(row: Row, score: ScoreName) -> Iterable[dict[str, Any]]:
    for when in ("best", "last"):
        for name, value in row[when]["classes"].items():
            place = {key: row[key] for key in ("data", "method", "seed")}
            yield place | {"when": when, "class": name, score.of_class.lower(): value}


def _curve_lines(row: Row, score: ScoreName) -> Iterable[dict[str, Any]]:
    curve = row["curve"]
    for iteration, clean, given in zip(curve["iterations"], curve["clean"], curve["given"], strict=True):
        place = {key: row[key] for key in ("data", "method", "seed")}
        numbers = {f"clean_val_{score.key}": clean, f"given_train_{score.key}": given}
        yield place | {"iteration": iteration} | numbers


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
