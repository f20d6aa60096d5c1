"""The report on two folders of label maps: which pixels have another class, and where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from joblib import Parallel, delayed
from tqdm import tqdm

from noisyseg.evaluation.report.cautions import caution
from noisyseg.evaluation.report.distributions import rounded, share
from noisyseg.labels import IGNORE, LabelError
from noisyseg.labels.label_pngs import read_label_png

Json = dict[str, Any]
Classes = npt.NDArray[np.integer]
BANDS = (1, 2, 3, 5, 10)
MOST = 256


@dataclass
class MapCounts:
    """Counts of one image, or of several together.

    Attributes:
        matrix: (256, 256) pixels by clean and noisy number, ignored ones left out.
        flipped: (B + 1,) changed pixels in each band around clean boundaries, and in all.
        pixels: (B + 1,) all pixels of these.
        parts: (2, 256) 8-connected parts of each class, clean and noisy.
        lost: Ignored pixels that have a class in the noisy map.
        ignored: Pixels with a class that the noisy map ignores.
    """

    matrix: npt.NDArray[np.int64]
    flipped: npt.NDArray[np.int64]
    pixels: npt.NDArray[np.int64]
    parts: npt.NDArray[np.int64]
    lost: int
    ignored: int

    def __add__(self, other: MapCounts) -> MapCounts:
        return MapCounts(*(a + b for a, b in zip(vars(self).values(), vars(other).values(), strict=True)))


def compare_maps(
    clean: Path,
    noisy: Path,
    names: Sequence[str],
    classes: Mapping[int, str],
    ignored: Sequence[int],
    *,
    workers: int,
    progress: bool,
) -> Json:
    """Returns what there is to say about two folders of label maps.

    Args:
        clean: The clean folder.
        noisy: The noisy folder.
        names: Files that both have, relative to them.
        classes: Names of classes by their number, as far as they are known.
        ignored: Numbers of ignored pixels.
        workers: Number of processes; the result does not depend on it.
        progress: Whether to draw a progress bar on stderr.

    Raises:
        LabelError: A file cannot be used, or the sizes differ; the message names it.
    """
    jobs = (delayed(_of_file)(clean / name, noisy / name, tuple(ignored)) for name in names)
    results = (
        (call(*arguments) for call, arguments, _ in jobs)
        if workers == 1
        else Parallel(n_jobs=workers, return_as="generator")(jobs)
    )
    total = reduce(add, tqdm(results, total=len(names), unit="map", disable=not progress))
    report = _report(total, classes)
    report["counts"]["maps"] = len(names)
    return report


def count_maps(clean: Classes, noisy: Classes, ignore: int = IGNORE) -> MapCounts:
    """Returns the counts of one image.

    A pixel is within r pixels of a clean boundary when a pixel of another class is at most r away from it, centre to
    centre; ignored pixels have no class.

    Args:
        clean: (H, W) numbers of classes, 0 to 255.
        noisy: The same, noisy.
        ignore: Number of ignored pixels.
    """
    valid = (clean != ignore) & (noisy != ignore)
    codes = clean[valid].astype(np.int64) * MOST + noisy[valid]
    matrix = np.bincount(codes, minlength=MOST * MOST).reshape(MOST, MOST)
    distances = _boundary_distances(clean, ignore)[valid]
    changed = (clean != noisy)[valid]
    near = [distances <= band + 1e-3 for band in BANDS]  # OpenCV's distances are rounded to 32 bits
    return MapCounts(
        matrix,
        np.array([*(np.count_nonzero(changed & band) for band in near), np.count_nonzero(changed)]),
        np.array([*(np.count_nonzero(band) for band in near), changed.size]),
        np.stack([_parts(labels, ignore) for labels in (clean, noisy)]),
        int(np.count_nonzero((clean == ignore) & (noisy != ignore))),
        int(np.count_nonzero((clean != ignore) & (noisy == ignore))),
    )


def _boundary_distances(classes: Classes, ignore: int) -> npt.NDArray[np.float32]:
    """Returns the distance of each pixel to the nearest one of another class; infinite where there is none."""
    distances = np.full(classes.shape, np.inf, np.float32)
    present = [k for k in np.unique(classes).tolist() if k != ignore]
    if len(present) < 2:
        return distances
    for k in present:
        own = classes == k
        others = ~own & (classes != ignore)
        to_others = cv2.distanceTransform((~others).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        distances[own] = to_others[own]
    return distances


def _parts(classes: Classes, ignore: int) -> npt.NDArray[np.int64]:
    parts = np.zeros(MOST, np.int64)
    for k in np.unique(classes).tolist():
        if k != ignore:
            parts[k] = cv2.connectedComponents((classes == k).astype(np.uint8), connectivity=8)[0] - 1
    return parts


def _of_file(clean: Path, noisy: Path, ignored: tuple[int, ...]) -> MapCounts:
    cv2.setNumThreads(1)
    maps = [read_label_png(path).pixels for path in (clean, noisy)]
    for path, pixels in zip((clean, noisy), maps, strict=True):
        if pixels.max(initial=0) >= MOST:
            raise LabelError(f"expected numbers of classes below {MOST}, got {pixels.max()}", file=path)
    if maps[0].shape != maps[1].shape:
        raise LabelError(f"expected a map of {maps[0].shape} as in {clean}, got {maps[1].shape}", file=noisy)
    return count_maps(
        *(np.where(np.isin(pixels, ignored), MOST, pixels.astype(np.int64)) for pixels in maps), ignore=MOST
    )


def _report(total: MapCounts, classes: Mapping[int, str]) -> Json:
    used = np.flatnonzero(total.matrix.any(axis=0) | total.matrix.any(axis=1))
    size = max(max(classes, default=-1), int(used.max(initial=-1))) + 1
    names = [classes.get(k, f"class {k}") for k in range(size)]
    matrix = total.matrix[:size, :size]
    right, clean, noisy = np.diag(matrix), matrix.sum(axis=1), matrix.sum(axis=0)
    union = clean + noisy - right
    rows = [
        {
            "class": names[k],
            "clean_pixels": int(clean[k]),
            "noisy_pixels": int(noisy[k]),
            "recall": share(int(right[k]), int(clean[k])),
            "precision": share(int(right[k]), int(noisy[k])),
            "iou": share(int(right[k]), int(union[k])),
            "clean_parts": int(total.parts[0, k]),
            "noisy_parts": int(total.parts[1, k]),
        }
        for k in range(size)
        if clean[k] or noisy[k]
    ]
    ious = [row["iou"] for row in rows if row["iou"] is not None]
    normalised = matrix / np.where(clean, clean, 1)[:, None]
    flips = {
        f"within {band} px": share(int(part), int(whole))
        for band, part, whole in zip(BANDS, total.flipped, total.pixels, strict=False)
    }
    warnings = []
    if total.lost:
        warnings.append(caution("ignore_touched", f"{total.lost} ignored pixels have a class in the noisy maps"))
    if total.ignored:
        warnings.append(caution("pixels_ignored", f"the noisy maps ignore {total.ignored} pixels that had a class"))
    return {
        "kind": "semantic",
        "counts": {
            "pixels": int(total.pixels[-1]),
            "pixels_changed": int(total.flipped[-1]),
            "ignored_touched": total.lost,
            "newly_ignored": total.ignored,
            "clean_parts": int(total.parts[0].sum()),
            "noisy_parts": int(total.parts[1].sum()),
        },
        "flipped": {"all": share(int(total.flipped[-1]), int(total.pixels[-1])), **flips},
        "mean_iou": rounded(float(np.mean(ious))) if ious else None,
        "classes": rows,
        "confusion": {
            "classes": names,
            "counts": matrix.tolist(),
            "shares": np.round(normalised, 6).tolist(),
            "flip_rate": share(int(total.flipped[-1]), int(total.pixels[-1])),
        },
        "warnings": warnings,
    }
