"""Data sets of one label file an image: trees of PNG label maps, and of MATLAB files with edges and regions."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.random import Generator

from noisyseg.labels import IGNORE, Categories, EdgeMap, Instances, LabelError, SemanticMap
from noisyseg.labels.label_pngs import read_label_png
from noisyseg.labels.mat_files import read_mat, write_mat
from noisyseg.labels.rng import fork, keyed_rng
from noisyseg.noise.build import NoiseConfigError, build_noise
from noisyseg.noise.dataset.file_runs import finish, noisy_files
from noisyseg.noise.dataset.images import ImageFolder, images_for
from noisyseg.noise.dataset.layouts import Found, LabelFile
from noisyseg.noise.dataset.manifest import added_up, is_costly, versions
from noisyseg.noise.dataset.splits import Split, chosen
from noisyseg.noise.model import NoiseModel

Json = dict[str, Any]
# Files in one task: enough to make the way to a worker cheap, few enough to share work out evenly.
CHUNK = 8
# The text at the beginning of a MATLAB file, where scipy writes the time.
MAT_TEXT = 116
TOTALS = ("pixels", "changed", "ignored", "made_ignored", "ignored_changed")
IGNORED_CHANGED = "the noise gave classes to pixels that are ignored in the clean labels"
SAME_NAME = "{} images have the name of another one in another folder, and with it the same draws"


@dataclass(frozen=True)
class TreeNoise:
    """Makes the labels of one image noisy; travels to worker processes.

    Attributes:
        model: What is done to the labels.
        seed: Master seed.
        images: The images, for a model that looks at them.
    """

    model: NoiseModel
    seed: int
    images: ImageFolder | None

    def write(self, file: LabelFile, source: Path, path: Path, target: Path) -> Json:
        """See :class:`~noisyseg.noise.dataset.file_runs.FileNoise`."""
        try:
            return (self._write_mat if file.codes is None else self._write_png)(file, source, path)
        except LabelError as error:
            raise error.at(file=source) from None

    def _write_png(self, file: LabelFile, source: Path, path: Path) -> Json:
        png = read_label_png(source)
        clean = file.codes.classes(png.pixels)
        labels = SemanticMap(clean, Categories.from_names(file.codes.names))
        noisy = self._noisy(labels, file, keyed_rng(self.seed, file.key))
        path.write_bytes(png.encoded(file.codes.written(png.pixels, clean, noisy.classes)))
        return map_counts(clean, noisy.classes, file.codes.names)

    def _write_mat(self, file: LabelFile, source: Path, path: Path) -> Json:
        mat = read_mat(source, self.model.takes)
        rng = keyed_rng(self.seed, file.key)
        # Each annotator errs in a way of their own; one map alone has the draws of any other label map.
        rngs = [fork(rng, place) for place in range(len(mat.maps))] if len(mat.maps) > 1 else [rng]
        noisy = [self._noisy(labels, file, own) for labels, own in zip(mat.maps, rngs, strict=True)]
        write_mat(path, mat.with_maps(noisy))
        with source.open("rb") as given, path.open("rb+") as written:
            written.write(given.read(MAT_TEXT))  # the same bytes whenever it is written
        if self.model.takes is SemanticMap:
            return map_counts(mat.maps[0].classes, noisy[0].classes, mat.maps[0].categories.names)
        return edge_counts(mat.maps, noisy, by_class=mat.layout == "GTcls")

    def _noisy(self, labels: SemanticMap | EdgeMap, file: LabelFile, rng: Generator) -> SemanticMap | EdgeMap:
        if self.images is not None:
            labels = labels.replace(image=self.images.of_label(file.image, labels.size_hw))
        return self.model(labels, rng)


def noise_tree(
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
    """Writes a noisy copy of each label file of a tree, and returns their common manifest.

    Args and errors are those of :func:`~noisyseg.noise.dataset.any_layout.make_noise`.
    """
    start = time.perf_counter()
    recipe, notes = fitting_recipe(recipe, found, source)
    model = build_noise(recipe)
    noise = TreeNoise(model, seed, images_for(model, images))
    try:
        taken, left_out = chosen({file: file.split for file in found.files}, split)
    except ValueError as error:
        raise ValueError(f"{source}: {error}") from None
    names = {file.codes.names for file in taken if file.codes}
    run = {
        "recipe": recipe,
        "seed": seed,
        "layout": found.layout,
        "split": split,
        "classes": sorted(names)[0] if names else None,
        "ignore": sorted({value for file in taken if file.codes for value in file.codes.ignored}),
        "versions": versions(),
    }
    files = noisy_files(
        noise,
        taken,
        source,
        target,
        run,
        workers=workers,
        backend=backend,
        chunk=1 if is_costly(model) else CHUNK,
        force=force,
        progress=progress,
    )
    if files.complete:
        return files.complete
    entries = files.entries.values()
    counts = {name: sum(entry.get(name, 0) for entry in entries) for name in TOTALS}
    by_class = added_up(entry["by_class"] for entry in entries)
    warnings = [*notes, *found.notes]
    same = sum(count - 1 for count in Counter((file.key, file.codes) for file in taken).values())
    warnings += [SAME_NAME.format(same)] if same else []
    warnings += [IGNORED_CHANGED] if counts["ignored_changed"] else []
    manifest = {
        **run,
        "left_out": left_out,
        "images": len(taken),
        "counts": {name: count for name, count in counts.items() if count or name in ("pixels", "changed")},
        "rates": {"changed": round(counts["changed"] / max(counts["pixels"], 1), 6)},
        "by_class": {
            name: dict(zip(("clean", "changed", "noisy"), row, strict=True)) for name, row in sorted(by_class.items())
        },
        "warnings": warnings,
        "files": {
            name: {key: value for key, value in entry.items() if key not in ("file", "by_class")}
            for name, entry in files.entries.items()
        },
        "seconds": round(time.perf_counter() - start, 3),
    }
    finish(target, files, manifest)
    return manifest


def fitting_recipe(recipe: Mapping[str, Any], found: Found, source: Path) -> tuple[Mapping[str, Any], list[str]]:
    """Returns the recipe as it fits label maps, and what was done to it.

    Noise for instances is wrapped in `noisyseg.ByRegion`.

    Raises:
        ValueError: The noise is for labels that the files do not hold, or counts objects over the data set.
    """
    model = build_noise(recipe)
    if model.plans:
        raise ValueError(f"noise: {model.op} counts objects over a whole COCO file, which label maps cannot promise")
    holds = (EdgeMap, SemanticMap) if found.layout == "mat" else (SemanticMap,)
    if model.takes in holds:
        return recipe, []
    if model.takes is not Instances:
        kinds = " or ".join(kind.__name__ for kind in (*holds, Instances))
        raise NoiseConfigError(
            f"noise: expected noise for {kinds}, which {source} holds, but {model.op} is for {model.takes.__name__}"
        )
    wrapped = {"type": "noisyseg.ByRegion", "noise": dict(recipe)}
    note = "the recipe is for instances, so it is applied to the connected regions of the maps (noisyseg.ByRegion)"
    if found.background:
        wrapped["background"] = list(found.background)
        note += f", except classes {', '.join(map(str, found.background))}, which are ground"
    return wrapped, [note]


def map_counts(clean: npt.NDArray[np.integer], noisy: npt.NDArray[np.integer], names: tuple[str, ...]) -> Json:
    """Returns how many pixels have a class, changed, are ignored, and for each class (clean, changed, noisy)."""
    ignored, changed = clean == IGNORE, clean != noisy
    maps = (clean.ravel(), noisy.ravel(), clean[changed])
    before, after, lost = (np.bincount(classes, minlength=IGNORE + 1) for classes in maps)
    present = np.flatnonzero(before[:IGNORE] + after[:IGNORE])
    return {
        "pixels": int(clean.size - before[IGNORE]),
        "changed": int(np.count_nonzero(changed & ~ignored)),
        "ignored": int(before[IGNORE]),
        "made_ignored": int(np.count_nonzero((noisy == IGNORE) & ~ignored)),
        "ignored_changed": int(lost[IGNORE]),
        "by_class": {names[k]: [int(before[k]), int(lost[k]), int(after[k])] for k in present.tolist()},
    }


def edge_counts(clean: tuple[EdgeMap, ...], noisy: list[EdgeMap], *, by_class: bool) -> Json:
    """Returns how many pixels are on edges, how many came or went, and the same for each class."""
    rows: dict[str, list[int]] = {}
    for before, after in zip(clean, noisy, strict=True):
        for k, name in enumerate(before.categories.names):
            old, new = before.edges[k] != 0, after.edges[k] != 0
            row = [int(np.count_nonzero(pixels)) for pixels in (old, old != new, new)]
            name = name if by_class or len(before.categories) == 1 else "object"
            rows = added_up([rows, {name: row}])
    rows = {name: row for name, row in rows.items() if any(row)}
    return {
        "pixels": sum(row[0] for row in rows.values()),
        "changed": sum(row[1] for row in rows.values()),
        "by_class": rows,
    }
