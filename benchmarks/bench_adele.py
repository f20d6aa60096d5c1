"""Time and weigh what ADELE adds to a training, each part beside what it is added to, in one run.

python benchmarks/bench_adele.py                     # CPU, or CUDA where there is one
python benchmarks/bench_adele.py --only memory
python benchmarks/bench_adele.py --results benchmarks/results/adele

reading     loading a sample with its stored labels, beside loading it from files alone; as a share of an iteration
statistics  a head's losses with the counting of its predictions, beside the losses alone; as a share of an iteration
pass        a correction pass, beside predicting the same images at the same scales and doing nothing with it
memory      what the process grows by while 10,000 images are corrected

Pairs are timed alternately, so that a slow moment of the machine hits both; times are medians, on a CPU of processor
time, which other programs' share of the machine is not in. An iteration is the
small U-Net's on two images of 512 x 512 with 21 classes, which is about the fastest there is: shares of a larger
network's are smaller.
"""

import argparse
import csv
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import torch
from mmengine.config import Config, ConfigDict
from mmengine.dataset import pseudo_collate
from mmengine.logging import MMLogger
from mmengine.registry import DATASETS, MODELS

from noisyseg.integration.predicting import predicting
from noisyseg.integration.segmentation.correction_pass import CorrectionPass
from noisyseg.integration.segmentation.multi_scale_inference import MultiScaleInference
from noisyseg.integration.segmentation.plain_dataset import plain_dataset
from noisyseg.labels.store import LabelStore
from noisyseg.registry import TASK_UTILS

CLASSES, SIZE, BATCH = 21, 512, 2
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
POLICY = dict(type="noisyseg.AdelePolicy", trigger=dict(type="noisyseg.FixedTrigger", epochs=0), tau=0.05)
LOAD = [dict(type="mmengine.LoadImageFromFile"), dict(type="mmseg.LoadAnnotations")]
FLIP = dict(type="mmseg.RandomFlip", prob=0.5)
HEADINGS = ("part", "what", "ours", "beside", "result", "target", "met")


