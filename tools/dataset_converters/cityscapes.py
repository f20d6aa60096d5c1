"""Convert Cityscapes gtFine labels to COCO instance JSON."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

NAMES = {
    "mmdet": "instancesonly_filtered_gtFine_{}.json",
    "authors": "all_polygons_gtFine_{}.json",
    "detectron2": "visible_polygons_gtFine_{}.json",
}


def parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(
        description="Convert Cityscapes gtFine labels to COCO instance JSON, one file a split. Ids count from 1 in the "
        "order of file names; file names are relative to leftImg8bit/<split>.",
    )
    parser.add_argument("root", metavar="ROOT", help="folder that holds gtFine/<split>/<city>/")
    parser.add_argument("out_dir", metavar="OUT_DIR", help="folder for the files")
    parser.add_argument("--splits", nargs="+", default=["train", "val"], help="default: train val")
    parser.add_argument(
        "--convention",
        choices=list(NAMES),
        default="mmdet",
        help="what is an object: mmdet (default), pixels of instanceIds.png, 8 classes; authors, every polygon of "
        "every label, overlapping; detectron2, polygons of the 8 classes, cut by those in front",
    )
    parser.add_argument(
        "--min-area", type=int, default=0, metavar="PIXELS", help="leave out smaller objects; default 0"
    )
    parser.add_argument("--force", action="store_true", help="replace files that exist")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Write the files and return 0, or 2 when a label cannot be used or a file not be written."""
    args = parse_arguments(argv)
    from noisyseg.labels.files import write_json
    from noisyseg.labels.gt_fine import coco_from_gt_fine, find_files

    targets = {split: Path(args.out_dir) / NAMES[args.convention].format(split) for split in args.splits}
    try:
        for target in targets.values():
            if target.exists() and not args.force:
                raise FileExistsError(f"{target}: is there already; force is needed to replace it")
        files = {split: find_files(args.root, split, args.convention) for split in targets}
        for split, target in targets.items():
            document, left_out = coco_from_gt_fine(
                files[split], args.convention, min_area=args.min_area, progress=sys.stderr.isatty()
            )
            write_json(target, document)
            counts = [f"{len(document['images'])} images", f"{len(document['annotations'])} objects"]
            counts += [f"{count} left out: {reason}" for reason, count in left_out.items()]
            print(f"{target}: {', '.join(counts)}")
    except (OSError, ValueError) as error:
        print(f"cityscapes: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
