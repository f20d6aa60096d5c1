"""What changed between two versions of labels, as tables for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from noisyseg.evaluation.label_diff.pixels import FATES

__all__ = ["headline", "percent", "shown_fates", "summary"]

Json = Mapping[str, Any]
LISTED = 10


def summary(document: Json) -> str:
    """Returns what changed as text: in all, by class, the largest moves, and the most changed images."""
    lines = [f"version {document['from']} -> {document['to']} of {document['store']}", ""]
    lines += [f"  {name:<34}{value:>20}" for name, value in headline(document)]
    if not document["totals"]["changed"]:
        return "\n".join(lines)
    fates = shown_fates(document)
    rows = [row for row in document["by_class"] if row["gained"] or row["lost"]]
    columns = ["before", "after", "gained", "lost", *fates]
    if document["kind"] == "instances":
        columns = ["objects", "objects_changed", *columns]
    table = [[row["class"], *(f"{row[column]:,}" for column in columns)] for row in rows]
    heads = ["class", *(column.replace("_", " ") for column in columns)]
    if fates:
        heads.append("IoU with clean")
        for line, row in zip(table, rows, strict=True):
            line.append(f"{percent(row['iou_before'])} -> {percent(row['iou_after'])}")
    lines += ["", *_table(heads, table)]
    if document["moves"]:
        heads = ["from", "to", "pixels", *fates]
        table = [
            [row["from"], row["to"], *(f"{row[column]:,}" for column in heads[2:])]
            for row in document["moves"][:LISTED]
        ]
        lines += ["", *_table(heads, table, words=2), *_rest(document["moves"])]
    heads = ["image", "changed", "share", *fates]
    table = [
        [row["image"], f"{row['changed']:,}", percent(row["share"]), *(f"{row[fate]:,}" for fate in heads[3:])]
        for row in document["images"][:LISTED]
    ]
    return "\n".join([*lines, "", *_table(heads, table), *_rest(document["images"])])


def headline(document: Json) -> list[tuple[str, str]]:
    """Returns the numbers that matter most, with what they are."""
    totals = document["totals"]
    rows = [
        ("images changed", f"{totals['images_changed']:,} of {totals['images']:,}"),
        ("pixels changed", f"{totals['changed']:,} ({percent(totals['share'])})"),
    ]
    if document["kind"] == "instances":
        rows.insert(1, ("masks changed", f"{totals['objects_changed']:,} of {totals['objects']:,}"))
    if fates := shown_fates(document):
        whole = totals["changed"]
        rows += [
            (f"  {fate}", f"{totals[fate]:,} ({percent(totals[fate] / whole if whole else None)})") for fate in fates
        ]
        name, what = ("iou", "IoU") if document["kind"] == "instances" else ("agreement", "agreement")
        before, after = totals[f"{name}_before"], totals[f"{name}_after"]
        rows.append((f"{what} with clean labels", f"{percent(before)} -> {percent(after)}"))
    return rows


def shown_fates(document: Json) -> list[str]:
    """Returns right, wrong, and what else became of changed pixels; nothing where there are no clean labels."""
    totals = document["totals"]
    return [fate for fate in FATES if totals.get(fate) or (fate in totals and fate in ("right", "wrong"))]


def percent(share: float | None) -> str:
    """Returns a share in percent with two digits after the point, a dash for None."""
    return "-" if share is None else f"{100 * share:.2f} %"


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], words: int = 1) -> list[str]:
    """Returns lines with aligned columns, the first ``words`` of them to the left."""
    widths = [max(len(row[k]) for row in [heads, *rows]) for k in range(len(heads))]
    return [
        "  " + "  ".join(cell.ljust(width) if k < words else cell.rjust(width) for k, (cell, width) in enumerate(cells))
        for cells in ([*zip(row, widths, strict=True)] for row in [heads, *rows])
    ]


def _rest(rows: Sequence[Json]) -> list[str]:
    return [f"  and {len(rows) - LISTED:,} more"] * (len(rows) > LISTED)
