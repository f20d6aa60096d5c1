"""Which objects show what each kind of noise does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from noisyseg.integration.demo.data import DemoData

__all__ = ["KINDS", "Example", "find_examples", "find_images"]


@dataclass(frozen=True)
class Kind:
    """A kind of noise in words.

    Attributes:
        op: Its name in the recipe.
        title: What an annotator would call it.
        text: What happens, in one sentence.
    """

    op: str
    title: str
    text: str


KINDS = (
    Kind("Approximation", "Too few clicks", "The outline is cut to the few points that a hasty annotator sets."),
    Kind("Localization", "A shaky hand", "Every point of the outline lands some pixels off."),
    Kind("Scale", "Too wide or too tight", "The outline is drawn outside of the object, or inside."),
    Kind("ClassConfusion", "The wrong name", "The outline is right, and the class is another one."),
)
SMALLEST = 250
"""Pixels that an object must have to be looked at close up."""


@dataclass(frozen=True)
class Example:
    """An object that one kind of noise has hit.

    Attributes:
        kind: Which noise.
        image_id: Its image.
        annotation_id: Its annotation.
    """

    kind: Kind
    image_id: int
    annotation_id: int


def find_examples(data: DemoData) -> list[Example]:
    """Returns for each kind the object whose mask it changed most typically: the one of median IoU.

    Objects that several kinds have hit are passed over, and so are small ones and those cut by the left or upper
    side of the picture. A kind that hit no such object, as
    can be in a very small data set, has no example.
    """
    examples = []
    for kind in KINDS:
        hits = [entry for entry in data.noisy.document["annotations"] if _hit_by_alone(entry, kind.op)]
        hits.sort(key=lambda entry: (entry["noise"]["iou"], entry["id"]))
        if hits:
            chosen = hits[len(hits) // 2]
            examples.append(Example(kind, chosen["image_id"], chosen["id"]))
    return examples


def find_images(data: DemoData, count: int, among: int) -> list[int]:
    """Returns images with many objects, from the first ``among`` ones, in the order of the file."""
    ids = list(data.clean.images)[:among]
    fullest = sorted(ids, key=lambda image_id: -len(data.clean.positions[image_id]))[:count]
    return sorted(fullest)


def _hit_by_alone(annotation: dict[str, Any], op: str) -> bool:
    noise = annotation.get("noise")
    if noise is None or noise["clean_area"] < SMALLEST or min(noise["clean_bbox"][:2]) < 1:
        return False
    flags: Sequence[str] = noise["flags"]
    done = [name for name in ("class_changed", "mask_changed", "vanished") if name in flags]
    wanted = ["class_changed"] if op == "ClassConfusion" else ["mask_changed"]
    return done == wanted and any(entry["op"] == op for entry in noise["chain"])
