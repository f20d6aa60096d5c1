"""Time the mask operations on tensors against OpenCV and mmseg, on the same arrays in the same run.

OMP_WAIT_POLICY=passive python benchmarks/bench_ops.py      # writes benchmarks/results/ops/ops.csv and ops.md
python benchmarks/bench_ops.py --only dilate --threads 1    # prints only

Each round times the other library, then ours. A row is of the fastest rounds, since other programs on the machine only
add to a time, and at these few milliseconds often more than the time itself; so rows have the same time, not the same
number of rounds. Both use the same number of threads.
Before, the results are compared: a row is of two programs that give the same. Columns of CUDA come only from a machine
that has it; there the times are between two synchronisations, of tensors on the device, and "x one core" is against
the other library with one thread. With PyTorch's default, threads that wait spin, and take the cores from OpenCV's and
from other programs; `OMP_WAIT_POLICY=passive` lets them sleep.
"""

import argparse
import csv
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from mmseg.evaluation import IoUMetric
from skimage.morphology import disk

from noisyseg import ops

RESULTS = Path(__file__).resolve().parent / "results" / "ops"
SIZE = (8, 512, 1024)
RADII = (1, 3, 7, 15)
CLASSES = 21
LEAST = 9  # rounds


class Case(NamedTuple):
    """One row: ours on tensors, theirs on the arrays below, and whether both gave the same."""

    name: str
    other: str
    inputs: tuple[torch.Tensor, ...]
    ours: Callable[..., torch.Tensor]
    theirs: Callable[[], object]
    same: Callable[[torch.Tensor, object], bool]


