"""Paint a semantic map for each image of a COCO file."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence


def parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(
        description="Paint a semantic map for each image of a COCO file: OUT_DIR/<image name>.png, 8 bits with a "
        "palette. 0 is background, k + 1 class k in the order of category ids, 255 a crowd. Objects are painted in the "
        "order of the file, later ones over earlier ones.",
    )
    parser.add_argument("source", metavar="COCO_JSON", help="COCO instance JSON with masks")
    parser.add_argument("out_dir", metavar="OUT_DIR", help="folder to write; it appears when it is complete")
    parser.add_argument("--force", action="store_true", help="replace OUT_DIR if this tool wrote it")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Write the maps and return 0, or 2 when the file cannot be used or the folder not be written."""
    args = parse_arguments(argv)
    from noisyseg.labels.semantic_files import write_semantic_maps

    try:
        manifest = write_semantic_maps(args.source, args.out_dir, force=args.force, progress=sys.stderr.isatty())
    except (OSError, ValueError) as error:
        print(f"coco_to_semantic: {error}", file=sys.stderr)
        return 2
    print(f"{manifest['images']} maps from {manifest['annotations']} annotations, {len(manifest['classes'])} classes")
    print(f"semantic maps: {args.out_dir}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
