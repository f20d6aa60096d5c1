"""Time a training step of each stage of PNT-Edge against the step of its detector alone.

OMP_NUM_THREADS=2 python benchmarks/bench_pnt_edge.py     # writes benchmarks/results/pnt_edge/cost.md

A step is the losses of a batch, their gradient and the optimizer's step. Each round times the detector's own step,
which is that of the stage warmup, then those of shift, edge and joint, on the same batch, so that a slow moment of the
machine hits all; the ratio is the median of the ratios of the rounds. On CUDA times are between two synchronisations.
"""

import argparse
import copy
import platform
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from torch import Tensor

from noisyseg.integration.segmentation.edges import PNTEdge
from noisyseg.labels.files import atomic_path
from noisyseg.registry import MODELS

REPOSITORY = Path(__file__).resolve().parent.parent
RESULT = REPOSITORY / "benchmarks" / "results" / "pnt_edge" / "cost.md"
LIMIT = 1.5
STAGES = ("warmup", "shift", "edge", "joint")
LIMITED = ("shift", "edge")  # joint does the work of both
# Model, classes, channels and depth of the field as in the configs, images, side in pixels.
CASES = (
    ("casenet_r18_small", 1, 8, 2, 4, 128),
    ("casenet_r18_small", 1, 16, 2, 4, 128),
    ("casenet_r18_small", 6, 8, 2, 4, 128),
    ("side_edges_r18_small", 1, 8, 2, 4, 128),
    ("casenet_r101", 20, 32, 1, 1, 160),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Print one line a detector, and write them all unless some were left out; return 1 if one is above the limit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9, help="rounds a detector (default: 9)")
    parser.add_argument("--only", default="", help="models whose name contains this; then nothing is written")
    args = parser.parse_args(argv)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    where = (
        torch.cuda.get_device_name() if device == "cuda" else f"{platform.machine()}, {torch.get_num_threads()} threads"
    )
    lines = [
        f"PyTorch {torch.__version__}, {where}, {args.rounds} rounds.",
        "",
        "| detector | classes | channels of the field | its depth | batch "
        f"| {' | '.join(f'{stage}, ms' for stage in STAGES)} "
        f"| {' | '.join(f'{stage}, times warmup' for stage in STAGES[1:])} |",
        "|---" * (5 + 2 * len(STAGES) - 1) + "|",
    ]
    print("\n".join(lines))
    slow = False
    for name, classes, channels, depth, images, side in CASES:
        if args.only in name:
            times = _times(_model(name, classes, channels, depth).to(device), images, side, args.rounds)
            ratios = {
                stage: statistics.median(b / a for a, b in zip(times["warmup"], times[stage], strict=True))
                for stage in STAGES[1:]
            }
            slow |= max(ratios[stage] for stage in LIMITED) > LIMIT
            cells = [name, classes, channels, depth, f"{images} x {side} x {side}"]
            cells += [f"{1000 * statistics.median(times[stage]):.0f}" for stage in STAGES] + [
                f"{ratio:.2f}" for ratio in ratios.values()
            ]
            lines.append("| " + " | ".join(map(str, cells)) + " |")
            print(lines[-1], flush=True)
    if not args.only:
        with atomic_path(RESULT) as partial:
            partial.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return int(slow)


def _model(name: str, classes: int, channels: int, depth: int) -> PNTEdge:
    detector = Config.fromfile(REPOSITORY / "configs" / "_base_" / "models" / f"{name}.py").model
    detector.decode_head.num_classes = classes
    detector.backbone.init_cfg = None
    shift = dict(type="noisyseg.PixelShiftField", channels=channels, depth=depth)
    return MODELS.build(dict(type="noisyseg.PNTEdge", detector=detector, shift=shift, smoothness_weight=1.0)).train()


def _batch(classes: int, images: int, side: int, device: torch.device) -> tuple[Tensor, list[SegDataSample]]:
    generator = torch.Generator().manual_seed(0)
    samples = []
    for _ in range(images):
        bits = torch.zeros(1, side, side, dtype=torch.int32)
        for class_ in range(classes):
            row, column = torch.randint(0, side, (2,), generator=generator).tolist()
            bits[0, row] |= 1 << class_
            bits[0, :, column] |= 1 << class_
        sample = SegDataSample(gt_edge_bits=PixelData(data=bits))
        edges = (torch.rand(1, side, side, generator=generator) < 0.1).to(torch.uint8)
        sample.set_data({"gt_image_edges": PixelData(data=edges)})
        samples.append(sample.to(device))
    return torch.randn(images, 3, side, side, generator=generator).to(device), samples


def _times(model: PNTEdge, images: int, side: int, rounds: int) -> dict[str, list[float]]:
    """Return the seconds of a step of each stage, by round."""
    device = next(model.parameters()).device
    inputs, samples = _batch(model.num_classes, images, side, device)
    optimizers = {stage: torch.optim.AdamW(model.parameters(), lr=1e-5) for stage in STAGES}
    times: dict[str, list[float]] = {stage: [] for stage in STAGES}
    for index in range(rounds + 1):
        for stage in STAGES:
            model.set_stage(stage)
            ours = copy.copy(samples)
            _wait(device)
            start = time.perf_counter()
            losses = model.loss(inputs, ours)
            sum(value for name, value in losses.items() if "loss" in name).backward()
            optimizers[stage].step()
            optimizers[stage].zero_grad()
            _wait(device)
            if index:  # the first round pays for allocation
                times[stage].append(time.perf_counter() - start)
    return times


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()


if __name__ == "__main__":
    sys.exit(main())
