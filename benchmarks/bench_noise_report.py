"""Time the noise report on a COCO file scaled up and a noisy copy of it.

    python benchmarks/bench_noise_report.py instances_train2017.json --sizes 36000 860000 --workers 1 2

The COCO file is scaled up by repeating its images with new ids, and made noisy once a size. Every row is a whole
process: interpreter start, reading both files, pairing, measuring, drawing, writing.
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

from coco_scaling import write_scaled

TOOLS = Path(__file__).resolve().parent.parent / "tools"


def run_report(clean: Path, noisy: Path, out: Path, workers: int) -> tuple[float, float]:
    """Returns wall seconds and peak memory in GB, summed over the processes, of one report."""
    command = [sys.executable, str(TOOLS / "noise_report.py"), str(clean), str(noisy), "--out", str(out), "--force"]
    start = time.perf_counter()
    process = subprocess.Popen([*command, "--workers", str(workers)], stdout=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:
        peak = max(peak, tree_memory(process.pid))
        time.sleep(0.5)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return time.perf_counter() - start, peak / 1e9


def tree_memory(pid: int) -> int:
    """Returns the bytes that a process and its children hold, shared pages counted once (Linux)."""
    import psutil

    total = 0
    try:
        processes = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    except psutil.Error:  # it has just ended
        return 0
    for process in processes:
        try:
            total += process.memory_full_info().pss
        except psutil.Error:
            continue
    return total


def main() -> int:
    """Runs the benchmark and prints a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("coco", type=Path)
    parser.add_argument("--recipe", default="coco_n_hard")
    parser.add_argument("--sizes", type=int, nargs="+", default=[36_000])
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--runs", type=int, default=3)
    args = parser.parse_args()
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}\n")
    print("| pairs | processes | seconds | ms a pair and core | peak memory, GB |")
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for size in args.sizes:
            clean = write_scaled(args.coco, size, Path(folder) / f"instances_train_{size}.json")
            noisy = Path(folder) / f"noisy_{size}.json"
            make = [sys.executable, str(TOOLS / "make_noise.py"), args.recipe, str(clean), str(noisy), "--seed", "0"]
            subprocess.run([*make, "--workers", str(os.cpu_count())], check=True, stdout=subprocess.DEVNULL)
            for workers in args.workers:
                runs = [run_report(clean, noisy, Path(folder) / "report", workers) for _ in range(args.runs)]
                seconds = statistics.median(wall for wall, _ in runs)
                print(
                    f"| {size:,} | {workers} | {seconds:.1f} | {1000 * seconds * workers / size:.3f} "
                    f"| {max(peak for _, peak in runs):.2f} |",
                    flush=True,
                )
    return 0


if __name__ == "__main__":
    sys.exit(main())
