"""Time every loss, forward and backward, against PyTorch's cross entropy on the same tensors in the same run.

python benchmarks/bench_losses.py                  # CPU, and CUDA where there is one
python benchmarks/bench_losses.py --markdown       # the table as it stands in docs/benchmarks.md

Each round times cross entropy, then the loss, so that a slow moment of the machine hits both; the ratio is of the
medians. Peak memory is what the call allocates beyond logits, their gradient and labels (CUDA only). On CUDA, one
more call runs under `torch.cuda.set_sync_debug_mode("error")`, which raises where the host waits for the device.
"""

import argparse
import runpy
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
import torch.nn.functional as F

from noisyseg.registry import MODELS

CANONICAL = Path(__file__).resolve().parent.parent / "tests" / "losses" / "canonical.py"
BESIDES = [dict(type="noisyseg.PixelELR")]  # not in that table, because part of its value counts as a constant


def main(argv: Sequence[str] | None = None) -> int:
    """Print one line a loss; return 1 if a ratio is above the limit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", type=int, nargs="+", default=(8, 21, 256, 256), help="N K H W of the logits")
    parser.add_argument("--rounds", type=int, default=15, help="pairs of timings a loss (default: 15)")
    parser.add_argument("--only", default="", help="losses whose name contains this")
    parser.add_argument("--markdown", action="store_true", help="print a Markdown table")
    arguments = parser.parse_args(argv)
    devices = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
    slow = 0
    for device in devices:
        limit = 2.0 if device == "cpu" else 1.5
        where = f"{torch.get_num_threads()} threads" if device == "cpu" else torch.cuda.get_device_name()
        print(f"\n{device}, {where}, logits {tuple(arguments.shape)} float32, limit {limit}\n")
        columns = ("loss", "ms", "cross entropy, ms", "ratio", "MB", "no host sync")
        print(_row(columns, arguments.markdown))
        if arguments.markdown:
            print(_row(["---"] * len(columns), markdown=True))
        for config in [*runpy.run_path(str(CANONICAL))["CANONICAL"], *BESIDES]:
            name = _name(config)
            if arguments.only in name:
                slow += _measure(config, name, arguments, device, limit)
    return 1 if slow else 0


def _measure(config: dict, name: str, arguments: argparse.Namespace, device: str, limit: float) -> bool:
    """Print the line of one loss; return whether it is above the limit."""
    generator = torch.Generator().manual_seed(0)
    batch, classes, *size = arguments.shape
    logits = torch.randn(arguments.shape, generator=generator).to(device).requires_grad_()
    labels = torch.randint(0, classes, (batch, *size), generator=generator).to(device)
    labels[:, :8] = 255
    try:
        loss = MODELS.build(_for_classes(config, classes)).to(device)
    except ValueError as error:
        print(f"{name}: not built for {classes} classes: {error}")
        return False
    seconds: dict[str, list[float]] = {"loss": [], "ce": []}
    for index in range(arguments.rounds + 2):
        ce = _seconds(lambda: F.cross_entropy(logits, labels, ignore_index=255), logits, device)
        ours = _seconds(lambda: loss(logits, labels, ignore_index=255), logits, device)
        if index >= 2:  # the first calls pay for allocation
            seconds["ce"].append(ce)
            seconds["loss"].append(ours)
    ms, ce_ms = (1000 * statistics.median(seconds[key]) for key in ("loss", "ce"))
    memory, quiet = _memory_and_sync(lambda: loss(logits, labels, ignore_index=255), logits, device)
    ratio = ms / ce_ms
    cells = (name, f"{ms:.1f}", f"{ce_ms:.1f}", f"{ratio:.2f}", memory, quiet)
    print(_row(cells, arguments.markdown), flush=True)
    return ratio > limit


def _seconds(call: Callable[[], torch.Tensor], logits: torch.Tensor, device: str) -> float:
    logits.grad = None
    if device == "cuda":
        torch.cuda.synchronize()
    start = time.perf_counter()
    call().backward()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


def _memory_and_sync(call: Callable[[], torch.Tensor], logits: torch.Tensor, device: str) -> tuple[str, str]:
    if device != "cuda":
        return "", ""
    logits.grad = torch.zeros_like(logits)
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    torch.cuda.set_sync_debug_mode("error")
    try:
        call().backward()
        quiet = "yes"
    except RuntimeError as error:
        quiet = f"no: {error}"
    finally:
        torch.cuda.set_sync_debug_mode("default")
    torch.cuda.synchronize()
    return f"{(torch.cuda.max_memory_allocated() - before) / 1e6:.0f}", quiet


def _for_classes(config: dict, classes: int) -> dict:
    """Return the config with a transition matrix of that many classes."""
    if "transition" not in config:
        return config
    off = 0.2 / (classes - 1)
    matrix = [[0.8 if row == column else off for column in range(classes)] for row in range(classes)]
    return dict(config, transition=matrix)


def _name(config: dict) -> str:
    parts = [
        f"{key}={_name(value) if isinstance(value, dict) else value}"
        for key, value in config.items()
        if key not in ("type", "transition")
    ]
    return config["type"].removeprefix("noisyseg.") + (f" ({', '.join(parts)})" if parts else "")


def _row(cells: Sequence[str], markdown: bool) -> str:
    if markdown:
        return "| " + " | ".join(cells) + " |"
    return f"{cells[0]:<60}" + "".join(f"{cell:>19}" for cell in cells[1:])


if __name__ == "__main__":
    sys.exit(main())
