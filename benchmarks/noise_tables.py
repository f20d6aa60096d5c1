"""Reproduce the reference tables of the noise models: how strong each one is, against numbers known before.

    python benchmarks/noise_tables.py COCO_DIR

COCO_DIR holds ``annotations/instances_{train,val}2017.json``: the subset of 80 + 80 images that the reference numbers
were measured on, with the authors' primitives. Prints Markdown; the exit status is 1 where a number is off by more than
its tolerance.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np

from noisyseg.integration.recipes import load_recipe
from noisyseg.labels import Categories, Instances, Mask, SemanticMap
from noisyseg.labels.coco import read_coco
from noisyseg.labels.rng import keyed_rng
from noisyseg.noise import NoiseModel, build_noise
from noisyseg.noise.kernels import masks as kernels

Images = list[tuple[int, Instances]]
Noise = Callable[[Instances, np.random.Generator], list[Mask]]

# Mean IoU over all, small, medium and large objects; share that vanished; mean area ratio.
OPERATIONS = {
    "approximation 5": (0.853, 0.75, 0.90, 0.97, 0, 0.93),
    "approximation 10": (0.752, 0.61, 0.81, 0.94, 0, 0.86),
    "approximation 15": (0.689, 0.54, 0.74, 0.91, 0, 0.80),
    "localization 2": (0.798, 0.66, 0.87, 0.95, 0, 1.08),
    "localization 3": (0.728, 0.57, 0.81, 0.93, 0, 1.16),
    "localization 4": (0.665, 0.48, 0.75, 0.90, 0, 1.25),
    "erode 3": (0.786, 0.63, 0.88, 0.96, 0.003, 0.79),
    "erode 5": (0.625, 0.37, 0.76, 0.92, 0.039, 0.63),
    "erode 7": (0.510, 0.22, 0.65, 0.87, 0.089, 0.51),
    "dilate 3": (0.828, 0.72, 0.89, 0.96, 0, 1.24),
    "dilate 5": (0.721, 0.56, 0.80, 0.92, 0, 1.51),
    "dilate 7": (0.644, 0.46, 0.73, 0.89, 0, 1.79),
    "coco_n_easy_official": (0.890, 0.81, 0.93, 0.98, 0.0002, 1.00),
    "coco_n_medium_official": (0.790, 0.66, 0.85, 0.94, 0.0055, 1.02),
    "coco_n_hard_official": (0.677, 0.50, 0.76, 0.91, 0.0126, 1.08),
    "coco_n_v2_low_official": (0.731, 0.56, 0.82, 0.93, 0.007, 1.03),
    "coco_n_v2_mid_official": (0.603, 0.38, 0.71, 0.89, 0.041, 1.02),
    "coco_n_v2_high_official": (0.497, 0.27, 0.58, 0.82, 0.091, 1.16),
}
# A single operation is drawn for every object; of a mix, the reference is one sample.
OPERATION_TOLERANCES = (0.01, 0.02, 0.02, 0.02, 0.01, 0.03)
MIX_TOLERANCES = (0.015, 0.03, 0.03, 0.03, 0.01, 0.05)
# IoU of a filled disc by radius: at easy, medium and hard.
DISCS = {
    "approximation": ((0.444, 0.444, 0.444), (0.697, 0.382, 0.382), (0.932, 0.669, 0.669), (0.911, 0.911, 0.650)),
    "localization": ((0.60, 0.46, 0.36), (0.76, 0.66, 0.55), (0.87, 0.80, 0.74), (0.95, 0.92, 0.88)),
    "erode": ((0.556, 0.259, 0.062), (0.760, 0.558, 0.382), (0.876, 0.761, 0.653), (0.950, 0.901, 0.853)),
    "dilate": ((0.628, 0.438, 0.325), (0.783, 0.633, 0.524), (0.882, 0.785, 0.704), (0.951, 0.905, 0.863)),
}
RADII = (5, 10, 20, 50)
LEVELS = {"approximation": (5, 10, 15), "localization": (2, 3, 4), "erode": (3, 5, 7), "dilate": (3, 5, 7)}
# Mean IoU, share of at least 0.5 and 0.75.
BOXES = {
    "CenterScaleJitter .1": (0.811, 1.00, 0.86),
    "CenterScaleJitter .2": (0.664, 0.98, 0.18),
    "CenterScaleJitter .3": (0.545, 0.62, 0.04),
    "CenterScaleJitter .4": (0.448, 0.32, 0.01),
    "CoordinateJitter .1": (0.823, 1.00, 0.95),
    "CoordinateJitter .2": (0.682, 0.99, 0.19),
    "CoordinateJitter .3": (0.566, 0.74, 0.04),
    "CoordinateJitter .4": (0.468, 0.39, 0.01),
    "GaussianJitter .05": (0.856, 1.00, 0.98),
    "GaussianJitter .1": (0.737, 1.00, 0.46),
    "GaussianJitter .2": (0.548, 0.66, 0.06),
}
# Factor of a disc's area for 2, 3 and 4 steps, averaged over radii 6 to 40.
MEDICAL = {"under": (0.73, 0.61, 0.50), "over": (1.31, 1.47, 1.64)}
# IoU of a disc by delta 4, 8, 16, 32.
COARSE = {50: (0.954, 0.866, 0.707, 0.321), 100: (0.971, 0.930, 0.802, 0.684)}
# Dice of a disc by radius, moved by 1, 2, 5 and 10 pixels.
SHIFTS = {10: (0.934, 0.874, 0.694, 0.401), 20: (0.967, 0.936, 0.843, 0.688), 50: (0.987, 0.975, 0.937, 0.874)}


class Table:
    """A Markdown table of expected and measured numbers, which remembers what was off.

    Args:
        title: Heading.
        columns: Names of the numbers.
        tolerances: How far each may be off.
    """

    def __init__(self, title: str, columns: tuple[str, ...], tolerances: tuple[float, ...]) -> None:
        self.tolerances, self.failures = tolerances, 0
        print(f"\n## {title}\n")
        print("| | " + " | ".join(f"{name} (±{off:g})" for name, off in zip(columns, tolerances, strict=True)) + " | |")
        print("|" + "---|" * (len(columns) + 2))

    def row(self, name: str, expected: tuple[float, ...], measured: tuple[float, ...]) -> None:
        """Prints expected and measured numbers; what is off is bold."""
        cells = []
        for want, got, tolerance in zip(expected, measured, self.tolerances, strict=True):
            fine = abs(want - got) <= tolerance + 1e-9
            self.failures += not fine
            cells.append(f"{want:.3f} {got:.3f}" if fine else f"**{want:.3f} {got:.3f}**")
        print(f"| {name} | " + " | ".join(cells) + " |", "off |" if any("**" in cell for cell in cells) else "|")


def real_objects(folder: Path) -> Images:
    """Returns the labels of all images, without crowds."""
    images = []
    for split in ("train2017", "val2017"):
        coco = read_coco(folder / "annotations" / f"instances_{split}.json")
        for image_id in coco.images:
            labels = coco.instances(image_id)
            images.append((image_id, labels.take(np.flatnonzero(~labels.crowd))))
    return images


def scaled(size: int, *, grow: bool) -> Noise:
    """Returns noise that only dilates or only erodes."""

    def noise(labels: Instances, _: np.random.Generator) -> Iterator[Mask]:
        for mask in labels.masks:
            left, top, pixels = mask.window(size)
            yield Mask.from_crop(left, top, kernels.scale(pixels, size, grow), mask.size_hw)

    return noise


def operation(name: str) -> Noise:
    """Returns the noise that a row is about: an official primitive with its setting, or a recipe without deletion."""
    kind, _, setting = name.partition(" ")
    if kind in ("erode", "dilate"):
        return scaled(int(setting), grow=kind == "dilate")
    if setting:
        argument = {"approximation": "tolerance", "localization": "sigma"}[kind]
        config = {"type": f"noisyseg.{kind.title()}", argument: int(setting), "mode": "official"}
    else:
        config = load_recipe(name)
        config["noises"] = [noise for noise in config["noises"] if not noise["type"].endswith("Missing")]
        config["on_empty"] = "keep"
    model = build_noise(config)
    return lambda labels, rng: model(labels, rng).masks


def operations(images: Images) -> int:
    """Prints how strong the primitives and mixes of COCO-N are on real objects."""
    columns = ("IoU", "small", "medium", "large", "vanished", "area ratio")
    table = Table("COCO-N's operations on real objects", columns, OPERATION_TOLERANCES)
    failures = 0
    areas = np.array([mask.area for _, labels in images for mask in labels.masks])
    bucket = np.digitize(areas, [32**2, 96**2])
    for name, expected in OPERATIONS.items():
        if name == "coco_n_easy_official":
            failures = table.failures
            table = Table("COCO-N's mixes on real objects, without deletion", columns, MIX_TOLERANCES)
        noise = operation(name)
        pairs = [
            (clean, noisy)
            for key, labels in images
            for clean, noisy in zip(labels.masks, noise(labels, keyed_rng(0, key)), strict=True)
        ]
        iou = np.array([noisy.iou(clean) for clean, noisy in pairs])
        ratio = np.array([noisy.area / clean.area for clean, noisy in pairs])
        sizes = [iou[bucket == size].mean() for size in range(3)]
        table.row(name, expected, (iou.mean(), *sizes, (ratio == 0).mean(), ratio.mean()))
    return failures + table.failures


def disc(radius: int, margin: int) -> Mask:
    """Returns a filled disc in a frame with a margin."""
    side = 2 * (radius + margin) + 1
    frame = np.zeros((side, side), np.uint8)
    cv2.circle(frame, (side // 2, side // 2), radius, 1, -1)
    return Mask.from_frame(frame)


def alone(mask: Mask, count: int = 1) -> Instances:
    """Returns labels of the same mask, again and again."""
    return Instances.from_masks([mask] * count, [0] * count, Categories.from_names("a"), mask.size_hw)


def discs() -> int:
    """Prints the IoU of discs after each primitive at its three strengths."""
    failures = 0
    for kind, by_radius in DISCS.items():
        drawn = kind == "localization"
        table = Table(f"Discs, {kind}", ("easy", "medium", "hard"), (0.03 if drawn else 0.01,) * 3)
        for radius, expected in zip(RADII, by_radius, strict=True):
            labels = alone(disc(radius, 20), 60 if drawn else 1)
            measured = []
            for level in LEVELS[kind]:
                noisy = operation(f"{kind} {level}")(labels, keyed_rng(0))
                measured.append(np.mean([mask.iou(labels.masks[0]) for mask in noisy]))
            table.row(f"radius {radius}", expected, tuple(measured))
        failures += table.failures
    return failures


def boxes() -> int:
    """Prints the IoU of boxes in a frame that cuts none."""
    table = Table("Boxes", ("IoU", "≥ 0.5", "≥ 0.75"), (0.01, 0.02, 0.02))
    count, side = 20_000, 10_000
    start = keyed_rng(0, "boxes").uniform(3000, 6000, (count, 2))
    clean = np.concatenate([start, start + keyed_rng(0, "sides").uniform(50, 800, (count, 2))], axis=1)
    labels = alone(Mask.empty((side, side)), count).replace(boxes=clean, masks=None)
    for name, expected in BOXES.items():
        kind, level = name.split()
        argument = "gamma" if kind == "GaussianJitter" else "level"
        model = build_noise({"type": f"noisyseg.{kind}", argument: float(level)})
        noisy = model(labels, keyed_rng(0)).boxes
        sides = np.minimum(clean[:, 2:], noisy[:, 2:]) - np.maximum(clean[:, :2], noisy[:, :2])
        both = sides.clip(0).prod(axis=1)
        area = [(box[:, 2:] - box[:, :2]).prod(axis=1) for box in (clean, noisy)]
        iou = both / (area[0] + area[1] - both)
        table.row(name, expected, (iou.mean(), (iou >= 0.5).mean(), (iou >= 0.75).mean()))
    return table.failures


def disc_map(radius: int) -> SemanticMap:
    """Returns a map of one disc of class 1."""
    return SemanticMap(disc(radius, 40).frame(), Categories.from_names(("ground", "disc")))


def until(model: NoiseModel, labels: SemanticMap, wanted: Callable[[int, int], bool]) -> SemanticMap:
    """Returns the first noisy map, over seeds, whose pixels before and after are as wanted."""
    for seed in range(100):
        noisy = model(labels, keyed_rng(seed))
        if wanted(int((labels.classes == 1).sum()), int((noisy.classes == 1).sum())):
            return noisy
    raise SystemExit("no seed gave the noise that was wanted")


def maps() -> int:
    """Prints the strengths of noise on maps of one disc, and of a plain shift."""
    medical = Table("ADELE's medical noise, area factor", ("2 steps", "3", "4"), (0.03, 0.03, 0.03))
    for kind, expected in MEDICAL.items():
        measured = []
        for steps in (2, 3, 4):
            model = build_noise({"type": "noisyseg.MedicalNoise", "steps": (steps, steps)})
            factors = []
            for radius in range(6, 41):
                labels = disc_map(radius)
                noisy = until(model, labels, lambda a, b, kind=kind: b < a if kind == "under" else b > a)
                factors.append((noisy.classes == 1).sum() / (labels.classes == 1).sum())
            measured.append(np.mean(factors))
        medical.row(kind, expected, tuple(measured))
    coarse = Table("Coarse polygons, IoU of a disc", ("4 px", "8", "16", "32"), (0.02,) * 4)
    for radius, expected in COARSE.items():
        labels = disc_map(radius)
        measured = []
        for delta in (4, 8, 16, 32):
            config = {"type": "noisyseg.CoarsePolygons", "delta": delta, "background": [0], "fill": 0}
            one, other = (m.classes == 1 for m in (labels, build_noise(config)(labels, keyed_rng(0))))
            measured.append((one & other).sum() / (one | other).sum())
        coarse.row(f"radius {radius}", expected, tuple(measured))
    shift = Table("Shift, Dice of a disc", ("1 px", "2", "5", "10"), (0.005,) * 4)
    for radius, expected in SHIFTS.items():
        labels = alone(disc(radius, 15))
        measured = []
        for pixels in (1, 2, 5, 10):
            iou = (
                build_noise({"type": "noisyseg.Shift", "dx": pixels})(labels, keyed_rng(0))
                .masks[0]
                .iou(labels.masks[0])
            )
            measured.append(2 * iou / (1 + iou))
        shift.row(f"radius {radius}", expected, tuple(measured))
    return medical.failures + coarse.failures + shift.failures


def main() -> int:
    """Prints the tables; returns 1 where a number is off."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("coco_dir", type=Path, metavar="COCO_DIR")
    args = parser.parse_args()
    print("# Strength of the noise models\n\nWritten by `benchmarks/noise_tables.py`. In each cell: reference, ours.")
    failures = operations(real_objects(args.coco_dir)) + discs() + boxes() + maps()
    print(f"\n{failures} numbers are off by more than their tolerance." if failures else "\nAll within tolerance.")
    return int(failures > 0)


if __name__ == "__main__":
    sys.exit(main())
