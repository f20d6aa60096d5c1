"""MATLAB files of edge labels: BSDS500 and SBD, read, and written back in the layout in which they came.

BSDS500: ``groundTruth``, a 1xA cell of structs, one an annotator, with ``Segmentation`` (H, W) and ``Boundaries``
(H, W, logical). SBD: a struct ``GTcls`` or ``GTinst`` with ``Segmentation`` (H, W), ``Boundaries`` (a cell of K sparse
logical matrices, one a class or an object), and ``CategoriesPresent`` (``GTcls``) or ``Categories`` (``GTinst``).
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.io import loadmat, savemat

from noisyseg.labels.categories import Categories
from noisyseg.labels.edges import class_edges, edge_radius
from noisyseg.labels.errors import LabelError
from noisyseg.labels.files import atomic_path
from noisyseg.labels.instances import EdgeMap, SemanticMap
from noisyseg.labels.voc_classes import VOC_CLASSES

Layout = Literal["groundTruth", "GTcls", "GTinst"]
LAYOUTS: tuple[Layout, ...] = ("groundTruth", "GTcls", "GTinst")
HEADER = 116  # bytes of free text at the start of the file
FIELDS: dict[str, tuple[str, ...]] = {
    "groundTruth": ("Segmentation", "Boundaries"),
    "GTcls": ("Segmentation", "Boundaries", "CategoriesPresent"),
    "GTinst": ("Segmentation", "Boundaries"),
}


@dataclass(frozen=True, eq=False)
class MatLabels:
    """The labels of one ``.mat`` file.

    Attributes:
        maps: One `EdgeMap` an annotator (BSDS500), or one of all classes (``GTcls``) or objects (``GTinst``); or the
            one `SemanticMap` of ``GTcls``, classes 0 (background) to 20.
        layout: Name of the variable that the file holds.
        document: What the file holds, as scipy reads it; never changed.
    """

    maps: tuple[EdgeMap | SemanticMap, ...]
    layout: Layout
    document: Mapping[str, Any]

    def with_maps(self, maps: Sequence[EdgeMap | SemanticMap]) -> MatLabels:
        """Returns the labels with other maps in the same order.

        Raises:
            LabelError: Their number, kind, size or count of channels is another one.
        """
        if [_form(old) for old in self.maps] != [_form(new) for new in maps]:
            raise LabelError(f"maps: expected {[_form(old) for old in self.maps]}, got {[_form(new) for new in maps]}")
        return replace(self, maps=tuple(maps))


def read_mat(path: str | Path, takes: type[EdgeMap] | type[SemanticMap] = EdgeMap) -> MatLabels:
    """Returns the labels of a BSDS500 or SBD file.

    Args:
        path: The ``.mat`` file, of a version before 7.3.
        takes: The kind of labels wanted. Only ``GTcls`` has a `SemanticMap`: the regions of the others have no class.

    Raises:
        LabelError: It is no such file, or lacks a field, or its arrays do not fit together; the message names the file
            and the field.
        OSError: The file cannot be read.
    """
    try:
        document = _load(path)
        layout = next((name for name in LAYOUTS if name in document), None)
        if layout is None:
            found = sorted(name for name in document if not name.startswith("__"))
            raise LabelError(f"expected one of the variables {', '.join(LAYOUTS)}, got {found}")
        if takes is SemanticMap:
            return MatLabels((_semantic(document, layout),), layout, document)
        maps = _annotators(document) if layout == "groundTruth" else (_channels(document, layout),)
        return MatLabels(maps, layout, document)
    except LabelError as error:
        raise error.at(file=path) from None


def write_mat(path: str | Path, labels: MatLabels) -> None:
    """Writes a ``.mat`` file that scipy reads back with the names, shapes, fields and types of the file read.

    ``Boundaries`` holds the edges. ``Segmentation`` holds the regions, or stays as it was where noise left the edges
    without regions (``EdgeMap.regions`` is None). From a `SemanticMap`, ``Boundaries`` are drawn anew, as wide as they
    were, and ``CategoriesPresent`` lists the classes that are left.

    Raises:
        OSError: The file cannot be written.
    """
    document = {name: copy.deepcopy(value) for name, value in labels.document.items() if not name.startswith("__")}
    if labels.layout == "groundTruth":
        for place, edge_map in enumerate(labels.maps):
            entry = document["groundTruth"][0, place]
            _put_regions(entry, edge_map.regions)
            # MATLAB's logical: scipy writes it from bool and reads it as uint8.
            entry["Boundaries"][0, 0] = edge_map.edges[0].astype(bool)
    else:
        (only,) = labels.maps
        entry = document[labels.layout]
        _put_channels(entry, only) if isinstance(only, EdgeMap) else _put_semantic(entry, only)
    with atomic_path(path) as partial, partial.open("wb") as file:
        savemat(file, document, do_compression=True)
        # scipy stamps the clock into the header, and equal labels are to give equal bytes.
        file.seek(0)
        file.write(bytes(labels.document["__header__"])[:HEADER].ljust(HEADER))


def _load(path: str | Path) -> dict[str, Any]:
    try:
        with Path(path).open("rb") as file:
            return loadmat(file)
    except OSError:
        raise
    except NotImplementedError:
        raise LabelError("expected a .mat file of a version before 7.3, got version 7.3 (HDF5)") from None
    except Exception as error:  # scipy has no error of its own for broken files: it raises whatever it trips over
        raise LabelError(f"expected a .mat file, got one that scipy cannot read ({error})") from None


def _annotators(document: Mapping[str, Any]) -> tuple[EdgeMap, ...]:
    cell = document["groundTruth"]
    if cell.dtype != object or cell.ndim != 2 or len(cell) != 1 or not cell.size:
        raise LabelError(f"groundTruth: expected a 1xA cell, got {cell.shape} of {cell.dtype}")
    maps = []
    for place in range(cell.shape[1]):
        where = f"groundTruth{{{place + 1}}}"
        regions, boundaries = _fields(cell[0, place], where, "groundTruth")[:2]
        if not isinstance(boundaries, np.ndarray) or boundaries.shape != regions.shape:
            raise LabelError(f"expected Boundaries of {regions.shape}, got {_kind(boundaries)}", where=where)
        maps.append(EdgeMap((boundaries != 0)[None], Categories.from_names(("boundary",)), regions))
    if len({edge_map.size_hw for edge_map in maps}) > 1:
        raise LabelError("groundTruth: expected annotators of one size, got several")
    return tuple(maps)


def _channels(document: Mapping[str, Any], layout: Layout) -> EdgeMap:
    regions, cell = _fields(document[layout], layout, layout)[:2]
    if not isinstance(cell, np.ndarray) or cell.dtype != object:
        raise LabelError(f"expected Boundaries to be a cell, got {_kind(cell)}", where=layout)
    for k, channel in enumerate(cell.ravel()):
        if getattr(channel, "shape", None) != regions.shape:
            raise LabelError(f"expected Boundaries{{{k + 1}}} of {regions.shape}, got {_kind(channel)}", where=layout)
    edges = _dense(cell, regions.shape)
    if layout == "GTcls" and len(edges) != len(VOC_CLASSES):
        raise LabelError(f"expected {len(VOC_CLASSES)} Boundaries, one a class, got {len(edges)}", where=layout)
    channels = VOC_CLASSES if layout == "GTcls" else [f"object {k + 1}" for k in range(len(edges))]
    return EdgeMap(edges, Categories.from_names(channels), regions)


def _semantic(document: Mapping[str, Any], layout: Layout) -> SemanticMap:
    if layout != "GTcls":
        raise LabelError(f"expected classes, which only GTcls files have, got the regions of {layout}", where=layout)
    regions = _fields(document[layout], layout, layout)[0]
    return SemanticMap(regions, Categories.from_names(("background", *VOC_CLASSES)))


def _fields(struct: Any, where: str, layout: Layout) -> list[Any]:  # noqa: ANN401 - whatever the file holds
    """Returns the values of the layout's fields, the first an (H, W) integer array.

    Raises:
        LabelError: One is missing.
    """
    names = getattr(getattr(struct, "dtype", None), "names", None)
    if not names or struct.shape != (1, 1):
        raise LabelError(f"expected a 1x1 struct, got {_kind(struct)}", where=where)
    missing = [name for name in FIELDS[layout] if name not in names]
    if missing:
        raise LabelError(f"expected the field {missing[0]}, got {', '.join(names)}", where=where)
    regions = struct["Segmentation"][0, 0]
    if not isinstance(regions, np.ndarray) or regions.ndim != 2 or regions.dtype.kind not in "iu":
        raise LabelError(f"expected Segmentation to be (H, W) integers, got {_kind(regions)}", where=where)
    return [struct[name][0, 0] for name in FIELDS[layout]]


def _put_regions(struct: npt.NDArray[np.void], regions: npt.NDArray[np.integer] | None) -> None:
    if regions is not None:
        struct["Segmentation"][0, 0] = regions.astype(struct["Segmentation"][0, 0].dtype)


def _put_channels(struct: npt.NDArray[np.void], edge_map: EdgeMap) -> None:
    _put_regions(struct, edge_map.regions)
    cell = struct["Boundaries"][0, 0]
    for k, place in enumerate(np.ndindex(cell.shape)):
        edges = edge_map.edges[k].astype(bool)
        cell[place] = sparse.csc_array(edges) if sparse.issparse(cell[place]) else edges


def _put_semantic(struct: npt.NDArray[np.void], labels: SemanticMap) -> None:
    old = _dense(struct["Boundaries"][0, 0], labels.size_hw).any(axis=0)
    edges = class_edges(labels.classes, len(labels.categories), edge_radius(old))[1:]
    _put_channels(struct, EdgeMap(edges, Categories.from_names(VOC_CLASSES), labels.classes))
    present = struct["CategoriesPresent"][0, 0]
    left = np.array([k for k in np.unique(labels.classes).tolist() if 0 < k <= len(VOC_CLASSES)], present.dtype)
    column = len(present) > 1
    struct["CategoriesPresent"][0, 0] = left.reshape((-1, 1) if column else (1, -1))


def _dense(cell: npt.NDArray[np.object_], size_hw: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Returns the matrices of a cell as one (K, H, W) array."""
    edges = np.zeros((cell.size, *size_hw), bool)
    for k, channel in enumerate(cell.ravel()):
        edges[k] = (channel.toarray() if sparse.issparse(channel) else channel) != 0
    return edges


def _form(labels: EdgeMap | SemanticMap) -> tuple[str, tuple[int, ...]]:
    return type(labels).__name__, labels.edges.shape if isinstance(labels, EdgeMap) else labels.size_hw


def _kind(value: Any) -> str:  # noqa: ANN401 - whatever the file holds
    return f"{getattr(value, 'shape', '')} of {getattr(value, 'dtype', type(value).__name__)}"
