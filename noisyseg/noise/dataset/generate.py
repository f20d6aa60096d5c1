"""Write a noisy copy of a COCO file: read, image by image through a recipe, write, and a manifest beside it."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from noisyseg.labels import Instances
from noisyseg.labels.coco import read_coco
from noisyseg.labels.coco_text import CocoText
from noisyseg.labels.files import atomic_path, check_writable, sha256, write_json
from noisyseg.labels.rng import keyed_rng
from noisyseg.noise.build import build_noise
from noisyseg.noise.dataset.backends import check_backend
from noisyseg.noise.dataset.images import ImageFolder, images_for
from noisyseg.noise.dataset.journal import ImageJournal
from noisyseg.noise.dataset.manifest import is_costly, manifest_path, versions
from noisyseg.noise.dataset.splits import Split, is_evaluation_split
from noisyseg.noise.dataset.tasks import noisy_lines
from noisyseg.noise.population import coco_population
from noisyseg.noise.recipe import Recipe

Json = dict[str, Any]
# Annotations in one write.
BLOCK = 10_000
ID_ZERO = "an annotation had id 0: every annotation id is one higher than in the input"


def generate_noise(
    recipe: Mapping[str, Any],
    source: str | Path,
    target: str | Path,
    *,
    seed: int,
    workers: int = 1,
    force: bool = False,
    split: Split | None = None,
    progress: bool = False,
    backend: str = "loky",
    images: str | Path | None = None,
) -> Json:
    """Writes a noisy copy of a COCO file and returns its manifest, which is also written beside it.

    The same recipe, seed and annotations give the same bytes, for any number of workers; an annotation gets the same
    noise wherever it stands in the file. What is at ``target`` stays as it is until the new file is complete.

    Noise that takes long (models with ``costly = True``) keeps what it has done of each image in a hidden journal
    beside ``target``, so that the same call goes on there after it was killed.

    Args:
        recipe: Config of a :class:`~noisyseg.noise.compose.Recipe`.
        source: The clean COCO file, also one of LVIS or one without masks.
        target: The noisy file; its manifest is ``<stem>.manifest.json`` in the same folder.
        seed: Master seed, >= 0.
        workers: Number of processes, >= 1.
        force: Whether to replace an existing ``target``.
        split: What ``source`` is; a file that looks like val or test is refused unless it is named so here.
        progress: Whether to draw a progress bar on stderr.
        backend: Where the processes are, see :func:`~noisyseg.noise.dataset.backends.run_tasks`.
        images: Folder of the images, for models that look at them.

    Returns:
        The manifest: recipe, seed, versions, SHA-256 of both files, counts and realised rates.

    Raises:
        LabelError: The input cannot be used; the message names file and annotation.
        FileExistsError: ``target`` or its manifest exists and ``force`` is not set, or is ``source`` itself.
        ValueError: The recipe is not a Recipe, or the file looks like an evaluation split.
    """
    source, target = Path(source), Path(target)
    model = instance_recipe(recipe)
    folder = images_for(model, images)
    check_backend(backend)
    _check_target(source, target, force, {"recipe": recipe, "seed": seed})
    if split is None and is_evaluation_split(source):
        raise ValueError(
            f"{source}: looks like a validation or test file, and models are to be evaluated on clean labels; "
            "name the split if it is to be noisy all the same"
        )
    check_writable(target)
    start = time.perf_counter()
    noisy = noisy_coco(
        recipe,
        model,
        seed,
        source,
        target,
        workers=workers,
        backend=backend,
        images=folder,
        force=force,
        progress=progress,
    )
    with atomic_path(target) as path:
        noisy.write(path)
        manifest = {
            "recipe": recipe,
            "seed": seed,
            "clean": {"file": source.name, "sha256": sha256(source)},
            "noisy": {"file": target.name, "sha256": sha256(path)},
            **noisy.counts,
            "versions": versions(),
            "seconds": round(time.perf_counter() - start, 3),
        }
        # Before the file: a file without a manifest could not be told from one of somebody else.
        write_json(manifest_path(target), manifest, indent=True)
    if noisy.journal:
        noisy.journal.close(remove=True)
    return manifest


def instance_recipe(recipe: Mapping[str, Any]) -> Recipe:
    """Returns the model of a recipe for COCO files.

    Raises:
        ValueError: It is for labels of another kind, or has no Recipe at the outside.
    """
    model = build_noise(recipe)
    if model.takes is not Instances:
        raise ValueError(
            f"noise: expected noise for Instances, which COCO files hold, but {model.op} is for {model.takes.__name__}"
        )
    if not isinstance(model, Recipe):
        raise ValueError(f"recipe: expected a noisyseg.Recipe at the outside, got {model.op}")
    return model


class NoisyCoco(NamedTuple):
    """A noisy COCO file before it is written.

    Attributes:
        document: All but its annotations.
        lines: The annotations, a line of JSON each, empty where one was removed.
        counts: ``annotations``, ``counts``, ``rates`` and ``warnings``, as in a manifest.
        journal: The journal of costly noise, to be removed when the file is there.
    """

    document: Json
    lines: Sequence[bytes]
    counts: Json
    journal: ImageJournal | None

    def write(self, path: Path) -> None:
        """Writes the file."""
        _write(self.document, self.lines, path)


def noisy_coco(
    recipe: Mapping[str, Any],
    model: Recipe,
    seed: int,
    source: Path,
    target: Path,
    *,
    workers: int,
    backend: str,
    images: ImageFolder | None,
    force: bool,
    progress: bool,
) -> NoisyCoco:
    """Returns what is to be written to ``target``.

    Raises:
        LabelError: The input cannot be used; the message names file and annotation.
        FileExistsError: The journal beside ``target`` belongs to another run.
    """
    journal = None
    if is_costly(model):
        place = target.with_name(f".{target.name}.journal")
        if force:
            place.unlink(missing_ok=True)
        journal = ImageJournal(place, {"recipe": recipe, "seed": seed, "clean": sha256(source), "versions": versions()})
    with _closed_on_error(journal), _no_garbage_collection():
        coco = CocoText(source)
        shift = _id_shift(coco)
        total = len(coco)
        if model.plans:
            model, _ = model.planned(coco_population(read_coco(source)), partial(keyed_rng, seed))
        lines, counts = noisy_lines(
            model,
            seed,
            coco,
            id_shift=shift,
            workers=workers,
            progress=progress,
            backend=backend,
            images=images,
            journal=journal,
        )
        if not counts["mask_changed"] and len(lines) == total:  # added masks are RLE, and a file has one form
            lines = _with_given_masks(read_coco(source).document["annotations"], lines)
    return NoisyCoco(coco.document, lines, counted(total, counts, [ID_ZERO] * shift), journal)


def counted(total: int, counts: Mapping[str, int], warnings: Sequence[str]) -> Json:
    """Returns the part of a manifest that counts annotations."""
    counts = dict(sorted(counts.items()))
    return {
        "annotations": total,
        "counts": counts,
        "rates": {name: round(count / max(total, 1), 6) for name, count in counts.items()},
        "warnings": list(warnings),
    }


@contextmanager
def _closed_on_error(journal: ImageJournal | None) -> Iterator[None]:
    try:
        yield
    except BaseException:
        if journal:
            journal.close()
        raise


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


def _check_target(source: Path, target: Path, force: bool, run: Json) -> None:
    manifest = manifest_path(target)
    for path in (target, manifest):
        if path.exists() and (not force or path.samefile(source)):
            if path == manifest and not target.exists() and _announces(manifest, source, run):
                continue  # killed between the two
            raise FileExistsError(f"{path}: is there already; nothing was written")
    if target.suffix != ".json":
        raise ValueError(f"{target}: expected a name that ends in .json")


def _announces(manifest: Path, source: Path, run: Json) -> bool:
    """Returns whether a manifest without its file is that of the same run."""
    try:
        found = orjson.loads(manifest.read_bytes())
        wanted = orjson.loads(orjson.dumps(run, option=orjson.OPT_SERIALIZE_NUMPY))
        return {name: found[name] for name in run} == wanted and found["clean"]["sha256"] == sha256(source)
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return False


def _id_shift(coco: CocoText) -> int:
    """Returns 1 where an annotation has id 0, which pycocotools takes for "unmatched", else 0."""
    return int((coco.ids == 0).any())


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
    with target.open("wb") as file:
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
