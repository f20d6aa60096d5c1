"""Write a noisy copy of a COCO file: read, image by image through a recipe, write, and a manifest beside it."""

from __future__ import annotations

import gc
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import cv2
import orjson

from noisyseg.labels import Instances
from noisyseg.labels.coco import CocoFile, read_coco
from noisyseg.labels.files import atomic_path, check_writable, sha256, write_json
from noisyseg.labels.rng import keyed_rng
from noisyseg.noise.build import build_noise
from noisyseg.noise.dataset.tasks import noisy_lines
from noisyseg.noise.population import coco_population
from noisyseg.noise.recipe import Recipe

Json = dict[str, Any]
# Annotations in one write.
BLOCK = 10_000


def generate_noise(
    recipe: Mapping[str, Any],
    source: str | Path,
    target: str | Path,
    *,
    seed: int,
    workers: int = 1,
    force: bool = False,
    split: Literal["train", "val", "test"] | None = None,
    progress: bool = False,
) -> Json:
    """Writes a noisy copy of a COCO file and returns its manifest, which is also written beside it.

    The same recipe, seed and annotations give the same bytes, for any number of workers; an annotation gets the same
    noise wherever it stands in the file. What is at ``target`` stays as it is until the new file is complete.

    Args:
        recipe: Config of a :class:`~noisyseg.noise.compose.Recipe`.
        source: The clean COCO file.
        target: The noisy file; its manifest is ``<stem>.manifest.json`` in the same folder.
        seed: Master seed, >= 0.
        workers: Number of processes, >= 1.
        force: Whether to replace an existing ``target``.
        split: What ``source`` is; a file that looks like val or test is refused unless it is named so here.
        progress: Whether to draw a progress bar on stderr.

    Returns:
        The manifest: recipe, seed, versions, SHA-256 of both files, counts and realised rates.

    Raises:
        LabelError: The input cannot be used; the message names file and annotation.
        FileExistsError: ``target`` or its manifest exists and ``force`` is not set, or is ``source`` itself.
        ValueError: The recipe is not a Recipe, or the file looks like an evaluation split.
    """
    source, target = Path(source), Path(target)
    model = build_noise(recipe, takes=Instances)
    if not isinstance(model, Recipe):
        raise ValueError(f"recipe: expected a noisyseg.Recipe at the outside, got {model.op}")
    _check_target(source, target, force)
    if split is None and is_evaluation_split(source):
        raise ValueError(
            f"{source}: looks like a validation or test file, and models are to be evaluated on clean labels; "
            "name the split if it is to be noisy all the same"
        )
    check_writable(target)
    start = time.perf_counter()
    with _no_garbage_collection():
        coco = read_coco(source)
        shift = _id_shift(coco)
        total = len(coco.document["annotations"])
        if model.plans:
            model, _ = model.planned(coco_population(coco), partial(keyed_rng, seed))
        lines, counts = noisy_lines(model, seed, coco, id_shift=shift, workers=workers, progress=progress)
        if not counts["mask_changed"]:
            lines = _with_given_masks(read_coco(source).document["annotations"], lines)
        _write(coco.document, lines, target)
    manifest = _manifest(recipe, seed, source, target, counts, total, shift, time.perf_counter() - start)
    write_json(manifest_path(target), manifest, indent=True)
    return manifest


def manifest_path(target: str | Path) -> Path:
    """Returns where the manifest of a noisy file stands."""
    return Path(target).with_suffix(".manifest.json")


def is_evaluation_split(path: str | Path) -> bool:
    """Returns whether the name of a file, or else of its folder, says that it is for validation or test."""
    path = Path(path)
    words = re.findall(r"[a-z]+", path.stem.lower())
    if not any(word.startswith("train") for word in words):
        words.append(path.parent.name.lower().rstrip("0123456789"))
    return any(re.fullmatch(r"(mini)?val(id|idation)?|test(ing|dev)?", word) for word in words)


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Keeps the collector from walking millions of parsed objects again and again; nothing here makes cycles."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _check_target(source: Path, target: Path, force: bool) -> None:
    for path in (target, manifest_path(target)):
        if path.exists() and (not force or path.samefile(source)):
            raise FileExistsError(f"{path}: is there already; nothing was written")
    if target.suffix != ".json":
        raise ValueError(f"{target}: expected a name that ends in .json")


def _id_shift(coco: CocoFile) -> int:
    """Returns 1 where an annotation has id 0, which pycocotools takes for "unmatched", else 0."""
    return int(any(annotation["id"] == 0 for annotation in coco.document["annotations"]))


def _with_given_masks(annotations: Sequence[Json], lines: Sequence[bytes]) -> list[bytes]:
    """Returns the noisy annotations with their masks in the form of the input, for noise that leaves masks alone."""
    given = []
    for annotation, line in zip(annotations, lines, strict=True):
        if line and "segmentation" in annotation:
            line = orjson.dumps(orjson.loads(line) | {"segmentation": annotation["segmentation"]})
        given.append(line)
    return given


def _write(document: Json, lines: Sequence[bytes], target: Path) -> None:
    """Writes the document with its annotations replaced, keys in the order of the input."""
    with atomic_path(target) as partial, partial.open("wb") as file:
        for number, (key, value) in enumerate(document.items()):
            file.write((b"{" if number == 0 else b",") + orjson.dumps(key) + b":")
            if key != "annotations":
                file.write(orjson.dumps(value))
                continue
            file.write(b"[")
            separator = b""
            for first in range(0, len(lines), BLOCK):
                block = [line for place in range(first, min(first + BLOCK, len(lines))) if (line := lines[place])]
                if block:
                    file.write(separator + b",".join(block))
                    separator = b","
            file.write(b"]")
        file.write(b"}\n")


def _manifest(
    recipe: Mapping[str, Any],
    seed: int,
    source: Path,
    target: Path,
    counts: Counter[str],
    total: int,
    shift: int,
    seconds: float,
) -> Json:
    names = ("noisyseg", "numpy", "pycocotools", "shapely")
    return {
        "recipe": recipe,
        "seed": seed,
        "clean": {"file": source.name, "sha256": sha256(source)},
        "noisy": {"file": target.name, "sha256": sha256(target)},
        "annotations": total,
        "counts": dict(sorted(counts.items())),
        "rates": {name: round(count / total, 6) for name, count in sorted(counts.items())},
        "warnings": ["an annotation had id 0: every annotation id is one higher than in the input"] * shift,
        "versions": {name: version(name) for name in names} | {"opencv": cv2.__version__},
        "seconds": round(seconds, 3),
    }
