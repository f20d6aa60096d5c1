"""Convert BSDS500 labels to edge images and lists of them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence


def parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(
        description="Convert BSDS500 labels (.mat) to edge images OUT_DIR/edges/<split>/ and lists OUT_DIR/<split>.txt "
        "of image and edge image.",
    )
    parser.add_argument("root", metavar="ROOT", help="the folder BSDS500/data, with images/ and groundTruth/")
    parser.add_argument("out_dir", metavar="OUT_DIR", help="folder to write; it appears when it is complete")
    parser.add_argument("--splits", nargs="+", default=["train", "val"], help="default: train val")
    parser.add_argument(
        "--annotators",
        choices=["each", "mean"],
        default="each",
        help="an edge image for each annotator (default), or one whose values are 255 times the share that marked it",
    )
    parser.add_argument("--force", action="store_true", help="replace OUT_DIR if this tool wrote it")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Write the folder and return 0, or 2 when a label cannot be used or the folder not be written."""
    args = parse_arguments(argv)
    from noisyseg.labels.bsds500 import convert_bsds500

    try:
        manifest = convert_bsds500(
            args.root,
            args.out_dir,
            splits=args.splits,
            annotators=args.annotators,
            force=args.force,
            progress=sys.stderr.isatty(),
        )
    except (OSError, ValueError) as error:
        print(f"bsds500: {error}", file=sys.stderr)
        return 2
    for split, counts in manifest["splits"].items():
        print(f"{split}: {', '.join(f'{count} {what}' for what, count in counts.items())}")
    print(f"edges: {args.out_dir}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
