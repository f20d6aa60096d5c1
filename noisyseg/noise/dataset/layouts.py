"""How data sets lay out their label files, and which of these layouts a folder has."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from noisyseg.labels import class_names
from noisyseg.labels.label_pngs import ClassCodes
from noisyseg.labels.voc import VOC_CLASSES
from noisyseg.noise.dataset.splits import Split, listed, split_of, split_of_folder

LAYOUTS = ("coco", "cityscapes", "ade20k", "voc", "camvid", "png", "mat")


@dataclass(frozen=True)
class LabelFile:
    """One file of labels in a data set.

    Attributes:
        name: Path relative to the data set's folder, with ``/``.
        key: What names its image in draws: the name of the image file without folder and ending, as
            `noisyseg.InjectNoise` names it.
        image: Where the image is expected in the folder of images, without its ending.
        split: What it is for, as far as names say.
        codes: Which number stands for which class, in a label map; None in other files.
    """

    name: str
    key: str
    image: str
    split: Split | None
    codes: ClassCodes | None = None


@dataclass(frozen=True)
class Found:
    """What was found in a folder.

    Attributes:
        layout: One of :data:`LAYOUTS`.
        files: Its label files, by name.
        background: Classes that are ground and not objects.
        notes: What the user should know about the layout.
    """

    layout: str
    files: tuple[LabelFile, ...]
    background: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()


def find_layout(source: Path, layout: str = "auto", codes: ClassCodes | None = None) -> Found:
    """Returns the layout of a folder and its label files.

    Args:
        source: The folder.
        layout: One of :data:`LAYOUTS`, or ``"auto"`` to find out. Then ``"png"`` is taken where no other one is there.
        codes: The classes of a ``"png"`` tree.

    Raises:
        NotADirectoryError: ``source`` is no folder.
        ValueError: There are no label files of that layout, or of several; or ``codes`` are missing.
    """
    if layout not in ("auto", *LAYOUTS):
        raise ValueError(f"layout: expected one of auto, {', '.join(LAYOUTS)}, got {layout!r}")
    if not source.is_dir():
        raise NotADirectoryError(f"{source}: expected a folder, but there is none")
    names = sorted(_names(source))
    if layout == "auto":
        layout = _only_candidate(source, names)
    if layout == "png" and codes is None:
        raise ValueError(f"{source}: label maps of no known layout: classes: expected the names of their classes")
    if layout != "png" and codes is not None:
        raise ValueError(f"classes: expected none for the layout {layout}, which has its own")
    found = FINDERS[layout](source, names) if layout != "png" else _png(source, names, codes)
    if not found.files:
        raise ValueError(f"{source}: expected {WHAT[layout]}, but there is no such file")
    return found


def _only_candidate(source: Path, names: list[str]) -> str:
    candidates = [layout for layout, finder in FINDERS.items() if finder(source, names).files]
    if len(candidates) > 1:
        kinds = "; ".join(f"{layout}: {WHAT[layout]}" for layout in candidates)
        raise ValueError(f"{source}: fits several layouts, so name one ({kinds})")
    if candidates:
        return candidates[0]
    if any(name.endswith(".png") for name in names):
        return "png"
    raise ValueError(f"{source}: expected labels, but there is none of: {', '.join(WHAT.values())}")


def _names(source: Path) -> Iterator[str]:
    """Yields the files below a folder, relative to it; folders that are links are followed, each folder once."""
    seen = set()
    for folder, folders, files in os.walk(source, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        relative = Path(folder).relative_to(source)
        yield from ((relative / name).as_posix() for name in files if not name.startswith("."))


def _split(source: Path, name: str) -> Split | None:
    """Returns the split that a folder of the name says, or else the folder that the data set is."""
    return split_of_folder(PurePosixPath(name).parent) or split_of_folder(PurePosixPath(source.absolute().name))


def _maps(source: Path, names: list[str], codes: ClassCodes, image: Callable[[str], str]) -> tuple[LabelFile, ...]:
    files = []
    for name in names:
        where = image(str(PurePosixPath(name).with_suffix("")))
        files.append(LabelFile(name, PurePosixPath(where).name, where, _split(source, name), codes))
    return tuple(files)


def _coco(source: Path, names: list[str]) -> Found:
    taken = [
        name
        for name in names
        if "/" not in name and name.endswith(".json") and not name.endswith((".manifest.json", "_polygons.json"))
    ]
    files = [LabelFile(name, "", "", split_of(source.absolute() / name)) for name in taken]
    return Found("coco", tuple(files))


def _cityscapes(source: Path, names: list[str]) -> Found:
    train_codes = ClassCodes.counted(class_names.CITYSCAPES)
    ids = tuple(class_names.CITYSCAPES_IDS.values())
    others = tuple(k for k in range(class_names.CITYSCAPES_LARGEST_ID + 1) if k not in ids)
    id_codes = ClassCodes(class_names.CITYSCAPES, ids, (*others, 255), 0)
    files: list[LabelFile] = []
    for ending, codes in (("_labelTrainIds.png", train_codes), ("_labelIds.png", id_codes)):

        def image(stem: str, ending: str = ending) -> str:
            # aachen_000000_000019_gtFine_labelIds belongs to aachen_000000_000019_leftImg8bit
            return stem.removesuffix(ending.removesuffix(".png")).rpartition("_gt")[0] + "_leftImg8bit"

        taken = [name for name in names if name.endswith(ending) and "_gt" in PurePosixPath(name).name]
        files += _maps(source, taken, codes, image)
    others_there = sorted(
        {kind for kind in ("instanceIds", "color", "polygons") for name in names if f"_{kind}." in name}
    )
    note = f"files of {', '.join(others_there)} are not written: they would still show the clean labels"
    return Found("cityscapes", tuple(sorted(files, key=lambda file: file.name)), notes=(note,) * bool(others_there))


def _ade20k(source: Path, names: list[str]) -> Found:
    taken = [
        name
        for name in names
        if name.endswith(".png")
        and PurePosixPath(name).name.startswith("ADE_")
        and ("/" not in name or "annotations" in (source.absolute() / name).parts)
        and "annotations_instance" not in name
    ]
    codes = ClassCodes(class_names.ADE20K, tuple(range(1, 151)), (0, 255), 0)
    return Found("ade20k", _maps(source, taken, codes, lambda stem: _behind(stem, "annotations")))


def _voc(source: Path, names: list[str]) -> Found:
    taken = [
        name
        for name in names
        if name.endswith(".png") and any(part == "SegmentationClass" for part in _folders(source, name))
    ]
    splits = listed(
        root / "ImageSets" / "Segmentation"
        for root in (source, source / "VOC2012", source / "VOCdevkit" / "VOC2012", source.absolute().parent)
    )
    codes = ClassCodes.counted(("background", *VOC_CLASSES))
    files = _with_splits(_maps(source, taken, codes, lambda stem: PurePosixPath(stem).name), splits)
    note = "SegmentationObject files are not written: they would still show the clean labels"
    has_objects = any("SegmentationObject" in _folders(source, name) for name in names)
    return Found("voc", files, background=(0,), notes=(note,) * has_objects)


def _camvid(source: Path, names: list[str]) -> Found:
    taken = [
        name
        for name in names
        if name.endswith(".png") and _folders(source, name)[-1] in ("trainannot", "valannot", "testannot")
    ]
    codes = ClassCodes(class_names.CAMVID, tuple(range(11)), (11, 255), 11)

    def image(stem: str) -> str:
        return "/".join(part.removesuffix("annot") for part in PurePosixPath(stem).parts)

    return Found("camvid", _maps(source, taken, codes, image))


def _png(source: Path, names: list[str], codes: ClassCodes) -> Found:
    return Found("png", _maps(source, [name for name in names if name.endswith(".png")], codes, lambda stem: stem))


def _mat(source: Path, names: list[str]) -> Found:
    taken = [name for name in names if name.endswith(".mat")]
    folders = {PurePosixPath(name).parts[0] for name in taken if "/" in name}
    if {"cls", "inst"} <= folders:
        raise ValueError(f"{source}: has files of classes (cls) and of objects (inst): name one of the two folders")
    files = []
    for name in taken:
        stem = PurePosixPath(name).with_suffix("")
        files.append(LabelFile(name, stem.name, _behind(str(stem), "groundTruth"), _split(source, name)))
    return Found("mat", _with_splits(tuple(files), listed((source, source.absolute().parent))))


def _with_splits(files: tuple[LabelFile, ...], splits: Mapping[str, Split]) -> tuple[LabelFile, ...]:
    """Returns the files with the split that a list says of their images, where the folders say nothing."""
    return tuple(
        LabelFile(file.name, file.key, file.image, file.split or splits.get(file.key), file.codes) for file in files
    )


def _folders(source: Path, name: str) -> tuple[str, ...]:
    """Returns the folder that the data set is, and those below it on the way to a file."""
    return (source.absolute().name, *PurePosixPath(name).parent.parts)


def _behind(stem: str, folder: str) -> str:
    """Returns the part of a path behind a folder of that name; the whole where there is none."""
    parts = PurePosixPath(stem).parts
    return "/".join(parts[parts.index(folder) + 1 :]) if folder in parts else stem


FINDERS: dict[str, Callable[[Path, list[str]], Found]] = {
    "coco": _coco,
    "cityscapes": _cityscapes,
    "ade20k": _ade20k,
    "voc": _voc,
    "camvid": _camvid,
    "mat": _mat,
}
WHAT = {
    "coco": "COCO files *.json in the folder itself",
    "cityscapes": "Cityscapes label maps *_labelTrainIds.png or *_labelIds.png",
    "ade20k": "ADE20K label maps annotations/training/ADE_*.png",
    "voc": "VOC label maps SegmentationClass/*.png",
    "camvid": "CamVid label maps trainannot/*.png",
    "mat": "BSDS500 or SBD files *.mat",
    "png": "label maps *.png",
}
