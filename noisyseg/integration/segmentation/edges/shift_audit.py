"""How far labels lie beside the edges, as a trained PNT-Edge sees it: numbers of each image and class, pictures."""

from __future__ import annotations

import csv
import heapq
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
from mmengine.dataset import pseudo_collate
from torch.utils.data import Dataset
from tqdm import tqdm

from noisyseg.integration.segmentation.edges.edge_keys import EDGE_BITS
from noisyseg.integration.segmentation.edges.gt_edges import edge_targets
from noisyseg.integration.segmentation.edges.pnt_edge import PNTEdge
from noisyseg.integration.segmentation.edges.shift_pictures import displacement_picture
from noisyseg.labels import LabelError
from noisyseg.labels.files import write_json
from noisyseg.labels.folders import atomic_folder

__all__ = ["ClassShift", "audit_shifts", "class_shifts", "unaugmented"]

MARKER = "shifts.json"
AUGMENTATIONS = ("Random", "PhotoMetricDistortion")


class ClassShift(NamedTuple):
    """How the labels of one class lie in one image.

    Attributes:
        image: Path of the image.
        class_name: Name of the class.
        pixels: Number of its label edge pixels.
        mean: Mean length of their displacement, pixels.
        median: Median of it.
        largest_tenth: Length that a tenth of them exceeds.
        largest: The longest.
        rows: Mean displacement downwards, pixels: where the labels lie, seen from the edges.
        columns: Mean displacement to the right.
    """

    image: str
    class_name: str
    pixels: int
    mean: float
    median: float
    largest_tenth: float
    largest: float
    rows: float
    columns: float


def class_shifts(
    image: str, displacement: npt.NDArray[np.floating], edges: npt.NDArray[np.bool_], classes: Sequence[str]
) -> list[ClassShift]:
    """Returns a row for each class that has label edges in an image.

    Args:
        image: Its path.
        displacement: (2, H, W) pixels, rows and columns: where labels lie, seen from the edges.
        edges: (K, H, W) label edges.
        classes: K names.
    """
    found = []
    for name, own in zip(classes, edges, strict=True):
        if own.any():
            vectors = displacement[:, own].astype(np.float64)
            lengths = np.hypot(*vectors)
            numbers = (lengths.mean(), np.median(lengths), np.quantile(lengths, 0.9), lengths.max(), *vectors.mean(1))
            found.append(ClassShift(image, name, int(own.sum()), *(round(float(number), 3) for number in numbers)))
    return found


def unaugmented(pipeline: Sequence[Mapping[str, Any]]) -> tuple[list[Mapping[str, Any]], list[str]]:
    """Returns a pipeline without its random steps (``Random...``, ``PhotoMetricDistortion``), and what these were.

    Where a step draws one of several annotators it takes the first.
    """
    kept, left_out = [], []
    for step in pipeline:
        name = str(step["type"])
        if name.rpartition(".")[2].startswith(AUGMENTATIONS):
            left_out.append(name)
        elif step.get("annotators") == "random":
            left_out.append(f"{name}, a random annotator: the first instead")
            kept.append({**step, "annotators": "first"})
        else:
            kept.append(step)
    return kept, left_out


