"""Check a COCO document apart from the geometry of its annotations: lists, images, categories, references."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import PurePosixPath, PureWindowsPath
from typing import TypeVar

from noisyseg.labels.check.annotations import AnnotationCheck
from noisyseg.labels.check.findings import Finding, Id, Json, Problem, as_id, id_problems, shown
from noisyseg.labels.check.geometry import SizeHW
from noisyseg.labels.check.reading import LISTS

MOST_PIXELS = (1 << 32) - 1
"""Pixels of an image; the COCO API counts runs in 32 bits."""

T = TypeVar("T")
Progress = Callable[[Sequence[T], str], Iterable[T]]


def document_findings(document: Json, file: str, progress: Progress) -> Iterator[Finding]:
    """Yields the findings of a COCO document.

    Args:
        document: The object as read from JSON; anything may be in it.
        file: Where it came from, for findings.
        progress: Wraps a sequence that is gone through, given what it holds.
    """
    lists: dict[str, list] = {}
    for key in LISTS:
        lists[key], problems = _list_of(document, key)
        yield from (Finding(code, message, file, key) for code, message in problems)
    if not isinstance(document.get("info"), dict):
        yield Finding("info-missing", f"expected an object, got {shown(document.get('info'))}", file, "info")
    category_names: dict[Id, object] = {}
    yield from _category_findings(lists["categories"], file, category_names)
    sizes: dict[Id, SizeHW | None] = {}
    yield from _image_findings(lists["images"], file, sizes)
    check = AnnotationCheck(file, sizes, set(category_names))
    for place, annotation in enumerate(progress(lists["annotations"], "annotations")):
        yield from check.check(place, annotation)
    yield from check.conclude()
    if lists["annotations"]:
        yield from _unused(sizes.keys() - check.used_images, category_names, check.used_categories, file)


def _list_of(document: Json, key: str) -> tuple[list, list[Problem]]:
    if key not in document:
        return [], [("key-missing", f"expected the key {key!r}, got none")]
    value = document[key]
    if not isinstance(value, list):
        return [], [("type-wrong", f"{key}: expected a list, got {shown(value)}")]
    return value, [] if value else [("list-empty", f"{key}: expected entries, got []")]


def _category_findings(categories: list, file: str, names: dict[Id, object]) -> Iterator[Finding]:
    """Yields the findings of ``categories`` and fills ``names`` by id."""
    seen: set[object] = set()
    spellings: dict[str, tuple[str, object]] = {}
    for place, entry in enumerate(categories):
        where = f"categories[{place}]"
        if not isinstance(entry, dict):
            yield Finding("type-wrong", f"expected an object, got {shown(entry)}", file, where)
            continue
        category = as_id(entry.get("id"))
        for code, message in _category_problems(entry, seen, spellings):
            yield Finding(code, message, file, where, category=category)
        if category is not None:
            names.setdefault(category, entry.get("name"))


def _category_problems(entry: Json, seen: set[object], spellings: dict[str, tuple[str, object]]) -> Iterator[Problem]:
    yield from _entry_id_problems(entry, "category", seen)
    group = entry.get("supercategory")
    if group is None:
        yield "supercategory-missing", "expected a supercategory, got none"
    elif not isinstance(group, str):
        yield "type-wrong", f"supercategory: expected a string, got {shown(group)}"
    if "name" not in entry:
        yield "key-missing", "expected the key 'name', got none"
        return
    name = entry["name"]
    if not isinstance(name, str) or not name.strip():
        yield "type-wrong", f"name: expected a string that is not empty, got {shown(name)}"
        return
    if name != name.strip():
        yield "category-name-space", f"name: expected no white space at the ends, got {shown(name)}"
    spelling = " ".join(name.casefold().split())
    other, other_id = spellings.setdefault(spelling, (name, entry.get("id")))
    if other is not name:
        code = "category-name-duplicate" if other == name else "category-name-similar"
        yield (
            code,
            f"name: expected another name than category {shown(other_id)}, {shown(other)}, got {shown(name)}",
        )


def _image_findings(images: list, file: str, sizes: dict[Id, SizeHW | None]) -> Iterator[Finding]:
    """Yields the findings of ``images`` and fills ``sizes`` by id."""
    seen: set[object] = set()
    places: dict[str, int] = {}
    for place, entry in enumerate(images):
        where = f"images[{place}]"
        if not isinstance(entry, dict):
            yield Finding("type-wrong", f"expected an object, got {shown(entry)}", file, where)
            continue
        image = as_id(entry.get("id"))
        size_hw, problems = _size(entry)
        for code, message in [
            *_entry_id_problems(entry, "image", seen),
            *_file_name_problems(entry, place, places),
            *problems,
        ]:
            yield Finding(code, message, file, where, image=image)
        if image is not None:
            sizes.setdefault(image, size_hw)


def _entry_id_problems(entry: Json, kind: str, seen: set[object]) -> Iterator[Problem]:
    if "id" in entry:
        yield from id_problems(entry["id"], kind, seen)
    else:
        yield "key-missing", "expected the key 'id', got none"


def _file_name_problems(entry: Json, place: int, places: dict[str, int]) -> Iterator[Problem]:
    if "file_name" not in entry:
        yield "key-missing", "expected the key 'file_name', got none"
        return
    name = entry["file_name"]
    if not isinstance(name, str) or not name:
        yield "type-wrong", f"file_name: expected a string that is not empty, got {shown(name)}"
        return
    if PurePosixPath(name).is_absolute() or PureWindowsPath(name).drive:
        yield "file-name-absolute", f"file_name: expected a name inside the image folder, got {shown(name)}"
    elif "\\" in name:
        yield "file-name-backslash", f"file_name: expected / between folders, got {shown(name)}"
    first = places.setdefault(name, place)
    if first != place:
        yield (
            "file-name-duplicate",
            f"file_name: expected another than that of images[{first}], got {shown(name)}",
        )


def _size(entry: Json) -> tuple[SizeHW | None, list[Problem]]:
    """Returns rows and columns, None where they cannot be used, and what is wrong with them."""
    problems = []
    for key in ("height", "width"):
        if key not in entry:
            problems.append(("key-missing", f"expected the key {key!r}, got none"))
        elif type(entry[key]) is not int or entry[key] < 1:
            problems.append(("image-size", f"{key}: expected a whole number >= 1, got {shown(entry[key])}"))
    if problems:
        return None, problems
    height, width = entry["height"], entry["width"]
    if height * width > MOST_PIXELS:
        got = f"{shown(height)} x {shown(width)}"
        return None, [("image-size-huge", f"height x width: expected less than 2^32 pixels, got {got}")]
    return (height, width), []


def _unused(images: set[Id], names: dict[Id, object], used: set[Id], file: str) -> Iterator[Finding]:
    for image in sorted(images, key=str):
        yield Finding("image-unannotated", "expected annotations, got none", file, "images", image=image)
    for category, name in names.items():
        if category not in used:
            message = f"expected annotations of {shown(name)}, got none"
            yield Finding("category-unused", message, file, "categories", category=category)
