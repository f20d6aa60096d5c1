#!/usr/bin/env python
"""Write a noisy copy of a COCO file."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Returns the parsed command line."""
    parser = argparse.ArgumentParser(
        description="Write a noisy copy of a COCO instance file, with a manifest beside it. The same recipe, seed and "
        "annotations give the same bytes, for any number of workers."
    )
    parser.add_argument("recipe", help="config file with a variable `noise`, or a shipped recipe such as coco_n_hard")
    parser.add_argument("source", type=Path, metavar="IN", help="clean COCO JSON file; it is only read")
    parser.add_argument("target", type=Path, metavar="OUT", help="noisy COCO JSON file to write")
    parser.add_argument("--seed", type=_at_least(0), required=True, help="master seed, an integer >= 0")
    parser.add_argument("--workers", type=_at_least(1), default=1, help="number of processes (default: 1)")
    parser.add_argument("--force", action="store_true", help="replace OUT if it exists")
    parser.add_argument(
        "--keep-boxes",
        action="store_true",
        help="leave bbox and area of the clean mask around a noisy one, as the official COCO-N files do",
    )
    parser.add_argument(
        "--split",
        choices=("train", "val", "test"),
        help="what IN is; a file that looks like val or test is refused unless you say so here, "
        "because models are to be evaluated on clean labels",
    )
    return parser.parse_args(argv)


def _at_least(lowest: int):  # noqa: ANN202 - argparse wants a callable
    def integer(text: str) -> int:
        value = int(text)
        if value < lowest:
            raise argparse.ArgumentTypeError(f"expected an integer >= {lowest}, got {text}")
        return value

    return integer


def main(argv: list[str] | None = None) -> int:
    """Runs the tool; returns the exit status: 0 done, 2 refused or unusable input."""
    args = parse_args(argv)
    from noisyseg.integration.recipes import load_recipe
    from noisyseg.noise import generate_noise
    from noisyseg.noise.dataset.generate import manifest_path

    try:
        recipe = load_recipe(args.recipe)
        if args.keep_boxes:
            recipe["boxes"] = "keep"
        manifest = generate_noise(
            recipe,
            args.source,
            args.target,
            seed=args.seed,
            workers=args.workers,
            force=args.force,
            split=args.split,
            progress=sys.stderr.isatty(),
        )
    except (OSError, ValueError, TypeError, KeyError) as error:
        print(f"make_noise: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("make_noise: interrupted; nothing was written", file=sys.stderr)
        return 130
    print(summary(manifest))
    print(f"noisy labels: {args.target}\nmanifest:     {manifest_path(args.target)}")
    return 0


def summary(manifest: dict) -> str:
    """Returns the counts of a manifest as a table."""
    total = manifest["annotations"]
    lines = [f"{total} annotations in {manifest['seconds']:.1f} s, seed {manifest['seed']}", ""]
    lines += [f"  {name:<16}{count:>9}{count / max(total, 1):>9.1%}" for name, count in manifest["counts"].items()]
    return "\n".join([*lines, *(f"  warning: {warning}" for warning in manifest["warnings"]), ""])


if __name__ == "__main__":
    sys.exit(main())
