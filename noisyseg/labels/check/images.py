"""Check the image files that a COCO document names."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from noisyseg.labels.check.document import Progress
from noisyseg.labels.check.findings import Finding, Json, Problem, as_id, shown

if TYPE_CHECKING:
    from PIL.Image import Image

END_MARKS = {"JPEG": b"\xff\xd9", "MPO": b"\xff\xd9", "PNG": b"IEND"}
"""What the last bytes of a complete file hold, so that only a suspect one is decoded."""

IMAGE_SUFFIXES = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})
EXIF_ORIENTATION = 0x0112


class Header(NamedTuple):
    """What an image file says of itself: its size, and whether EXIF turns it by 90 degrees or otherwise."""

    size_hw: tuple[int, int]
    orientation: int


def image_file_findings(document: Json, folder: str | Path, file: str, progress: Progress) -> Iterator[Finding]:
    """Yields the findings of the files that ``images`` names; entries without a usable name are passed over.

    Args:
        document: The COCO object as read from JSON; anything may be in it.
        folder: The image folder.
        file: The label file, for findings.
        progress: Wraps a sequence that is gone through, given what it holds.
    """
    if not os.path.isdir(folder):  # noqa: PTH112 - takes any string, Path.is_dir() does not
        yield Finding("images-folder-missing", f"expected a folder, got {shown(str(folder))}", file)
        return
    present = _files_below(folder)
    by_lower = {name.lower(): name for name in present}
    images = document.get("images")
    named = set()
    for place, entry in enumerate(progress(images if isinstance(images, list) else [], "image files")):
        if isinstance(entry, dict) and isinstance(entry.get("file_name"), str) and entry["file_name"]:
            name = os.path.normpath(entry["file_name"]).replace(os.sep, "/")
            named.add(name)
            named.add(by_lower.get(name.lower()))
            for code, message in _file_problems(entry, name, folder, present, by_lower):
                yield Finding(code, message, file, f"images[{place}]", image=as_id(entry.get("id")))
    extra = sorted(name for name in present - named if Path(name).suffix.lower() in IMAGE_SUFFIXES)
    if extra:
        listed = ", ".join(map(shown, extra[:3])) + (", ..." if len(extra) > 3 else "")
        yield Finding(
            "image-extra",
            f"expected an image for each file, got none for {len(extra)}: {listed}",
            file,
            "images",
        )


def _files_below(folder: str | Path) -> set[str]:
    names = set()
    for parent, _, files in os.walk(folder):
        prefix = os.path.relpath(parent, folder).replace(os.sep, "/")
        names.update(name if prefix == "." else f"{prefix}/{name}" for name in files)
    return names


def _file_problems(
    entry: Json, name: str, folder: str | Path, present: set[str], by_lower: dict[str, str]
) -> Iterator[Problem]:
    if name not in present and name.lower() in by_lower:
        yield "image-case", f"expected {shown(name)}, got {shown(by_lower[name.lower()])}"
        return
    path = os.path.join(folder, entry["file_name"])  # noqa: PTH118 - an absolute name replaces the folder
    if name not in present and not os.path.isfile(path):  # noqa: PTH113 - False for names no system allows
        yield "image-missing", f"expected the file {shown(entry['file_name'])}, got none"
        return
    header, problems = _read_header(path)
    yield from problems
    if header is not None:
        yield from _size_problems(entry, header)


def _size_problems(entry: Json, header: Header) -> Iterator[Problem]:
    stated = entry.get("height"), entry.get("width")
    if not all(type(side) is int for side in stated):
        return
    height, width = header.size_hw
    got = f"a file of {width} x {height} px"
    if header.orientation >= 5 and stated in ((height, width), (width, height)):
        yield (
            "image-rotated",
            f"expected an image without EXIF rotation, got {got} to be turned by 90 degrees",
        )
    elif stated != (height, width):
        yield "image-size-differs", f"expected {shown(stated[1])} x {shown(stated[0])} px, got {got}"
    elif 2 <= header.orientation <= 4:
        yield "image-rotated", f"expected an image without EXIF rotation, got {got} to be turned or mirrored"


def _read_header(path: str) -> tuple[Header | None, list[Problem]]:
    """Returns what the header says, None where there is none, and what is wrong with the file."""
    import PIL.Image  # takes 50 ms, which only this check needs

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of huge images; nothing is decoded
            with PIL.Image.open(path) as image:
                header = Header((image.height, image.width), _orientation(image))
                mark = END_MARKS.get(image.format or "")
    except Exception as error:  # Pillow's decoders raise anything on a broken file
        return None, [("image-unreadable", f"expected an image, got {type(error).__name__}: {shown(str(error))}")]
    if mark is not None and mark in _tail(path):
        return header, []
    return header, _decode_problems(path)


def _orientation(image: Image) -> int:
    if image.format == "PNG" and "exif" not in image.info:
        return 1  # Pillow would decode all pixels to look for EXIF behind them
    value = image.getexif().get(EXIF_ORIENTATION, 1)
    return value if type(value) is int else 1


def _tail(path: str, size: int = 256) -> bytes:
    with Path(path).open("rb") as file:
        file.seek(0, os.SEEK_END)
        file.seek(max(file.tell() - size, 0))
        return file.read()


def _decode_problems(path: str) -> list[Problem]:
    """Returns a problem if the pixels cannot all be read."""
    import PIL.Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with PIL.Image.open(path) as image:
                image.load()
    except Exception as error:  # as above
        return [("image-truncated", f"expected a complete image, got {type(error).__name__}: {shown(str(error))}")]
    return []
