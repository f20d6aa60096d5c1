"""Convert CamVid labels to maps of 11 classes."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence


def parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(
        description="Convert CamVid labels to maps of 11 classes: OUT_DIR/<id>.png, 8 bits, palette, 255 for void.",
    )
    parser.add_argument(
        "labels_dir", metavar="LABELS_DIR", help="folder of <id>_L.png in the 32 colours, or <id>.png with values 0..11"
    )
    parser.add_argument("out_dir", metavar="OUT_DIR", help="folder to write; it appears when it is complete")
    parser.add_argument("--force", action="store_true", help="replace OUT_DIR if this tool wrote it")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Write the folder and return 0, or 2 when a label cannot be used or the folder not be written."""
    args = parse_arguments(argv)
    from noisyseg.labels.camvid import convert_camvid

    try:
        manifest = convert_camvid(args.labels_dir, args.out_dir, force=args.force, progress=sys.stderr.isatty())
    except (OSError, ValueError) as error:
        print(f"camvid: {error}", file=sys.stderr)
        return 2
    print(f"{manifest['images']} maps of {len(manifest['classes'])} classes")
    print(f"semantic maps: {args.out_dir}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
