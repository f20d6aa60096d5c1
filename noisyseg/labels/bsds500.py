"""BSDS500 label files as edge images and lists, the form that edge detectors train on."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image
from tqdm import tqdm

from noisyseg.labels.errors import LabelError
from noisyseg.labels.files import write_json
from noisyseg.labels.folders import atomic_folder
from noisyseg.labels.mat_files import read_mat

Annotators = Literal["each", "mean"]
MANIFEST = "bsds500.json"


def convert_bsds500(
    root: str | Path,
    out_dir: str | Path,
    *,
    splits: Sequence[str] = ("train", "val"),
    annotators: Annotators = "each",
    force: bool = False,
    progress: bool = False,
) -> dict[str, Any]:
    """Writes edge images and lists of them, and returns the manifest ``bsds500.json`` beside them.

    ``edges/<split>/<id>_<a>.png`` is 255 on the edges of annotator a, from 1, and 0 elsewhere;
    ``edges/<split>/<id>.png`` is 255 times the share of annotators that have an edge there, rounded. ``<split>.txt``
    has a line an edge image: the image's path below ``root``, and the edge image's below ``out_dir``. The folder
    appears when it is complete.

    Args:
        root: The folder ``BSDS500/data``, with ``images/<split>`` and ``groundTruth/<split>``.
        out_dir: The folder to write: one that does not exist or is empty, unless ``force`` is given.
        splits: Folders to convert.
        annotators: ``"each"`` or ``"mean"``.
        force: Replace a folder that this function wrote.
        progress: Draw a progress bar on stderr.

    Raises:
        LabelError: A file cannot be used, an image is missing, or a split is empty.
        ValueError: ``annotators`` is neither word.
        FileExistsError: ``out_dir`` may not be replaced.
    """
    if annotators not in ("each", "mean"):
        raise ValueError(f"annotators: expected 'each' or 'mean', got {annotators!r}")
    root = Path(root)
    found = {split: _label_files(root, split) for split in splits}
    counts = {}
    with atomic_folder(out_dir, marker=MANIFEST, force=force) as folder:
        for split, paths in found.items():
            lines = []
            for path in tqdm(paths, unit="image", desc=split, disable=not progress):
                image = f"images/{split}/{path.stem}.jpg"
                for suffix, pixels in _edge_images(path, annotators).items():
                    target = f"edges/{split}/{path.stem}{suffix}.png"
                    (folder / target).parent.mkdir(parents=True, exist_ok=True)
                    Image.fromarray(pixels).save(folder / target)
                    lines.append(f"{image} {target}\n")
            (folder / f"{split}.txt").write_text("".join(lines))
            counts[split] = {"images": len(paths), "edge images": len(lines)}
        manifest = {"splits": counts, "annotators": annotators, "versions": {"noisyseg": version("noisyseg")}}
        write_json(folder / MANIFEST, manifest, indent=True)
    return manifest


def _label_files(root: Path, split: str) -> list[Path]:
    """Returns the label files of a split, sorted; each has its image."""
    paths = sorted((root / "groundTruth" / split).glob("*.mat"))
    if not paths:
        raise LabelError("expected files *.mat, got none", file=root / "groundTruth" / split)
    for path in paths:
        if not (root / "images" / split / f"{path.stem}.jpg").is_file():
            raise LabelError(f"expected the image images/{split}/{path.stem}.jpg, got none", file=path)
    return paths


def _edge_images(path: Path, annotators: Annotators) -> dict[str, npt.NDArray[np.uint8]]:
    """Returns the edge images of a label file by what their names end in."""
    labels = read_mat(path)
    if labels.layout != "groundTruth":
        raise LabelError(f"expected the variable groundTruth, got {labels.layout}", file=path)
    edges = [edge_map.edges[0] for edge_map in labels.maps]
    if annotators == "mean":
        return {"": np.rint(255 * np.mean(edges, axis=0)).astype(np.uint8)}
    return {f"_{a}": one.astype(np.uint8) * 255 for a, one in enumerate(edges, start=1)}
