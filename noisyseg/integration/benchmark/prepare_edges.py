"""The files of a benchmark data set of edges.

::

    FOLDER/images/{train,val}/NAME.png
    FOLDER/{clean,noisy}/train/NAME.png             edge bits, edges as wide as asked for: what is trained on
    FOLDER/{clean,noisy}_thin/train/NAME.png        the same edges one pixel wide: what is judged against
    FOLDER/clean/val/NAME.png                       edges one pixel wide; of bsds500 NAME.mat, with all annotators

Edge bits are as in `noisyseg.labels.edge_files`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage

from noisyseg.integration.benchmark.edge_sources import EdgePicture, edge_pictures_of
from noisyseg.labels import EdgeMap
from noisyseg.labels.edge_bits import packed_edges
from noisyseg.labels.edge_files import write_edge_bits
from noisyseg.labels.mat_files import MatLabels, write_mat
from noisyseg.labels.rng import keyed_rng
from noisyseg.noise.build import build_noise

__all__ = ["write_edges"]

MAT_HEADER = b"MATLAB 5.0 MAT-file, written by noisyseg"


def write_edges(folder: Path, settings: Mapping[str, Any], recipe: Mapping[str, Any]) -> dict[str, Any]:
    """Writes a data set and returns what is to be known of it: ``classes``, ``realised`` and ``warnings``.

    The draws of the noise are those of `noisyseg.noise.dataset.any_layout.make_noise`: named by (seed, name of the
    image). Thin and wide edges are moved by the same draws. ``realised`` has ``mean_distance`` of noisy thin edge
    pixels to the nearest clean one (pixels), ``beyond_2`` (the share that is farther than 2 pixels) and ``ratio``
    (noisy over clean edge pixels), over all training images, classes together.

    Args:
        folder: An empty folder.
        settings: The arguments of `noisyseg.integration.benchmark.edge_sources.edge_pictures_of`.
        recipe: Config of a noise model for `EdgeMap`.

    Raises:
        ValueError: The settings or the recipe are not usable.
        OSError: The source is not there.
    """
    model = build_noise(recipe, takes=EdgeMap)
    names: tuple[str, ...] = ()
    distances: list[npt.NDArray[np.float64]] = []
    clean_pixels = 0
    for picture in edge_pictures_of(**settings):
        target = folder / "images" / picture.split / f"{picture.name}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture.image).save(target)
        names = tuple(picture.annotators[0].categories.names)
        if picture.split == "val":
            _write_val(folder / "clean" / "val", picture)
            continue
        wide, thin = (labels.replace(image=picture.image) for labels in (picture.wide, picture.annotators[0]))
        params = model.sample(wide, keyed_rng(settings["seed"], picture.name))
        for kind, labels in (("", wide), ("_thin", thin)):
            noisy = model.apply(labels, params)
            for version, edges in (("clean", labels), ("noisy", noisy)):
                _write_bits(folder / f"{version}{kind}" / "train" / f"{picture.name}.png", edges, picture.ignore)
        there, here = noisy.edges.any(axis=0), thin.edges.any(axis=0)
        clean_pixels += np.count_nonzero(here)
        if here.any():
            distances.append(ndimage.distance_transform_edt(~here)[there])
    found = np.concatenate(distances)
    realised = {
        "mean_distance": round(float(found.mean()), 3),
        "beyond_2": round(float((found > 2).mean()), 4),
        "ratio": round(len(found) / clean_pixels, 4),
    }
    return {"classes": names, "realised": realised, "warnings": []}


def _write_bits(path: Path, labels: EdgeMap, ignore: int | None) -> None:
    ignored = None if ignore is None else labels.regions == ignore
    write_edge_bits(path, packed_edges(labels.edges, ignored), len(labels.edges))


def _write_val(folder: Path, picture: EdgePicture) -> None:
    """Writes the edges of all annotators: of several as a file of BSDS500."""
    if picture.source != "bsds500":
        _write_bits(folder / f"{picture.name}.png", picture.annotators[0], picture.ignore)
        return
    fields = np.dtype([("Segmentation", object), ("Boundaries", object)])
    cell = np.empty((1, len(picture.annotators)), object)
    for place, labels in enumerate(picture.annotators):
        struct = np.empty((1, 1), fields)
        struct[0, 0] = (labels.regions, labels.edges[0].astype(np.uint8))
        cell[0, place] = struct
    document = {"__header__": MAT_HEADER, "groundTruth": cell}
    write_mat(folder / f"{picture.name}.mat", MatLabels(picture.annotators, "groundTruth", document))