def audit_shifts(
    model: PNTEdge,
    dataset: Dataset,
    out: str | Path,
    *,
    classes: Sequence[str],
    pictures: int = 20,
    about: Mapping[str, Any] | None = None,
    force: bool = False,
    progress: bool = False,
) -> dict[str, Any]:
    """Writes what is learned of the shifts of a data set's labels, and returns the summary.

    The folder, which appears when it is complete, has ``shifts.csv``, a row for each image and class, the largest mean
    first; ``shifts.json``, the summary; ``pictures/``, those images whose labels lie farthest away.

    Args:
        model: Trained through the stage ``shift`` at least, on any device.
        dataset: Gives packed samples with edge labels, not augmented.
        out: The folder, which is new or empty.
        classes: K names.
        pictures: How many images to draw.
        about: What the summary says besides.
        force: Replace a folder that an earlier call has written.
        progress: Draw a progress bar on stderr.

    Raises:
        ValueError: The field has never been trained, or there are not K names.
        LabelError: A sample has no edge labels.
        OSError: The folder cannot be written, or is something else.
    """
    if len(classes) != model.num_classes:
        raise ValueError(f"classes: expected {model.num_classes} names, got {len(classes)}")
    if not any(parameter.any() for parameter in model.shift.shift.parameters()):
        raise ValueError("the field of shifts has not been trained: its last layer is 0; expected a later checkpoint")
    model.eval()
    rows: list[ClassShift] = []
    farthest: list[tuple[float, int]] = []
    empty = 0
    with atomic_folder(out, marker=MARKER, force=force) as folder:
        for index in tqdm(range(len(dataset)), desc="shifts", disable=not progress):
            path, _, displacement, edges = _of_image(model, dataset[index])
            found = class_shifts(path, displacement, edges, classes)
            rows.extend(found)
            empty += not found
            if found:
                lengths = np.hypot(*displacement[:, edges.any(axis=0)])
                heapq.heappush(farthest, (float(lengths.mean()), index))
                if len(farthest) > pictures:
                    heapq.heappop(farthest)
        rows.sort(key=lambda row: -row.mean)
        _write_rows(rows, folder / "shifts.csv")
        drawn = [_draw(model, dataset[index], folder / "pictures", rank) for rank, (_, index) in _ranked(farthest)]
        summary = {
            **(about or {}),
            "images": len(dataset),
            "images_without_edges": empty,
            "classes": {name: _over_images(name, rows) for name in classes},
            "pictures": drawn,
        }
        write_json(folder / MARKER, summary, indent=True)
    return summary


def _of_image(
    model: PNTEdge, item: Mapping[str, Any]
) -> tuple[str, npt.NDArray[np.uint8], npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """Returns path, (H, W, 3) image, (2, H, W) displacement of the labels and (K, H, W) label edges."""
    sample = item["data_samples"]
    path = str(sample.metainfo.get("img_path", "?"))
    if EDGE_BITS not in sample:
        raise LabelError(f"expected {EDGE_BITS}, got a sample without", file=path)
    image = item["inputs"].numpy().transpose(1, 2, 0)
    data = model.data_preprocessor(pseudo_collate([item]), False)
    inputs = data["inputs"]
    where = ([sample], tuple(inputs.shape[-2:]), model.num_classes, inputs.device)
    labels, _ = edge_targets(*where)
    trained_on, _ = edge_targets(*where, model.detector.dilation)
    field = model.predict_shift(inputs, trained_on)
    height, width = image.shape[:2]
    displacement = -field[0, :, :height, :width].cpu().numpy()  # the field leads back from the labels
    return path, image, displacement, labels[0, :, :height, :width].cpu().numpy()


def _draw(model: PNTEdge, item: Mapping[str, Any], folder: Path, rank: int) -> str:
    """Writes the picture of an image and returns its name."""
    path, image, displacement, edges = _of_image(model, item)
    picture = displacement_picture(np.ascontiguousarray(image), displacement, edges.any(axis=0), model.shift.max_shift)
    folder.mkdir(exist_ok=True)
    name = f"{rank:03d}_{Path(path).stem}.png"
    if not cv2.imwrite(str(folder / name), picture):
        raise OSError(f"{folder / name}: cannot be written")
    return name


def _ranked(farthest: Sequence[tuple[float, int]]) -> list[tuple[int, tuple[float, int]]]:
    return list(enumerate(sorted(farthest, key=lambda entry: (-entry[0], entry[1])), start=1))


def _over_images(name: str, rows: Sequence[ClassShift]) -> dict[str, float | int | None]:
    """Returns the means of a class over its label edge pixels; None where it has none."""
    own = [row for row in rows if row.class_name == name]
    pixels = sum(row.pixels for row in own)
    mean = {
        key: round(sum(getattr(row, key) * row.pixels for row in own) / pixels, 3) if pixels else None
        for key in ("mean", "rows", "columns")
    }
    return {"images": len(own), "pixels": pixels, **mean}


def _write_rows(rows: Sequence[ClassShift], path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(ClassShift._fields)
        writer.writerows(rows)
