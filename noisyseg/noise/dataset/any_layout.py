"""Write a noisy copy of a data set, whatever its layout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from noisyseg.labels.instances import IGNORE
from noisyseg.labels.label_pngs import ClassCodes
from noisyseg.noise.dataset.backends import check_backend
from noisyseg.noise.dataset.generate import generate_noise
from noisyseg.noise.dataset.layouts import LAYOUTS, Found, find_layout
from noisyseg.noise.dataset.shards import noise_shards
from noisyseg.noise.dataset.splits import Split
from noisyseg.noise.dataset.trees import noise_tree

Json = dict[str, Any]


def make_noise(
    recipe: Mapping[str, Any],
    source: str | Path,
    target: str | Path,
    *,
    seed: int,
    layout: str = "auto",
    classes: Sequence[str] | None = None,
    ignore: int = IGNORE,
    images: str | Path | None = None,
    split: Split | None = None,
    workers: int = 1,
    backend: str = "loky",
    force: bool = False,
    progress: bool = False,
) -> Json:
    """Writes noisy labels and their manifest, which it returns: of a COCO file, a folder of them, or a tree of maps.

    The same recipe, seed and labels give the same bytes, for any number of workers and on every backend. A folder is
    finished file by file: the same call goes on after it was killed.

    Args:
        recipe: Config of a noise model. On label maps, one for instances is wrapped in `noisyseg.ByRegion`.
        source: A COCO file, or a folder.
        target: The noisy file, or the folder of noisy files with the names of the clean ones.
        seed: Master seed, >= 0.
        layout: One of :data:`~noisyseg.noise.dataset.layouts.LAYOUTS`, or ``"auto"``.
        classes: Names of the classes 0..K-1 in a tree of label maps without a layout of its own (``"png"``).
        ignore: The number of ignored pixels there.
        images: Folder of the images, for models that look at them.
        split: The split to make noisy. Without, everything that does not look like validation or test.
        workers: Number of processes, >= 1.
        backend: Where they are, see :func:`~noisyseg.noise.dataset.backends.run_tasks`.
        force: Whether to replace an earlier output and start over.
        progress: Whether to draw a progress bar on stderr.

    Returns:
        The manifest; it has ``files`` where ``source`` is a folder.

    Raises:
        LabelError: A file cannot be used; the message names it.
        FileExistsError: There is something at ``target`` that this run has not made.
        OSError: ``source`` cannot be read or ``target`` not written.
        ValueError: Layout, classes, recipe and labels do not fit together.
    """
    source, target = Path(source), Path(target)
    if workers < 1:
        raise ValueError(f"workers: expected an integer >= 1, got {workers}")
    check_backend(backend)
    settings = {
        "seed": seed,
        "workers": workers,
        "backend": backend,
        "images": images,
        "split": split,
        "force": force,
        "progress": progress,
    }
    found = found_at(source, layout, classes, ignore)
    if found is None:
        return generate_noise(recipe, source, target, **settings)
    if target.exists() and not target.is_dir():
        raise FileExistsError(f"{target}: expected a folder for the noisy files, but there is a file of that name")
    run = noise_shards if found.layout == "coco" else noise_tree
    return run(recipe, found, source, target, **settings)


def found_at(
    source: str | Path, layout: str = "auto", classes: Sequence[str] | None = None, ignore: int = IGNORE
) -> Found | None:
    """Returns what is in a folder, or None for a single COCO file; arguments and errors are those of `make_noise`."""
    source = Path(source)
    if layout not in ("auto", *LAYOUTS):
        raise ValueError(f"layout: expected one of auto, {', '.join(LAYOUTS)}, got {layout!r}")
    if source.is_dir():
        return find_layout(source, layout, None if classes is None else ClassCodes.counted(classes, ignore))
    if layout in ("auto", "coco") and (source.suffix == ".json" or (source.is_file() and source.suffix != ".png")):
        if classes is not None:
            raise ValueError("classes: expected none for a COCO file, which has its own")
        return None
    if source.is_file():
        raise ValueError(f"{source}: expected a COCO file or the folder of label files, got a single label file")
    raise FileNotFoundError(f"{source}: no such file or folder")
