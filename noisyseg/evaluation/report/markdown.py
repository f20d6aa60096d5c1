"""The report as a short Markdown text, and as ten lines for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Json = Mapping[str, Any]
LISTED = 20


def markdown(report: Json) -> str:
    """Returns the report in Markdown: what was compared, the numbers that matter, warnings."""
    files = report["files"]
    lines = [
        f"# Noise report: {files['noisy']['file']}",
        "",
        f"Clean: `{files['clean']['file']}` (SHA-256 `{files['clean']['sha256'][:16]}`), "
        f"noisy: `{files['noisy']['file']}` (`{files['noisy']['sha256'][:16]}`).",
        f"Paired by {paired_by(report)}: {report['pairing']['reason']}.",
        "",
        *_table(("what", "value"), headline(report)),
        "",
    ]
    if report.get("rates"):
        rows = [
            (
                check["op"],
                number(check["requested_rate"]),
                number(check["realised_rate"]),
                f"{check['realised']:,}",
                " to ".join(f"{value:,}" for value in check["interval"]) if check["interval"] else "",
                {True: "pass", False: "FAIL", None: "no nominal rate"}[check["passed"]],
            )
            for check in report["rates"]
        ]
        lines += ["## Requested and realised", ""]
        lines += [*_table(("operation", "requested", "realised", "count", "99 % interval", ""), rows), ""]
    if report.get("sizes"):
        rows = [
            (
                row["size"],
                f"{row['clean']:,}",
                number(row["mean_iou"]),
                number(row["flip_rate"]),
                row["missing"],
                row["bogus"],
            )
            for row in report["sizes"]
        ]
        lines += ["## By size of the clean object", ""]
        lines += [*_table(("size", "objects", "mean IoU", "flipped", "missing", "bogus"), rows), ""]
    if report.get("operations"):
        rows = [
            (
                row["op"],
                f"{row['pairs']:,}",
                number(row["mean_iou"]),
                number(row["mean_area_ratio"]),
                number(row.get("mean_boundary_f_2px")),
                number(row.get("mean_boundary_bias")),
            )
            for row in report["operations"]
        ]
        lines += ["## By operation", ""]
        lines += [*_table(("operation", "pairs", "mean IoU", "area ratio", "boundary F 2 px", "bias, px"), rows), ""]
    for name, ids in (report.get("unmatched") or {}).items():
        if ids:
            more = f" and {len(ids) - LISTED} more" if len(ids) > LISTED else ""
            lines += [f"{name.capitalize()}, {len(ids)}: annotation ids {', '.join(map(str, ids[:LISTED]))}{more}.", ""]
    lines += ["## Warnings", ""]
    lines += [f"- {warning['code']}: {warning['message']}" for warning in report["warnings"]] or ["None."]
    return "\n".join([*lines, ""])


def summary(report: Json) -> str:
    """Returns about ten lines for a terminal."""
    lines = [f"{report['kind']}, paired by {paired_by(report)}: {report['pairing']['reason']}"]
    lines += [f"  {name:<34}{value:>16}" for name, value in headline(report)[:9]]
    failed = [check["op"] for check in report.get("rates", ()) if check["passed"] is False]
    if report.get("rates"):
        known = sum(check["passed"] is not None for check in report["rates"])
        held = f"{known - len(failed)} of {known}" + (f", not {', '.join(failed)}" if failed else "")
        lines.append(f"  {'rates in their 99 % interval':<34}{held:>16}")
    if report["determinism"]:
        again = "the same" if report["determinism"]["passed"] else "ANOTHER FILE"
        lines.append(f"  {'made again from the manifest':<34}{again:>16}")
    if report["warnings"]:
        lines.append(
            f"  {len(report['warnings'])} warnings: {', '.join(warning['code'] for warning in report['warnings'])}"
        )
    return "\n".join(lines)


def headline(report: Json) -> list[tuple[str, str]]:
    """Returns the numbers that matter most, with what they are."""
    counts = report["counts"]
    if report["kind"] == "edges":
        there = report["displacement"]["noisy_to_clean"]
        return [
            ("maps", f"{counts['maps']:,}"),
            ("edge pixels, noisy / clean", number(counts["pixel_ratio"])),
            ("RMS displacement, px", number(there["rms"])),
            ("displacement above 15 px", number(there["share_above_15px"])),
            *((f"F within {name}", number(values["f"])) for name, values in report["tolerances"].items()),
        ]
    if report["kind"] == "semantic":
        return [
            ("maps", f"{counts['maps']:,}"),
            ("pixels with another class", number(report["flipped"]["all"])),
            *(
                (f"  {name} of a boundary", number(value))
                for name, value in report["flipped"].items()
                if name in ("within 1 px", "within 3 px", "within 10 px")
            ),
            ("mean IoU", number(report["mean_iou"])),
            ("parts, clean / noisy", f"{counts['clean_parts']:,} / {counts['noisy_parts']:,}"),
            ("ignored pixels touched", f"{counts['ignored_touched']:,}"),
        ]
    rows = [
        ("objects, clean / noisy", f"{counts['clean_objects']:,} / {counts['noisy_objects']:,}"),
        ("pairs", f"{counts['pairs']:,}"),
        ("missing / bogus", f"{counts['missing']:,} / {counts['bogus']:,}"),
        ("other class", f"{counts['class_changed']:,} ({percent(counts['class_changed'], counts['pairs'])})"),
    ]
    if report["kind"] == "boxes":
        boxes = report["boxes"]
        return [
            *rows,
            ("other box", f"{counts['box_changed']:,} ({percent(counts['box_changed'], counts['pairs'])})"),
            ("mean box IoU", number(boxes["iou"]["mean"])),
            ("boxes inside the image", number(boxes["share_inside"])),
        ]
    masks = report["masks"]["all"]
    return [
        *rows,
        ("other mask", f"{counts['mask_changed']:,} ({percent(counts['mask_changed'], counts['pairs'])})"),
        ("mean mask IoU", number(masks["iou"]["mean"])),
        ("mean boundary F, 2 px", number(masks["boundary_f"]["2 px"])),
        (
            "other box; mean box IoU",
            f"{counts['box_changed']:,}; {number(report['boxes']['iou']['mean'])}",
        ),
        ("boundary bias of changed masks, px", number(report["masks"]["changed"]["boundary_bias"]["mean"], sign=True)),
        ("area, sum noisy / sum clean", number(report["areas"]["ratio_of_sums"])),
        ("stale boxes", f"{report['boxes']['stale']:,}"),
        (
            "pixels claimed twice, clean / noisy",
            " / ".join(number(report["topology"]["overlap"][k]) for k in ("clean", "noisy")),
        ),
    ]


def paired_by(report: Json) -> str:
    """Returns by what objects or files were paired, as it is written in a sentence."""
    by = report["pairing"]["by"]
    return "IoU" if by == "iou" else by


def number(value: float | None, *, sign: bool = False) -> str:
    """Returns a number with four digits after the point, a dash for None."""
    if value is None:
        return "–"
    return f"{value:+.4f}" if sign else f"{value:.4f}"


def percent(part: int, whole: int) -> str:
    """Returns a share in percent, a dash where there is no whole."""
    return f"{100 * part / whole:.1f} %" if whole else "–"


def _table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    cells = [[str(cell).replace("|", "\\|") for cell in row] for row in [header, *rows]]
    lines = [f"| {' | '.join(row)} |" for row in cells]
    return [lines[0], "|" + "---|" * len(header), *lines[1:]]
