"""Semantic maps on disk: one palette PNG an image, whose values are the class ids."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import Any

from PIL import Image
from tqdm import tqdm

from noisyseg.labels.coco import CocoFile, read_coco
from noisyseg.labels.colours import class_colour
from noisyseg.labels.errors import LabelError
from noisyseg.labels.files import sha256, write_json
from noisyseg.labels.folders import atomic_folder
from noisyseg.labels.instances import IGNORE, SemanticMap
from noisyseg.labels.paint import semantic_from_instances

MANIFEST = "semantic.json"
BACKGROUND_COLOUR = (38, 40, 48)
IGNORE_COLOUR = (255, 255, 255)


def write_semantic_maps(
    source: str | Path,
    out_dir: str | Path,
    *,
    background: str = "background",
    force: bool = False,
    progress: bool = False,
) -> dict[str, Any]:
    """Writes a semantic map for each image of a COCO file, and returns the manifest ``semantic.json`` among them.

    The map of ``a/b.jpg`` is ``OUT_DIR/a/b.png``: where mmseg looks for it. Objects are painted in the order of the
    file, later ones over earlier ones; class k of them, in the order of category ids, becomes k + 1; 0 stands where no
    object is and 255 where there is a crowd. The folder appears when it is complete.

    Args:
        source: The COCO file.
        out_dir: The folder to write: one that does not exist or is empty, unless ``force`` is given.
        background: Name of class 0.
        force: Replace a folder that this function wrote.
        progress: Draw a progress bar on stderr.

    Raises:
        LabelError: The file cannot be used; the message names it and the annotation or image.
        FileExistsError: ``out_dir`` may not be replaced.
    """
    coco = read_coco(source)
    names = map_names(coco)
    with atomic_folder(out_dir, marker=MANIFEST, force=force) as folder:
        for image_id, name in tqdm(names.items(), unit="image", disable=not progress):
            instances = coco.instances(image_id)
            try:
                semantic = semantic_from_instances(instances, background)
            except LabelError as error:
                raise error.at(file=coco.path, where=f"image {image_id}") from None
            write_semantic_map(folder / name, semantic)
        manifest = {
            "source": {"file": coco.path.name, "sha256": sha256(coco.path)},
            "classes": [background, *coco.categories.names],
            "ignore_index": IGNORE,
            "images": len(names),
            "annotations": len(coco.document["annotations"]),
            "versions": {"noisyseg": version("noisyseg"), "pycocotools": version("pycocotools")},
        }
        write_json(folder / MANIFEST, manifest, indent=True)
    return manifest


def write_semantic_map(path: str | Path, labels: SemanticMap) -> None:
    """Writes a map as a palette PNG of 8 bits; class 0 is dark, ignored pixels are white."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = labels.classes.astype("uint8")
    image = Image.frombytes("P", pixels.shape[::-1], pixels.tobytes())
    # A full palette keeps Pillow from packing pixels into fewer bits, which not every reader unpacks.
    colours = [BACKGROUND_COLOUR, *(class_colour(k) for k in range(IGNORE - 1)), IGNORE_COLOUR]
    image.putpalette([channel for colour in colours for channel in colour])
    image.save(path, format="PNG")


def map_names(coco: CocoFile) -> dict[int, str]:
    """Returns the file name of each image's map, relative to the output folder.

    Raises:
        LabelError: An image has no usable name, or two of them would have the same map.
    """
    names: dict[int, str] = {}
    owner: dict[str, int] = {}
    for image_id, entry in coco.images.items():
        try:
            name = _map_name(entry)
            if name in owner:
                raise LabelError(f"file_name: expected another map than image {owner[name]} has, got {name} again")
        except LabelError as error:
            raise error.at(file=coco.path, where=f"image {image_id}") from None
        names[image_id], owner[name] = name, image_id
    return names


def _map_name(entry: Mapping[str, Any]) -> str:
    name = entry.get("file_name")
    if not isinstance(name, str) or not PurePosixPath(name).stem:
        raise LabelError(f"file_name: expected a name, got {name!r}")
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise LabelError(f"file_name: expected a path inside the image folder, got {name!r}")
    return str(path.with_suffix(".png"))
