"""The evaluation of a folder of predicted edges: counted once, kept, and written down."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from joblib import Parallel, delayed
from PIL import Image, UnidentifiedImageError
from tqdm import tqdm

from noisyseg.evaluation.edges.counting import COUNTING, edge_counts
from noisyseg.evaluation.edges.protocol import EdgeProtocol
from noisyseg.evaluation.edges.scoring import EdgeScores, edge_scores, mean_scores
from noisyseg.labels.edge_bits import unpacked_edges
from noisyseg.labels.edge_files import read_edge_annotators
from noisyseg.labels.errors import LabelError
from noisyseg.labels.files import atomic_path, check_writable, sha256, write_json

Json = dict[str, Any]
REPORT, TEXT, COUNTS = "edges.json", "edges.txt", "counts"
SUFFIXES = (".bin", ".mat", ".png")
COUNTED_WITH = ("tolerance", "mode", "border", "thresholds", "scale", "resize", "nms")
"""The settings of a protocol that counts depend on."""


def evaluate_edge_folders(
    predictions: str | Path,
    labels: str | Path,
    out: str | Path,
    protocol: EdgeProtocol,
    *,
    classes: Sequence[str] = ("edge",),
    names: Sequence[str] | None = None,
    workers: int = 1,
    progress: bool = False,
) -> Json:
    """Writes ``edges.json`` and ``edges.txt`` with ODS, OIS and AP of each class and their means; returns the JSON.

    The counts of each image are written to ``counts/`` as soon as they are known. A later call with the same classes
    and protocol, whose ``labels``, ``ois``, ``ap`` and ``absent`` may differ, takes them from there where neither
    prediction nor labels have changed, so what was interrupted goes on, and new images are added.

    Args:
        predictions: Folder of uint8 PNG, 255 times the probability: ``<name>.png`` for one class,
            ``<class>/<name>.png`` for several.
        labels: Folder of ``<name>.mat``, ``.png`` or ``.bin``; see `noisyseg.labels.edge_files`. A ``.bin`` does not
            say its size, so that of the prediction is taken: predictions have to have the full size of the labels, also
            where the protocol scales, and rows taken for columns cannot be noticed.
        out: Folder to write to.
        protocol: The settings.
        classes: Names of the K >= 1 classes, which differ, in the order of the labels.
        names: The images to score; None for all that have labels, and then predictions without labels are an error.
        workers: Number of processes; the scores do not depend on it.
        progress: Whether to draw a progress bar on stderr.

    Raises:
        LabelError: There is no class or a class twice, ``names`` is empty, or a prediction or label is missing or
            cannot be used; the message names the argument or the file.
        OSError: ``out`` cannot be written to.
    """
    predictions, labels, out = Path(predictions), Path(labels), Path(out)
    if not classes or len(set(classes)) != len(classes):
        raise LabelError(f"classes: expected one name or several that differ, got {list(classes)}")
    if names is not None and not names:
        raise LabelError("names: expected at least one image, got none")
    files = _label_files(labels, names)
    expected = {name: _prediction_files(predictions, name, classes) for name in files}
    if names is None:
        _check_no_others(predictions, classes, files)
    check_writable(out / REPORT)
    jobs = (
        delayed(_counted if workers == 1 else _counted_in_pool)(
            expected[name], files[name], out / COUNTS / f"{name}.npz", protocol, tuple(classes)
        )
        for name in files
    )
    found = (
        (call(*arguments) for call, arguments, _ in jobs)
        if workers == 1
        else Parallel(n_jobs=workers, return_as="generator")(jobs)
    )
    counts = np.stack(list(tqdm(found, total=len(files), unit="image", disable=not progress)))
    scores = {name: edge_scores(counts[:, k], protocol) for k, name in enumerate(classes)}
    report = _report(scores, list(files), protocol)
    write_json(out / REPORT, report, indent=True)
    with atomic_path(out / TEXT) as partial:
        partial.write_text(edge_table(report), encoding="utf-8")
    return report


def edge_table(report: Mapping[str, Any]) -> str:
    """Returns the scores of a report as text, the protocol in the first line and each number with four digits."""
    lines = [f"Edges [{report['protocol']}], {len(report['images'])} images", ""]
    width = max(map(len, [*report["classes"], "class", "mean"]))
    lines.append(f"{'class':{width}}     ODS       R       P  thresh.     OIS      AP  env. AP")
    for name, one in report["classes"].items():
        numbers = [one["ODS"], one["recall"], one["precision"], one["threshold"], one["OIS"], one["AP"]]
        row = "  ".join(f"{number:6.4f}" for number in [*numbers, one["AP envelope"]])
        lines.append(f"{name:{width}}  {row}{'' if one['labelled'] else '  no labels'}")
    mean = report["mean"]
    gap = " " * 26
    row = "  ".join(f"{mean[name]:6.4f}" for name in ("OIS", "AP", "AP envelope")) if mean else "no class has labels"
    lines.append(f"{'mean':{width}}  {mean['ODS']:6.4f}{gap}{row}" if mean else f"{'mean':{width}}  {row}")
    return "\n".join(lines) + "\n"


def _label_files(folder: Path, names: Sequence[str] | None) -> dict[str, Path]:
    """Returns the label files by name, sorted."""
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if path.suffix in SUFFIXES:
            if path.stem in found:
                raise LabelError(f"expected one label file a name, got {found[path.stem].name} as well", file=path)
            found[path.stem] = path
    if not found:
        raise LabelError(f"expected label files {', '.join(SUFFIXES)}, got none", file=folder)
    missing = sorted(set(names or ()) - set(found))
    if missing:
        raise LabelError(f"expected labels of {', '.join(missing[:5])}, got none", file=folder)
    return {name: found[name] for name in (sorted(found) if names is None else dict.fromkeys(names))}


def _prediction_files(folder: Path, name: str, classes: Sequence[str]) -> list[Path]:
    """Returns the prediction of each class, which are there."""
    paths = [(folder if len(classes) == 1 else folder / one) / f"{name}.png" for one in classes]
    for path in paths:
        if not path.is_file():
            raise LabelError("expected a prediction, got no such file", file=path)
    return paths


def _check_no_others(folder: Path, classes: Sequence[str], labelled: Mapping[str, Path]) -> None:
    for inner in [folder] if len(classes) == 1 else [folder / one for one in classes]:
        for path in sorted(inner.glob("*.png")):
            if path.stem not in labelled:
                raise LabelError(
                    "expected labels of each prediction, got none; name the images to be scored", file=path
                )


def _counted_in_pool(*arguments: Any) -> npt.NDArray[np.int64]:  # noqa: ANN401 - those of _counted
    cv2.setNumThreads(1)  # there are as many processes as asked for; not in the caller, whose setting it would change
    return _counted(*arguments)


def _counted(
    predictions: Sequence[Path], labels: Path, kept: Path, protocol: EdgeProtocol, classes: tuple[str, ...]
) -> npt.NDArray[np.int64]:
    """Returns the (K, T, 4) counts of an image, from ``kept`` if they are of the same files and settings."""
    settings = [f"{name} {getattr(protocol, name)!r}" for name in COUNTED_WITH]
    key = "\n".join([f"counting {COUNTING}", *settings, *classes, *map(sha256, [*predictions, labels])])
    if kept.is_file():
        try:
            with np.load(kept) as archive:
                if archive["key"].item() == key:
                    return archive["counts"]
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise LabelError(f"expected counts of an earlier run, got {error}; remove the file", file=kept) from None
    maps = [_probability(path) for path in predictions]
    bits = read_edge_annotators(labels, len(classes), maps[0].shape if labels.suffix == ".bin" else None)
    ignored = (bits < 0).any(axis=0)
    annotators = [unpacked_edges(one, len(classes)) for one in bits]
    counts = []
    for k, (path, probability) in enumerate(zip(predictions, maps, strict=True)):
        try:
            counts.append(edge_counts(probability, [edges[k] for edges in annotators], protocol, ignored))
        except ValueError as error:
            raise LabelError(f"{error} (labels: {labels})", file=path) from None
    with atomic_path(kept) as partial, partial.open("wb") as file:
        np.savez_compressed(file, counts=np.stack(counts), key=np.array(key))
    return np.stack(counts)


def _probability(path: Path) -> npt.NDArray[np.uint8]:
    try:
        with Image.open(path) as image:
            if image.mode != "L":
                raise LabelError(f"expected a grey PNG of 8 bits, got mode {image.mode}", file=path)
            return np.asarray(image)
    except (OSError, UnidentifiedImageError, SyntaxError) as error:
        raise LabelError(f"expected a PNG, got one that cannot be read ({error})", file=path) from None


def _report(scores: Mapping[str, EdgeScores], names: Sequence[str], protocol: EdgeProtocol) -> Json:
    mean, absent = mean_scores(scores)
    return {
        "protocol": protocol.describe(),
        "settings": vars(protocol),
        "versions": {name: version(name) for name in ("noisyseg", "numpy")},
        "mean": None if len(absent) == len(scores) and protocol.absent == "exclude" else mean,
        "absent": absent,
        "classes": {
            name: {
                "ODS": one.ods.f,
                "recall": one.ods.recall,
                "precision": one.ods.precision,
                "threshold": one.ods.threshold,
                "OIS": one.ois.f,
                "AP": one.ap,
                "AP envelope": one.ap_envelope,
                "labelled": one.labelled,
                "curve": one.curve.tolist(),
                "images": one.images.tolist(),
            }
            for name, one in scores.items()
        },
        "images": list(names),
    }
