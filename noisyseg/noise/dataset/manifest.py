"""What stands in manifests, whatever the layout."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cv2

from noisyseg.noise.model import NoiseModel

Json = dict[str, Any]
PACKAGES = ("noisyseg", "numpy", "pycocotools", "scipy", "shapely", "numba", "scikit-image", "Pillow")
# Of a folder of noisy files; the manifest of a single file is called after it.
FOLDER_MANIFEST = "noise.manifest.json"


def manifest_path(target: str | Path) -> Path:
    """Returns where the manifest of a noisy file or folder stands."""
    target = Path(target)
    return target / FOLDER_MANIFEST if target.is_dir() else target.with_suffix(".manifest.json")


def versions() -> dict[str, str]:
    """Returns the versions of all packages on which the bytes of a noisy file depend."""
    return {name: version(name) for name in PACKAGES} | {"opencv": cv2.__version__}


def is_costly(model: NoiseModel) -> bool:
    """Returns whether the model, or one inside it, says with ``costly = True`` that its results are worth keeping."""
    inside = [*getattr(model, "noises", ()), getattr(model, "noise", None)]
    return bool(getattr(model, "costly", False)) or any(
        is_costly(inner) for inner in inside if isinstance(inner, NoiseModel)
    )


def added_up(tables: Iterable[dict[str, Sequence[int]]]) -> dict[str, list[int]]:
    """Returns the sums of rows of numbers with the same name, in the order in which the names come."""
    sums: dict[str, list[int]] = {}
    for table in tables:
        for name, row in table.items():
            sums[name] = [a + b for a, b in zip(sums.get(name, [0] * len(row)), row, strict=True)]
    return sums
