"""Train the model of an mmdet or mmseg config, with the components and configs of noisyseg at hand."""

import argparse
import os
import sys
from collections.abc import Sequence


def parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """Return the arguments, which are those of the hosts' own ``tools/train.py``."""
    from mmengine.config import DictAction

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", help="config file")
    parser.add_argument("--work-dir", help="where logs and checkpoints go (default: work_dirs/<name of the config>)")
    parser.add_argument("--amp", action="store_true", help="train in mixed precision")
    parser.add_argument("--auto-scale-lr", action="store_true", help="scale the learning rate by the batch size in use")
    parser.add_argument(
        "--resume",
        nargs="?",
        const="auto",
        metavar="CHECKPOINT",
        help="go on from CHECKPOINT; without a value, from the latest one in the work directory",
    )
    parser.add_argument(
        "--cfg-options",
        nargs="+",
        action=DictAction,
        metavar="KEY=VALUE",
        help="override settings of the config, for example train_cfg.max_epochs=3 'img_scale=(128,128)'",
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
    """Train, and return 0, or 2 when the config or an argument cannot be used."""
    args = parse_arguments(argv)
    os.environ.setdefault("LOCAL_RANK", str(args.local_rank))
    import noisyseg  # noqa: F401  makes `noisyseg::` resolve, so it comes before the config is read
    from noisyseg.integration import runner_setup

    try:
        config = runner_setup.load_config(
            args.config, work_dir=args.work_dir, options=args.cfg_options, launcher=args.launcher
        )
        if args.amp:
            runner_setup.enable_amp(config)
        if args.auto_scale_lr:
            runner_setup.enable_lr_scaling(config)
        if args.resume is not None:
            runner_setup.resume_from(config, args.resume)
    except runner_setup.ConfigError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    runner_setup.build_runner(config).train()
    print(f"finished: {config.work_dir}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
