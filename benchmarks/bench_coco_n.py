"""Time the COCO-N generator, beside the authors' primitives where a checkout of them is given.

    python benchmarks/bench_coco_n.py instances_train2017.json --sizes 36000 360000 --workers 1 2
    python benchmarks/bench_coco_n.py … --official path/to/noisy_labels

The COCO file is scaled up by repeating its images with new ids. Every row is a whole process: interpreter start,
reading, noise, provenance, writing, manifest. The official row is the authors' loop alone, without reading
and writing, on the first annotations of the same file; runs of both alternate, so that a busy machine slows both.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from coco_scaling import write_scaled, write_shards

OFFICIAL = """
import contextlib, io, json, sys, time
sys.argv = ["noise_annotations", "."]
import noise_annotations
from pycocotools.coco import COCO
with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
    coco = COCO({path!r})
    with open({path!r}) as file:
        document = json.load(file)
    document["annotations"] = document["annotations"][:{count}]
    hard = {{"approximation": [0.3, 15], "localization": [0.3, 4], "rand": [0.3, 7], "flip_class": 0.4}}
    start = time.perf_counter()
    noise_annotations.change_boundaries_for_file(document, coco, hard, 1)
print(time.perf_counter() - start)
"""


def run_ours(recipe: str, source: Path, target: Path, workers: int) -> tuple[float, float]:
    """Returns wall seconds and peak memory in GB, summed over the processes, of one whole run."""
    tool = Path(__file__).resolve().parent.parent / "tools" / "make_noise.py"
    command = [sys.executable, str(tool), recipe, str(source), str(target), "--seed", "0", "--force"]
    start = time.perf_counter()
    process = subprocess.Popen([*command, "--workers", str(workers)], stdout=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:
        peak = max(peak, tree_memory(process.pid))
        time.sleep(0.5)  # to add up the pages of a process takes long, and stops it meanwhile
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return time.perf_counter() - start, peak / 1e9


def tree_memory(pid: int) -> int:
    """Returns the bytes that a process and its children hold, shared pages counted once (Linux)."""
    import psutil

    total = 0
    for process in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True)):
        try:
            total += process.memory_full_info().pss
        except psutil.Error:  # it has just ended
            continue
    return total


def run_official(checkout: Path, source: Path, count: int) -> float:
    """Returns the seconds that the authors' loop takes for ``count`` annotations."""
    code = OFFICIAL.format(path=str(source), count=count)
    environment = os.environ | {"PYTHONPATH": str(checkout), "PYTHONWARNINGS": "ignore"}
    result = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    return float(result.stdout)


def main() -> int:
    """Runs the benchmark and prints a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("coco", type=Path)
    parser.add_argument("--recipe", default="coco_n_hard")
    parser.add_argument("--sizes", type=int, nargs="+", default=[36_000])
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--shards", type=int, help="split the file into so many, and give the folder to the tool")
    parser.add_argument("--official", type=Path, help="checkout that holds the authors' noise_annotations.py")
    parser.add_argument("--official-count", type=int, default=4000, help="annotations of one official run")
    args = parser.parse_args()
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}\n")
    print("| annotations | generator | seconds | annotations/s | peak memory, GB | ratio to official |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for size in args.sizes:
            source = write_scaled(args.coco, size, Path(folder) / f"instances_train_{size}.json")
            given, target = source, Path(folder) / "noisy.json"
            if args.shards:
                given, target = (
                    write_shards(source, args.shards, Path(folder) / f"shards_{size}"),
                    Path(folder) / "noisy",
                )
            official: list[float] = []
            for workers in args.workers:
                seconds, memory, ratios = [], [], []
                for _ in range(args.runs):
                    wall, peak = run_ours(args.recipe, given, target, workers)
                    seconds.append(wall)
                    memory.append(peak)
                    if args.official:
                        rate = args.official_count / run_official(args.official, source, args.official_count)
                        official.append(rate)
                        ratios.append(size / wall / rate)
                median = statistics.median(seconds)
                ratio = f"{statistics.median(ratios):.1f}" if ratios else ""
                print(
                    f"| {size:,} | ours, {workers} processes | {median:.2f} | {size / median:,.0f} "
                    f"| {max(memory):.2f} | {ratio} |",
                    flush=True,
                )
            if official:
                print(
                    f"| {args.official_count:,} | official loop | | {statistics.median(official):,.0f} | | 1 |",
                    flush=True,
                )
    return 0


if __name__ == "__main__":
    sys.exit(main())
