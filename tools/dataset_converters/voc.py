"""Convert PASCAL VOC 2012 or SBD segmentation labels to COCO instance JSON and semantic PNGs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence


def parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(
        description="Convert PASCAL VOC 2012 or SBD segmentation labels: OUT_DIR/instances_<split>.json (COCO, ids "
        "from 1 in the order of image ids) and OUT_DIR/semantic/<id>.png (classes 0..20, 255 void).",
    )
    parser.add_argument("root", metavar="ROOT", help="VOCdevkit/VOC2012, or the dataset folder of SBD")
    parser.add_argument("out_dir", metavar="OUT_DIR", help="folder to write; it appears when it is complete")
    parser.add_argument("--layout", choices=["voc", "sbd"], default="voc", help="whose layout ROOT has; default voc")
    parser.add_argument("--splits", nargs="+", default=["train", "val"], help="default: train val")
    parser.add_argument("--force", action="store_true", help="replace OUT_DIR if this tool wrote it")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Write the folder and return 0, or 2 when a label cannot be used or the folder not be written."""
    args = parse_arguments(argv)
    from noisyseg.labels.voc import convert_voc

    try:
        manifest = convert_voc(
            args.root,
            args.out_dir,
            layout=args.layout,
            splits=args.splits,
            force=args.force,
            progress=sys.stderr.isatty(),
        )
    except (OSError, ValueError) as error:
        print(f"voc: {error}", file=sys.stderr)
        return 2
    for split, counts in manifest["splits"].items():
        print(f"{split}: {', '.join(f'{count} {what}' for what, count in counts.items())}")
    print(f"labels: {args.out_dir}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
