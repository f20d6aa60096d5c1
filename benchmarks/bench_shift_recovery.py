"""Shift the labels of synthetic scenes by known smooth fields, and measure how much of them PNT-Edge finds again.

OMP_NUM_THREADS=2 python benchmarks/bench_shift_recovery.py  # writes benchmarks/results/pnt_edge/shift_recovery.md

The label map of each training scene is read at positions up to 6 pixels away, which a smooth random field of its own
says, and its edges (binary, 2 to 3 pixels wide) are drawn from that. A small CASENet is trained from random weights, on
clean edges or on the shifted ones, and with it the network of shifts, on the shifted ones. On the pixels of the shifted
edges the field found is compared with the field that was put in:

- error: mean end-point error, the length of the difference, in pixels
- across: of it the part across the edge. Along a straight edge a shift leaves no trace.
- no shift: the same of a field that is 0, which is what training on the labels as they are assumes

"held out" are scenes that neither network has seen; of their labels the field is predicted as of the others.
"""

import argparse
import copy
import logging
import platform
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from PIL import Image
from shift_training import Example, batch_of, small_model, train_stage
from torch import Tensor

from noisyseg.integration.segmentation.edges import PNTEdge
from noisyseg.labels.edges import label_edges
from noisyseg.labels.files import atomic_path
from noisyseg.labels.rng import keyed_rng
from noisyseg.noise.kernels.edges import canny_edges, clipped, field_grid, smooth_field, sources
from noisyseg.scenes import write_scenes

REPOSITORY = Path(__file__).resolve().parent.parent
RESULT = REPOSITORY / "benchmarks" / "results" / "pnt_edge" / "shift_recovery.md"
LONGEST = 6.0
LIMIT = 1.0
HELD_OUT = 40
SMOOTH = dict(confidence="probability", complexity_weight=0.0, smoothness_weight=1.0)
DEEP = dict(channels=16, depth=2)
# What the detector is trained on, what the table says of the settings, settings of PNTEdge and of PixelShiftField.
CASES = (
    ("clean", "smoothness 1, complexity 0, probability, depth 2", SMOOTH, DEEP),
    ("clean", "the same, smoothness 0", {**SMOOTH, "smoothness_weight": 0.0}, DEEP),
    ("clean", "published", {}, dict(channels=16)),
    ("shifted", "smoothness 1, complexity 0, probability, depth 2", SMOOTH, DEEP),
    ("shifted", "published", {}, dict(channels=16)),
)


class Scene(NamedTuple):
    """An image (3, H, W), its edges (1, H, W), the edges of the image, the field from its edges to the clean ones."""

    image: Tensor
    bits: Tensor
    image_edges: Tensor
    field: Tensor

    @property
    def example(self) -> Example:
        """What is trained on."""
        return self[:3]


