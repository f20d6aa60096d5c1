"""Evaluate a checkpoint with the test data and metrics of an mmdet or mmseg config."""

import argparse
import os
import sys
from collections.abc import Sequence


def parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """Return the arguments, which are those of the hosts' own ``tools/test.py``."""
    from mmengine.config import DictAction

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", help="config file")
    parser.add_argument("checkpoint", help="checkpoint file")
    parser.add_argument("--work-dir", help="where logs and scores go (default: work_dirs/<name of the config>)")
    parser.add_argument("--out", help="write the predictions: to a .pkl file (mmdet) or a folder of label maps (mmseg)")
    parser.add_argument("--show-dir", help="folder for painted predictions")
    parser.add_argument("--tta", action="store_true", help="test on augmented copies, as tta_model of the config says")
    parser.add_argument(
        "--cfg-options",
        nargs="+",
        action=DictAction,
        metavar="KEY=VALUE",
        help="override settings of the config, for example test_dataloader.batch_size=4",
    )
    parser.add_argument(
        "--launcher",
        choices=["none", "pytorch", "slurm", "mpi"],
        default="none",
        help="what started the processes of a distributed run (default: none)",
    )
    parser.add_argument("--local_rank", "--local-rank", type=int, default=0, help="set by torch.distributed.launch")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Evaluate, and return 0, or 2 when the config or an argument cannot be used."""
    args = parse_arguments(argv)
    os.environ.setdefault("LOCAL_RANK", str(args.local_rank))
    import noisyseg  # noqa: F401  makes `noisyseg::` resolve, so it comes before the config is read
    from noisyseg.integration import runner_setup

    try:
        config = runner_setup.load_config(
            args.config, work_dir=args.work_dir, options=args.cfg_options, launcher=args.launcher
        )
        if args.show_dir is not None:
            runner_setup.draw_predictions(config, args.show_dir)
        if args.out is not None:
            runner_setup.save_predictions(config, args.out)
        if args.tta:
            runner_setup.enable_tta(config)
        runner = runner_setup.build_runner(config, args.checkpoint)
    except runner_setup.ConfigError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    scores = runner.test()
    for name, value in scores.items():
        print(f"{name}: {value}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
