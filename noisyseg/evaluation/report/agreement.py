"""How well pairs agree: masks, areas, boxes, parts and holes, classes; from the rows of all pairs."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from noisyseg.evaluation.report.distributions import distribution, mean, rounded, share
from noisyseg.evaluation.report.tables import TOLERANCE_NAMES, Rows, Tables

Json = dict[str, Any]
Floats = npt.NDArray[np.float64]
# Largest clean area of small and of medium objects, pixels, as COCO has them.
SMALL, MEDIUM = 32**2, 96**2
SIZES = ("small", "medium", "large")


def size_buckets(areas: Floats) -> npt.NDArray[np.int64]:
    """Returns the place in ``SIZES`` of each area in pixels."""
    return np.searchsorted([SMALL, MEDIUM], areas, side="right")


def mask_ious(pairs: Rows) -> Floats:
    """Returns the IoU of the masks of each pair; 1 where both are empty, NaN without masks."""
    union = pairs["clean_area"] + pairs["noisy_area"] - pairs["both"]
    return np.where(union > 0, pairs["both"] / np.where(union > 0, union, 1), np.where(np.isnan(union), np.nan, 1.0))


def box_ious(one: Floats, other: Floats) -> Floats:
    """Returns the IoU of boxes ``x0, y0, x1, y1`` row by row; 1 for equal ones without area."""
    sides = np.clip(np.minimum(one[:, 2:], other[:, 2:]) - np.maximum(one[:, :2], other[:, :2]), 0, None)
    both = sides.prod(axis=1)
    union = sum((boxes[:, 2:] - boxes[:, :2]).prod(axis=1) for boxes in (one, other)) - both
    return np.where(union > 0, both / np.where(union > 0, union, 1), (one == other).all(axis=1).astype(np.float64))


def pair_ious(pairs: Rows, *, masks: bool) -> Floats:
    """Returns the IoU of each pair: of masks, or of boxes where there are no masks."""
    return mask_ious(pairs) if masks else box_ious(pairs["clean_box"], pairs["noisy_box"])


def mask_agreement(pairs: Rows) -> Json:
    """Returns IoU, Dice, boundary F, Hausdorff distances and boundary bias of pairs of masks."""
    iou = mask_ious(pairs)
    areas = pairs["clean_area"] + pairs["noisy_area"]
    dice = np.where(areas > 0, 2 * pairs["both"] / np.where(areas > 0, areas, 1), 1.0)
    f = pairs["boundary_f"].astype(np.float64)
    return {
        "pairs": len(pairs),
        "changed": int((~pairs["same"]).sum()),
        "iou": distribution(iou, 0, 1),
        "dice": distribution(dice, 0, 1),
        "iou_below": {str(limit): share((iou < limit).sum(), len(iou)) for limit in (0.5, 0.75)},
        "boundary_f": {name: mean(f[:, k]) for k, name in enumerate(TOLERANCE_NAMES)},
        "boundary_f_histograms": {
            name: distribution(f[:, k], 0, 1)["histogram"] for k, name in enumerate(TOLERANCE_NAMES)
        },
        "boundary_distance": distribution(pairs["distance"]),
        "hausdorff95": distribution(pairs["hausdorff95"]),
        "boundary_bias": distribution(pairs["bias"], -10, 10),
    }


def short_agreement(pairs: Rows, *, masks: bool) -> Json:
    """Returns the few numbers that a table has room for."""
    iou = pair_ious(pairs, masks=masks)
    ratio = _ratios(pairs)
    found = {"pairs": len(pairs), "changed": int((~pairs["same"]).sum()), "mean_iou": mean(iou)}
    found["iou_below_0.5"] = share((iou < 0.5).sum(), len(iou))
    found["mean_area_ratio"] = mean(ratio)
    if masks:
        found["mean_boundary_f_2px"] = mean(pairs["boundary_f"][:, 1].astype(np.float64))
        found["mean_boundary_bias"] = mean(pairs["bias"])
    return found


def area_agreement(pairs: Rows) -> Json:
    """Returns how areas changed: ratios noisy / clean, where the clean object has an area."""
    ratio = _ratios(pairs)
    defined = pairs[np.isfinite(ratio)]
    logs = np.log(ratio, out=np.full(len(ratio), np.nan), where=ratio > 0)
    return {
        "ratio": distribution(ratio),
        "ratio_of_sums": share(defined["noisy_area"].sum(), defined["clean_area"].sum()),
        "log_ratio": distribution(logs, -2, 2),
        "share_larger": share((ratio > 1).sum(), len(defined)),
        "share_smaller": share((ratio < 1).sum(), len(defined)),
        "emptied": int(((pairs["clean_area"] > 0) & (pairs["noisy_area"] == 0)).sum()),
    }


def box_agreement(pairs: Rows, images: Rows, *, masks: bool) -> Json:
    """Returns how boxes changed, and whether they fit the masks."""
    clean, noisy = pairs["clean_box"], pairs["noisy_box"]
    sides = clean[:, 2:] - clean[:, :2]
    noisy_sides = noisy[:, 2:] - noisy[:, :2]
    usable = (sides > 0).all(axis=1)
    shift = (noisy[:, :2] + noisy[:, 2:] - clean[:, :2] - clean[:, 2:])[usable] / 2 / sides[usable]
    logs = np.full(shift.shape, np.nan)
    np.log(noisy_sides[usable] / sides[usable], out=logs, where=noisy_sides[usable] > 0)
    limits = np.stack([images["width"], images["height"]], axis=1)[pairs["image"]]
    found = {
        "iou": distribution(box_ious(clean, noisy), 0, 1),
        "changed": int((clean != noisy).any(axis=1).sum()),
        "dx_over_w": distribution(shift[:, 0], -1, 1),
        "dy_over_h": distribution(shift[:, 1], -1, 1),
        "log_w": distribution(logs[:, 0], -2, 2),
        "log_h": distribution(logs[:, 1], -2, 2),
        "share_inside": share(((noisy[:, :2] >= 0) & (noisy[:, 2:] <= limits)).all(axis=1).sum(), len(pairs)),
        "degenerate": int((noisy_sides < 1).any(axis=1).sum()),
        "stale": int(stale_boxes(pairs).sum()) if masks else 0,
    }
    if masks:
        found["consistency"] = {
            name: distribution(
                box_ious(pairs[f"{name}_box"], pairs[f"{name}_tight"].astype(np.float64))[pairs[f"{name}_area"] > 0],
                0,
                1,
            )
            for name in ("clean", "noisy")
        }
    return found


def stale_boxes(pairs: Rows) -> npt.NDArray[np.bool_]:
    """Returns which pairs have a mask with another tight box, and the box of the clean object all the same."""
    same_box = (pairs["clean_box"] == pairs["noisy_box"]).all(axis=1)
    return same_box & ~pairs["same"] & (pairs["clean_tight"] != pairs["noisy_tight"]).any(axis=1)


def topology(pairs: Rows, images: Rows) -> Json:
    """Returns parts and holes before and after, and the share of pixels that several objects of an image claim."""
    found: Json = {}
    for what in ("parts", "holes"):
        clean, noisy = pairs[f"clean_{what}"].astype(np.int64), pairs[f"noisy_{what}"].astype(np.int64)
        change = noisy - clean
        found[what] = {
            "clean": int(clean.sum()),
            "noisy": int(noisy.sum()),
            "lost": int(-change[change < 0].sum()),
            "gained": int(change[change > 0].sum()),
            "objects_changed": int((change != 0).sum()),
        }
    found["overlap"] = {
        name: share(int(images[f"{name}_twice"].sum()), int(images[f"{name}_claimed"].sum()))
        for name in ("clean", "noisy")
    }
    return found


def confusion(tables: Tables, names: tuple[str, ...]) -> Json:
    """Returns counts of clean class (row) and noisy class (column), and what follows from them; crowds left out.

    The last row counts objects that only the noisy file has, the last column those that only the clean file has.
    Further pieces of objects that noise split are in neither.
    """
    k = len(names)
    pairs = tables.pairs[~tables.pairs["crowd"]]
    matrix = np.zeros((k + 1, k + 1), np.int64)
    np.add.at(matrix, (pairs["clean_class"], pairs["noisy_class"]), 1)
    missing = tables.missing["class"][~tables.missing["crowd"]]
    bogus = tables.added["class"][~tables.added["crowd"] & ~tables.added["piece"]]
    matrix[:k, k] = np.bincount(missing, minlength=k)
    matrix[k, :k] = np.bincount(bogus, minlength=k)
    inner = matrix[:k, :k]
    rows = inner.sum(axis=1)
    normalised = inner / np.where(rows, rows, 1)[:, None]
    logs = np.log2(normalised, out=np.zeros(normalised.shape), where=normalised > 0)
    entropy = -(normalised * logs).sum(axis=1)
    flipped = rows - np.diag(inner)
    return {
        "classes": list(names),
        "counts": matrix.tolist(),
        "shares": np.round(normalised, 6).tolist(),
        "flip_rate": share(flipped.sum(), rows.sum()),
        "flip_rate_per_class": [
            share(part, whole) for part, whole in zip(flipped.tolist(), rows.tolist(), strict=True)
        ],
        "entropy_bits": rounded((entropy * rows).sum() / rows.sum()) if rows.sum() else None,
        "entropy_bits_per_class": [
            rounded(value) if whole else None for value, whole in zip(entropy.tolist(), rows.tolist(), strict=True)
        ],
    }


def _ratios(pairs: Rows) -> Floats:
    clean = pairs["clean_area"]
    return np.divide(pairs["noisy_area"], clean, out=np.full(len(clean), np.nan), where=clean > 0)