def main(argv: Sequence[str] | None = None) -> int:
    """Print one line a case, and write them all unless some were left out; return 1 if the first one is too far off."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--rms", type=float, default=2.0, help="root mean square length of the fields, pixels")
    parser.add_argument("--length", type=float, default=64.0, help="correlation length of the fields, pixels")
    parser.add_argument("--warmup", type=int, default=400, help="iterations of the detector")
    parser.add_argument("--shift", type=int, default=600, help="iterations of the field")
    parser.add_argument("--cases", type=int, nargs="+", help="these only, counted from 0; then nothing is written")
    args = parser.parse_args(argv)
    logging.disable(logging.INFO)  # of first weights, a line each
    lines = [
        f"{args.images} scenes of 128 x 128 pixels, {HELD_OUT} held out; fields of {args.rms:g} px root mean square, "
        f"{args.length:g} px correlation length, cut at {LONGEST:g} px. {args.warmup} iterations for the detector, "
        f"{args.shift} for the field, 4 images each. PyTorch {torch.__version__}, {platform.machine()}, "
        f"{torch.get_num_threads()} threads; minutes are of the processor, data, detector and field together.",
        "",
        "| detector trained on | settings | error, px | held out | no shift | across, px | held out | no shift | min |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    print("\n".join(lines))
    start = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        root = write_scenes(Path(folder) / "scenes", train=args.images, val=1)
        scenes = {"clean": list(_scenes(root, 0.0, args.length)), "shifted": list(_scenes(root, args.rms, args.length))}
    making = time.process_time() - start
    detectors: dict[str, tuple[dict[str, Tensor], float]] = {}
    first = None
    for index, (labels, name, settings, field) in enumerate(CASES):
        if args.cases and index not in args.cases:
            continue
        start = time.process_time()
        model = small_model(settings, field)
        if labels not in detectors:
            train_stage(model, "warmup", _examples(scenes[labels]), args.warmup, rate=1e-2)
            detectors[labels] = copy.deepcopy(model.detector.state_dict()), time.process_time() - start
            start = time.process_time()
        weights, spent = detectors[labels]
        model.detector.load_state_dict(weights)
        train_stage(model, "shift", _examples(scenes["shifted"]), args.shift, rate=3e-3)
        spent += making + time.process_time() - start
        parts = [_errors(model, part) for part in (scenes["shifted"][HELD_OUT:], scenes["shifted"][:HELD_OUT])]
        first = parts[0][0] if first is None else first
        cells = [labels, name]
        for at in (0, 2):
            cells += [f"{parts[0][at]:.2f}", f"{parts[1][at]:.2f}", f"{parts[0][at + 1]:.2f}"]
        lines.append("| " + " | ".join([*cells, f"{spent / 60:.1f}"]) + " |")
        print(lines[-1], flush=True)
    if not args.cases:
        with atomic_path(RESULT) as partial:
            partial.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return int(first >= LIMIT)


def _scenes(root: Path, rms: float, length: float) -> Iterator[Scene]:
    """Yield the training scenes of a data set with their labels shifted."""
    for index, path in enumerate(sorted((root / "images" / "train").iterdir())):
        image = cv2.imread(str(path))
        labels = np.asarray(Image.open(root / "semantic" / "train" / path.name))
        drawn = keyed_rng(0, "shift_recovery", index).standard_normal((2, *field_grid(labels.shape, length)))
        moved = clipped(smooth_field(drawn, labels.shape, rms, length), LONGEST)
        edges = label_edges(labels[sources(moved)], radius=1)
        yield Scene(
            torch.from_numpy(image.transpose(2, 0, 1).copy()),
            torch.from_numpy(edges.astype(np.int32)[None]),
            torch.from_numpy(canny_edges(image[..., ::-1].copy(), 1.5, 25, 150).astype(np.uint8)[None]),
            -torch.from_numpy(moved[::-1].astype(np.float32).copy()),
        )


def _examples(scenes: Sequence[Scene]) -> list[Example]:
    """Return what is trained on."""
    return [scene.example for scene in scenes[HELD_OUT:]]


def _errors(model: PNTEdge, scenes: Sequence[Scene]) -> list[float]:
    """Return the mean error on edge pixels, that without a shift, and of both the part across the edge, pixels."""
    model.eval()
    rows = []
    for scene in scenes:
        at = scene.bits[0] > 0
        found = model.predict_shift(batch_of([scene.example], model)[0], at[None, None])[0][:, at].numpy()
        true = scene.field[:, at].numpy()
        normal = _normals(at.numpy())[:, at.numpy()]
        rows.append(
            [length for wrong in (found - true, true) for length in (np.hypot(*wrong), abs((wrong * normal).sum(0)))]
        )
    error, across, no_shift, across_no_shift = np.concatenate(rows, axis=1).mean(axis=1).tolist()
    return [error, no_shift, across, across_no_shift]


def _normals(edges: np.ndarray) -> np.ndarray:
    """Return (2, H, W) unit vectors across (H, W) edges, rows and columns: the main direction of gradients around."""
    blurred = cv2.GaussianBlur(edges.astype(np.float32), (0, 0), 1.5)
    dy, dx = cv2.Sobel(blurred, -1, 0, 1), cv2.Sobel(blurred, -1, 1, 0)
    yy, xx, xy = (cv2.GaussianBlur(product, (0, 0), 2.0) for product in (dy * dy, dx * dx, dy * dx))
    angle = 0.5 * np.arctan2(2 * xy, xx - yy)  # from the axis of columns
    return np.stack([np.sin(angle), np.cos(angle)])


if __name__ == "__main__":
    sys.exit(main())
