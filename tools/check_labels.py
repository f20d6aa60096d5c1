"""Check a COCO label file before anything else uses it.

Prints a table of findings by code, and the first ones of each with a way to fix them; docs/check_labels.md
explains every code. Exits with 0 for a clean file (infos alone count as clean), 1 for errors or warnings,
2 for what cannot be checked: no such file, not JSON, not a COCO object.
"""

import argparse
import os
import sys
from collections.abc import Iterable, Sequence


def parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", metavar="FILE", help="COCO instance JSON")
    parser.add_argument("--images", metavar="DIR", help="folder of the image files, to check these too")
    parser.add_argument("--json", action="store_true", help="print all findings as JSON instead of the table")
    return parser.parse_args(argv)


def show_progress(entries: Sequence, what: str) -> Iterable:
    """Return the entries, with a progress bar on a terminal where there are many."""
    from tqdm import tqdm

    return tqdm(entries, what, leave=False, disable=len(entries) < 5000 or not sys.stderr.isatty())


def show(report: str) -> None:
    """Print the report, also where the terminal lacks a letter of a path or ``head`` has seen enough."""
    sys.stdout.reconfigure(errors="backslashreplace")
    try:
        print(report, flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python fails again as it exits


def main(argv: Sequence[str] | None = None) -> int:
    """Check one file, print the report and return the exit code."""
    arguments = parse_arguments(argv)
    from noisyseg.labels.check import check_coco, exit_code, json_report, text_report

    findings = check_coco(arguments.file, arguments.images, progress=show_progress)
    if arguments.json:
        show(json_report(findings, arguments.file))
    else:
        colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        show(text_report(findings, arguments.file, colour=colour))
    return exit_code(findings)


if __name__ == "__main__":
    sys.exit(main())
