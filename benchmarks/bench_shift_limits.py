"""Measure how much of the shifts of the table's labels a field can find, given a better detector than it has there.

OMP_NUM_THREADS=1 python benchmarks/bench_shift_limits.py     # writes benchmarks/results/pnt_edge/shift_limits.md

The training images and labels are those of benchmarks/pnt_edge.py with shifts of 4 px, prepared under --data; CamVid
and BSDS500 are found as there (NOISYSEG_CAMVID, NOISYSEG_BSDS500). The network of shifts is trained with the settings
of "PNT-Edge joint", on the shifted labels, beside a detector that does not change:

- shifted: a small CASENet trained on the shifted labels, as in the warm-up
- clean: the same trained on the clean ones, which no method has
- exact: no detector, but the clean edges themselves, blurred

The number is the share of the shifted label pixels (thin edges) that lie at most 1.5 px from a clean one of their
class: as they are, and moved by the field. It is measured on the images that were trained on, where labels are to be
mended.
"""

import argparse
import logging
import platform
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from scipy import ndimage
from shift_training import Example, batch_of, small_model, train_stage
from torch import Tensor

from noisyseg.integration.benchmark.prepare import PreparedData, prepare_data
from noisyseg.integration.benchmark.table import load_table
from noisyseg.integration.segmentation.edges import PNTEdge
from noisyseg.labels.edge_bits import unpacked_edges
from noisyseg.labels.edge_files import read_edge_annotators
from noisyseg.labels.files import atomic_path
from noisyseg.noise.kernels.edges import canny_edges

BENCHMARKS = Path(__file__).resolve().parent
RESULT = BENCHMARKS / "results" / "pnt_edge" / "shift_limits.md"
DATA = ("scenes", "camvid", "bsds500")
TOLERANCE = 1.5
BLUR = 2.0
DETECTORS = ("shifted", "clean", "exact")


class Labelled(NamedTuple):
    """An image with its edge labels: bits to train on, (K, H, W) bool thin edges to judge by."""

    shifted: Example
    clean: Example
    thin: npt.NDArray[np.bool_]
    thin_clean: npt.NDArray[np.bool_]


