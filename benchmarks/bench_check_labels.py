"""Time the label check on a COCO file that is scaled up to many annotations.

python benchmarks/bench_check_labels.py instances_val2017.json --annotations 36000
"""

import argparse
import json
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def scaled(document: dict[str, Any], annotations: int) -> dict[str, Any]:
    """Return copies of the document, with new ids, until there are that many annotations."""
    images, objects = [], []
    step = 1 + max(image["id"] for image in document["images"])
    copy = 0
    while len(objects) < annotations:
        for image in document["images"]:
            name = f"{copy}/{image['file_name']}"
            images.append({**image, "id": image["id"] + copy * step, "file_name": name})
        for entry in document["annotations"][: annotations - len(objects)]:
            objects.append({**entry, "id": len(objects) + 1, "image_id": entry["image_id"] + copy * step})
        copy += 1
    return {**document, "images": images, "annotations": objects}


def main(argv: Sequence[str] | None = None) -> int:
    """Print one line a run: wall and processor seconds, annotations a second, memory."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path, help="a valid COCO instance JSON")
    parser.add_argument(
        "--annotations", type=int, default=36_000, help="count to scale up to (default: 36000)"
    )
    parser.add_argument("--runs", type=int, default=3, help="how often to time it (default: 3)")
    arguments = parser.parse_args(argv)
    from noisyseg.labels.check import check_coco

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scaled.json"
        path.write_text(json.dumps(scaled(json.loads(arguments.file.read_bytes()), arguments.annotations)))
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
