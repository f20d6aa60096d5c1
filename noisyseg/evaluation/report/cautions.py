"""What a user of the noisy file should know before training on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from noisyseg.evaluation.report.recipes import even_sizes, excessive_probs

Json = dict[str, Any]
# Share of changed masks with the clean box from which boxes count as stale on the whole.
LOW_CONSISTENCY = 0.9


def caution(code: str, message: str) -> Json:
    """Returns one warning."""
    return {"code": code, "message": message}


def recipe_cautions(manifest: Mapping[str, Any] | None, hashes: Mapping[str, str]) -> list[Json]:
    """Returns what is wrong with a recipe and with the manifest that holds it."""
    if manifest is None:
        return []
    found = []
    recipe = manifest.get("recipe") or {}
    if sizes := even_sizes(recipe):
        found.append(caution("even_kernel", f"sizes {sizes} of structuring elements are even: they move masks"))
    for probs in excessive_probs(recipe):
        found.append(caution("probs_above_1", f"the shares {probs} of a OneOf sum to more than 1"))
    for name in ("clean", "noisy"):
        given = (manifest.get(name) or {}).get("sha256")
        if given and given != hashes[name]:
            found.append(
                caution("other_file", f"the {name} file is not the one in the manifest: SHA-256 {hashes[name][:12]}…")
            )
    return found + [caution("generator", str(text)) for text in manifest.get("warnings") or ()]


def instance_cautions(report: Mapping[str, Any]) -> list[Json]:
    """Returns what the numbers of a report on instances say against the noisy file."""
    counts, boxes = report["counts"], report["boxes"]
    found = []
    if boxes["stale"]:
        found.append(
            caution(
                "stale_boxes",
                f"{boxes['stale']} noisy masks have the box of the clean object: detectors train their box head on it",
            )
        )
    elif (consistency := boxes.get("consistency")) and (consistency["noisy"]["mean"] or 1) < LOW_CONSISTENCY:
        found.append(
            caution(
                "boxes_off_masks",
                f"noisy boxes fit their masks badly: mean IoU {consistency['noisy']['mean']:.3f} with the tight box",
            )
        )
    for key, code, text in (
        ("degenerate", "degenerate_boxes", "noisy boxes have a side below one pixel: mmdet leaves these objects out"),
    ):
        if boxes[key]:
            found.append(caution(code, f"{boxes[key]} {text}"))
    for key, code, text in (
        ("empty_masks", "empty_masks", "noisy masks are empty"),
        ("images_emptied", "images_emptied", "images lost all their objects: mmdet's filter_empty_gt drops them"),
        ("crowds_changed", "crowds_changed", "crowd regions are not as they were"),
    ):
        if counts.get(key):
            found.append(caution(code, f"{counts[key]} {text}"))
    for check in report["rates"]:
        if check["passed"] is False:
            low, high = check["interval"]
            found.append(
                caution(
                    "rate",
                    f"{check['op']} was applied {check['realised']} times; at the rate asked for, "
                    f"{check['requested_rate']:.4g}, 99 of 100 files have {low} to {high}",
                )
            )
    return found
