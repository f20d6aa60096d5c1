"""Write a data set of synthetic scenes with perfect labels, in COCO and PNG layout."""

import argparse
import sys
from collections.abc import Sequence


def parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """Return the arguments."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("out", help="folder to write")
    parser.add_argument("--train", type=int, default=200, help="training images")
    parser.add_argument("--val", type=int, default=60, help="validation images")
    parser.add_argument("--size", type=int, default=128, help="height and width of the images, pixels")
    parser.add_argument("--seed", type=int, default=0, help="seed of all that is random")
    parser.add_argument("--workers", type=int, default=1, help="processes; the files are the same for any number")
    parser.add_argument("--force", action="store_true", help="replace a data set of scenes that stands there")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Write the data set, and return 0, or 2 when an argument cannot be used or the folder not be written."""
    args = parse_arguments(argv)
    from noisyseg.scenes import write_scenes

    try:
        folder = write_scenes(
            args.out,
            train=args.train,
            val=args.val,
            size=args.size,
            seed=args.seed,
            workers=args.workers,
            force=args.force,
            progress=True,
        )
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"images:          {folder / 'images'}")
    print(f"instances:       {folder / 'annotations'}")
    print(f"semantic maps:   {folder / 'semantic'}")
    print(f"edges:           {folder / 'edges'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
