"""CamVid's colour labels as maps of the 11 classes that are trained on."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError
from tqdm import tqdm

from noisyseg.labels.categories import Categories
from noisyseg.labels.errors import LabelError
from noisyseg.labels.files import write_json
from noisyseg.labels.folders import atomic_folder
from noisyseg.labels.instances import IGNORE, SemanticMap
from noisyseg.labels.semantic_files import write_semantic_map

MANIFEST = "camvid.json"
CAMVID_CLASSES = (
    *("sky", "building", "pole", "road", "pavement", "tree"),
    *("sign", "fence", "car", "pedestrian", "bicyclist"),
)
VOID = len(CAMVID_CLASSES)
# Which of the 32 labels, by its colour, belongs to which class. The grouping is a common one; that the published
# index images of 11 classes were made with it is not verified.
_COLOURS: dict[str, dict[str, tuple[int, int, int]]] = {
    "sky": {"Sky": (128, 128, 128)},
    "building": {
        "Building": (128, 0, 0),
        "Archway": (192, 0, 128),
        "Bridge": (0, 128, 64),
        "Tunnel": (64, 0, 64),
        "Wall": (64, 192, 0),
    },
    "pole": {"Column_Pole": (192, 192, 128), "TrafficCone": (0, 0, 64)},
    "road": {"Road": (128, 64, 128), "LaneMkgsDriv": (128, 0, 192), "LaneMkgsNonDriv": (192, 0, 64)},
    "pavement": {"Sidewalk": (0, 0, 192), "ParkingBlock": (64, 192, 128), "RoadShoulder": (128, 128, 192)},
    "tree": {"Tree": (128, 128, 0), "VegetationMisc": (192, 192, 0)},
    "sign": {"SignSymbol": (192, 128, 128), "Misc_Text": (128, 128, 64), "TrafficLight": (0, 64, 64)},
    "fence": {"Fence": (64, 64, 128)},
    "car": {
        "Car": (64, 0, 128),
        "SUVPickupTruck": (64, 128, 192),
        "Truck_Bus": (192, 128, 192),
        "Train": (192, 64, 128),
        "OtherMoving": (128, 64, 64),
    },
    "pedestrian": {
        "Pedestrian": (64, 64, 0),
        "Child": (192, 128, 64),
        "CartLuggagePram": (64, 0, 192),
        "Animal": (64, 128, 64),
    },
    "bicyclist": {"Bicyclist": (0, 128, 192), "MotorcycleScooter": (192, 0, 192)},
    "void": {"Void": (0, 0, 0)},
}
CLASS_OF = {
    colour: VOID if group == "void" else CAMVID_CLASSES.index(group)
    for group, members in _COLOURS.items()
    for colour in members.values()
}


def read_camvid(path: str | Path) -> SemanticMap:
    """Returns the classes 0..10 of a label image, 255 for void.

    Args:
        path: A PNG in the colours of the 32 labels, or one whose values are 0..10 and 11 for void.

    Raises:
        LabelError: It is neither; the message names the file and the colour or value.
        OSError: It cannot be read.
    """
    try:
        with Image.open(path) as image:
            pixels = np.array(image if image.mode in ("P", "L") else image.convert("RGB"))
    except UnidentifiedImageError:
        raise LabelError("expected a PNG, got no image", file=path) from None
    if pixels.ndim == 2:
        if pixels.max() > VOID:
            raise LabelError(f"expected values 0..{VOID}, got {pixels.max()}", file=path)
        classes = pixels
    else:
        try:
            classes = _from_colours(pixels)
        except LabelError as error:
            raise error.at(file=path) from None
    classes = np.where(classes == VOID, IGNORE, classes).astype(np.uint8)
    return SemanticMap(classes, Categories.from_names(CAMVID_CLASSES))


def convert_camvid(
    labels_dir: str | Path, out_dir: str | Path, *, force: bool = False, progress: bool = False
) -> dict[str, Any]:
    """Writes ``<id>.png`` for each label image ``<id>_L.png`` or ``<id>.png``; returns the manifest ``camvid.json``.

    Args:
        labels_dir: Folder of label images, see :func:`read_camvid`.
        out_dir: The folder to write: one that does not exist or is empty, unless ``force`` is given.
        force: Replace a folder that this function wrote.
        progress: Draw a progress bar on stderr.

    Raises:
        LabelError: An image cannot be used, there is none, or two have one name.
        FileExistsError: ``out_dir`` may not be replaced.
    """
    paths = sorted(Path(labels_dir).glob("*.png"))
    if not paths:
        raise LabelError("expected files *.png, got none", file=labels_dir)
    names: dict[str, Path] = {}
    for path in paths:
        name = path.stem.removesuffix("_L")
        if name in names:
            raise LabelError(f"expected one label image for {name}, got {names[name].name} too", file=path)
        names[name] = path
    with atomic_folder(out_dir, marker=MANIFEST, force=force) as folder:
        for name, path in tqdm(names.items(), unit="image", disable=not progress):
            write_semantic_map(folder / f"{name}.png", read_camvid(path))
        manifest = {
            "images": len(names),
            "classes": list(CAMVID_CLASSES),
            "ignore_index": IGNORE,
            "versions": {"noisyseg": version("noisyseg")},
        }
        write_json(folder / MANIFEST, manifest, indent=True)
    return manifest


def _from_colours(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """Returns the class of each (H, W, 3) colour."""
    packed = pixels.astype(np.int64) @ np.array([1 << 16, 1 << 8, 1])
    found, inverse = np.unique(packed, return_inverse=True)
    colours = [(int(value) >> 16, int(value) >> 8 & 255, int(value) & 255) for value in found]
    unknown = [colour for colour in colours if colour not in CLASS_OF]
    if unknown:
        raise LabelError(f"expected the colours of CamVid's 32 labels, got {unknown[0]}")
    return np.array([CLASS_OF[colour] for colour in colours])[inverse].reshape(packed.shape)
