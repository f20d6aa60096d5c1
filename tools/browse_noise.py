"""Draw the images that noise changed most: clean labels left, noisy ones right."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from noisyseg.noise.browse import Browsed

LISTED = 20


def parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(
        description="Write a picture of the images that noise changed, clean labels left and noisy ones right. Objects "
        "are paired by annotation id. Colours are classes; a changed class is written beside its object.",
    )
    parser.add_argument("clean", metavar="CLEAN", help="clean COCO JSON file")
    parser.add_argument("noisy", metavar="NOISY", help="noisy COCO JSON file of the same images")
    parser.add_argument("--out", required=True, metavar="PNG", help="picture to write")
    parser.add_argument("--images", metavar="DIR", help="folder of the image files (default: draw on grey)")
    parser.add_argument("--count", type=int, default=12, help="images to show at most (default: 12)")
    parser.add_argument("--columns", type=int, default=2, help="images side by side (default: 2)")
    parser.add_argument(
        "--sort",
        choices=("change", "iou", "order", "random"),
        default="change",
        help="which images come first: change = largest mean over the objects of 1 - IoU, plus 1 for another class, "
        "2 for an object that one file lacks; iou = lowest mean IoU; order = order of the file; random = a sample "
        "(default: change)",
    )
    parser.add_argument("--seed", type=int, default=0, help="names the sample of --sort random (default: 0)")
    parser.add_argument(
        "--overlay", action="store_true", help="draw both on one picture, clean blue, noisy orange, same in both white"
    )
    parser.add_argument("--side", type=int, default=480, help="longer side of an image, pixels (default: 480)")
    parser.add_argument("--force", action="store_true", help="replace PNG if it exists")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Draw the picture and return 0, or 2 when a file or an argument cannot be used."""
    args = parse_arguments(argv)
    from noisyseg.noise.browse import browse_noise

    try:
        browsed = browse_noise(**vars(args), progress=sys.stderr.isatty())
    except (OSError, ValueError) as error:
        print(f"browse_noise: {error}", file=sys.stderr)
        return 2
    print(summary(browsed))
    print(f"picture: {browsed.path}")
    return 0


def summary(browsed: Browsed) -> str:
    """Return what changed in all images, and what could not be paired."""
    comparison = browsed.comparison
    objects = [one for change in browsed.changes for one in change.objects]
    missing = [one.source for one in objects if one.is_missing]
    added = [one.source + comparison.shift for one in objects if one.is_added]
    paired = [one.iou for one in objects if not one.is_missing and not one.is_added]
    lines = [
        f"{len(browsed.changes)} images, {len(objects)} objects, {len(browsed.shown)} images shown",
        f"  changed        {sum(one.amount > 0 for one in objects):>9}",
        f"  other class    {sum(one.class_changed for one in objects):>9}",
        f"  mean IoU       {sum(paired) / max(len(paired), 1):>9.3f}",
    ]
    for what, ids in (
        ("annotations missing from NOISY", missing),
        ("annotations only in NOISY", added),
        ("images missing from NOISY", comparison.only_clean),
        ("images only in NOISY", comparison.only_noisy),
    ):
        if ids:
            rest = f" and {len(ids) - LISTED} more" if len(ids) > LISTED else ""
            lines.append(f"  {len(ids)} {what}: ids {', '.join(map(str, ids[:LISTED]))}{rest}")
    if comparison.shift:
        lines.append("  annotation ids of NOISY are one higher than in CLEAN, and were paired so")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