def main(argv: Sequence[str] | None = None) -> int:
    """Print one line a case and number of threads, and write them all where none was left out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=8.0, help="of pairs of timings a row (default: 8)")
    parser.add_argument("--threads", type=int, nargs="+", default=(1, 2), help="of both libraries (default: 1 2)")
    parser.add_argument("--only", default="", help="cases whose name contains this; then nothing is written")
    arguments = parser.parse_args(argv)
    rows, alone = [], {}
    # glibc can map a block that is larger than all freed before anew each time; its pages cost more than an operation.
    # A training frees large ones all the time. Here it is one of nearly 32 MiB, the largest that glibc keeps.
    torch.empty(31 << 20, dtype=torch.uint8)
    print(_machine())
    for threads in arguments.threads:
        torch.set_num_threads(threads)
        cv2.setNumThreads(threads)
        for case in cases():
            if arguments.only in case.name:
                row = _measure(case, threads, arguments.seconds)
                alone.setdefault(case.name, row["other_ms"])
                if torch.cuda.is_available() and threads == arguments.threads[0] == 1:
                    row |= _measure_cuda(case, arguments.seconds, alone[case.name])
                rows.append(row)
                print(_markdown_row(row.values()), flush=True)
    if not arguments.only:
        _write(rows, arguments.seconds)
    return 0


def cases() -> Iterator[Case]:
    """Yield what is timed, on blobs of noise and on maps of classes."""
    rng = np.random.default_rng(0)
    smooth = [cv2.GaussianBlur(rng.normal(size=SIZE[1:]).astype(np.float32), (0, 0), 6) for _ in range(SIZE[0])]
    masks = np.stack(smooth) > 0
    labels = np.digitize(np.stack(smooth), np.linspace(-0.1, 0.1, CLASSES - 1)).astype(np.uint8)
    mask_tensor, label_tensor = torch.from_numpy(masks), torch.from_numpy(labels)
    grey = masks.view(np.uint8)
    for shape in ("square", "disk"):
        for radius in RADII:
            kernel = disk(radius) if shape == "disk" else np.ones((2 * radius + 1,) * 2, np.uint8)
            for name in ("dilate", "erode"):
                yield Case(
                    f"{name}, {shape} {radius}",
                    f"cv2.{name}",
                    (mask_tensor,),
                    lambda one, name=name, radius=radius, shape=shape: getattr(ops, name)(one, radius, shape),
                    lambda name=name, kernel=kernel: [getattr(cv2, name)(one, kernel) for one in grey],
                    _equal,
                )
    for radius in RADII:
        kernel = disk(radius)
        yield Case(
            f"boundary_band, disk {radius}",
            "cv2.dilate != cv2.erode",
            (label_tensor,),
            lambda one, radius=radius: ops.boundary_band(one, radius),
            lambda kernel=kernel: _mixed(labels, kernel),
            _equal,
        )
    for connectivity, kernel in ((4, disk(1)), (8, np.ones((3, 3), np.uint8))):
        for dtype in (torch.uint8, torch.int64):
            yield Case(
                f"label_edges, {connectivity}, {str(dtype).removeprefix('torch.')}",
                "cv2.dilate != cv2.erode, uint8",
                (label_tensor.to(dtype),),
                lambda one, connectivity=connectivity: ops.label_edges(one, connectivity),
                lambda kernel=kernel: _mixed(labels, kernel),
                _equal,
            )
    given = torch.from_numpy(rng.integers(0, CLASSES, (8, 512, 512)))
    given[:, :16] = 255
    predicted = torch.from_numpy(rng.integers(0, CLASSES, (8, 512, 512)))
    yield Case(
        f"confusion_counts, {CLASSES} classes, 8 x 512 x 512 int64",
        "mmseg intersect_and_union",
        (given, predicted),
        lambda one, other: ops.confusion_counts(one, other, CLASSES),
        lambda: IoUMetric.intersect_and_union(predicted, given, CLASSES, 255),
        lambda counts, areas: torch.equal(counts[:CLASSES].diag().float(), areas[0]),
    )


def _mixed(labels: np.ndarray, kernel: np.ndarray) -> list[np.ndarray]:
    return [cv2.dilate(one, kernel) != cv2.erode(one, kernel) for one in labels]


def _equal(ours: torch.Tensor, theirs: list[np.ndarray]) -> bool:
    return np.array_equal(ours.numpy(), np.stack(theirs))


def _measure(case: Case, threads: int, seconds: float) -> dict[str, object]:
    if not case.same(case.ours(*case.inputs), case.theirs()):
        raise RuntimeError(f"{case.name}: not what {case.other} gives")
    ours, theirs = [], []
    while len(ours) < LEAST or sum(ours) + sum(theirs) < seconds:
        theirs.append(_seconds(case.theirs))
        ours.append(_seconds(lambda: case.ours(*case.inputs)))
    ms, other_ms = (1000 * min(times) for times in (ours, theirs))
    return {
        "operation": case.name,
        "threads": threads,
        "ms": f"{ms:.2f}",
        "other": case.other,
        "other_ms": f"{other_ms:.2f}",
        "ratio": f"{ms / other_ms:.2f}",
    }


def _measure_cuda(case: Case, seconds: float, other_ms: str) -> dict[str, str]:
    inputs = [one.cuda() for one in case.inputs]
    case.ours(*inputs)

    def call() -> None:
        case.ours(*inputs)
        torch.cuda.synchronize()

    call()
    times: list[float] = []
    while len(times) < LEAST or sum(times) < seconds:
        times.append(_seconds(call))
    ms = 1000 * min(times)
    return {"cuda_ms": f"{ms:.3f}", "x one core": f"{float(other_ms) / ms:.0f}"}


def _seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def _machine() -> str:
    """Return the processor, the device if there is one, and the versions."""
    models = [line.partition(": ")[2] for line in _lines(Path("/proc/cpuinfo")) if line.startswith("model name")]
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "no CUDA device"
    return (
        f"{models[0] if models else platform.processor() or platform.machine()}, {os.cpu_count()} cores, {device}, "
        f"Python {platform.python_version()}, PyTorch {torch.__version__}, OpenCV {cv2.__version__}, "
        f"OMP_WAIT_POLICY={os.environ.get('OMP_WAIT_POLICY', 'unset')}"
    )


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.is_file() else []


def _write(rows: list[dict[str, object]], seconds: float) -> None:
    RESULTS.mkdir(parents=True, exist_ok=True)
    columns = list(dict.fromkeys(column for row in rows for column in row))
    with (RESULTS / "ops.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    lines = [_markdown_row(columns), _markdown_row(["---"] * len(columns))]
    lines += [_markdown_row(row.get(column, "") for column in columns) for row in rows]
    size = " x ".join(map(str, SIZE))
    head = f"{_machine()}. Batches of {size} where nothing else is said; the fastest in {seconds:g} s.\n\n"
    (RESULTS / "ops.md").write_text(head + "\n".join(lines) + "\n", encoding="utf-8")


def _markdown_row(cells: Iterator[object] | Sequence[object]) -> str:
    return "| " + " | ".join(map(str, cells)) + " |"


if __name__ == "__main__":
    sys.exit(main())
