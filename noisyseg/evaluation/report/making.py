"""Make the report: compare, and write JSON, Markdown and HTML."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import cv2
import orjson

from noisyseg.evaluation.report.cautions import caution, recipe_cautions
from noisyseg.evaluation.report.folders import Kind, compare_folders, folder_sha256
from noisyseg.evaluation.report.instances import Compared, compare_coco
from noisyseg.evaluation.report.markdown import markdown
from noisyseg.evaluation.report.page import page
from noisyseg.evaluation.report.thumbnails import thumbnails
from noisyseg.labels import LabelError
from noisyseg.labels.coco_text import CocoText
from noisyseg.labels.files import sha256, write_json
from noisyseg.labels.folders import atomic_folder

Json = dict[str, Any]
Pair = Literal["auto", "id", "iou"]
REPORT, TEXT, PAGE = "noise_report.json", "noise_report.md", "noise_report.html"
FOLDER_MANIFEST = "noise.manifest.json"
PACKAGES = ("noisyseg", "numpy", "scipy", "pycocotools", "numba")


def write_noise_report(
    clean: str | Path,
    noisy: str | Path,
    out: str | Path,
    *,
    images: str | Path | None = None,
    workers: int = 1,
    pair: Pair = "auto",
    kind: Kind = "auto",
    ignore: int | None = None,
    force: bool = False,
    verify: Callable[[Mapping[str, Any]], Json] | None = None,
    progress: bool = False,
) -> Json:
    """Writes a folder with a report on what noise did, as JSON, Markdown and one HTML page, and returns the JSON.

    Works on two COCO files, with masks or boxes only, and on two folders of label maps or edge labels; also on files
    that no generator of ours made. The folder appears when it is complete.

    Args:
        clean: The clean file or folder.
        noisy: The noisy file or folder; recipe and seed come from the manifest beside or in it, if there is one.
        out: The folder to write: one that does not exist or is empty, unless ``force`` is given.
        images: Folder of the images, for pictures of the 12 pairs that agree least; folders have no pairs.
        workers: Number of processes; all but the time taken is the same for any number.
        pair: How objects are paired: by annotation id, by IoU, or whichever fits.
        kind: What folders hold.
        ignore: Number of ignored pixels of label maps; None for what is stated beside them, or 255.
        force: Replace a folder that this function wrote.
        verify: Makes the noisy file again from the manifest and returns what came out, with a key ``passed``.
        progress: Whether to draw a progress bar on stderr.

    Raises:
        LabelError: An input cannot be used; the message names file and object.
        FileExistsError: ``out`` may not be replaced.
        ValueError: There is nothing to verify, or an argument does not go with the input.
    """
    start = time.perf_counter()
    clean, noisy = Path(clean), Path(noisy)
    _check_kinds(clean, noisy, pair, kind, ignore)
    manifest = read_manifest(noisy)
    if verify is not None and manifest is None:
        raise ValueError(f"verify: {noisy} has no manifest to make it again from")
    with atomic_folder(out, marker=REPORT, force=force) as folder:
        digest = folder_sha256 if clean.is_dir() else sha256
        hashes = {"clean": digest(clean), "noisy": digest(noisy)}
        compared: Compared | None = None
        if clean.is_dir():
            report = compare_folders(
                clean, noisy, manifest=manifest, kind=kind, ignore=ignore, workers=workers, progress=progress
            )
        else:
            compared = _compare_files(clean, noisy, manifest, hashes, pair, workers, progress)
            report = compared.report
            report["warnings"] = recipe_cautions(manifest, hashes) + report["warnings"]
        pictures = [] if compared is None or images is None else thumbnails(compared, Path(images))
        report = _header(clean, noisy, hashes, manifest) | report
        report["determinism"] = None if verify is None else verify(manifest)
        if verify is not None and not report["determinism"]["passed"]:
            report["warnings"].append(caution("not_reproduced", "the generator made another file from the manifest"))
        report["run"] = {"workers": workers, "seconds": round(time.perf_counter() - start, 2)}
        write_json(folder / REPORT, report)
        (folder / TEXT).write_text(markdown(report), encoding="utf-8")
        (folder / PAGE).write_text(page(report, pictures), encoding="utf-8")
    return report


def read_manifest(noisy: Path) -> Json | None:
    """Returns the manifest of a noisy file or folder, None where there is none.

    Raises:
        LabelError: It is not a JSON object.
    """
    path = noisy / FOLDER_MANIFEST if noisy.is_dir() else noisy.with_suffix(".manifest.json")
    if not path.is_file():
        return None
    try:
        manifest = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError as error:
        raise LabelError(f"not JSON: {error}", file=path) from None
    if not isinstance(manifest, dict):
        raise LabelError(f"expected a JSON object, got {type(manifest).__name__}", file=path)
    return manifest


def _check_kinds(clean: Path, noisy: Path, pair: Pair, kind: Kind, ignore: int | None) -> None:
    for path in (clean, noisy):
        if not path.exists():
            raise LabelError("expected a file or a folder, got no such path", file=path)
    if clean.is_dir() != noisy.is_dir():
        raise LabelError(f"expected a {'folder' if clean.is_dir() else 'file'}, as {clean} is one", file=noisy)
    if clean.is_dir() and pair != "auto":
        raise ValueError(f"pair: expected none for folders, which have no objects to pair, got {pair!r}")
    if not clean.is_dir() and (kind != "auto" or ignore is not None):
        raise ValueError("kind, ignore: expected none for COCO files")


def _compare_files(
    clean: Path,
    noisy: Path,
    manifest: Json | None,
    hashes: Mapping[str, str],
    pair: Pair,
    workers: int,
    progress: bool,
) -> Compared:
    known = manifest is not None and all(
        (manifest.get(name) or {}).get("sha256") == hashes[name] for name in ("clean", "noisy")
    )
    return compare_coco(
        CocoText(clean),
        CocoText(noisy),
        manifest=manifest,
        known=known,
        pair=pair,
        workers=workers,
        progress=progress,
    )


def _header(clean: Path, noisy: Path, hashes: Mapping[str, str], manifest: Json | None) -> Json:
    generator = None
    if manifest is not None:
        generator = {name: manifest.get(name) for name in ("recipe", "seed", "versions")}
    return {
        "report": 1,
        "files": {
            name: {"file": path.name, "sha256": hashes[name]} for name, path in (("clean", clean), ("noisy", noisy))
        },
        "generator": generator,
        "versions": {name: version(name) for name in PACKAGES} | {"opencv": cv2.__version__},
    }