def main(argv: Sequence[str] | None = None) -> int:
    """Print one line a data set, and write them all unless some were left out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("work_dirs/benchmarks/data"), help="prepared data sets")
    parser.add_argument("--detector", type=int, default=600, help="iterations of the detector")
    parser.add_argument("--shift", type=int, default=600, help="iterations of the field")
    parser.add_argument("--only", nargs="+", choices=DATA, default=DATA, help="these only; then nothing is written")
    args = parser.parse_args(argv)
    logging.disable(logging.INFO)  # of first weights, a line each
    lines = [
        f"Shifts of 4 px root mean square. {args.detector} iterations for a detector, {args.shift} for the field, 4 "
        f"images each, one seed. PyTorch {torch.__version__}, {platform.machine()}, {torch.get_num_threads()} threads; "
        "minutes are of the processor.",
        "",
        f"| data | as labelled, % | {' | '.join(f'{name}, %' for name in DETECTORS)} | min |",
        "|---|---|---|---|---|---|",
    ]
    print("\n".join(lines))
    table = load_table(BENCHMARKS / "pnt_edge.py")
    for name in args.only:
        start = time.process_time()
        data = prepare_data(args.data, table.data[name].prepare)
        examples = list(_labelled(data))
        classes = len(data.classes)
        found = [_share(examples, [np.zeros((2, *one.thin.shape[1:]), np.float32) for one in examples])]
        for detector in DETECTORS:
            model = _trained(table.methods["joint"].config["model"], classes, examples, detector, args)
            found.append(_share(examples, list(_fields(model, examples, detector))))
        cells = [table.data[name].title, *(f"{100 * share:.1f}" for share in found)]
        lines.append("| " + " | ".join([*cells, f"{(time.process_time() - start) / 60:.1f}"]) + " |")
        print(lines[-1], flush=True)
    if args.only == DATA:
        with atomic_path(RESULT) as partial:
            partial.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return 0


def _labelled(data: PreparedData) -> Iterator[Labelled]:
    """Yield the training images."""
    for path in sorted((data.folder / "images" / "train").glob("*.png")):
        image = np.asarray(Image.open(path))
        bits = {
            kind: read_edge_annotators(data.folder / kind / "train" / path.name, len(data.classes))[0]
            for kind in ("noisy", "clean", "noisy_thin", "clean_thin")
        }
        pixels = torch.from_numpy(image[..., ::-1].transpose(2, 0, 1).copy())
        image_edges = torch.from_numpy(canny_edges(image, 1.5, 25, 150).astype(np.uint8)[None])
        yield Labelled(
            *((pixels, torch.from_numpy(bits[kind][None]), image_edges) for kind in ("noisy", "clean")),
            *(unpacked_edges(bits[f"{kind}_thin"], len(data.classes)) for kind in ("noisy", "clean")),
        )


def _trained(
    joint: dict[str, Any], classes: int, examples: Sequence[Labelled], detector: str, args: argparse.Namespace
) -> PNTEdge:
    """Return a model whose field was trained beside a detector."""
    settings = {name: value for name, value in joint.items() if name not in ("_delete_", "type", "detector", "shift")}
    field = {name: value for name, value in joint["shift"].items() if name != "type"}
    model = small_model(settings, field, classes)
    if detector != "exact":
        train_stage(model, "warmup", [getattr(one, detector) for one in examples], args.detector, rate=1e-2)
    shifted = [one.shifted for one in examples]
    train_stage(model, "shift", shifted, args.shift, rate=3e-3, look=lambda at: _tell(model, examples, at, detector))
    return model


def _tell(model: PNTEdge, examples: Sequence[Labelled], at: Sequence[int], detector: str) -> None:
    """Let the detector say of the next batch what the labels know."""
    if detector == "exact":
        logits = torch.stack([_blurred(examples[index].thin_clean) for index in at])
        model.detector.edge_logits = lambda _: [logits]


def _blurred(edges: npt.NDArray[np.bool_]) -> Tensor:
    """Return (K, H, W) logits of edges, 1 on them and falling over some pixels: a slope is what moves the field."""
    near = np.stack([np.exp(-np.square(_distance(one) / BLUR) / 2) for one in edges])
    return torch.from_numpy(near.clip(1e-3, 1 - 1e-3).astype(np.float32)).logit()


def _distance(edges: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """Return (H, W) pixels to the nearest edge; far where there is none."""
    return ndimage.distance_transform_edt(~edges) if edges.any() else np.full(edges.shape, 1e3)


@torch.no_grad()
def _fields(model: PNTEdge, examples: Sequence[Labelled], detector: str) -> Iterator[npt.NDArray[np.float32]]:
    """Yield (2, H, W) pixels of each image: the way from its labels to its edges."""
    model.eval()
    for index, one in enumerate(examples):
        _tell(model, examples, [index], detector)
        inputs, _ = batch_of([one.shifted], model)
        bits = one.shifted[1]
        labels = torch.from_numpy(unpacked_edges(bits[0].numpy(), len(one.thin)))
        yield model.predict_shift(inputs, labels[None])[0].numpy()


def _share(examples: Sequence[Labelled], fields: Sequence[npt.NDArray[np.float32]]) -> float:
    """Return the share of label pixels that lie at a clean edge of their class once they are moved."""
    near = [
        ndimage.map_coordinates(_distance(clean), np.argwhere(thin).T + field[:, thin], order=1, mode="nearest")
        <= TOLERANCE
        for one, field in zip(examples, fields, strict=True)
        for thin, clean in zip(one.thin, one.thin_clean, strict=True)
    ]
    return float(np.concatenate(near).mean())


if __name__ == "__main__":
    cv2.setNumThreads(1)
    sys.exit(main())
