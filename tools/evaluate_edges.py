#!/usr/bin/env python
"""Score a folder of predicted edges: ODS, OIS and AP."""

from __future__ import annotations

import argparse
import ast
import sys
from collections.abc import Sequence
from pathlib import Path


def parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """Return the parsed command line."""
    parser = argparse.ArgumentParser(
        description="Score predicted edges (PNG of 8 bits) against labels (.mat, .png or .bin), and write edges.json "
        "and edges.txt. What was interrupted goes on when called again. docs/edge_evaluation.md explains every number."
    )
    parser.add_argument("predictions", type=Path, help="folder of NAME.png, or of CLASS/NAME.png for several classes")
    parser.add_argument("labels", type=Path, help="folder of NAME.mat, NAME.png or NAME.bin")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write")
    parser.add_argument("--protocol", required=True, help="bsds, sbd, sbd_reannotated or cityscapes")
    parser.add_argument(
        "--set",
        nargs="+",
        default=[],
        metavar="KEY=VALUE",
        help="settings that differ from the protocol's, such as mode=raw tolerance=0.01 'labels=SBD raw'",
    )
    parser.add_argument("--classes", nargs="+", default=("edge",), metavar="NAME", help="in the order of the labels")
    parser.add_argument("--names", type=Path, metavar="FILE", help="score these only: a text file, one name a line")
    parser.add_argument("--workers", type=int, default=1, help="number of processes (default: 1)")
    return parser.parse_args(argv)


def settings(words: Sequence[str]) -> dict[str, object]:
    """Return the settings that words like ``border=5`` say; numbers and true or false are read as such."""
    found: dict[str, object] = {}
    for word in words:
        key, equals, text = word.partition("=")
        if not equals:
            raise ValueError(f"--set: expected KEY=VALUE, got {word!r}")
        try:
            found[key] = ast.literal_eval(text.capitalize() if text in ("true", "false") else text)
        except (ValueError, SyntaxError):
            found[key] = text
    return found


def names_in(file: Path) -> list[str]:
    """Return the lines of a text file that are not empty."""
    names = [line.strip() for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    if not names:
        raise ValueError(f"--names: expected one name a line in {file}, got none")
    return names


def main(argv: Sequence[str] | None = None) -> int:
    """Score, print the table and return 0, or 2 when an input or an argument cannot be used."""
    args = parse_arguments(argv)
    from noisyseg.evaluation.edges import EdgeProtocol, edge_table, evaluate_edge_folders

    try:
        report = evaluate_edge_folders(
            args.predictions,
            args.labels,
            args.out,
            EdgeProtocol.of(args.protocol, **settings(args.set)),
            classes=args.classes,
            names=names_in(args.names) if args.names else None,
            workers=args.workers,
            progress=sys.stderr.isatty(),
        )
    except (OSError, ValueError) as error:
        print(f"evaluate_edges: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("evaluate_edges: interrupted; the same call goes on from here", file=sys.stderr)
        return 130
    print(edge_table(report), end="")
    print(f"report: {args.out / 'edges.json'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
