"""Run a benchmark table: one short training for each method, data set and seed, and a page about what came out.

tools/benchmark.py benchmarks/losses.py                       # go on where the last call ended
tools/benchmark.py benchmarks/losses.py --list                # what there is, and what is finished
tools/benchmark.py benchmarks/losses.py --only ce_noisy camvid-gce --seeds 0
tools/benchmark.py benchmarks/losses.py --budget 0.1 --out work_dirs/benchmarks/try
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path


def parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """Return the arguments."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", type=Path, metavar="TABLE", help="config file of the table")
    parser.add_argument("--out", type=Path, metavar="DIR", help="rows, logs (default: work_dirs/benchmarks/<name>)")
    parser.add_argument("--data", type=Path, metavar="DIR", help="small data sets (default: work_dirs/benchmarks/data)")
    parser.add_argument("--results", type=Path, metavar="DIR", help="CSV and configs (default: <out>/results)")
    parser.add_argument("--page", type=Path, metavar="FILE", help="page with plots (default: <out>/results/index.md)")
    parser.add_argument("--only", nargs="+", default=(), metavar="WORD", help="data sets, methods, or data-method")
    parser.add_argument("--seeds", nargs="+", type=int, metavar="N", help="other seeds than the table's")
    parser.add_argument("--jobs", type=int, metavar="N", help="cells at a time (default: one a core)")
    parser.add_argument("--budget", type=float, default=1.0, metavar="SHARE", help="share of the iterations")
    parser.add_argument("--limit", type=float, default=900.0, metavar="SECONDS", help="longest time of a cell")
    parser.add_argument("--list", action="store_true", help="list the cells and run none")
    parser.add_argument("--report-only", action="store_true", help="write the report of what is finished")
    arguments = parser.parse_args(argv)
    if arguments.jobs is not None and arguments.jobs < 1:
        parser.error(f"--jobs: expected at least 1, got {arguments.jobs}")
    if not 0 < arguments.budget <= 1:
        parser.error(f"--budget: expected a share in (0, 1], got {arguments.budget}")
    return arguments


def main(argv: Sequence[str] | None = None) -> int:
    """Run the tool; return 0 done, 1 cells failed, 2 unusable input, 130 interrupted."""
    arguments = parse_arguments(argv)
    try:
        return run(arguments)
    except (OSError, ValueError, TypeError, KeyError) as error:
        print(f"benchmark: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nbenchmark: interrupted; the same command goes on from here", file=sys.stderr)
        return 130


def run(arguments: argparse.Namespace) -> int:
    """Run what is left of the table and write its report."""
    from noisyseg.integration.benchmark import load_table, prepare_data, run_cells, write_report
    from noisyseg.integration.benchmark.run import processes_by_default, read_row

    table = load_table(arguments.table)
    out = arguments.out or Path("work_dirs") / "benchmarks" / table.name
    root = arguments.data or Path("work_dirs") / "benchmarks" / "data"
    choice = {"seeds": arguments.seeds, "only": arguments.only, "budget": arguments.budget}
    prepared = {name: prepare_data(root, entry.prepare) for name, entry in table.data.items()}
    cells = table.cells(prepared, **choice)
    if arguments.list:
        for cell in cells:
            print(f"{'-' if read_row(out, cell) is None else 'done':<5} {cell.name}")
        return 0
    failed = []
    if not arguments.report_only:
        folders = {name: data.folder for name, data in prepared.items()}
        processes = arguments.jobs or processes_by_default()
        outcome = run_cells(
            cells,
            folders,
            out,
            processes=processes,
            limit_seconds=arguments.limit,
            say=lambda line: print(line, flush=True),
        )
        failed = outcome.failed
    cells = table.cells(prepared, **choice | {"only": ()})
    rows = [row for cell in cells if (row := read_row(out, cell))]
    if rows:
        results = arguments.results or out / "results"
        page = write_report(table, prepared, cells, rows, results, arguments.page or results / "index.md")
        print(f"page: {page}")
    for cell, log in failed:
        print(f"failed: {cell.data} {cell.method}, seed {cell.seed}: {log}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
