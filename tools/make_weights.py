"""Write weights for labels: maps for pixels, or a number for each annotation."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence


def parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(
        description="Write weights for labels, which noisyseg.LoadWeightMap and noisyseg.LoadInstanceWeights read."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    labels = argparse.ArgumentParser(add_help=False)
    labels.add_argument("labels", metavar="LABELS", help="folder of label PNGs, or COCO file with masks")
    for_maps = argparse.ArgumentParser(add_help=False)
    for_maps.add_argument("out", metavar="OUT_DIR", help="folder to write; it appears when it is complete")
    for_maps.add_argument("--suffix", default=".png", help="ending of the label maps, no part of an image's key")
    for_maps.add_argument("--void", type=int, nargs="*", default=[], help="numbers in the maps that mean 'no class'")
    for_maps.add_argument("--force", action="store_true", help="replace OUT_DIR if this tool wrote it")
    band = commands.add_parser(
        "band", parents=[labels, for_maps], help="WEIGHT in a band around label edges, 1 elsewhere"
    )
    band.add_argument("--radius", type=float, default=2.0, help="half the width of the band, pixels (default 2)")
    band.add_argument("--weight", type=float, default=0.5, help="weight inside the band (default 0.5)")
    others = argparse.ArgumentParser(add_help=False)
    others.add_argument("others", metavar="OTHERS", help="labels or predictions by somebody else, in the same form")
    agreement = commands.add_parser(
        "agreement", parents=[labels, others, for_maps], help="1 where OTHERS have the same class, else DISAGREE"
    )
    agreement.add_argument("--disagree", type=float, default=0.5, help="weight where they differ (default 0.5)")
    agreement.add_argument("--others-suffix", help="ending of the maps in OTHERS, where it is not SUFFIX")
    objects = commands.add_parser(
        "objects", parents=[labels, others], help="largest box IoU with an object of the same class in OTHERS"
    )
    objects.add_argument("out", metavar="OUT_JSON", help="JSON file to write: annotation id: weight")
    objects.add_argument("--floor", type=float, default=0.05, help="least weight (default 0.05)")
    objects.add_argument("--force", action="store_true", help="replace OUT_JSON")
    return parser.parse_args(argv)


def write_maps(args: argparse.Namespace) -> str:
    """Write weight maps and return what to say about them."""
    from noisyseg.correction.pixel_weights import agreement_weights, boundary_band_weights, share
    from noisyseg.correction.prediction import FloatMap, LabelMap
    from noisyseg.correction.weight_files import LabelMaps, write_weight_maps

    void = tuple(args.void)
    labels = LabelMaps(args.labels, args.suffix, void)
    if args.command == "band":
        if args.radius < 0:
            raise ValueError(f"--radius: expected pixels >= 0, got {args.radius}")
        about = {"name": "boundary_band", "radius": args.radius, "weight": share("--weight", args.weight)}

        def estimate(key: str, given: LabelMap) -> FloatMap:  # noqa: ARG001 - a band needs no second opinion
            return boundary_band_weights(given, args.radius, args.weight)
    else:
        others = LabelMaps(args.others, args.others_suffix or args.suffix, void)
        about = {
            "name": "agreement",
            "others": others.source.name,
            "disagree": share("--disagree", args.disagree),
        }

        def estimate(key: str, given: LabelMap) -> FloatMap:
            return agreement_weights(given, others.get(key), args.disagree)

    manifest = write_weight_maps(
        labels, args.out, estimate, about=about, force=args.force, progress=sys.stderr.isatty()
    )
    mean = "no valid pixel" if manifest["mean_weight"] is None else f"mean weight {manifest['mean_weight']:.4f}"
    return f"{manifest['images']} maps, {mean}"


def main(argv: Sequence[str] | None = None) -> int:
    """Write the weights and return 0, or 2 when labels cannot be used or the result not be written."""
    args = parse_arguments(argv)
    try:
        if args.command == "objects":
            from noisyseg.correction.weight_files import write_object_weights

            weights = write_object_weights(args.labels, args.others, args.out, floor=args.floor, force=args.force)
            mean = f", mean weight {sum(weights.values()) / len(weights):.4f}" if weights else ""
            print(f"{len(weights)} annotations{mean}")
        else:
            print(write_maps(args))
    except (OSError, ValueError) as error:
        print(f"make_weights: {error}", file=sys.stderr)
        return 2
    print(f"weights: {args.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
