"""Check the ``annotations`` of a COCO document, one by one and against each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from noisyseg.labels.check.boxes import area_problems, box_problems
from noisyseg.labels.check.findings import (
    Finding,
    Id,
    Json,
    Problem,
    as_id,
    id_problems,
    is_finite,
    is_number,
    shown,
)
from noisyseg.labels.check.geometry import Shape, SizeHW, measure


class AnnotationCheck:
    """Checks annotations in file order and remembers what later ones are compared with.

    Args:
        file: The label file, for findings.
        sizes: Rows and columns by image id; None where an image has no usable size.
        categories: Ids of the categories.

    Attributes:
        used_images: Ids of the images that annotations refer to.
        used_categories: Ids of the categories that annotations refer to.
    """

    def __init__(self, file: str, sizes: Mapping[Id, SizeHW | None], categories: set[Id]) -> None:
        self.used_images: set[Id] = set()
        self.used_categories: set[Id] = set()
        self._file, self._sizes, self._categories = file, sizes, categories
        self._ids: set[object] = set()
        self._geometry: dict[tuple, list[tuple[object, dict[Id | None, int]]]] = {}
        self._without_mask: list[tuple[int, Json]] = []
        self._forms = {"polygons": 0, "RLE": 0}
        self._with_mask = 0

    def check(self, place: int, annotation: object) -> Iterator[Finding]:
        """Yields the findings of the annotation at ``place`` of the list."""
        if not isinstance(annotation, dict):
            message = f"expected an object, got {shown(annotation)}"
            yield Finding("type-wrong", message, self._file, f"annotations[{place}]")
            return
        for code, message in self._problems(place, annotation):
            yield self._finding(code, message, place, annotation)

    def conclude(self) -> Iterator[Finding]:
        """Yields what shows only when every annotation was seen."""
        if self._with_mask:
            for place, annotation in self._without_mask:
                message = f"expected a mask, as {self._with_mask} other annotations have one, got none"
                yield self._finding("segmentation-missing", message, place, annotation)
        elif self._without_mask:
            message = f"{len(self._without_mask)} annotations, none with a segmentation"
            yield Finding("boxes-only", message, self._file, "annotations")
        if all(self._forms.values()):
            listed = ", ".join(f"{count} as {form}" for form, count in self._forms.items())
            yield Finding("segmentation-mixed", f"expected one form, got {listed}", self._file, "annotations")

    def _finding(self, code: str, message: str, place: int, annotation: Json) -> Finding:
        return Finding(
            code,
            message,
            self._file,
            f"annotations[{place}]",
            image=as_id(annotation.get("image_id")),
            annotation=as_id(annotation.get("id")),
        )

    def _problems(self, place: int, annotation: Json) -> Iterator[Problem]:
        if "id" in annotation:
            yield from id_problems(annotation["id"], "annotation", self._ids)
        else:
            yield "key-missing", "expected the key 'id', got none"
        yield from _reference_problems(annotation, "image", self._sizes, self.used_images)
        yield from _reference_problems(annotation, "category", self._categories, self.used_categories)
        yield from _crowd_problems(annotation)
        if annotation.get("ignore"):
            yield "ignore-set", f"ignore: expected none or 0, got {shown(annotation['ignore'])}"
        image_id = as_id(annotation.get("image_id"))
        size_hw = self._sizes.get(image_id)
        segmentation, shape = annotation.get("segmentation"), None
        if segmentation is None:
            self._without_mask.append((place, annotation))
        else:
            self._with_mask += 1
            shape, problems = measure(segmentation, size_hw)
            yield from problems
            if shape is not None and annotation.get("iscrowd") == 0:
                self._forms["polygons" if isinstance(segmentation, list) else "RLE"] += 1
        yield from box_problems(annotation, size_hw, shape)
        yield from area_problems(annotation, shape)
        if image_id is not None and (shape is not None or segmentation is None):
            yield from self._repetition_problems(place, annotation, shape)

    def _repetition_problems(self, place: int, annotation: Json, shape: Shape | None) -> Iterator[Problem]:
        """Yields a problem where the same geometry stands in the same image before."""
        bbox = annotation.get("bbox")
        if not (isinstance(bbox, list) and all(is_number(x) and is_finite(x) for x in bbox)):
            return
        segmentation, category = annotation.get("segmentation"), as_id(annotation.get("category_id"))
        groups = self._geometry.setdefault((annotation["image_id"], *bbox, shape), [])
        group = next((places for other, places in groups if other == segmentation), None)
        if group is None:
            groups.append((segmentation, {category: place}))
        elif category in group:
            got = f"the same as annotations[{group[category]}]"
            yield "annotation-duplicate", f"expected another object, got {got}"
        else:
            other, other_place = next(iter(group.items()))
            got = f"category {shown(category)} here and {shown(other)} in annotations[{other_place}]"
            yield "class-conflict", f"expected one class for one geometry, got {got}"
            group[category] = place


def _reference_problems(
    annotation: Json, kind: str, known: Mapping[Id, object] | set[Id], used: set[Id]
) -> Iterator[Problem]:
    key = f"{kind}_id"
    if key not in annotation:
        yield "key-missing", f"expected the key {key!r}, got none"
        return
    value = annotation[key]
    reference = as_id(value)
    if type(value) is not int:
        yield "id-type", f"{key}: expected a whole number, got {shown(value)}"
    elif value not in known:
        yield f"{kind}-unknown", f"{key}: expected the id of one {kind} of the file, got {shown(value)}"
    if reference is not None:
        used.add(reference)


def _crowd_problems(annotation: Json) -> Iterator[Problem]:
    if "iscrowd" not in annotation:
        yield "iscrowd-missing", "expected iscrowd, got none"
        return
    crowd = annotation["iscrowd"]
    if not isinstance(crowd, int | float) or crowd not in (0, 1):
        yield "iscrowd-value", f"iscrowd: expected 0 or 1, got {shown(crowd)}"
    elif type(crowd) is not int:
        yield "iscrowd-type", f"iscrowd: expected the whole number 0 or 1, got {shown(crowd)}"
    if isinstance(crowd, int | float) and crowd == 1 and isinstance(annotation.get("segmentation"), list):
        yield "crowd-polygon", "segmentation: expected RLE since iscrowd is 1, got a list of polygons"
