"""A version of the labels as an ordinary data set: a folder of PNG files, or a COCO file."""

from __future__ import annotations

import shutil
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from tqdm import tqdm

from noisyseg.labels.coco import mask_fields
from noisyseg.labels.colours import class_colour
from noisyseg.labels.errors import LabelError
from noisyseg.labels.files import atomic_path, check_writable, sha256, write_json
from noisyseg.labels.folders import atomic_folder
from noisyseg.labels.label_pngs import PALETTE, LabelPng
from noisyseg.labels.masks import Mask
from noisyseg.labels.store import LabelStore
from noisyseg.labels.versions.maps import GivenMaps, VersionMaps
from noisyseg.labels.versions.masks import GivenMasks, VersionMasks

__all__ = ["MANIFEST", "export_coco", "export_maps"]

MANIFEST = "labels.json"
Json = dict[str, Any]


def export_maps(
    store: LabelStore,
    version: int,
    given: GivenMaps,
    out: str | Path,
    *,
    force: bool = False,
    progress: bool = False,
) -> Json:
    """Writes all label maps of a version as a folder, and returns the manifest ``labels.json`` among them.

    Names, sub folders, bit depth and palette are those of the given files. A map that the version does not change is
    the given file byte for byte; in a changed one only changed pixels are other numbers. Where a number needs more
    bits than the given file has, it gets 8. The folder appears when it is complete.

    Args:
        store: The store.
        version: A complete version, or 0.
        given: The given maps.
        out: The folder to write: one that does not exist or is empty, unless ``force`` is given.
        force: Replace a folder that this function wrote.
        progress: Draw a progress bar on stderr.

    Raises:
        LabelError: Store and given labels do not go together, or a file of theirs cannot be used.
        FileExistsError: ``out`` may not be replaced, or is, holds or lies in the given labels or the store.
    """
    _check_apart(Path(out), given.folder, store.root)
    maps = VersionMaps(store, version, given)
    changed_files = changed_pixels = 0
    with atomic_folder(out, marker=MANIFEST, force=force) as folder:
        for name in tqdm(given.names, unit="map", disable=not progress):
            target = folder / given.path(name).relative_to(given.folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            changed = _write_changed(maps, name, target)
            if changed:
                changed_files, changed_pixels = changed_files + 1, changed_pixels + changed
            else:
                shutil.copyfile(given.path(name), target)
        maps.check()
        manifest = _about(store, version, given.folder) | {
            "files": len(given.names),
            "changed_files": changed_files,
            "changed_pixels": changed_pixels,
        }
        write_json(folder / MANIFEST, manifest, indent=True)
    return manifest


def export_coco(
    store: LabelStore,
    version: int,
    given: GivenMasks,
    out: str | Path,
    *,
    force: bool = False,
    progress: bool = False,
) -> Json:
    """Writes a version of the masks as a COCO file, and returns what changed.

    Annotations whose pixels changed get the mask of the version as run lengths, with its area and tight box as
    pycocotools counts them; their other keys stay. Every other byte of the file is that of the given one. It appears
    when it is complete.

    Args:
        store: The store.
        version: A complete version, or 0.
        given: The given file.
        out: The file to write.
        force: Replace it if it is there.
        progress: Draw a progress bar on stderr.

    Raises:
        LabelError: Store and given labels do not go together, or a file of theirs cannot be used.
        FileExistsError: ``out`` is there already, is the given file, or lies in the store.
    """
    out = Path(out)
    _check_apart(out, given.path, store.root)
    if out.is_dir() or (out.exists() and not force):
        raise FileExistsError(f"{out}: is there already; force is needed to replace a file; nothing was written")
    check_writable(out)
    masks, coco = VersionMasks(store, version, given), given.coco
    at = {int(coco.ids[place]): place for name in masks.keys for place in coco.positions[given.images[name]]}
    replaced: dict[int, bytes] = {}
    empty = 0
    for name in tqdm(sorted(masks.keys), unit="image", disable=not progress):
        for id_, mask in masks.replaced(name).items():
            (annotation,) = coco.annotations_at([at[id_]])
            if "segmentation" not in annotation:
                raise LabelError("segmentation: expected a mask to replace", file=given.path, where=f"annotation {id_}")
            if not np.array_equal(Mask.from_coco(annotation["segmentation"], mask.size_hw).runs, mask.runs):
                replaced[int(at[id_])] = orjson.dumps(annotation | mask_fields(mask))
                empty += not mask.area
    with atomic_path(out) as partial:
        _splice(given.path, coco.spans, replaced, partial)
    return _about(store, version, given.path) | {
        "annotations": len(coco),
        "changed_images": len(masks.keys),
        "changed_annotations": len(replaced),
        "empty_masks": empty,
    }


def _write_changed(maps: VersionMaps, name: str, target: Path) -> int:
    """Writes a map that the version changes, and returns its number of changed pixels; 0 where it changes nothing."""
    if name not in maps.keys:
        return 0
    given = maps.given
    png = given.png(name)
    before = given.classes(name, png)
    after = maps.classes(name, before)
    changed = int(np.count_nonzero(before != after))
    if changed:
        try:
            pixels = given.codes.written(png.pixels, before, after)
        except LabelError as error:
            raise error.at(file=given.path(name)) from None
        target.write_bytes(_with_room(png, int(pixels.max())).encoded(pixels))
    return changed


def _with_room(png: LabelPng, largest: int) -> LabelPng:
    """Returns a PNG that can hold a number: with 8 bits where it had fewer, and a colour for each where it has some."""
    (_, header), *others = png.before
    bits = png.bits if largest < 2**png.bits else 8
    chunks = [(b"IHDR", header[:8] + bytes([bits]) + header[9:])]
    for kind, data in others:
        if kind == b"PLTE" and header[9] == PALETTE:
            missing = range(len(data) // 3, largest + 1)
            chunks.append((kind, data + b"".join(bytes(class_colour(k)) for k in missing)))
        else:
            chunks.append((kind, data))
    return LabelPng(png.pixels, bits, tuple(chunks), png.after)


def _splice(source: Path, spans: np.ndarray, replaced: dict[int, bytes], target: Path) -> None:
    """Copies a file with some pieces of it replaced, by their place among the spans."""
    with source.open("rb") as given, target.open("wb") as written:
        for start, stop, new in sorted((*map(int, spans[place]), new) for place, new in replaced.items()):
            _copy(given, written, start - given.tell())
            written.write(new)
            given.seek(stop)
        shutil.copyfileobj(given, written)


def _copy(given: Any, written: Any, length: int) -> None:  # noqa: ANN401 - binary files
    while length > 0:
        block = given.read(min(length, 1 << 20))
        if not block:
            raise OSError("the given file became shorter while it was read")
        written.write(block)
        length -= len(block)


def _about(store: LabelStore, version: int, given: Path) -> Json:
    return {
        "store": store.root.name,
        "version": version,
        "lineage": store.lineage(version),
        "info": store.info(version) if version else {},
        "given": {"name": given.name} | ({"sha256": sha256(given)} if given.is_file() else {}),
        "versions": {"noisyseg": version_of("noisyseg")},
    }


def _check_apart(out: Path, given: Path, store: Path) -> None:
    place = out.resolve()
    for what, path in (("given labels", given.resolve()), ("store", store.resolve())):
        if place == path or place.is_relative_to(path) or path.is_relative_to(place):
            raise FileExistsError(f"{out}: expected a place apart from the {what} {path}; nothing was written")
