"""A data set in many COCO files: each is made noisy as a whole by one process."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from noisyseg.noise.dataset.file_runs import finish, noisy_files
from noisyseg.noise.dataset.generate import counted, instance_recipe, noisy_coco
from noisyseg.noise.dataset.images import ImageFolder, images_for
from noisyseg.noise.dataset.layouts import Found, LabelFile
from noisyseg.noise.dataset.manifest import versions
from noisyseg.noise.dataset.splits import Split, chosen
from noisyseg.noise.recipe import Recipe

Json = dict[str, Any]
EXACT = "exact numbers of objects hold in each file by itself, not over all of them"
NEW_IDS = "annotations that noise added have ids of their own within their file, not over all files"


@dataclass(frozen=True)
class ShardNoise:
    """Makes one COCO file noisy; travels to worker processes.

    Attributes:
        recipe: The config.
        model: What it builds.
        seed: Master seed.
        images: The images, for a model that looks at them.
        force: Whether to start over where a journal of costly noise is left.
    """

    recipe: Mapping[str, Any]
    model: Recipe
    seed: int
    images: ImageFolder | None
    force: bool

    def write(self, file: LabelFile, source: Path, path: Path, target: Path) -> Json:
        """See :class:`~noisyseg.noise.dataset.file_runs.FileNoise`."""
        noisy = noisy_coco(
            self.recipe,
            self.model,
            self.seed,
            source,
            target,
            workers=1,
            backend="loky",
            images=self.images,
            force=self.force,
            progress=False,
        )
        noisy.write(path)
        if noisy.journal:
            noisy.journal.close(remove=True)
        return {name: noisy.counts[name] for name in ("annotations", "counts", "warnings")}


def noise_shards(
    recipe: Mapping[str, Any],
    found: Found,
    source: Path,
    target: Path,
    *,
    seed: int,
    workers: int,
    backend: str,
    images: str | Path | None,
    split: Split | None,
    force: bool,
    progress: bool,
) -> Json:
    """Writes a noisy copy of each COCO file of a folder, and returns their common manifest.

    A process holds one file at a time. The files come out as
    :func:`~noisyseg.noise.dataset.generate.generate_noise` writes them.

    Args and errors are those of :func:`~noisyseg.noise.dataset.any_layout.make_noise`.
    """
    start = time.perf_counter()
    model = instance_recipe(recipe)
    noise = ShardNoise(recipe, model, seed, images_for(model, images), force)
    taken, left_out = _chosen(found, source, split)
    run = {"recipe": recipe, "seed": seed, "layout": found.layout, "split": split, "versions": versions()}
    files = noisy_files(
        noise, taken, source, target, run, workers=workers, backend=backend, chunk=1, force=force, progress=progress
    )
    if files.complete:
        return files.complete
    counts: Counter[str] = Counter()
    warnings = [EXACT] if model.plans else []
    for name, entry in files.entries.items():
        counts.update(entry["counts"])
        warnings += [f"{name}: {warning}" for warning in entry["warnings"]]
    if counts["bogus"] or counts["piece"]:
        warnings.append(NEW_IDS)
    total = sum(entry["annotations"] for entry in files.entries.values())
    manifest = {
        **run,
        "left_out": left_out,
        **counted(total, +counts, warnings),
        "files": {
            name: {key: entry[key] for key in ("clean", "noisy", "annotations", "counts")}
            for name, entry in files.entries.items()
        },
        "seconds": round(time.perf_counter() - start, 3),
    }
    finish(target, files, manifest)
    return manifest


def _chosen(found: Found, source: Path, split: Split | None) -> tuple[list[LabelFile], dict[str, int]]:
    try:
        return chosen({file: file.split for file in found.files}, split)
    except ValueError as error:
        raise ValueError(f"{source}: {error}") from None
