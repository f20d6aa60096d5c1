"""The report on two folders: which files they share, and whether these are label maps or edges."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import orjson

from noisyseg.evaluation.report.cautions import caution
from noisyseg.evaluation.report.edges import compare_edges
from noisyseg.evaluation.report.semantic import compare_maps
from noisyseg.labels import IGNORE, LabelError
from noisyseg.labels.class_names import CITYSCAPES_IDS
from noisyseg.labels.files import sha256
from noisyseg.labels.label_pngs import read_label_png

Json = dict[str, Any]
Kind = Literal["auto", "semantic", "edges"]
ENDINGS = (".mat", ".png")
# Files that are looked at to find out what a folder of PNG files holds.
LOOKED_AT = 20


def compare_folders(
    clean: Path,
    noisy: Path,
    *,
    manifest: Mapping[str, Any] | None,
    kind: Kind,
    ignore: int | None,
    workers: int,
    progress: bool,
) -> Json:
    """Returns what there is to say about two folders of label maps or of edge labels.

    Folders of ``.mat`` files hold edges; so do PNG files whose only numbers are 0 and 255.

    Args:
        clean: The clean folder.
        noisy: The noisy folder.
        manifest: The manifest of the noisy folder, if there is one.
        kind: What the folders hold; ``"auto"`` finds out.
        ignore: Number of ignored pixels of label maps; None for what ``semantic.json`` in the clean folder or the
            manifest says, or 255.
        workers: Number of processes; the result does not depend on it.
        progress: Whether to draw a progress bar on stderr.

    Raises:
        LabelError: There is no file that both have, or one cannot be used.
    """
    ours, theirs = (label_files(folder) for folder in (clean, noisy))
    names = sorted(ours & theirs)
    if not names:
        raise LabelError(f"expected .png or .mat files under the same names as in {clean}, got none", file=noisy)
    reason = "asked for"
    if kind == "auto":
        kind, reason = _kind(clean, names)
    if kind == "edges":
        report = compare_edges(clean, noisy, names, workers=workers, progress=progress)
    else:
        classes, stated = _classes(clean, manifest)
        ignored = stated if ignore is None else (ignore,)
        report = compare_maps(clean, noisy, names, classes, ignored, workers=workers, progress=progress)
        report["ignored"] = list(ignored)
    only = {"clean": sorted(ours - theirs), "noisy": sorted(theirs - ours)}
    report["pairing"] = {
        "by": "file name",
        "reason": f"taken for {kind}: {reason}",
        "files_only_clean": only["clean"],
        "files_only_noisy": only["noisy"],
    }
    for name, files in only.items():
        if files:
            report["warnings"].append(
                caution(f"files_only_{name}", f"{len(files)} .png or .mat files are in the {name} folder only")
            )
    return report


def label_files(folder: Path) -> set[str]:
    """Returns the names of the files of labels in a folder and below, relative to it."""
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.suffix.lower() in ENDINGS and path.is_file() and not path.name.startswith(".")
    }


def folder_sha256(folder: Path) -> str:
    """Returns the SHA-256 of the names and the SHA-256 of all files of labels in a folder."""
    digest = hashlib.sha256()
    for name in sorted(label_files(folder)):
        digest.update(f"{sha256(folder / name)}  {name}\n".encode())
    return digest.hexdigest()


def _kind(folder: Path, names: list[str]) -> tuple[Literal["semantic", "edges"], str]:
    if names[0].lower().endswith(".mat"):
        return "edges", "the files are .mat files"
    values: set[int] = set()
    for name in names[:: max(1, len(names) // LOOKED_AT)]:
        values |= set(np.unique(read_label_png(folder / name).pixels).tolist())
    if values <= {0, 255} and 255 in values:
        return "edges", "their only numbers are 0 and 255"
    return "semantic", f"they hold the numbers {min(values)} to {max(values)}"


def _classes(clean: Path, manifest: Mapping[str, Any] | None) -> tuple[dict[int, str], tuple[int, ...]]:
    """Returns the names of classes by their number, and the numbers of ignored pixels, as stated beside the maps."""
    stated = clean / "semantic.json"
    if stated.is_file():
        try:
            found = orjson.loads(stated.read_bytes())
            return dict(enumerate(map(str, found["classes"]))), (int(found["ignore_index"]),)
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
            raise LabelError(f"expected classes and ignore_index, got {error}", file=stated) from None
    manifest = manifest or {}
    names, ignored = manifest.get("classes"), manifest.get("ignore") or [IGNORE]
    if not isinstance(names, list):
        return {}, tuple(ignored)
    if manifest.get("layout") == "cityscapes" and len(ignored) > 1:  # files of label ids, not of train ids
        return {number: name for name, number in CITYSCAPES_IDS.items()}, tuple(ignored)
    return dict(enumerate(map(str, names), start=int(manifest.get("layout") == "ade20k"))), tuple(ignored)
