"""The report on two folders of edge labels: how far edges moved, what is lost, what is new."""

from __future__ import annotations

from collections.abc import Sequence
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

from noisyseg.evaluation.report.distributions import rounded, share
from noisyseg.labels import EdgeMap, LabelError
from noisyseg.labels.label_pngs import read_label_png
from noisyseg.labels.mat_files import read_mat

Json = dict[str, Any]
Edges = npt.NDArray[np.bool_]
# Shares of the diagonal: the tolerances of re-annotated and of original SBD.
TOLERANCES = (0.0075, 0.02)
# Width of a bin and end of the histogram, pixels; PNT-Edge leaves out shifts above the end.
BIN, END = 0.5, 15.0
BINS = int(END / BIN) + 1  # the last one holds all above


@dataclass
class EdgeCounts:
    """Counts of one edge map, or of several together; first noisy to clean, then clean to noisy.

    Attributes:
        pixels: (2,) edge pixels, noisy and clean.
        alone: (2,) of these in a channel where the other map has no edge at all.
        histogram: (2, B) distances to the nearest edge pixel of the other map.
        squares: (2,) sum of the squared distances.
        far: (2,) distances above 15 px.
        within: (2, T) pixels within each tolerance.
    """

    pixels: npt.NDArray[np.int64]
    alone: npt.NDArray[np.int64]
    histogram: npt.NDArray[np.int64]
    squares: npt.NDArray[np.float64]
    far: npt.NDArray[np.int64]
    within: npt.NDArray[np.int64]

    def __add__(self, other: EdgeCounts) -> EdgeCounts:
        return EdgeCounts(*(a + b for a, b in zip(vars(self).values(), vars(other).values(), strict=True)))


def compare_edges(clean: Path, noisy: Path, names: Sequence[str], *, workers: int, progress: bool) -> Json:
    """Returns what there is to say about two folders of edge labels.

    Args:
        clean: The clean folder.
        noisy: The noisy folder.
        names: Files that both have, relative to them: ``.mat`` or PNG.
        workers: Number of processes; the result does not depend on it.
        progress: Whether to draw a progress bar on stderr.

    Raises:
        LabelError: A file cannot be used, or sizes or channels differ; the message names it.
    """
    jobs = (delayed(_of_file)(clean / name, noisy / name) for name in names)
    results = (
        (call(*arguments) for call, arguments, _ in jobs)
        if workers == 1
        else Parallel(n_jobs=workers, return_as="generator")(jobs)
    )
    total = reduce(add, tqdm(results, total=len(names), unit="map", disable=not progress))
    return _report(total, len(names))


def count_edges(clean: Edges, noisy: Edges) -> EdgeCounts:
    """Returns the counts of one edge map.

    Args:
        clean: (K, H, W) clean edges; a channel is compared with the same channel only.
        noisy: (K, H, W) noisy edges.
    """
    diagonal = float(np.hypot(*clean.shape[1:]))
    limits = [share * diagonal for share in TOLERANCES]
    counts = EdgeCounts(
        np.zeros(2, np.int64),
        np.zeros(2, np.int64),
        np.zeros((2, BINS), np.int64),
        np.zeros(2),
        np.zeros(2, np.int64),
        np.zeros((2, len(TOLERANCES)), np.int64),
    )
    for ours, theirs in zip(clean, noisy, strict=True):
        for k, (here, there) in enumerate(((theirs, ours), (ours, theirs))):
            counts.pixels[k] += np.count_nonzero(here)
            if not there.any():
                counts.alone[k] += np.count_nonzero(here)
                continue
            background = (~there.astype(bool)).astype(np.uint8)
            found = cv2.distanceTransform(background, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[here.astype(bool)]
            # Squared distances between pixels are whole numbers: so 32 bits lose nothing.
            squares = np.rint(found.astype(np.float64) ** 2)
            distances = np.sqrt(squares)
            counts.histogram[k] += np.bincount(np.minimum(distances / BIN, BINS - 1).astype(np.int64), minlength=BINS)
            counts.squares[k] += squares.sum()
            counts.far[k] += np.count_nonzero(distances > END)
            counts.within[k] += [np.count_nonzero(distances <= limit) for limit in limits]
    return counts


def read_edges(path: Path) -> list[Edges]:
    """Returns the (K, H, W) edge maps of a file: one, or for BSDS500 one an annotator.

    In a PNG every number but 0 is an edge.

    Raises:
        LabelError: The file cannot be used.
    """
    if path.suffix.lower() == ".mat":
        try:
            return [labels.edges.astype(bool) for labels in read_mat(path, EdgeMap).maps]
        except OSError as error:
            raise LabelError(f"cannot be read: {error.strerror or error}", file=path) from error
    return [(read_label_png(path).pixels > 0)[None]]


def _of_file(clean: Path, noisy: Path) -> EdgeCounts:
    cv2.setNumThreads(1)
    ours, theirs = read_edges(clean), read_edges(noisy)
    forms = [[edges.shape for edges in maps] for maps in (ours, theirs)]
    if forms[0] != forms[1]:
        raise LabelError(f"expected edge maps of {forms[0]} as in {clean}, got {forms[1]}", file=noisy)
    return reduce(add, (count_edges(*pair) for pair in zip(ours, theirs, strict=True)))


def _report(total: EdgeCounts, files: int) -> Json:
    measured = total.pixels - total.alone
    tolerances = {}
    for t, name in enumerate(TOLERANCES):
        precision, recall = (share(int(total.within[k, t]), int(total.pixels[k])) for k in range(2))
        f = None
        if precision is not None and recall is not None:
            f = rounded(2 * precision * recall / (precision + recall)) if precision + recall else 0.0
        tolerances[f"{name:g} of the diagonal"] = {"precision": precision, "recall": recall, "f": f}
    return {
        "kind": "edges",
        "counts": {
            "maps": files,
            "clean_pixels": int(total.pixels[1]),
            "noisy_pixels": int(total.pixels[0]),
            "pixel_ratio": share(int(total.pixels[0]), int(total.pixels[1])),
            "noisy_without_clean": int(total.alone[0]),
            "clean_without_noisy": int(total.alone[1]),
        },
        "displacement": {
            name: {
                "rms": rounded(float(np.sqrt(total.squares[k] / measured[k]))) if measured[k] else None,
                "share_above_15px": share(int(total.far[k]), int(measured[k])),
                "histogram": {"low": 0.0, "high": END + BIN, "counts": total.histogram[k].tolist()},
            }
            for k, name in enumerate(("noisy_to_clean", "clean_to_noisy"))
        },
        "tolerances": tolerances,
        "warnings": [],
    }
