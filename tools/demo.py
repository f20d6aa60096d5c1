"""Show what label noise does: make data and noise, train on clean and on noisy labels, write a page about it."""

import argparse
import sys
from collections.abc import Sequence


def parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """Return the arguments."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--out", default="work_dirs/demo", help="folder to write")
    parser.add_argument("--seed", type=int, default=0, help="seed of data, noise and training")
    parser.add_argument(
        "--iterations",
        type=int,
        default=2000,
        help="length of the two trainings, which run side by side; 2000 take about four minutes on two cores",
    )
    parser.add_argument(
        "--quick", action="store_true", help="24 iterations on 24 images: the way of the demo without its effect"
    )
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demo, print its table and where its page is, and return 0, or 2 when the folder cannot be used."""
    args = parse_arguments(argv)
    if args.seed < 0 or args.iterations < 4:
        print("error: --seed: expected at least 0; --iterations: expected at least 4", file=sys.stderr)
        return 2
    from noisyseg.integration.demo import run_demo

    size = {"iterations": 24, "train": 24, "val": 8} if args.quick else {"train": 80, "val": 60}
    try:
        result = run_demo(args.out, **{"seed": args.seed, "iterations": args.iterations} | size)
    except OSError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"\nmean IoU, %\n{result.table}\n")
    print(f"picture:  {result.picture.absolute()}")
    print(f"page:     {result.page.absolute()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
