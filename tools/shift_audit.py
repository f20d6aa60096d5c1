"""Tell how far the labels of a training set lie beside the edges, with a trained PNT-Edge."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path


def parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """Return the parsed command line."""
    from mmengine.config import DictAction

    parser = argparse.ArgumentParser(
        description="Write shifts.csv, shifts.json and pictures of how far edge labels lie beside the edges, as a "
        "trained PNT-Edge sees it. docs/pnt_edge.md explains every number."
    )
    parser.add_argument("config", help="config of the training")
    parser.add_argument("checkpoint", help="checkpoint of it, from the stage shift on")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write")
    parser.add_argument("--pictures", type=int, default=20, help="how many of the worst images to draw (default: 20)")
    parser.add_argument("--device", default="cpu", help="where the model runs (default: cpu)")
    parser.add_argument("--force", action="store_true", help="replace DIR if this tool wrote it")
    parser.add_argument(
        "--cfg-options", nargs="+", action=DictAction, metavar="KEY=VALUE", help="override settings of the config"
    )
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Write the audit, print where it is and return 0, or 2 when an input or an argument cannot be used."""
    args = parse_arguments(argv)
    from mmengine.registry import DATASETS, init_default_scope
    from mmengine.runner import load_checkpoint

    import noisyseg  # noqa: F401 - configs may begin with noisyseg::
    from noisyseg.integration.runner_setup import load_config
    from noisyseg.integration.segmentation.edges import PNTEdge
    from noisyseg.integration.segmentation.edges.shift_audit import audit_shifts, unaugmented
    from noisyseg.registry import MODELS

    try:
        config = load_config(args.config, options=args.cfg_options)
        init_default_scope(config.default_scope)
        model = MODELS.build(config.model)
        if not isinstance(model, PNTEdge):
            raise ValueError(f"{args.config}: expected a model of type noisyseg.PNTEdge, got {type(model).__name__}")
        load_checkpoint(model, args.checkpoint, map_location="cpu", strict=True)
        data = config.train_dataloader.dataset
        data.pipeline, left_out = unaugmented(data.pipeline)
        dataset = DATASETS.build(data)
        summary = audit_shifts(
            model.to(args.device),
            dataset,
            args.out,
            classes=dataset.metainfo["classes"],
            pictures=args.pictures,
            about={"config": args.config, "checkpoint": args.checkpoint, "left_out": left_out},
            force=args.force,
            progress=sys.stderr.isatty(),
        )
    except (OSError, ValueError, RuntimeError) as error:
        print(f"shift_audit: {error}", file=sys.stderr)
        return 2
    for name, row in summary["classes"].items():
        print(f"{name}: {row['pixels']} edge pixels, mean displacement {row['mean']} px")
    print(f"audit: {args.out / 'shifts.json'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
