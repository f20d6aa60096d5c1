"""Edge labels in files, read and written as bits: PNG, raw numbers, and the MATLAB files of BSDS500 and SBD.

PNG of 16 bits: bit k on the edge of class k, bit 15 on ignored pixels, so up to 15 classes. PNG of up to 8 bits: the
same without ignored pixels, and for one class also 0 and 255. ``.bin``: unsigned 32-bit numbers, little-endian, row
by row without a header, bit 31 on ignored pixels, up to 31 classes; this is how SBD and Cityscapes are prepared for
CASENet. ``.mat``: see `noisyseg.labels.mat_files`.

Letters: A annotators, K edge classes, H rows, W columns.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
from PIL import Image

from noisyseg.labels.edge_bits import IGNORED_BITS, BitArray, check_edge_bits, check_edge_classes, packed_edges
from noisyseg.labels.errors import LabelError
from noisyseg.labels.files import atomic_path
from noisyseg.labels.label_pngs import read_label_png
from noisyseg.labels.mat_files import MatLabels, read_mat
from noisyseg.labels.voc_classes import VOC_CLASSES

Choice = Literal["first", "any", "mean"]
PNG_CLASSES = 15


def read_edge_annotators(path: str | Path, count: int, size_hw: tuple[int, int] | None = None) -> BitArray:
    """Returns the (A, H, W) edge bits of each annotator; A is 1 for all files but those of BSDS500.

    Args:
        path: ``.png``, ``.bin`` or ``.mat``.
        count: K. BSDS500 has one class, SBD 20: ``cls`` files, and ``inst`` files, whose edges also run between two
            objects of one class.
        size_hw: Rows and columns of the image; a ``.bin`` file does not say them.

    Raises:
        LabelError: The file cannot be read or used, has other classes or another size; the message names it and the
            field.
    """
    path = Path(path)
    try:
        check_edge_classes(count)
        if path.suffix == ".png":
            bits = _from_png(path, count)
        elif path.suffix == ".bin":
            bits = _from_raw(path, count, size_hw)
        elif path.suffix == ".mat":
            bits = _from_mat(path, count)
        else:
            raise LabelError("expected a name that ends with .png, .bin or .mat")
        if size_hw is not None and bits.shape[1:] != tuple(size_hw):
            raise LabelError(f"expected edges of the image's size {tuple(size_hw)}, got {bits.shape[1:]}")
    except LabelError as error:
        raise error.at(file=path) from None
    except OSError as error:
        raise LabelError(f"cannot be read: {error.strerror or error}", file=path) from error
    return bits


def write_edge_bits(path: str | Path, bits: BitArray, count: int) -> None:
    """Writes (H, W) edge bits as a PNG of 16 bits or as raw numbers, whichever the name ends in.

    Raises:
        LabelError: The name has another ending, there are too many classes for it, or the bits are none of ``count``
            classes.
        OSError: The file cannot be written.
    """
    path = Path(path)
    try:
        check_edge_bits(bits, count)
        if path.suffix not in (".png", ".bin"):
            raise LabelError("expected a name that ends with .png or .bin")
        if path.suffix == ".png" and count > PNG_CLASSES:
            raise LabelError(f"expected at most {PNG_CLASSES} classes in a .png, got {count}: write a .bin")
    except LabelError as error:
        raise error.at(file=path) from None
    with atomic_path(path) as partial, partial.open("wb") as file:
        if path.suffix == ".bin":
            file.write(bits.astype("<u4").tobytes())
        else:
            pixels = np.where(bits < 0, 1 << PNG_CLASSES, bits).astype(np.uint16)
            Image.fromarray(pixels).save(file, format="PNG")


def chosen_edges(annotators: BitArray, choice: Choice, share: float = 0.5) -> BitArray:
    """Returns the (H, W) edges that several annotators agree on.

    Args:
        annotators: (A, H, W) bits; with more than one annotator, of one class.
        choice: ``"first"``: those of the first annotator. ``"any"``: those of all together. ``"mean"``: pixels that at
            least the share of annotators marked; pixels that fewer marked, but at least one, are ignored.
        share: For ``"mean"``, in (0, 1].

    Raises:
        LabelError: Annotators of several classes.
        ValueError: ``choice`` or ``share`` cannot be used.
    """
    if choice not in get_args(Choice):
        raise ValueError(f"choice: expected one of {', '.join(get_args(Choice))}, got {choice!r}")
    if not 0 < share <= 1:
        raise ValueError(f"share: expected a number in (0, 1], got {share}")
    if choice == "first" or len(annotators) == 1:
        return annotators[0]
    if (annotators > 1).any():
        raise LabelError("annotators: expected edges of one class, got several")
    votes = np.count_nonzero(annotators == 1, axis=0)
    if choice == "any":
        return (votes > 0).astype(np.int32)
    edges = votes >= share * len(annotators)
    return np.where(edges, 1, np.where(votes > 0, IGNORED_BITS, 0)).astype(np.int32)


def _from_png(path: Path, count: int) -> BitArray:
    png = read_label_png(path)
    pixels = png.pixels.astype(np.int32)
    most = PNG_CLASSES if png.bits == 16 else png.bits
    if count > most:
        raise LabelError(f"expected edges of {count} classes, got a PNG of {png.bits} bits, which holds {most}")
    if png.bits == 16:
        pixels[pixels >> PNG_CLASSES != 0] = IGNORED_BITS
    elif count == 1 and png.bits == 8 and np.isin(pixels, (0, 255)).all():
        pixels &= 1
    check_edge_bits(pixels, count)
    return pixels[None]


def _from_raw(path: Path, count: int, size_hw: tuple[int, int] | None) -> BitArray:
    if size_hw is None:
        raise LabelError("expected the size of the image, because raw numbers do not say it")
    content = path.read_bytes()
    height, width = size_hw
    if len(content) != 4 * height * width:
        raise LabelError(f"expected {4 * height * width} bytes, 4 a pixel of {height} x {width}, got {len(content)}")
    bits = np.frombuffer(content, "<u4").reshape(height, width).astype(np.int32)
    bits[bits < 0] = IGNORED_BITS
    check_edge_bits(bits, count)
    return bits[None]


def _from_mat(path: Path, count: int) -> BitArray:
    labels = read_mat(path)
    expected = 1 if labels.layout == "groundTruth" else len(VOC_CLASSES)
    if count != expected:
        raise LabelError(f"expected {count} edge classes, got {labels.layout}, which has {expected}")
    if labels.layout == "GTinst":
        return _of_objects(labels)[None]
    return np.stack([packed_edges(edge_map.edges) for edge_map in labels.maps])


def _of_objects(labels: MatLabels) -> BitArray:
    """Returns the (H, W) edges of all objects of a ``GTinst`` file, each as an edge of its class."""
    edges = labels.maps[0].edges
    struct: Mapping[str, Any] = labels.document["GTinst"]
    if "Categories" not in struct.dtype.names:
        raise LabelError(f"expected the field Categories, got {', '.join(struct.dtype.names)}", where="GTinst")
    classes: npt.NDArray[np.integer] = np.asarray(struct["Categories"][0, 0]).ravel()
    known = range(1, len(VOC_CLASSES) + 1)
    if len(classes) != len(edges) or not all(one in known for one in classes.tolist()):
        raise LabelError(
            f"expected Categories of {len(edges)} objects, 1..{known[-1]}, got {classes.tolist()}", where="GTinst"
        )
    bits = np.zeros(edges.shape[1:], np.int32)
    for channel, number in zip(edges, classes.tolist(), strict=True):
        bits |= channel.astype(np.int32) << (int(number) - 1)
    return bits
