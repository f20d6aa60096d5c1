#!/usr/bin/env python
"""Report what noise did to labels: JSON, Markdown and an HTML page."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """Return the parsed command line."""
    parser = argparse.ArgumentParser(
        description="Compare clean and noisy labels, and write what noise did to them as noise_report.json, .md and "
        ".html. Works on two COCO files (masks, or boxes only), two folders of label maps (PNG), and two folders of "
        "edge labels (.mat, or PNG with 0 and 255 only), whoever made them. docs/noise_report.md explains every number."
    )
    parser.add_argument("clean", type=Path, metavar="CLEAN", help="clean COCO JSON file, or folder")
    parser.add_argument("noisy", type=Path, metavar="NOISY", help="noisy COCO JSON file, or folder")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write")
    parser.add_argument(
        "--images", type=Path, metavar="DIR", help="folder of the image files, to show the 12 worst pairs"
    )
    parser.add_argument("--workers", type=_positive, default=1, help="number of processes (default: 1)")
    parser.add_argument(
        "--pair",
        choices=("auto", "id", "iou"),
        default="auto",
        help="how objects are paired: by annotation id, one to one by IoU, or by id where ids mean the same in both "
        "files (default: auto)",
    )
    parser.add_argument(
        "--kind",
        choices=("auto", "semantic", "edges"),
        default="auto",
        help="what folders hold (default: auto: .mat files and PNG files of 0 and 255 hold edges)",
    )
    parser.add_argument(
        "--ignore", type=int, metavar="N", help="number of ignored pixels in label maps (default: as stated, else 255)"
    )
    parser.add_argument(
        "--verify",
        action="store_true",
        help="make the noisy labels again from their manifest, with CLEAN shuffled and another number of processes, "
        "and compare",
    )
    parser.add_argument("--force", action="store_true", help="replace DIR if it is a report")
    return parser.parse_args(argv)


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected an integer >= 1, got {text}")
    return value


def main(argv: Sequence[str] | None = None) -> int:
    """Write the report and return 0, or 2 when an input or an argument cannot be used."""
    args = vars(parse_arguments(argv))
    from noisyseg.evaluation.report import summary, write_noise_report

    args["verify"] = (
        _verifier(args["clean"], args["noisy"], args["images"], args["workers"]) if args["verify"] else None
    )
    try:
        report = write_noise_report(**args, progress=sys.stderr.isatty())
    except (OSError, ValueError) as error:
        print(f"noise_report: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("noise_report: interrupted; nothing was written", file=sys.stderr)
        return 130
    print(summary(report))
    print(f"report: {args['out'] / 'noise_report.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
