"""Score Canny, gradient magnitude and annotators on BSDS500, and time the evaluation of edges.

    python benchmarks/bench_edge_evaluation.py BSDS500/data --split val --every 2
    python benchmarks/bench_edge_evaluation.py BSDS500/data --images 5 10 20 --thresholds 33 99

Without ``--images`` every N-th image is scored. Seconds are those of the processor, of one process, and those of
counting alone: without detecting, reading and start-up, which another machine load does not change much.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from noisyseg.evaluation.edges import (
    EdgeProtocol,
    annotator_counts,
    annotator_score,
    canny_thresholds,
    edge_counts,
    edge_scores,
    gradient_edges,
)
from noisyseg.labels.mat_files import read_mat

Sample = tuple[np.ndarray, list[np.ndarray]]


def main(argv: Sequence[str] | None = None) -> int:
    """Print one line a detector, or one a number of images and thresholds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", type=Path, help="the folder BSDS500/data")
    parser.add_argument("--split", default="val")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="score every N-th name (default: 1)")
    parser.add_argument("--images", type=int, nargs="+", help="time so many images, spread over the split")
    parser.add_argument("--thresholds", type=int, nargs="+", default=[99])
    parser.add_argument("--sigma", type=float, default=3.0, help="of the detectors, pixels (default: 3)")
    args = parser.parse_args(argv)
    cv2.setNumThreads(1)
    names = sorted(path.stem for path in (args.root / "groundTruth" / args.split).glob("*.mat"))
    if not names:
        raise SystemExit(f"{args.root / 'groundTruth' / args.split}: expected *.mat, got none")
    if args.images is None:
        score(args, names[:: args.every])
    else:
        measure(args, names)
    return 0


def score(args: argparse.Namespace, names: Sequence[str]) -> None:
    """Print the scores of annotators and detectors on all images."""
    protocol = EdgeProtocol.of("bsds", thresholds=args.thresholds[0])
    samples = [read(args.root, args.split, name) for name in names]
    start = time.process_time()
    point = annotator_score(np.concatenate([annotator_counts(labelled, protocol) for _, labelled in samples]))
    print(
        f"annotators: F {point.f:.4f} (R {point.recall:.4f}, P {point.precision:.4f}), leave one out, {len(names)} "
        f"images of {args.split} [{protocol.describe()}], {time.process_time() - start:.0f} s",
        flush=True,
    )
    for name, detector in (("Canny", canny_thresholds), ("gradient", gradient_edges)):
        start = time.process_time()
        counts = [edge_counts(detector(image, sigma=args.sigma), labelled, protocol) for image, labelled in samples]
        scores = edge_scores(np.stack(counts), protocol)
        print(f"{name}, sigma {args.sigma:g}: {scores.describe()}, {time.process_time() - start:.0f} s", flush=True)


def measure(args: argparse.Namespace, names: Sequence[str]) -> None:
    """Print the seconds of counting for each number of images and thresholds."""
    print("| prediction | images | annotators | thresholds | seconds | seconds for 100 images |")
    print("|---|---|---|---|---|---|")
    detectors = {"Canny": canny_thresholds, "gradient": gradient_edges}
    for detector, make in detectors.items():
        for count in args.images:
            chosen = names[:: max(len(names) // count, 1)][:count]
            samples = [read(args.root, args.split, name) for name in chosen]
            made = [(make(image, sigma=args.sigma), labelled) for image, labelled in samples]
            edge_counts(*made[0], EdgeProtocol.of("bsds", thresholds=1))  # compiles
            annotators = sum(len(labelled) for _, labelled in made) / len(made)
            for thresholds in args.thresholds:
                protocol = EdgeProtocol.of("bsds", thresholds=thresholds)
                start = time.process_time()
                for probability, labelled in made:
                    edge_counts(probability, labelled, protocol)
                seconds = time.process_time() - start
                print(
                    f"| {detector} | {count} | {annotators:.1f} | {thresholds} | {seconds:.1f} "
                    f"| {100 * seconds / count:.0f} |",
                    flush=True,
                )


def read(root: Path, split: str, name: str) -> Sample:
    """Return the RGB image and the edges of each annotator."""
    image = cv2.imread(str(root / "images" / split / f"{name}.jpg"))
    maps = read_mat(root / "groundTruth" / split / f"{name}.mat").maps
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB), [one.edges[0].astype(bool) for one in maps]


if __name__ == "__main__":
    sys.exit(main())
