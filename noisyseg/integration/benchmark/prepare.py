"""A benchmark data set on disk: small images, clean labels, noisy ones for training, and how noisy they are.

Of label maps::

    FOLDER/images/{train,val}/NAME.png
    FOLDER/clean/{train,val}/NAME.png    class of each pixel, 255 = ignored
    FOLDER/noisy/train/NAME.png          with the manifest of the noise
    FOLDER/prepared.json                 settings, classes, and what the noise did

Of edges (``kind="edges"``): see `noisyseg.integration.benchmark.prepare_edges`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
from PIL import Image

from noisyseg.integration.benchmark.prepare_edges import write_edges
from noisyseg.integration.benchmark.sources import pictures_of
from noisyseg.integration.recipes import load_recipe
from noisyseg.labels import IGNORE
from noisyseg.labels.edge_files import read_edge_annotators
from noisyseg.labels.files import write_json
from noisyseg.labels.folders import atomic_folder
from noisyseg.labels.semantic_files import write_semantic_map
from noisyseg.noise.dataset.any_layout import make_noise

__all__ = ["PreparedData", "prepare_data", "stable_hash"]

MARKER = "prepared.json"
VERSION = 1
"""Goes up whenever the same settings give other files."""


@dataclass(frozen=True)
class PreparedData:
    """A prepared data set.

    Attributes:
        folder: Where it is.
        document: What ``prepared.json`` says.
    """

    folder: Path
    document: Mapping[str, Any]

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes."""
        return tuple(self.document["classes"])

    @property
    def kind(self) -> str:
        """``"maps"`` or ``"edges"``."""
        return self.document["settings"].get("kind", "maps")

    @property
    def fingerprint(self) -> str:
        """A hash of all its pixels."""
        return self.document["fingerprint"]

    @cached_property
    def transitions(self) -> npt.NDArray[np.float64]:
        """(K, K) share of the pixels of clean class i in the training images that the noisy maps call j.

        A class without pixels keeps its name. Rows sum to 1. Only label maps have them.
        """
        counts = np.array(self.document["realised"]["pixels"], np.float64)
        totals = counts.sum(axis=1, keepdims=True)
        return np.where(totals > 0, counts / np.maximum(totals, 1), np.eye(len(counts)))


def prepare_data(root: str | Path, settings: Mapping[str, Any]) -> PreparedData:
    """Returns a data set, which is made where it does not stand yet.

    Args:
        root: Folder of the prepared data sets; the name of this one there follows from its settings.
        settings: The arguments of `noisyseg.integration.benchmark.sources.pictures_of`, and ``recipe`` (name or file
            of a noise recipe). With ``kind="edges"``, those of
            `noisyseg.integration.benchmark.edge_sources.edge_pictures_of` and a recipe for edges.

    Raises:
        ValueError: The settings are not usable.
        OSError: The source is not there.
    """
    recipe = load_recipe(settings["recipe"])
    folder = Path(root) / f"{settings['source']}-{stable_hash([VERSION, settings, recipe])}"
    if not (folder / MARKER).is_file():
        _make(folder, dict(settings), recipe)
    return PreparedData(folder.absolute(), orjson.loads((folder / MARKER).read_bytes()))


def stable_hash(document: object) -> str:
    """Returns 12 hexadecimal digits that depend on a JSON document and on nothing else, the order of keys included."""
    text = orjson.dumps(document, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)
    return hashlib.blake2b(text, digest_size=6).hexdigest()


def _make(folder: Path, settings: dict[str, Any], recipe: dict[str, Any]) -> None:
    kind = settings.get("kind", "maps")
    if kind not in WRITERS:
        raise ValueError(f"kind: expected one of {', '.join(WRITERS)}, got {kind!r}")
    arguments = {name: value for name, value in settings.items() if name not in ("recipe", "kind")}
    with atomic_folder(folder, marker=MARKER) as new:
        known = WRITERS[kind](new, arguments, recipe)
        files = sorted(path for path in new.rglob("*") if path.suffix in (".png", ".mat"))
        pixels = {str(path.relative_to(new)): _pixel_hash(path) for path in files}
        document = {"settings": settings, "recipe": recipe, **known, "fingerprint": stable_hash(pixels)}
        write_json(new / MARKER, document, indent=True)


def _write_maps(folder: Path, settings: Mapping[str, Any], recipe: Mapping[str, Any]) -> dict[str, Any]:
    """Writes images and label maps; see `noisyseg.integration.benchmark.prepare_edges.write_edges`."""
    names: tuple[str, ...] = ()
    for picture in pictures_of(**settings):
        write_semantic_map(folder / "clean" / picture.split / f"{picture.name}.png", picture.labels)
        target = folder / "images" / picture.split / f"{picture.name}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture.image).save(target)
        names = tuple(picture.labels.categories.names)
    manifest = make_noise(
        recipe,
        folder / "clean" / "train",
        folder / "noisy" / "train",
        seed=settings["seed"],
        layout="png",
        classes=names,
        split="train",
        images=folder / "images" / "train",
    )
    return {"classes": names, "realised": _realised(folder, len(names)), "warnings": manifest["warnings"]}


WRITERS = {"maps": _write_maps, "edges": write_edges}


def _pixel_hash(path: Path) -> str:
    """Returns a hash of the pixels of a file; its bytes depend on the compression as well."""
    if path.suffix == ".mat":
        pixels = read_edge_annotators(path, 1)
    else:
        with Image.open(path) as image:
            pixels = np.array(image)
    return hashlib.blake2b(repr(pixels.shape).encode() + pixels.tobytes(), digest_size=16).hexdigest()


def _realised(folder: Path, count: int) -> dict[str, Any]:
    """Returns what the noise did to the training maps: counts of pixels by clean and noisy class, and shares."""
    pixels = np.zeros((count, count), np.int64)
    for path in sorted((folder / "clean" / "train").glob("*.png")):
        clean, noisy = (np.array(Image.open(file)) for file in (path, folder / "noisy" / "train" / path.name))
        valid = (clean != IGNORE) & (noisy != IGNORE)
        flat = clean[valid].astype(np.int64) * count + noisy[valid]
        pixels += np.bincount(flat, minlength=count * count).reshape(count, count)
    hits = np.diagonal(pixels)
    union = pixels.sum(0) + pixels.sum(1) - hits
    return {
        "pixels": pixels.tolist(),
        "changed": float(1 - hits.sum() / pixels.sum()),
        "miou": float(100 * (hits[union > 0] / union[union > 0]).mean()),
    }
