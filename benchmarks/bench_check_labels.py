"""Time the label check on a COCO file that is scaled up to many annotations.

python benchmarks/bench_check_labels.py instances_val2017.json --annotations 36000
"""

import argparse
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from coco_scaling import write_scaled


def main(argv: Sequence[str] | None = None) -> int:
    """Print one line a run: wall and processor seconds, annotations a second, memory."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, help="a valid COCO instance JSON")
    parser.add_argument("--annotations", type=int, default=36_000, help="count to scale up to (default: 36000)")
    parser.add_argument("--runs", type=int, default=3, help="how often to time it (default: 3)")
    arguments = parser.parse_args(argv)
    from noisyseg.labels.check import check_coco

    with tempfile.TemporaryDirectory() as folder:
        path = write_scaled(arguments.file, arguments.annotations, Path(folder) / "scaled.json")
        print(f"{arguments.annotations} annotations, {path.stat().st_size / 1e6:.1f} MB")
        for _ in range(arguments.runs):
            wall, processor = time.perf_counter(), time.process_time()
            findings = check_coco(path)
            wall, processor = time.perf_counter() - wall, time.process_time() - processor
            rate = arguments.annotations / wall
            print(f"wall {wall:.2f} s, processor {processor:.2f} s, {rate:.0f} annotations/s")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory {memory:.0f} MB, scaling included")
    print("findings", dict(Counter(finding.code for finding in findings)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
