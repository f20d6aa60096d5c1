#!/usr/bin/env python
"""Write noisy labels: of a COCO file, of a folder of them, or of a tree of label maps or edge files."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

LAYOUTS = ("auto", "coco", "cityscapes", "ade20k", "voc", "camvid", "png", "mat")
BACKENDS = ("loky", "dask", "ray")


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Returns the parsed command line."""
    parser = argparse.ArgumentParser(
        description="Write noisy labels and a manifest. The same recipe, seed and labels give the same bytes, for any "
        "number of workers and on every backend. A folder is finished file by file: the same command, started again "
        "after it was killed, goes on there."
    )
    parser.add_argument("recipe", help="config file with a variable `noise`, or a shipped recipe such as coco_n_hard")
    parser.add_argument(
        "source", type=Path, metavar="IN", help="clean COCO JSON file, or a folder of labels; it is only read"
    )
    parser.add_argument(
        "target", type=Path, metavar="OUT", help="noisy COCO JSON file, or folder of noisy labels, to write"
    )
    parser.add_argument("--seed", type=_at_least(0), required=True, help="master seed, an integer >= 0")
    parser.add_argument("--force", action="store_true", help="replace OUT if it exists, and start over")
    parser.add_argument(
        "--keep-boxes",
        action="store_true",
        help="leave bbox and area of the clean mask around a noisy one, as the official COCO-N files do",
    )
    parser.add_argument(
        "--split",
        choices=("train", "val", "test"),
        help="what IN is, or which of its splits to make noisy; what looks like val or test is refused, or left out of "
        "a folder, unless you say so here, because models are to be evaluated on clean labels",
    )
    labels = parser.add_argument_group("labels")
    labels.add_argument("--layout", choices=LAYOUTS, default="auto", help="how IN is laid out (default: find out)")
    labels.add_argument(
        "--classes", type=Path, metavar="NAMES", help="layout png: text file with the name of class 0, 1, ... a line"
    )
    labels.add_argument(
        "--ignore", type=_at_least(0), metavar="N", help="layout png: number of ignored pixels (default: 255)"
    )
    labels.add_argument("--images", type=Path, metavar="DIR", help="folder of the images, for noise that looks at them")
    processes = parser.add_argument_group("processes")
    processes.add_argument("--workers", type=_at_least(1), default=1, help="number of processes (default: 1)")
    processes.add_argument(
        "--backend", choices=BACKENDS, default="loky", help="where the processes are (default: loky, on this machine)"
    )
    processes.add_argument(
        "--dask-scheduler", metavar="ADDRESS", help="use all processes of the Dask cluster with this scheduler"
    )
    args = parser.parse_args(argv)
    if args.dask_scheduler and args.backend != "dask":
        parser.error("argument --dask-scheduler: expected --backend dask with it")
    if (args.ignore is not None) and args.classes is None:
        parser.error("argument --ignore: expected --classes with it")
    if args.keep_boxes and args.layout not in ("auto", "coco"):
        parser.error("argument --keep-boxes: expected a COCO file or a folder of them")
    return args


def _at_least(lowest: int):  # noqa: ANN202 - argparse wants a callable
    def integer(text: str) -> int:
        value = int(text)
        if value < lowest:
            raise argparse.ArgumentTypeError(f"expected an integer >= {lowest}, got {text}")
        return value

    return integer


def main(argv: list[str] | None = None) -> int:
    """Runs the tool; returns the exit status: 0 done, 2 refused or unusable input, 130 interrupted."""
    args = parse_args(argv)
    try:
        return run(args)
    except (OSError, ValueError, TypeError, KeyError, ImportError) as error:
        print(f"make_noise: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        left = "the same command goes on from here" if args.source.is_dir() else "nothing was written"
        print(f"make_noise: interrupted; {left}", file=sys.stderr)
        return 130


def run(args: argparse.Namespace) -> int:
    """Writes the noisy labels and says what was done."""
    from noisyseg.integration.recipes import load_recipe
    from noisyseg.noise.dataset.any_layout import found_at, make_noise
    from noisyseg.noise.dataset.manifest import manifest_path

    recipe = load_recipe(args.recipe)
    if args.keep_boxes:
        recipe["boxes"] = "keep"
    classes = None if args.classes is None else args.classes.read_text(encoding="utf-8").splitlines()
    ignore = 255 if args.ignore is None else args.ignore
    found = found_at(args.source, args.layout, classes, ignore)
    if found is not None:
        print(f"{args.source}: {len(found.files)} files in the layout {found.layout}", flush=True)
        if args.keep_boxes and found.layout != "coco":
            raise ValueError(f"--keep-boxes: expected COCO files, got the layout {found.layout}")
    earlier = found is not None and not args.force and manifest_path(args.target).is_file()
    manifest = make_noise(
        recipe,
        args.source,
        args.target,
        seed=args.seed,
        layout=args.layout,
        classes=classes,
        ignore=ignore,
        images=args.images,
        split=args.split,
        workers=args.workers,
        backend=f"dask:{args.dask_scheduler}" if args.dask_scheduler else args.backend,
        force=args.force,
        progress=sys.stderr.isatty(),
    )
    if earlier:
        print("an earlier run had finished; its files were checked, and the missing ones made again")
    print(summary(manifest))
    print(f"noisy labels: {args.target}\nmanifest:     {manifest_path(args.target)}")
    return 0


def summary(manifest: dict) -> str:
    """Returns the counts of a manifest as a table."""
    if "annotations" in manifest:
        total, what = manifest["annotations"], "annotations"
    else:
        total, what = manifest["counts"]["pixels"], "edge pixels" if manifest["layout"] == "mat" else "pixels"
    files = f" of {len(manifest['files'])} files" if "files" in manifest else ""
    lines = [f"{total} {what}{files} in {manifest['seconds']:.1f} s, seed {manifest['seed']}", ""]
    counts = {name: count for name, count in manifest["counts"].items() if name != "pixels"}
    width = max([16, *(len(name) + 1 for name in counts)])
    lines += [f"  {name:<{width}}{count:>9}{count / max(total, 1):>9.1%}" for name, count in counts.items()]
    left_out = manifest.get("left_out", {})
    lines += [f"  left out: {count} files that are {split}" for split, count in left_out.items()]
    return "\n".join([*lines, *(f"  warning: {warning}" for warning in manifest["warnings"]), ""])


if __name__ == "__main__":
    sys.exit(main())
