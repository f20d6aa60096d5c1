"""Time edge labels: drawn from label maps, expanded to channels, read from files; and the edges of images.

python benchmarks/bench_edge_labels.py                # writes benchmarks/results/edge_labels/edge_labels.{csv,md}
python benchmarks/bench_edge_labels.py --only draw    # prints only

One thread, one map of 512 x 1024 with 19 classes in random regions of about 60 pixels, the size of a Cityscapes crop.
Where a row has another program beside ours, both are timed in turn and have to give the same. A row is of the fastest
rounds, since other programs on the machine only add to a time.
"""

import argparse
import csv
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch

from noisyseg.integration.segmentation.edges import ComputeImageEdges, EdgesFromLabels
from noisyseg.labels.edge_bits import packed_edges, unpacked_edges
from noisyseg.labels.edge_files import read_edge_annotators, write_edge_bits
from noisyseg.labels.edges import class_edges, thinned
from noisyseg.ops import edge_bits, expand_bits

RESULTS = Path(__file__).resolve().parent / "results" / "edge_labels"
SIZE = (512, 1024)
CLASSES = 19
SHARED = Path(os.environ.get("NOISYSEG_SHARED", Path(__file__).resolve().parents[2] / "shared"))


class Case(NamedTuple):
    """One row: ours, and the other program with its name where there is one."""

    name: str
    ours: Callable[[], np.ndarray]
    other: str = ""
    theirs: Callable[[], np.ndarray] | None = None


def main(argv: Sequence[str] | None = None) -> int:
    """Print one line a case, and write them all where none was left out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15, help="timings a row (default: 15)")
    parser.add_argument("--only", default="", help="cases whose name contains this; then nothing is written")
    arguments = parser.parse_args(argv)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as folder:
        rows = []
        for case in _cases(Path(folder)):
            if arguments.only in case.name:
                rows.append(_measured(case, arguments.rounds))
                print(_markdown_row(rows[-1].values()), flush=True)
    if not arguments.only:
        _write(rows, arguments.rounds)
    return 0


def _labels() -> np.ndarray:
    smooth = cv2.GaussianBlur(np.random.default_rng(0).normal(size=SIZE), (0, 0), 12)
    labels = np.digitize(smooth, np.quantile(smooth, np.linspace(0, 1, CLASSES + 1)[1:-1])).astype(np.uint8)
    labels[:40] = 255
    return labels


def _cases(folder: Path) -> Iterator[Case]:
    labels = _labels()
    tensor = torch.from_numpy(labels)
    objects = np.arange(SIZE[1], dtype=np.int32)[None].repeat(SIZE[0], 0) // 64
    for radius in (1, 2, 5):
        yield Case(
            f"draw bits, radius {radius}",
            lambda radius=radius: edge_bits(tensor, CLASSES, radius).numpy(),
            "class_edges, class by class",
            lambda radius=radius: packed_edges(class_edges(labels, CLASSES, radius), labels == 255),
        )
    yield Case(
        "draw bits, radius 2, between objects too",
        lambda: edge_bits(tensor, CLASSES, 2, torch.from_numpy(objects)).numpy(),
        "class_edges, class by class",
        lambda: packed_edges(class_edges(labels, CLASSES, 2, objects), labels == 255),
    )
    bits = edge_bits(tensor, CLASSES, 2)
    yield Case(
        f"expand bits to {CLASSES} channels",
        lambda: expand_bits(bits, CLASSES).numpy(),
        "shifts of numpy",
        lambda: unpacked_edges(bits.numpy(), CLASSES),
    )
    yield Case("EdgesFromLabels, radius 2", lambda: _edges(labels, 2, thin=False))
    channels = unpacked_edges(_edges(labels, 1, thin=False), CLASSES)
    yield Case(
        "EdgesFromLabels, radius 1, thin",
        lambda: _edges(labels, 1, thin=True),
        "the thinning alone, by scikit-image",
        lambda: packed_edges(np.stack([thinned(one) for one in channels]), labels == 255),
    )
    image = np.repeat(cv2.GaussianBlur(labels, (7, 7), 2)[..., None] * 12, 3, axis=2).astype(np.uint8)
    yield Case("ComputeImageEdges", lambda: ComputeImageEdges()({"img": image})["gt_image_edges"])
    for suffix, count in ((".png", 15), (".bin", CLASSES)):
        path = folder / f"edges{suffix}"
        write_edge_bits(path, torch.where(bits < 0, bits, bits & (2**count - 1)).numpy(), count)
        yield Case(f"read {suffix}", lambda path=path, count=count: read_edge_annotators(path, count, SIZE))
    files = sorted((SHARED / "data/bsds500/BSDS500/data/groundTruth/val").glob("*.mat"))
    if files:
        yield Case("read .mat of BSDS500, 481 x 321, 5 annotators", lambda: read_edge_annotators(files[0], 1))


def _edges(labels: np.ndarray, radius: int, thin: bool) -> np.ndarray:
    return EdgesFromLabels(CLASSES, radius, thin=thin)({"gt_seg_map": labels})["gt_edge_bits"]


def _measured(case: Case, rounds: int) -> dict[str, str]:
    result = case.ours()
    if case.theirs is not None and not np.array_equal(result, case.theirs()):
        raise SystemExit(f"{case.name}: the results of ours and of {case.other} differ")
    ours, theirs = [], []
    for _ in range(rounds):
        if case.theirs is not None:
            theirs.append(_seconds(case.theirs))
        ours.append(_seconds(case.ours))
    ms = 1000 * min(ours)
    row = {"operation": case.name, "ms": f"{ms:.1f}", "other": case.other, "other, ms": "", "times as fast": ""}
    if theirs:
        row |= {"other, ms": f"{1000 * min(theirs):.1f}", "times as fast": f"{1000 * min(theirs) / ms:.1f}"}
    return row


def _seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def _write(rows: list[dict[str, str]], rounds: int) -> None:
    RESULTS.mkdir(parents=True, exist_ok=True)
    with (RESULTS / "edge_labels.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    models = [line.partition(": ")[2] for line in _processor() if line.startswith("model name")]
    head = (
        f"{models[0] if models else platform.machine()}, one thread, Python {platform.python_version()}, PyTorch "
        f"{torch.__version__}, OpenCV {cv2.__version__}. {SIZE[0]} x {SIZE[1]}, {CLASSES} classes where nothing "
        f"else is said; the fastest of {rounds} rounds.\n\n"
    )
    lines = [_markdown_row(rows[0]), _markdown_row(["---"] * len(rows[0]))]
    lines += [_markdown_row(row.values()) for row in rows]
    (RESULTS / "edge_labels.md").write_text(head + "\n".join(lines) + "\n", encoding="utf-8")


def _processor() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text(encoding="utf-8").splitlines() if path.is_file() else []


def _markdown_row(cells: Sequence[object] | Iterator[object]) -> str:
    return "| " + " | ".join(map(str, cells)) + " |"


if __name__ == "__main__":
    sys.exit(main())