def main(argv: Sequence[str] | None = None) -> int:
    """Print one line a part; return 1 if one misses its target."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=PARTS, help="one part")
    parser.add_argument("--rounds", type=int, default=15, help="pairs of timings (default: 15)")
    parser.add_argument("--images", type=int, default=10_000, help="for the memory (default: 10000)")
    parser.add_argument("--results", type=Path, metavar="DIR", help="also write bench.csv there")
    arguments = parser.parse_args(argv)
    MMLogger.get_instance("bench", log_level="ERROR")
    with tempfile.TemporaryDirectory() as scratch:
        lines = [PARTS[name](Path(scratch), arguments) for name in PARTS if arguments.only in (None, name)]
    where = torch.cuda.get_device_name() if DEVICE == "cuda" else f"{platform.machine()} CPU"
    where += f", {torch.get_num_threads()} threads, torch {torch.__version__}"
    print(f"\n{where}\n\n| " + " | ".join(HEADINGS) + " |\n" + "|---" * len(HEADINGS) + "|")
    for line in lines:
        print("| " + " | ".join(line) + " |")
    if arguments.results:
        arguments.results.mkdir(parents=True, exist_ok=True)
        with (arguments.results / "bench.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows(
                [(*HEADINGS, "machine"), *((*line, where) for line in lines)]
            )
    return 0 if all(line[-1] == "yes" for line in lines) else 1


def reading(scratch: Path, arguments: argparse.Namespace) -> tuple[str, ...]:
    """Compare the loading of samples, and set the difference against an iteration."""
    config, store = data_set(scratch / "reading", 8, SIZE, stored=True)
    plain = DATASETS.build(dict(config, pipeline=[*LOAD, FLIP, dict(type="mmseg.PackSegInputs")]))
    steps = [*LOAD, dict(type="noisyseg.LoadStoredLabels", store=str(store.root), keep_given=True), FLIP]
    stored = DATASETS.build(dict(config, pipeline=[*steps, dict(type="noisyseg.PackSegInputs")]))
    model, optimizer = network()

    def load(dataset: torch.utils.data.Dataset) -> Callable[[], None]:
        return lambda: [dataset[index] for index in range(BATCH)]

    ours, files = alternately(load(stored), load(plain), arguments.rounds)
    batch = pseudo_collate([plain[index] for index in range(BATCH)])
    step = median(lambda: train_step(model, optimizer, batch), arguments.rounds)
    share = (ours - files) / (files + step)
    return line("reading", f"{BATCH} samples, of an iteration of {ms(files + step)}", ms(ours), ms(files), share, 0.05)


def counting(scratch: Path, arguments: argparse.Namespace) -> tuple[str, ...]:
    """Compare losses with and without the counting of predictions, and set the difference against an iteration.

    Without the layers before the head, whose time varies by more than counting takes. Logits have half the size of the
    labels, as most networks' are smaller.
    """
    config, _ = data_set(scratch / "counting", BATCH, SIZE)
    dataset = DATASETS.build(dict(config, pipeline=[*LOAD, dict(type="mmseg.PackSegInputs")]))
    model, optimizer = network()
    batch = pseudo_collate([dataset[index] for index in range(BATCH)])
    wrapper = MODELS.build(
        dict(type="noisyseg.MultiScaleConsistency", segmentor=segmentor(), scales=(1.0,), weight=0.0,
             tracker=dict(compare="current"))
    ).to(DEVICE).train()  # fmt: skip
    data = wrapper.data_preprocessor(batch, True)
    with torch.no_grad():
        features = [torch.nn.functional.avg_pool2d(one, 2) for one in wrapper.extract_feat(data["inputs"])]
    wrapper.segmentor.extract_feat = lambda _: features

    def losses_of(part: torch.nn.Module) -> Callable[[], object]:
        return lambda: part.loss(data["inputs"], data["data_samples"])

    ours, alone = alternately(losses_of(wrapper), losses_of(wrapper.segmentor), arguments.rounds)
    step = median(lambda: train_step(model, optimizer, batch), arguments.rounds)
    what = f"{CLASSES} classes, {BATCH} x {SIZE} x {SIZE}, of an iteration of {ms(step)}"
    return line("statistics", what, ms(ours), ms(alone), (ours - alone) / step, 0.02)


def correcting(scratch: Path, arguments: argparse.Namespace) -> tuple[str, ...]:
    """Compare a correction pass with predicting alone."""
    config, store = data_set(scratch / "pass", 4, SIZE)
    config["pipeline"] = [*LOAD, dict(type="noisyseg.LoadStoredLabels", store=str(store.root))]
    inference = MultiScaleInference((0.75, 1.0, 1.5), flip=True)
    model, _ = network()
    bare = DATASETS.build(dict(config, pipeline=[*LOAD, dict(type="mmseg.PackSegInputs")]))
    policy = TASK_UTILS.build(POLICY)
    corrections = CorrectionPass(plain_dataset(config, keep_given=True), policy, inference, CLASSES, progress=False)
    due = np.arange(CLASSES) > 0
    changed = []

    def correct() -> None:
        changed.append(corrections.run(model, due, store, store.begin(), "bench").changed_images)

    def predict() -> None:
        with predicting(model, dropout=False):
            for index in range(len(bare)):
                sample = bare[index]
                inference.probs(model, sample["inputs"], sample["data_samples"]).argmax(0).cpu()

    ours, alone = alternately(correct, predict, max(3, arguments.rounds // 3))
    if set(changed) != {len(bare)}:
        raise SystemExit(f"expected a pass that changes all {len(bare)} images, got {changed}")
    return line("pass", f"{len(bare)} images, 3 scales and flip", ms(ours), ms(alone), ours / alone - 1, 0.15)


def memory(scratch: Path, arguments: argparse.Namespace) -> tuple[str, ...]:
    """Return by how much the process grows from a pass over a few images to one over many."""
    config, store = data_set(scratch / "memory", arguments.images, 32)
    config["pipeline"] = [*LOAD, dict(type="noisyseg.LoadStoredLabels", store=str(store.root))]
    dataset = plain_dataset(config, keep_given=True)
    model = OneLayer().to(DEVICE)
    policy, due = TASK_UTILS.build(POLICY), np.arange(CLASSES) > 0
    inference = MultiScaleInference((1.0,), flip=False)
    few = torch.utils.data.Subset(dataset, range(min(500, arguments.images)))
    CorrectionPass(few, policy, inference, CLASSES, progress=False).run(model, due, store, store.begin(), "few")
    before = resident()
    found = CorrectionPass(dataset, policy, inference, CLASSES).run(model, due, store, store.begin(), "all")
    if found.changed_images < 0.9 * arguments.images:
        raise SystemExit(f"expected changes in nearly all images, got {found.changed_images}")
    growth = (resident() - before) / 2**20
    kept = 12 * arguments.images * 32 * 32 / 2**20
    what = f"{arguments.images} images of 32 x 32"
    return ("memory", what, f"{growth:.1f} MiB", f"{kept:.0f} MiB at 12 bytes a pixel", f"{growth:.1f} MiB", "50 MiB",
            "yes" if growth < 50 else "no")  # fmt: skip


class OneLayer(torch.nn.Module):
    """Predicts classes by grey levels, at next to no cost."""

    def test_step(self, batch: dict) -> list:
        """Return samples with logits, as a segmentor of mmseg."""
        found = []
        for image in batch["inputs"]:
            grey = image[:1].float() / 255
            levels = torch.linspace(0, 1, CLASSES)[:, None, None]
            logits = -40 * (grey - levels).abs()
            found.append(SimpleNamespace(seg_logits=SimpleNamespace(data=logits)))
        return found


def data_set(root: Path, count: int, size: int, *, stored: bool = False) -> tuple[dict, LabelStore]:
    """Write images with patches of classes; return the config of the data set, and a store with one version."""
    rng = np.random.default_rng(0)
    for folder in ("images", "labels"):
        (root / folder).mkdir(parents=True)
    store = LabelStore(root / "store")
    version = store.begin() if stored else None
    for index in range(count):
        patches = rng.integers(0, CLASSES, (8, 8)).astype(np.uint8)
        labels = cv2.resize(patches, (size, size), interpolation=cv2.INTER_NEAREST)
        image = (rng.integers(0, 256, (size, size, 3)) // 4 + labels[..., None] * 9).astype(np.uint8)
        cv2.imwrite(str(root / "images" / f"{index:05d}.png"), image)
        cv2.imwrite(str(root / "labels" / f"{index:05d}.png"), labels)
        if stored:
            store.put(f"{index:05d}", "labels", np.roll(labels, 5, axis=0), version)
    if stored:
        store.finish(version, parent=0)
        store.set_current(version)
    config = dict(
        type="noisyseg.SegDataset",
        data_root=str(root),
        data_prefix=dict(img_path="images", seg_map_path="labels"),
        img_suffix=".png",
        metainfo=dict(classes=tuple(f"class{index}" for index in range(CLASSES))),
    )
    return config, store


def segmentor() -> ConfigDict:
    """Return the config of the small U-Net."""
    model = Config.fromfile(Path(__file__).parent.parent / "configs/_base_/models/unet_small.py").model.to_dict()
    model["decode_head"]["num_classes"] = CLASSES
    model["data_preprocessor"] |= dict(type="mmseg.SegDataPreProcessor", size=(SIZE, SIZE))
    model["data_preprocessor"].pop("size_divisor", None)
    return Config({"model": model}).model


def network() -> tuple[torch.nn.Module, torch.optim.Optimizer]:
    """Return the network with an optimizer."""
    torch.manual_seed(0)
    model = MODELS.build(segmentor()).to(DEVICE)
    return model, torch.optim.SGD(model.parameters(), lr=0.01)


def train_step(model: torch.nn.Module, optimizer: torch.optim.Optimizer, batch: dict) -> None:
    """Do what an iteration does."""
    model.train()
    data = model.data_preprocessor(batch, True)
    losses, _ = model.parse_losses(model.loss(data["inputs"], data["data_samples"]))
    optimizer.zero_grad()
    losses.backward()
    optimizer.step()


def alternately(ours: Callable[[], object], beside: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Return the median seconds of both."""
    times: tuple[list[float], list[float]] = ([], [])
    for index in range(rounds + 2):
        for call, seconds in zip((ours, beside), times, strict=True):
            taken = timed(call)
            if index >= 2:  # the first calls pay for allocation
                seconds.append(taken)
    return statistics.median(times[0]), statistics.median(times[1])


def median(call: Callable[[], object], rounds: int) -> float:
    """Return the median seconds of a call."""
    return statistics.median([timed(call) for _ in range(rounds + 2)][2:])


def timed(call: Callable[[], object]) -> float:
    """Return the seconds of a call: of the processor, or with a device those that pass."""
    if DEVICE == "cpu":
        start = time.process_time()
        call()
        return time.process_time() - start
    torch.cuda.synchronize()
    start = time.perf_counter()
    call()
    torch.cuda.synchronize()
    return time.perf_counter() - start


def resident() -> int:
    """Return the bytes of memory that the process has."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def ms(seconds: float) -> str:
    """Return milliseconds as text."""
    return f"{1000 * seconds:.1f} ms"


def line(part: str, what: str, ours: str, beside: str, share: float, target: float) -> tuple[str, ...]:
    """Return a line of the table."""
    return part, what, ours, beside, f"{share:+.1%}", f"{target:.0%}", "yes" if share <= target else "no"


PARTS = {"reading": reading, "statistics": counting, "pass": correcting, "memory": memory}

if __name__ == "__main__":
    sys.exit(main())
